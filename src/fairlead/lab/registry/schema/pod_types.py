"""Pods and their containers."""

TABLE = """
@ io.k8s.api.core.v1 v1

Pod kind -- Containers that run side by side, with one address.
  spec PodSpec -- What is wanted.
  status PodStatus -- What is.

PodTemplateSpec -- What pods are made from.
  metadata ObjectMeta -- Their labels and annotations.
  spec PodSpec -- What they are.

PodSpec -- What a pod runs, and how.
  containers! [Container] by name -- The containers; one at least.
  initContainers [Container] by name -- Containers that run before, one after the other, each to its end.
  ephemeralContainers [EphemeralContainer] by name -- Containers that were added to look around.
  volumes [Volume] by name retain -- Files that containers may mount.
  restartPolicy str =Always|Never|OnFailure -- When a container that ended is started again; Always if not given.
  terminationGracePeriodSeconds long -- Seconds between asking its programs to end and killing them; 30 if not given.
  activeDeadlineSeconds long -- Seconds after which it is ended.
  nodeName str -- Its node.
  nodeSelector {str} atomic -- Labels that its node has to have.
  affinity Affinity -- Where it had better run, and beside what.
  tolerations [Toleration] -- Taints that do not keep it away.
  topologySpreadConstraints [TopologySpreadConstraint] by topologyKey,whenUnsatisfiable -- How pods are spread.
  schedulerName str -- Who picks its node.
  schedulingGates [PodSchedulingGate] by name -- What has to be done before a node is picked.
  schedulingGroup PodSchedulingGroup -- With which others it gets a node.
  priorityClassName str -- How important it is, by name.
  priority int -- How important it is.
  preemptionPolicy str =Never|PreemptLowerPriority -- Whether less important ones have to go for it.
  serviceAccountName str -- Who it is to the API server; default if not given.
  serviceAccount str -- The older name of serviceAccountName.
  automountServiceAccountToken bool -- It gets a token.
  imagePullSecrets [LocalObjectReference] by name -- Secrets for pulling its images.
  hostNetwork bool -- It has the node's network instead of its own.
  hostPID bool -- It sees the node's processes.
  hostIPC bool -- It has the node's shared memory.
  hostUsers bool -- It has the node's user IDs; so it is if not given.
  shareProcessNamespace bool -- Its containers see each other's processes.
  hostname str -- What it calls itself; its name if not given.
  subdomain str -- The headless service under which it has a name.
  hostnameOverride str -- What it calls itself, whatever else says.
  setHostnameAsFQDN bool -- It calls itself by its whole name.
  hostAliases [HostAlias] by ip -- Further lines for /etc/hosts.
  dnsPolicy str =ClusterFirst|ClusterFirstWithHostNet|Default|None -- Which DNS it asks; ClusterFirst if not given.
  dnsConfig PodDNSConfig -- Changes to that.
  enableServiceLinks bool -- Services stand in its environment; so it is if not given.
  securityContext PodSecurityContext -- What its programs may do.
  readinessGates [PodReadinessGate] -- Further conditions for being ready.
  runtimeClassName str -- How its containers are run.
  overhead {quantity} -- What running it costs on top.
  resources ResourceRequirements -- What all containers may use together.
  resourceClaims [PodResourceClaim] by name retain -- Devices for its containers.
  os PodOS -- Which operating system it is for.

Container -- One program, with its files.
  name! str -- Its name, the only one in the pod.
  image str -- What it runs. The lab knows a few images; any other needs a command from this machine.
  command [str] -- The program and its first words, instead of the image's.
  args [str] -- Its words, instead of the image's.
  workingDir str -- The directory it starts in.
  ports [ContainerPort] by containerPort,protocol -- Where it listens; for people, and for services that name them.
  env [EnvVar] by name -- Environment variables.
  envFrom [EnvFromSource] -- Environment variables from elsewhere, all at once.
  resources ResourceRequirements -- What it may use.
  resizePolicy [ContainerResizePolicy] -- What happens when that changes.
  restartPolicy str -- Always: an init container that runs on beside the others.
  restartPolicyRules [ContainerRestartRule] -- When it is started again, by how it ended.
  volumeMounts [VolumeMount] by mountPath -- Where it sees volumes.
  volumeDevices [VolumeDevice] by devicePath -- Where it sees block devices.
  livenessProbe Probe -- It is started again when this fails.
  readinessProbe Probe -- It gets no traffic while this fails.
  startupProbe Probe -- The other probes wait for this.
  lifecycle Lifecycle -- What is done after its start and before its end.
  terminationMessagePath str -- The file with its last words; /dev/termination-log if not given.
  terminationMessagePolicy str =FallbackToLogsOnError|File -- Where its last words come from; File if not given.
  imagePullPolicy str =Always|IfNotPresent|Never -- When the image is fetched.
  securityContext SecurityContext -- What its program may do.
  stdin bool -- Its input stays open.
  stdinOnce bool -- Its input is closed after the first who used it.
  tty bool -- It has a terminal.

EphemeralContainer < Container -- A container that was added to a running pod to look around.
  targetContainerName str -- Whose processes it sees.

ContainerPort -- A port where a container listens.
  containerPort! int -- The number.
  name str -- Its name, for services and probes.
  protocol str =SCTP|TCP|UDP -- TCP if not given.
  hostPort int -- The port of the node that leads there.
  hostIP str -- The address of the node for that.

EnvVar -- An environment variable.
  name! str -- Its name.
  value str -- Its value; $(NAME) stands for another one.
  valueFrom EnvVarSource -- Where the value comes from.

EnvVarSource -- Where a value comes from; one of these.
  configMapKeyRef ConfigMapKeySelector -- A ConfigMap.
  secretKeyRef SecretKeySelector -- A Secret.
  fieldRef ObjectFieldSelector -- The pod itself.
  resourceFieldRef ResourceFieldSelector -- What a container may use.
  fileKeyRef FileKeySelector -- A file in a volume.

ConfigMapKeySelector atomic -- One text of a ConfigMap.
  name str -- The ConfigMap.
  key! str -- The text.
  optional bool -- It may be missing.

SecretKeySelector atomic -- One text of a Secret.
  name str -- The Secret.
  key! str -- The text.
  optional bool -- It may be missing.

ObjectFieldSelector atomic -- A field of the pod.
  fieldPath! str -- Such as metadata.name or status.podIP.
  apiVersion str -- v1 if not given.

ResourceFieldSelector atomic -- What a container may use.
  containerName str -- Which container.
  resource! str -- Such as limits.cpu.
  divisor quantity -- The unit; 1 if not given.

FileKeySelector atomic -- One value of a file with environment variables.
  volumeName! str -- The volume.
  path! str -- The file.
  key! str -- The value.
  optional bool -- It may be missing.

EnvFromSource -- Environment variables from elsewhere; one of these.
  prefix str -- What their names start with.
  configMapRef ConfigMapEnvSource -- A ConfigMap.
  secretRef SecretEnvSource -- A Secret.

ConfigMapEnvSource -- All texts of a ConfigMap.
  name str -- The ConfigMap.
  optional bool -- It may be missing.

SecretEnvSource -- All texts of a Secret.
  name str -- The Secret.
  optional bool -- It may be missing.

Lifecycle -- What is done after the start of a container and before its end.
  postStart LifecycleHandler -- After the start.
  preStop LifecycleHandler -- Before the end.
  stopSignal str -- The signal that asks it to end.

LifecycleHandler -- One thing to do.
  exec ExecAction -- Run a program in the container.
  httpGet HTTPGetAction -- Send a request.
  tcpSocket TCPSocketAction -- Open a connection.
  sleep SleepAction -- Wait.

ExecAction -- Runs a program in the container; 0 is good.
  command [str] -- The program and its words; no shell.

HTTPGetAction -- Sends a request; 200 to 399 is good.
  path str -- The path.
  port! intstr -- The port, a number or a name.
  host str -- The address; the pod's if not given.
  scheme str =HTTP|HTTPS -- HTTP if not given.
  httpHeaders [HTTPHeader] -- Headers of the request.

HTTPHeader -- A header.
  name! str -- Its name.
  value! str -- Its value.

TCPSocketAction -- Opens a connection.
  port! intstr -- The port, a number or a name.
  host str -- The address; the pod's if not given.

SleepAction -- Waits.
  seconds! long -- How long.

GRPCAction -- Asks a gRPC health service.
  port! int -- The port.
  service str -- The service to ask for.

Probe -- Finds out again and again how a container is.
  exec ExecAction -- Run a program in the container.
  httpGet HTTPGetAction -- Send a request.
  tcpSocket TCPSocketAction -- Open a connection.
  grpc GRPCAction -- Ask a gRPC health service.
  initialDelaySeconds int -- Seconds before the first time.
  periodSeconds int -- Seconds from one time to the next; 10 if not given.
  timeoutSeconds int -- Seconds for an answer; 1 if not given.
  successThreshold int -- How often it has to be good in a row; 1 if not given.
  failureThreshold int -- How often it has to be bad in a row; 3 if not given.
  terminationGracePeriodSeconds long -- Seconds to end in after it failed; the pod's if not given.

ResourceRequirements -- What may be used. The lab shows these numbers and does not enforce them.
  limits {quantity} -- The most.
  requests {quantity} -- What is set aside.
  claims [ResourceClaim] keyed name -- Devices.

ResourceClaim -- A device.
  name! str -- Which of the pod's resourceClaims.
  request str -- Which part of it.

ContainerResizePolicy -- What happens when a limit changes.
  resourceName! str -- cpu or memory.
  restartPolicy! str -- NotRequired or RestartContainer.

ContainerRestartRule -- When a container is started again.
  action! str -- Restart, or RestartAllContainers.
  exitCodes ContainerRestartRuleOnExitCodes -- After which exit codes.

ContainerRestartRuleOnExitCodes -- Some exit codes.
  operator! str -- In or NotIn.
  values [int] set -- The codes.

SecurityContext -- What a container's program may do.
  runAsUser long -- Its user ID.
  runAsGroup long -- Its group ID.
  runAsNonRoot bool -- It is not started as root.
  privileged bool -- All that root may do on the node.
  allowPrivilegeEscalation bool -- It may get more rights than it started with.
  capabilities Capabilities -- Rights of root that it has, or has not.
  readOnlyRootFilesystem bool -- It cannot write outside volumes.
  seccompProfile SeccompProfile -- System calls it may use.
  appArmorProfile AppArmorProfile -- Its AppArmor profile.
  seLinuxOptions SELinuxOptions -- Its SELinux label.
  procMount str =Default|Unmasked -- How much of /proc it sees.
  windowsOptions WindowsSecurityContextOptions -- For Windows.

PodSecurityContext -- What the programs of all containers may do.
  runAsUser long -- Their user ID.
  runAsGroup long -- Their group ID.
  runAsNonRoot bool -- None is started as root.
  fsGroup long -- The group of their volumes.
  fsGroupChangePolicy str =Always|OnRootMismatch -- When files of volumes are given to that group.
  supplementalGroups [long] -- Further groups.
  supplementalGroupsPolicy str =Merge|Strict -- Whether groups of the image count, too.
  sysctls [Sysctl] -- Kernel settings.
  seccompProfile SeccompProfile -- System calls they may use.
  appArmorProfile AppArmorProfile -- Their AppArmor profile.
  seLinuxOptions SELinuxOptions -- Their SELinux label.
  seLinuxChangePolicy str -- How volumes get that label: MountOption or Recursive.
  windowsOptions WindowsSecurityContextOptions -- For Windows.

Capabilities -- Rights of root.
  add [str] -- Those it has.
  drop [str] -- Those it has not.

SeccompProfile -- System calls that may be used.
  type! str =Localhost|RuntimeDefault|Unconfined -- Which profile.
  localhostProfile str -- A file on the node.

AppArmorProfile -- An AppArmor profile.
  type! str =Localhost|RuntimeDefault|Unconfined -- Which profile.
  localhostProfile str -- Its name on the node.

SELinuxOptions -- An SELinux label.
  user str -- Its user.
  role str -- Its role.
  type str -- Its type.
  level str -- Its level.

WindowsSecurityContextOptions -- For Windows.
  gmsaCredentialSpec str
  gmsaCredentialSpecName str
  hostProcess bool
  runAsUserName str

Sysctl -- A kernel setting.
  name! str -- Its name.
  value! str -- Its value.

Affinity -- Where a pod had better run, and beside what.
  nodeAffinity NodeAffinity -- On which nodes.
  podAffinity PodAffinity -- Beside which pods.
  podAntiAffinity PodAntiAffinity -- Away from which pods.

NodeAffinity -- On which nodes a pod runs.
  requiredDuringSchedulingIgnoredDuringExecution NodeSelector -- It has to.
  preferredDuringSchedulingIgnoredDuringExecution [PreferredSchedulingTerm] -- It had better.

PreferredSchedulingTerm -- Nodes that are better than others.
  weight! int -- By how much, 1 to 100.
  preference! NodeSelectorTerm -- The nodes.

NodeSelector atomic -- Selects nodes.
  nodeSelectorTerms! [NodeSelectorTerm] -- One of these has to hold.

NodeSelectorTerm atomic -- Selects nodes; all of it has to hold.
  matchExpressions [NodeSelectorRequirement] -- Terms about labels.
  matchFields [NodeSelectorRequirement] -- Terms about fields.

NodeSelectorRequirement -- A term about one label or field.
  key! str -- The label, or field.
  operator! str =DoesNotExist|Exists|Gt|In|Lt|NotIn -- How it is compared.
  values [str] -- With what.

PodAffinity -- Beside which pods a pod runs.
  requiredDuringSchedulingIgnoredDuringExecution [PodAffinityTerm] -- It has to.
  preferredDuringSchedulingIgnoredDuringExecution [WeightedPodAffinityTerm] -- It had better.

PodAntiAffinity < PodAffinity -- Away from which pods a pod runs.

WeightedPodAffinityTerm -- Pods that are better than others.
  weight! int -- By how much, 1 to 100.
  podAffinityTerm! PodAffinityTerm -- The pods.

PodAffinityTerm -- Selects pods.
  topologyKey! str -- The node label whose value is the same for what counts as one place.
  labelSelector LabelSelector -- Their labels.
  namespaces [str] -- Their namespaces; the pod's own if not given.
  namespaceSelector LabelSelector -- The labels of their namespaces.
  matchLabelKeys [str] -- Labels that have to be the pod's own.
  mismatchLabelKeys [str] -- Labels that must not be the pod's own.

Toleration -- Taints that do not keep a pod away.
  key str -- The taint; every one if not given.
  operator str -- Exists, Equal (if not given), Lt or Gt.
  value str -- The taint's value, for Equal.
  effect str =NoExecute|NoSchedule|PreferNoSchedule -- Which effect; every one if not given.
  tolerationSeconds long -- For how long, for NoExecute.

TopologySpreadConstraint -- How pods are spread.
  maxSkew! int -- How much two places may differ.
  topologyKey! str -- The node label whose value is the same for what counts as one place.
  whenUnsatisfiable! str =DoNotSchedule|ScheduleAnyway -- If that cannot be.
  labelSelector LabelSelector -- The pods that count.
  matchLabelKeys [str] -- Labels that have to be the pod's own.
  minDomains int -- Places there have to be.
  nodeAffinityPolicy str =Honor|Ignore -- Only nodes that the pod may run on count.
  nodeTaintsPolicy str =Honor|Ignore -- Only nodes whose taints it tolerates count.

PodSchedulingGate -- What has to be done before a node is picked.
  name! str -- Its name.

PodSchedulingGroup -- Pods that get their nodes together.
  podGroupName str -- Which.

PodReadinessGate -- A further condition for being ready.
  conditionType! str -- Its type.

PodOS -- An operating system.
  name! str -- linux or windows.

PodDNSConfig -- Changes to a pod's resolv.conf.
  nameservers [str] -- Further servers.
  searches [str] -- Further search domains.
  options [PodDNSConfigOption] -- Options.

PodDNSConfigOption -- An option of resolv.conf.
  name str -- Its name.
  value str -- Its value.

HostAlias -- A line for /etc/hosts.
  ip! str -- The address.
  hostnames [str] -- Its names.

PodResourceClaim -- A device for the containers of a pod.
  name! str -- What they call it.
  resourceClaimName str -- The claim.
  resourceClaimTemplateName str -- Or what it is made from.

LocalObjectReference atomic -- Something in the same namespace.
  name str -- Its name.

ObjectReference atomic -- An object.
  apiVersion str -- Its group and version.
  kind str -- Its kind.
  namespace str -- Its namespace.
  name str -- Its name.
  uid str -- Its UID.
  resourceVersion str -- Its version.
  fieldPath str -- A part of it, such as spec.containers{web}.

TypedLocalObjectReference atomic -- Something in the same namespace.
  apiGroup str -- Its group.
  kind! str -- Its kind.
  name! str -- Its name.

PodStatus -- How a pod is.
  phase str =Failed|Pending|Running|Succeeded|Unknown -- How far it is.
  conditions [PodCondition] by type -- PodScheduled, Initialized, ContainersReady, Ready.
  reason str -- Why, in one word; such as Evicted.
  message str -- Why, for people.
  hostIP str -- The address of its node.
  hostIPs [HostIP] patched ip -- The same, one for each address family.
  podIP str -- Its address.
  podIPs [PodIP] by ip -- The same, one for each address family.
  startTime time -- When the node took it up.
  containerStatuses [ContainerStatus] -- Its containers.
  initContainerStatuses [ContainerStatus] -- Its init containers.
  ephemeralContainerStatuses [ContainerStatus] -- Those that were added.
  qosClass str =BestEffort|Burstable|Guaranteed -- Who goes first when memory is short.
  nominatedNodeName str -- The node it will get once others have gone.
  observedGeneration long -- The generation that this is about.
  resize str -- How a change of its resources goes.
  resources ResourceRequirements -- What all containers may use together.
  allocatedResources {quantity} -- What the node set aside.
  resourceClaimStatuses [PodResourceClaimStatus] by name retain -- Its devices.
  extendedResourceClaimStatus PodExtendedResourceClaimStatus -- Its devices that were asked for as resources.
  nodeAllocatableResourceClaimStatuses [NodeAllocatableResourceClaimStatus] -- What its devices take of the node.

PodCondition -- One thing that is the case with a pod, or not.
  type! str -- What.
  status! str -- True, False or Unknown.
  observedGeneration long -- The generation this was found for.
  lastProbeTime time -- When this was looked at last.
  lastTransitionTime time -- When the status changed last.
  reason str -- Why, in one word for programs.
  message str -- Why, for people.

HostIP -- An address of a node.
  ip! str -- The address.

PodIP -- An address of a pod.
  ip! str -- The address.

ContainerStatus -- How a container is.
  name! str -- Which.
  state ContainerState -- What it does.
  lastState ContainerState -- What it did before.
  ready! bool -- It takes traffic.
  started bool -- Its startup probe was good.
  restartCount! int -- How often it was started again.
  image! str -- What it runs.
  imageID! str -- The same, as the runtime names it.
  containerID str -- NAME://ID, as the runtime names it.
  resources ResourceRequirements -- What it may use.
  allocatedResources {quantity} -- What the node set aside.
  allocatedResourcesStatus [ResourceStatus] by name -- How its devices are.
  stopSignal str -- The signal that asks it to end.
  user ContainerUser -- Who its first process was.
  volumeMounts [VolumeMountStatus] by mountPath -- Where it sees volumes.

ContainerState -- What a container does; one of these.
  waiting ContainerStateWaiting -- It waits to be started.
  running ContainerStateRunning -- It runs.
  terminated ContainerStateTerminated -- It ended.

ContainerStateWaiting -- A container that waits.
  reason str -- For what, in one word; such as CrashLoopBackOff.
  message str -- For what.

ContainerStateRunning -- A container that runs.
  startedAt time -- Since when.

ContainerStateTerminated -- A container that ended.
  exitCode! int -- How.
  signal int -- By which signal.
  reason str -- Why, in one word; such as Completed or Error.
  message str -- Its last words.
  startedAt time -- From when.
  finishedAt time -- Until when.
  containerID str -- Which, as the runtime names it.

ContainerUser -- Who a process is.
  linux LinuxContainerUser -- On Linux.

LinuxContainerUser -- User and groups.
  uid! long -- The user.
  gid! long -- The group.
  supplementalGroups [long] -- Further groups.

VolumeMountStatus -- Where a container sees a volume.
  name! str -- The volume.
  mountPath! str -- Where.
  readOnly bool -- It cannot write there.
  recursiveReadOnly str -- Nor anywhere below.
  volumeStatus VolumeStatus -- How the volume is.

VolumeStatus -- How a volume is.
  image ImageVolumeStatus -- For an image.

ImageVolumeStatus -- An image as a volume.
  imageRef! str -- Which.

ResourceStatus -- How devices are.
  name! str -- Which.
  resources [ResourceHealth] keyed resourceID -- One by one.

ResourceHealth -- How a device is.
  resourceID! str -- Which.
  health str -- Healthy, Unhealthy or Unknown.
  message str -- Why.

PodResourceClaimStatus -- A device of a pod.
  name! str -- What its containers call it.
  resourceClaimName str -- The claim.

PodExtendedResourceClaimStatus -- Devices that were asked for as resources.
  resourceClaimName! str -- The claim.
  requestMappings! [ContainerExtendedResourceRequest] -- Which container has which.

ContainerExtendedResourceRequest -- Which container has which device.
  containerName! str -- The container.
  resourceName! str -- The resource.
  requestName! str -- The device.

NodeAllocatableResourceClaimStatus -- What a device takes of the node.
  resourceClaimName! str -- The claim.
  containers [str] set -- Who has it.
  resources! {quantity} -- What it takes.
"""
