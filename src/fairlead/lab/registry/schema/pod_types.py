"""The types of what a pod is asked to be: one a paragraph, as ``schema.table`` reads it."""

PODS = """
Affinity: nodeAffinity NodeAffinity, podAffinity PodAffinity, podAntiAffinity PodAntiAffinity
AppArmorProfile: localhostProfile str, type* str
Capabilities: add [str], drop [str]
ConfigMapEnvSource: name str, optional bool
ConfigMapKeySelector: key* str, name str, optional bool
ConfigMapProjection: items [KeyToPath], name str, optional bool
ConfigMapVolumeSource: defaultMode int, items [KeyToPath], name str, optional bool
Container: args [str], command [str], env [EnvVar]@name, envFrom [EnvFromSource], image str, imagePullPolicy str,
    lifecycle Lifecycle, livenessProbe Probe, name* str, ports [ContainerPort]@containerPort, readinessProbe Probe,
    resizePolicy [ContainerResizePolicy], resources ResourceRequirements, restartPolicy str,
    restartPolicyRules [ContainerRestartRule], securityContext SecurityContext, startupProbe Probe, stdin bool,
    stdinOnce bool, terminationMessagePath str, terminationMessagePolicy str, tty bool,
    volumeDevices [VolumeDevice]@devicePath, volumeMounts [VolumeMount]@mountPath, workingDir str
ContainerPort: containerPort* int, hostIP str, hostPort int, name str, protocol str
ContainerResizePolicy: resourceName* str, restartPolicy* str
ContainerRestartRule: action* str, exitCodes ContainerRestartRuleOnExitCodes
ContainerRestartRuleOnExitCodes: operator* str, values [int]
DownwardAPIProjection: items [DownwardAPIVolumeFile]
DownwardAPIVolumeFile: fieldRef ObjectFieldSelector, mode int, path* str, resourceFieldRef ResourceFieldSelector
DownwardAPIVolumeSource: defaultMode int, items [DownwardAPIVolumeFile]
EmptyDirVolumeSource: medium str, sizeLimit quantity
EnvFromSource: configMapRef ConfigMapEnvSource, prefix str, secretRef SecretEnvSource
EnvVar: name* str, value str, valueFrom EnvVarSource
EnvVarSource: configMapKeyRef ConfigMapKeySelector, fieldRef ObjectFieldSelector, fileKeyRef FileKeySelector,
    resourceFieldRef ResourceFieldSelector, secretKeyRef SecretKeySelector
EphemeralContainer: args [str], command [str], env [EnvVar]@name, envFrom [EnvFromSource], image str,
    imagePullPolicy str, lifecycle Lifecycle, livenessProbe Probe, name* str, ports [ContainerPort]@containerPort,
    readinessProbe Probe, resizePolicy [ContainerResizePolicy], resources ResourceRequirements, restartPolicy str,
    restartPolicyRules [ContainerRestartRule], securityContext SecurityContext, startupProbe Probe, stdin bool,
    stdinOnce bool, targetContainerName str, terminationMessagePath str, terminationMessagePolicy str, tty bool,
    volumeDevices [VolumeDevice]@devicePath, volumeMounts [VolumeMount]@mountPath, workingDir str
ExecAction: command [str]
FileKeySelector: key* str, optional bool, path* str, volumeName* str
GRPCAction: port* int, service str
HTTPGetAction: host str, httpHeaders [HTTPHeader], path str, port* intstr, scheme str
HTTPHeader: name* str, value* str
HostAlias: hostnames [str], ip* str
HostPathVolumeSource: path* str, type str
ImageVolumeSource: pullPolicy str, reference str
KeyToPath: key* str, mode int, path* str
Lifecycle: postStart LifecycleHandler, preStop LifecycleHandler, stopSignal str
LifecycleHandler: exec ExecAction, httpGet HTTPGetAction, sleep SleepAction, tcpSocket TCPSocketAction
NFSVolumeSource: path* str, readOnly bool, server* str
NodeAffinity: preferredDuringSchedulingIgnoredDuringExecution [PreferredSchedulingTerm],
    requiredDuringSchedulingIgnoredDuringExecution NodeSelector
NodeSelector: nodeSelectorTerms* [NodeSelectorTerm]
NodeSelectorRequirement: key* str, operator* str, values [str]
NodeSelectorTerm: matchExpressions [NodeSelectorRequirement], matchFields [NodeSelectorRequirement]
ObjectFieldSelector: apiVersion str, fieldPath* str
PersistentVolumeClaimVolumeSource: claimName* str, readOnly bool
PodAffinity: preferredDuringSchedulingIgnoredDuringExecution [WeightedPodAffinityTerm],
    requiredDuringSchedulingIgnoredDuringExecution [PodAffinityTerm]
PodAffinityTerm: labelSelector LabelSelector, matchLabelKeys [str], mismatchLabelKeys [str],
    namespaceSelector LabelSelector, namespaces [str], topologyKey* str
PodAntiAffinity: preferredDuringSchedulingIgnoredDuringExecution [WeightedPodAffinityTerm],
    requiredDuringSchedulingIgnoredDuringExecution [PodAffinityTerm]
PodDNSConfig: nameservers [str], options [PodDNSConfigOption], searches [str]
PodDNSConfigOption: name str, value str
PodOS: name* str
PodReadinessGate: conditionType* str
PodResourceClaim: name* str, resourceClaimName str, resourceClaimTemplateName str
PodSchedulingGate: name* str
PodSecurityContext: appArmorProfile AppArmorProfile, fsGroup long, fsGroupChangePolicy str, runAsGroup long,
    runAsNonRoot bool, runAsUser long, seLinuxChangePolicy str, seLinuxOptions SELinuxOptions,
    seccompProfile SeccompProfile, supplementalGroups [long], supplementalGroupsPolicy str, sysctls [Sysctl],
    windowsOptions any
PodSpec: activeDeadlineSeconds long, affinity Affinity, automountServiceAccountToken bool,
    containers* [Container]@name, dnsConfig PodDNSConfig, dnsPolicy str, enableServiceLinks bool,
    ephemeralContainers [EphemeralContainer]@name, hostAliases [HostAlias]@ip, hostIPC bool, hostNetwork bool,
    hostPID bool, hostUsers bool, hostname str, hostnameOverride str, imagePullSecrets [LocalObjectReference]@name,
    initContainers [Container]@name, nodeName str, nodeSelector {str}, os PodOS, overhead {quantity},
    preemptionPolicy str, priority int, priorityClassName str, readinessGates [PodReadinessGate],
    resourceClaims [PodResourceClaim]@name!, resources ResourceRequirements, restartPolicy str,
    runtimeClassName str, schedulerName str, schedulingGates [PodSchedulingGate]@name, schedulingGroup any,
    securityContext PodSecurityContext, serviceAccount str, serviceAccountName str, setHostnameAsFQDN bool,
    shareProcessNamespace bool, subdomain str, terminationGracePeriodSeconds long, tolerations [Toleration],
    topologySpreadConstraints [TopologySpreadConstraint]@topologyKey, volumes [Volume]@name!
PreferredSchedulingTerm: preference* NodeSelectorTerm, weight* int
Probe: exec ExecAction, failureThreshold int, grpc GRPCAction, httpGet HTTPGetAction, initialDelaySeconds int,
    periodSeconds int, successThreshold int, tcpSocket TCPSocketAction, terminationGracePeriodSeconds long,
    timeoutSeconds int
ProjectedVolumeSource: defaultMode int, sources [VolumeProjection]
ResourceClaim: name* str, request str
ResourceFieldSelector: containerName str, divisor quantity, resource* str
ResourceRequirements: claims [ResourceClaim], limits {quantity}, requests {quantity}
SELinuxOptions: level str, role str, type str, user str
SeccompProfile: localhostProfile str, type* str
SecretEnvSource: name str, optional bool
SecretKeySelector: key* str, name str, optional bool
SecretProjection: items [KeyToPath], name str, optional bool
SecretVolumeSource: defaultMode int, items [KeyToPath], optional bool, secretName str
SecurityContext: allowPrivilegeEscalation bool, appArmorProfile AppArmorProfile, capabilities Capabilities,
    privileged bool, procMount str, readOnlyRootFilesystem bool, runAsGroup long, runAsNonRoot bool, runAsUser long,
    seLinuxOptions SELinuxOptions, seccompProfile SeccompProfile, windowsOptions any
ServiceAccountTokenProjection: audience str, expirationSeconds long, path* str
SleepAction: seconds* long
Sysctl: name* str, value* str
TCPSocketAction: host str, port* intstr
Toleration: effect str, key str, operator str, tolerationSeconds long, value str
TopologySpreadConstraint: labelSelector LabelSelector, matchLabelKeys [str], maxSkew* int, minDomains int,
    nodeAffinityPolicy str, nodeTaintsPolicy str, topologyKey* str, whenUnsatisfiable* str
Volume: awsElasticBlockStore any, azureDisk any, azureFile any, cephfs any, cinder any,
    configMap ConfigMapVolumeSource, csi any, downwardAPI DownwardAPIVolumeSource, emptyDir EmptyDirVolumeSource,
    ephemeral any, fc any, flexVolume any, flocker any, gcePersistentDisk any, gitRepo any, glusterfs any,
    hostPath HostPathVolumeSource, image ImageVolumeSource, iscsi any, name* str, nfs NFSVolumeSource,
    persistentVolumeClaim PersistentVolumeClaimVolumeSource, photonPersistentDisk any, portworxVolume any,
    projected ProjectedVolumeSource, quobyte any, rbd any, scaleIO any, secret SecretVolumeSource, storageos any,
    vsphereVolume any
VolumeDevice: devicePath* str, name* str
VolumeMount: mountPath* str, mountPropagation str, name* str, readOnly bool, recursiveReadOnly str, subPath str,
    subPathExpr str
VolumeProjection: clusterTrustBundle any, configMap ConfigMapProjection, downwardAPI DownwardAPIProjection,
    podCertificate any, secret SecretProjection, serviceAccountToken ServiceAccountTokenProjection
WeightedPodAffinityTerm: podAffinityTerm* PodAffinityTerm, weight* int
"""
