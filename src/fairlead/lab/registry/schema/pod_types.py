"""Pods and their containers."""

TABLE = """
@ io.k8s.api.core.v1 v1

Pod kind -- Containers that run side by side, with one address.
  2 spec PodSpec -- What is wanted.
  3 status PodStatus -- What is.

PodTemplateSpec -- What pods are made from.
  1 metadata ObjectMeta -- Their labels and annotations.
  2 spec PodSpec -- What they are.

PodSpec -- What a pod runs, and how.
  2 containers! [Container] by name -- The containers; one at least.
  20 initContainers [Container] by name -- Containers that run before, one after the other, each to its end.
  34 ephemeralContainers [EphemeralContainer] by name -- Containers that were added to look around.
  1 volumes [Volume] by name retain -- Files that containers may mount.
  3 restartPolicy str =Always|Never|OnFailure -- When a container that ended is started again; Always if not given.
  4 terminationGracePeriodSeconds? long -- Seconds between asking its programs to end and killing them; 30 if not given.
  5 activeDeadlineSeconds? long -- Seconds after which it is ended.
  10 nodeName str -- Its node.
  7 nodeSelector {str} atomic -- Labels that its node has to have.
  18 affinity? Affinity -- Where it had better run, and beside what.
  22 tolerations [Toleration] -- Taints that do not keep it away.
  33 topologySpreadConstraints [TopologySpreadConstraint] by topologyKey,whenUnsatisfiable -- How pods are spread.
  19 schedulerName str -- Who picks its node.
  38 schedulingGates [PodSchedulingGate] by name -- What has to be done before a node is picked.
  43 schedulingGroup? PodSchedulingGroup -- With which others it gets a node.
  24 priorityClassName str -- How important it is, by name.
  25 priority? int -- How important it is.
  31 preemptionPolicy? str =Never|PreemptLowerPriority -- Whether less important ones have to go for it.
  8 serviceAccountName str -- Who it is to the API server; default if not given.
  9 serviceAccount str -- The older name of serviceAccountName.
  21 automountServiceAccountToken? bool -- It gets a token.
  15 imagePullSecrets [LocalObjectReference] by name -- Secrets for pulling its images.
  11 hostNetwork bool -- It has the node's network instead of its own.
  12 hostPID bool -- It sees the node's processes.
  13 hostIPC bool -- It has the node's shared memory.
  37 hostUsers? bool -- It has the node's user IDs; so it is if not given.
  27 shareProcessNamespace? bool -- Its containers see each other's processes.
  16 hostname str -- What it calls itself; its name if not given.
  17 subdomain str -- The headless service under which it has a name.
  41 hostnameOverride? str -- What it calls itself, whatever else says.
  35 setHostnameAsFQDN? bool -- It calls itself by its whole name.
  23 hostAliases [HostAlias] by ip -- Further lines for /etc/hosts.
  6 dnsPolicy str =ClusterFirst|ClusterFirstWithHostNet|Default|None -- Which DNS it asks; ClusterFirst if not given.
  26 dnsConfig? PodDNSConfig -- Changes to that.
  30 enableServiceLinks? bool -- Services stand in its environment; so it is if not given.
  14 securityContext? PodSecurityContext -- What its programs may do.
  28 readinessGates [PodReadinessGate] -- Further conditions for being ready.
  29 runtimeClassName? str -- How its containers are run.
  32 overhead {quantity} -- What running it costs on top.
  40 resources? ResourceRequirements -- What all containers may use together.
  39 resourceClaims [PodResourceClaim] by name retain -- Devices for its containers.
  36 os? PodOS -- Which operating system it is for.

Container -- One program, with its files.
  1 name! str -- Its name, the only one in the pod.
  2 image str -- What it runs. The lab knows a few images; any other needs a command from this machine.
  3 command [str] -- The program and its first words, instead of the image's.
  4 args [str] -- Its words, instead of the image's.
  5 workingDir str -- The directory it starts in.
  6 ports [ContainerPort] by containerPort,protocol -- Where it listens; for people, and for services that name them.
  7 env [EnvVar] by name -- Environment variables.
  19 envFrom [EnvFromSource] -- Environment variables from elsewhere, all at once.
  8 resources ResourceRequirements -- What it may use.
  23 resizePolicy [ContainerResizePolicy] -- What happens when that changes.
  24 restartPolicy? str -- Always: an init container that runs on beside the others.
  25 restartPolicyRules [ContainerRestartRule] -- When it is started again, by how it ended.
  9 volumeMounts [VolumeMount] by mountPath -- Where it sees volumes.
  21 volumeDevices [VolumeDevice] by devicePath -- Where it sees block devices.
  10 livenessProbe? Probe -- It is started again when this fails.
  11 readinessProbe? Probe -- It gets no traffic while this fails.
  22 startupProbe? Probe -- The other probes wait for this.
  12 lifecycle? Lifecycle -- What is done after its start and before its end.
  13 terminationMessagePath str -- The file with its last words; /dev/termination-log if not given.
  20 terminationMessagePolicy str =FallbackToLogsOnError|File -- Where its last words come from; File if not given.
  14 imagePullPolicy str =Always|IfNotPresent|Never -- When the image is fetched.
  15 securityContext? SecurityContext -- What its program may do.
  16 stdin bool -- Its input stays open.
  17 stdinOnce bool -- Its input is closed after the first who used it.
  18 tty bool -- It has a terminal.

EphemeralContainer < 1:Container -- A container that was added to a running pod to look around.
  2 targetContainerName str -- Whose processes it sees.

ContainerPort -- A port where a container listens.
  3 containerPort! int -- The number.
  1 name str -- Its name, for services and probes.
  4 protocol str =SCTP|TCP|UDP -- TCP if not given.
  2 hostPort int -- The port of the node that leads there.
  5 hostIP str -- The address of the node for that.

EnvVar -- An environment variable.
  1 name! str -- Its name.
  2 value str -- Its value; $(NAME) stands for another one.
  3 valueFrom? EnvVarSource -- Where the value comes from.

EnvVarSource -- Where a value comes from; one of these.
  3 configMapKeyRef? ConfigMapKeySelector -- A ConfigMap.
  4 secretKeyRef? SecretKeySelector -- A Secret.
  1 fieldRef? ObjectFieldSelector -- The pod itself.
  2 resourceFieldRef? ResourceFieldSelector -- What a container may use.
  5 fileKeyRef? FileKeySelector -- A file in a volume.

ConfigMapKeySelector atomic -- One text of a ConfigMap.
  1.1 name str -- The ConfigMap.
  2 key! str -- The text.
  3 optional? bool -- It may be missing.

SecretKeySelector atomic -- One text of a Secret.
  1.1 name str -- The Secret.
  2 key! str -- The text.
  3 optional? bool -- It may be missing.

ObjectFieldSelector atomic -- A field of the pod.
  2 fieldPath! str -- Such as metadata.name or status.podIP.
  1 apiVersion str -- v1 if not given.

ResourceFieldSelector atomic -- What a container may use.
  1 containerName str -- Which container.
  2 resource! str -- Such as limits.cpu.
  3 divisor quantity -- The unit; 1 if not given.

FileKeySelector atomic -- One value of a file with environment variables.
  1 volumeName! str -- The volume.
  2 path! str -- The file.
  3 key! str -- The value.
  4 optional? bool -- It may be missing.

EnvFromSource -- Environment variables from elsewhere; one of these.
  1 prefix str -- What their names start with.
  2 configMapRef? ConfigMapEnvSource -- A ConfigMap.
  3 secretRef? SecretEnvSource -- A Secret.

ConfigMapEnvSource -- All texts of a ConfigMap.
  1.1 name str -- The ConfigMap.
  2 optional? bool -- It may be missing.

SecretEnvSource -- All texts of a Secret.
  1.1 name str -- The Secret.
  2 optional? bool -- It may be missing.

Lifecycle -- What is done after the start of a container and before its end.
  1 postStart? LifecycleHandler -- After the start.
  2 preStop? LifecycleHandler -- Before the end.
  3 stopSignal? str -- The signal that asks it to end.

LifecycleHandler -- One thing to do.
  1 exec? ExecAction -- Run a program in the container.
  2 httpGet? HTTPGetAction -- Send a request.
  3 tcpSocket? TCPSocketAction -- Open a connection.
  4 sleep? SleepAction -- Wait.

ExecAction -- Runs a program in the container; 0 is good.
  1 command [str] -- The program and its words; no shell.

HTTPGetAction -- Sends a request; 200 to 399 is good.
  1 path str -- The path.
  2 port! intstr -- The port, a number or a name.
  3 host str -- The address; the pod's if not given.
  4 scheme str =HTTP|HTTPS -- HTTP if not given.
  5 httpHeaders [HTTPHeader] -- Headers of the request.

HTTPHeader -- A header.
  1 name! str -- Its name.
  2 value! str -- Its value.

TCPSocketAction -- Opens a connection.
  1 port! intstr -- The port, a number or a name.
  2 host str -- The address; the pod's if not given.

SleepAction -- Waits.
  1 seconds! long -- How long.

GRPCAction -- Asks a gRPC health service.
  1 port! int -- The port.
  2 service? str -- The service to ask for.

Probe -- Finds out again and again how a container is.
  1.1 exec? ExecAction -- Run a program in the container.
  1.2 httpGet? HTTPGetAction -- Send a request.
  1.3 tcpSocket? TCPSocketAction -- Open a connection.
  1.4 grpc? GRPCAction -- Ask a gRPC health service.
  2 initialDelaySeconds int -- Seconds before the first time.
  4 periodSeconds int -- Seconds from one time to the next; 10 if not given.
  3 timeoutSeconds int -- Seconds for an answer; 1 if not given.
  5 successThreshold int -- How often it has to be good in a row; 1 if not given.
  6 failureThreshold int -- How often it has to be bad in a row; 3 if not given.
  7 terminationGracePeriodSeconds? long -- Seconds to end in after it failed; the pod's if not given.

ResourceRequirements -- What may be used. The lab shows these numbers and does not enforce them.
  1 limits {quantity} -- The most.
  2 requests {quantity} -- What is set aside.
  3 claims [ResourceClaim] keyed name -- Devices.

ResourceClaim -- A device.
  1 name! str -- Which of the pod's resourceClaims.
  2 request str -- Which part of it.

ContainerResizePolicy -- What happens when a limit changes.
  1 resourceName! str -- cpu or memory.
  2 restartPolicy! str -- NotRequired or RestartContainer.

ContainerRestartRule -- When a container is started again.
  1 action! str -- Restart, or RestartAllContainers.
  2 exitCodes? ContainerRestartRuleOnExitCodes -- After which exit codes.

ContainerRestartRuleOnExitCodes -- Some exit codes.
  1 operator! str -- In or NotIn.
  2 values [int] set -- The codes.

SecurityContext -- What a container's program may do.
  4 runAsUser? long -- Its user ID.
  8 runAsGroup? long -- Its group ID.
  5 runAsNonRoot? bool -- It is not started as root.
  2 privileged? bool -- All that root may do on the node.
  7 allowPrivilegeEscalation? bool -- It may get more rights than it started with.
  1 capabilities? Capabilities -- Rights of root that it has, or has not.
  6 readOnlyRootFilesystem? bool -- It cannot write outside volumes.
  11 seccompProfile? SeccompProfile -- System calls it may use.
  12 appArmorProfile? AppArmorProfile -- Its AppArmor profile.
  3 seLinuxOptions? SELinuxOptions -- Its SELinux label.
  9 procMount? str =Default|Unmasked -- How much of /proc it sees.
  10 windowsOptions? WindowsSecurityContextOptions -- For Windows.

PodSecurityContext -- What the programs of all containers may do.
  2 runAsUser? long -- Their user ID.
  6 runAsGroup? long -- Their group ID.
  3 runAsNonRoot? bool -- None is started as root.
  5 fsGroup? long -- The group of their volumes.
  9 fsGroupChangePolicy? str =Always|OnRootMismatch -- When files of volumes are given to that group.
  4 supplementalGroups [long] -- Further groups.
  12 supplementalGroupsPolicy? str =Merge|Strict -- Whether groups of the image count, too.
  7 sysctls [Sysctl] -- Kernel settings.
  10 seccompProfile? SeccompProfile -- System calls they may use.
  11 appArmorProfile? AppArmorProfile -- Their AppArmor profile.
  1 seLinuxOptions? SELinuxOptions -- Their SELinux label.
  13 seLinuxChangePolicy? str -- How volumes get that label: MountOption or Recursive.
  8 windowsOptions? WindowsSecurityContextOptions -- For Windows.

Capabilities -- Rights of root.
  1 add [str] -- Those it has.
  2 drop [str] -- Those it has not.

SeccompProfile -- System calls that may be used.
  1 type! str =Localhost|RuntimeDefault|Unconfined -- Which profile.
  2 localhostProfile? str -- A file on the node.

AppArmorProfile -- An AppArmor profile.
  1 type! str =Localhost|RuntimeDefault|Unconfined -- Which profile.
  2 localhostProfile? str -- Its name on the node.

SELinuxOptions -- An SELinux label.
  1 user str -- Its user.
  2 role str -- Its role.
  3 type str -- Its type.
  4 level str -- Its level.

WindowsSecurityContextOptions -- For Windows.
  2 gmsaCredentialSpec? str
  1 gmsaCredentialSpecName? str
  4 hostProcess? bool
  3 runAsUserName? str

Sysctl -- A kernel setting.
  1 name! str -- Its name.
  2 value! str -- Its value.

Affinity -- Where a pod had better run, and beside what.
  1 nodeAffinity? NodeAffinity -- On which nodes.
  2 podAffinity? PodAffinity -- Beside which pods.
  3 podAntiAffinity? PodAntiAffinity -- Away from which pods.

NodeAffinity -- On which nodes a pod runs.
  1 requiredDuringSchedulingIgnoredDuringExecution? NodeSelector -- It has to.
  2 preferredDuringSchedulingIgnoredDuringExecution [PreferredSchedulingTerm] -- It had better.

PreferredSchedulingTerm -- Nodes that are better than others.
  1 weight! int -- By how much, 1 to 100.
  2 preference! NodeSelectorTerm -- The nodes.

NodeSelector atomic -- Selects nodes.
  1 nodeSelectorTerms! [NodeSelectorTerm] -- One of these has to hold.

NodeSelectorTerm atomic -- Selects nodes; all of it has to hold.
  1 matchExpressions [NodeSelectorRequirement] -- Terms about labels.
  2 matchFields [NodeSelectorRequirement] -- Terms about fields.

NodeSelectorRequirement -- A term about one label or field.
  1 key! str -- The label, or field.
  2 operator! str =DoesNotExist|Exists|Gt|In|Lt|NotIn -- How it is compared.
  3 values [str] -- With what.

PodAffinity -- Beside which pods a pod runs.
  1 requiredDuringSchedulingIgnoredDuringExecution [PodAffinityTerm] -- It has to.
  2 preferredDuringSchedulingIgnoredDuringExecution [WeightedPodAffinityTerm] -- It had better.

PodAntiAffinity < PodAffinity -- Away from which pods a pod runs.

WeightedPodAffinityTerm -- Pods that are better than others.
  1 weight! int -- By how much, 1 to 100.
  2 podAffinityTerm! PodAffinityTerm -- The pods.

PodAffinityTerm -- Selects pods.
  3 topologyKey! str -- The node label whose value is the same for what counts as one place.
  1 labelSelector? LabelSelector -- Their labels.
  2 namespaces [str] -- Their namespaces; the pod's own if not given.
  4 namespaceSelector? LabelSelector -- The labels of their namespaces.
  5 matchLabelKeys [str] -- Labels that have to be the pod's own.
  6 mismatchLabelKeys [str] -- Labels that must not be the pod's own.

Toleration -- Taints that do not keep a pod away.
  1 key str -- The taint; every one if not given.
  2 operator str -- Exists, Equal (if not given), Lt or Gt.
  3 value str -- The taint's value, for Equal.
  4 effect str =NoExecute|NoSchedule|PreferNoSchedule -- Which effect; every one if not given.
  5 tolerationSeconds? long -- For how long, for NoExecute.

TopologySpreadConstraint -- How pods are spread.
  1 maxSkew! int -- How much two places may differ.
  2 topologyKey! str -- The node label whose value is the same for what counts as one place.
  3 whenUnsatisfiable! str =DoNotSchedule|ScheduleAnyway -- If that cannot be.
  4 labelSelector? LabelSelector -- The pods that count.
  8 matchLabelKeys [str] -- Labels that have to be the pod's own.
  5 minDomains? int -- Places there have to be.
  6 nodeAffinityPolicy? str =Honor|Ignore -- Only nodes that the pod may run on count.
  7 nodeTaintsPolicy? str =Honor|Ignore -- Only nodes whose taints it tolerates count.

PodSchedulingGate -- What has to be done before a node is picked.
  1 name! str -- Its name.

PodSchedulingGroup -- Pods that get their nodes together.
  1 podGroupName? str -- Which.

PodReadinessGate -- A further condition for being ready.
  1 conditionType! str -- Its type.

PodOS -- An operating system.
  1 name! str -- linux or windows.

PodDNSConfig -- Changes to a pod's resolv.conf.
  1 nameservers [str] -- Further servers.
  2 searches [str] -- Further search domains.
  3 options [PodDNSConfigOption] -- Options.

PodDNSConfigOption -- An option of resolv.conf.
  1 name str -- Its name.
  2 value? str -- Its value.

HostAlias -- A line for /etc/hosts.
  1 ip! str -- The address.
  2 hostnames [str] -- Its names.

PodResourceClaim -- A device for the containers of a pod.
  1 name! str -- What they call it.
  3 resourceClaimName? str -- The claim.
  4 resourceClaimTemplateName? str -- Or what it is made from.

LocalObjectReference atomic -- Something in the same namespace.
  1 name str -- Its name.

ObjectReference atomic -- An object.
  5 apiVersion str -- Its group and version.
  1 kind str -- Its kind.
  2 namespace str -- Its namespace.
  3 name str -- Its name.
  4 uid str -- Its UID.
  6 resourceVersion str -- Its version.
  7 fieldPath str -- A part of it, such as spec.containers{web}.

TypedLocalObjectReference atomic -- Something in the same namespace.
  1 apiGroup? str -- Its group.
  2 kind! str -- Its kind.
  3 name! str -- Its name.

PodStatus -- How a pod is.
  1 phase str =Failed|Pending|Running|Succeeded|Unknown -- How far it is.
  2 conditions [PodCondition] by type -- PodScheduled, Initialized, ContainersReady, Ready.
  4 reason str -- Why, in one word; such as Evicted.
  3 message str -- Why, for people.
  5 hostIP str -- The address of its node.
  16 hostIPs [HostIP] patched ip -- The same, one for each address family.
  6 podIP str -- Its address.
  12 podIPs [PodIP] by ip -- The same, one for each address family.
  7 startTime? time -- When the node took it up.
  8 containerStatuses [ContainerStatus] -- Its containers.
  10 initContainerStatuses [ContainerStatus] -- Its init containers.
  13 ephemeralContainerStatuses [ContainerStatus] -- Those that were added.
  9 qosClass str =BestEffort|Burstable|Guaranteed -- Who goes first when memory is short.
  11 nominatedNodeName str -- The node it will get once others have gone.
  17 observedGeneration long -- The generation that this is about.
  14 resize str -- How a change of its resources goes.
  20 resources? ResourceRequirements -- What all containers may use together.
  19 allocatedResources {quantity} -- What the node set aside.
  15 resourceClaimStatuses [PodResourceClaimStatus] by name retain -- Its devices.
  18 extendedResourceClaimStatus? PodExtendedResourceClaimStatus -- Its devices that were asked for as resources.
  21 nodeAllocatableResourceClaimStatuses [NodeAllocatableResourceClaimStatus] -- What its devices take of the node.

PodCondition -- One thing that is the case with a pod, or not.
  1 type! str -- What.
  2 status! str -- True, False or Unknown.
  7 observedGeneration long -- The generation this was found for.
  3 lastProbeTime time -- When this was looked at last.
  4 lastTransitionTime time -- When the status changed last.
  5 reason str -- Why, in one word for programs.
  6 message str -- Why, for people.

HostIP -- An address of a node.
  1 ip! str -- The address.

PodIP -- An address of a pod.
  1 ip! str -- The address.

ContainerStatus -- How a container is.
  1 name! str -- Which.
  2 state ContainerState -- What it does.
  3 lastState ContainerState -- What it did before.
  4 ready! bool -- It takes traffic.
  9 started? bool -- Its startup probe was good.
  5 restartCount! int -- How often it was started again.
  6 image! str -- What it runs.
  7 imageID! str -- The same, as the runtime names it.
  8 containerID str -- NAME://ID, as the runtime names it.
  11 resources? ResourceRequirements -- What it may use.
  10 allocatedResources {quantity} -- What the node set aside.
  14 allocatedResourcesStatus [ResourceStatus] by name -- How its devices are.
  15 stopSignal? str -- The signal that asks it to end.
  13 user? ContainerUser -- Who its first process was.
  12 volumeMounts [VolumeMountStatus] by mountPath -- Where it sees volumes.

ContainerState -- What a container does; one of these.
  1 waiting? ContainerStateWaiting -- It waits to be started.
  2 running? ContainerStateRunning -- It runs.
  3 terminated? ContainerStateTerminated -- It ended.

ContainerStateWaiting -- A container that waits.
  1 reason str -- For what, in one word; such as CrashLoopBackOff.
  2 message str -- For what.

ContainerStateRunning -- A container that runs.
  1 startedAt time -- Since when.

ContainerStateTerminated -- A container that ended.
  1 exitCode! int -- How.
  2 signal int -- By which signal.
  3 reason str -- Why, in one word; such as Completed or Error.
  4 message str -- Its last words.
  5 startedAt time -- From when.
  6 finishedAt time -- Until when.
  7 containerID str -- Which, as the runtime names it.

ContainerUser -- Who a process is.
  1 linux? LinuxContainerUser -- On Linux.

LinuxContainerUser -- User and groups.
  1 uid! long -- The user.
  2 gid! long -- The group.
  3 supplementalGroups [long] -- Further groups.

VolumeMountStatus -- Where a container sees a volume.
  1 name! str -- The volume.
  2 mountPath! str -- Where.
  3 readOnly bool -- It cannot write there.
  4 recursiveReadOnly? str -- Nor anywhere below.
  5 volumeStatus? VolumeStatus -- How the volume is.

VolumeStatus -- How a volume is.
  1 image? ImageVolumeStatus -- For an image.

ImageVolumeStatus -- An image as a volume.
  1 imageRef! str -- Which.

ResourceStatus -- How devices are.
  1 name! str -- Which.
  2 resources [ResourceHealth] keyed resourceID -- One by one.

ResourceHealth -- How a device is.
  1 resourceID! str -- Which.
  2 health str -- Healthy, Unhealthy or Unknown.
  6 message? str -- Why.

PodResourceClaimStatus -- A device of a pod.
  1 name! str -- What its containers call it.
  2 resourceClaimName? str -- The claim.

PodExtendedResourceClaimStatus -- Devices that were asked for as resources.
  2 resourceClaimName! str -- The claim.
  1 requestMappings! [ContainerExtendedResourceRequest] -- Which container has which.

ContainerExtendedResourceRequest -- Which container has which device.
  1 containerName! str -- The container.
  2 resourceName! str -- The resource.
  3 requestName! str -- The device.

NodeAllocatableResourceClaimStatus -- What a device takes of the node.
  1 resourceClaimName! str -- The claim.
  2 containers [str] set -- Who has it.
  3 resources! {quantity} -- What it takes.
"""
