"""The types of the objects themselves, but for what pods are made of: as ``schema.table`` reads it."""

OBJECTS = """
+Binding: target* ObjectReference
ClientIPConfig: timeoutSeconds int
+ConfigMap: binaryData {bytes}, data {str}, immutable bool
ContainerImage: names [str], sizeBytes long
ContainerState: running ContainerStateRunning, terminated ContainerStateTerminated, waiting ContainerStateWaiting
ContainerStateRunning: startedAt time
ContainerStateTerminated: containerID str, exitCode* int, finishedAt time, message str, reason str, signal int,
    startedAt time
ContainerStateWaiting: message str, reason str
ContainerStatus: allocatedResources {quantity}, allocatedResourcesStatus [any]@name, containerID str, image* str,
    imageID* str, lastState ContainerState, name* str, ready* bool, resources ResourceRequirements,
    restartCount* int, started bool, state ContainerState, stopSignal str, user any, volumeMounts [any]@mountPath
+ControllerRevision: data any, revision* long
DaemonEndpoint: Port* int
+Deployment: spec DeploymentSpec, status DeploymentStatus
DeploymentCondition: lastTransitionTime time, lastUpdateTime time, message str, reason str, status* str, type* str
DeploymentSpec: minReadySeconds int, paused bool, progressDeadlineSeconds int, replicas int,
    revisionHistoryLimit int, selector* LabelSelector, strategy DeploymentStrategy!, template* PodTemplateSpec
DeploymentStatus: availableReplicas int, collisionCount int, conditions [DeploymentCondition]@type,
    observedGeneration long, readyReplicas int, replicas int, terminatingReplicas int, unavailableReplicas int,
    updatedReplicas int
DeploymentStrategy: rollingUpdate RollingUpdateDeployment, type str
Endpoint: addresses* [str], conditions EndpointConditions, deprecatedTopology {str}, hints EndpointHints,
    hostname str, nodeName str, targetRef ObjectReference, zone str
EndpointAddress: hostname str, ip* str, nodeName str, targetRef ObjectReference
EndpointConditions: ready bool, serving bool, terminating bool
EndpointHints: forNodes [ForNode], forZones [ForZone]
EndpointPort: appProtocol str, name str, port* int, protocol str
+EndpointSlice: addressType* str, endpoints [Endpoint], ports [SlicePort]
EndpointSubset: addresses [EndpointAddress], notReadyAddresses [EndpointAddress], ports [EndpointPort]
+Endpoints: subsets [EndpointSubset]
+Event: action str, count int, eventTime microtime, firstTimestamp time, involvedObject* ObjectReference,
    lastTimestamp time, message str, reason str, related ObjectReference, reportingComponent str,
    reportingInstance str, series EventSeries, source EventSource, type str
EventSeries: count int, lastObservedTime microtime
EventSource: component str, host str
+Eviction: deleteOptions DeleteOptions
ForNode: name* str
ForZone: name* str
HTTPIngressPath: backend* IngressBackend, path str, pathType* str
HTTPIngressRuleValue: paths* [HTTPIngressPath]
HostIP: ip* str
+Ingress: spec IngressSpec, status IngressStatus
IngressBackend: resource TypedLocalObjectReference, service IngressServiceBackend
IngressLoadBalancerIngress: hostname str, ip str, ports [IngressPortStatus]
IngressLoadBalancerStatus: ingress [IngressLoadBalancerIngress]
IngressPortStatus: error str, port* int, protocol* str
IngressRule: host str, http HTTPIngressRuleValue
IngressServiceBackend: name* str, port ServiceBackendPort
IngressSpec: defaultBackend IngressBackend, ingressClassName str, rules [IngressRule], tls [IngressTLS]
IngressStatus: loadBalancer IngressLoadBalancerStatus
IngressTLS: hosts [str], secretName str
+Lease: spec LeaseSpec
LeaseSpec: acquireTime microtime, holderIdentity str, leaseDurationSeconds int, leaseTransitions int,
    preferredHolder str, renewTime microtime, strategy str
LoadBalancerIngress: hostname str, ip str, ipMode str, ports [PortStatus]
LoadBalancerStatus: ingress [LoadBalancerIngress]
+Namespace: spec NamespaceSpec, status NamespaceStatus
NamespaceCondition: lastTransitionTime time, message str, reason str, status* str, type* str
NamespaceSpec: finalizers [str]
NamespaceStatus: conditions [NamespaceCondition]@type, phase str
+Node: spec NodeSpec, status NodeStatus
NodeAddress: address* str, type* str
NodeCondition: lastHeartbeatTime time, lastTransitionTime time, message str, reason str, status* str, type* str
NodeDaemonEndpoints: kubeletEndpoint DaemonEndpoint
NodeSpec: configSource any, externalID str, podCIDR str, podCIDRs [str]@, providerID str, taints [Taint],
    unschedulable bool
NodeStatus: addresses [NodeAddress]@type, allocatable {quantity}, capacity {quantity},
    conditions [NodeCondition]@type, config any, daemonEndpoints NodeDaemonEndpoints, declaredFeatures [str],
    features any, images [ContainerImage], nodeInfo NodeSystemInfo, phase str, runtimeHandlers [any],
    volumesAttached [any], volumesInUse [str]
NodeSystemInfo: architecture* str, bootID* str, containerRuntimeVersion* str, kernelVersion* str,
    kubeProxyVersion* str, kubeletVersion* str, machineID* str, operatingSystem* str, osImage* str, swap any,
    systemUUID* str
PersistentVolumeClaim: apiVersion str, kind str, metadata ObjectMeta, spec PersistentVolumeClaimSpec, status any
PersistentVolumeClaimSpec: accessModes [str], dataSource TypedLocalObjectReference,
    dataSourceRef TypedObjectReference, resources VolumeResourceRequirements, selector LabelSelector,
    storageClassName str, volumeAttributesClassName str, volumeMode str, volumeName str
+Pod: spec PodSpec, status PodStatus
PodCondition: lastProbeTime time, lastTransitionTime time, message str, observedGeneration long, reason str,
    status* str, type* str
PodIP: ip* str
PodResourceClaimStatus: name* str, resourceClaimName str
PodStatus: allocatedResources {quantity}, conditions [PodCondition]@type, containerStatuses [ContainerStatus],
    ephemeralContainerStatuses [ContainerStatus], extendedResourceClaimStatus any, hostIP str, hostIPs [HostIP]@ip,
    initContainerStatuses [ContainerStatus], message str, nodeAllocatableResourceClaimStatuses [any],
    nominatedNodeName str, observedGeneration long, phase str, podIP str, podIPs [PodIP]@ip, qosClass str,
    reason str, resize str, resourceClaimStatuses [PodResourceClaimStatus]@name!, resources ResourceRequirements,
    startTime time
PodTemplateSpec: metadata ObjectMeta, spec PodSpec
PortStatus: error str, port* int, protocol* str
+ReplicaSet: spec ReplicaSetSpec, status ReplicaSetStatus
ReplicaSetCondition: lastTransitionTime time, message str, reason str, status* str, type* str
ReplicaSetSpec: minReadySeconds int, replicas int, selector* LabelSelector, template PodTemplateSpec
ReplicaSetStatus: availableReplicas int, conditions [ReplicaSetCondition]@type, fullyLabeledReplicas int,
    observedGeneration long, readyReplicas int, replicas* int, terminatingReplicas int
RollingUpdateDeployment: maxSurge intstr, maxUnavailable intstr
RollingUpdateStatefulSetStrategy: maxUnavailable intstr, partition int
+Scale: spec ScaleSpec, status ScaleStatus
ScaleSpec: replicas int
ScaleStatus: replicas* int, selector str
+Secret: data {bytes}, immutable bool, stringData {str}, type str
+Service: spec ServiceSpec, status ServiceStatus
+ServiceAccount: automountServiceAccountToken bool, imagePullSecrets [LocalObjectReference],
    secrets [ObjectReference]@name
ServiceBackendPort: name str, number int
ServicePort: appProtocol str, name str, nodePort int, port* int, protocol str, targetPort intstr
ServiceSpec: allocateLoadBalancerNodePorts bool, clusterIP str, clusterIPs [str], externalIPs [str],
    externalName str, externalTrafficPolicy str, healthCheckNodePort int, internalTrafficPolicy str,
    ipFamilies [str], ipFamilyPolicy str, loadBalancerClass str, loadBalancerIP str, loadBalancerSourceRanges [str],
    ports [ServicePort]@port, publishNotReadyAddresses bool, selector {str}, sessionAffinity str,
    sessionAffinityConfig SessionAffinityConfig, trafficDistribution str, type str
ServiceStatus: conditions [Condition]@type, loadBalancer LoadBalancerStatus
SessionAffinityConfig: clientIP ClientIPConfig
SlicePort: appProtocol str, name str, port int, protocol str
+StatefulSet: spec StatefulSetSpec, status StatefulSetStatus
StatefulSetCondition: lastTransitionTime time, message str, reason str, status* str, type* str
StatefulSetOrdinals: start int
StatefulSetPersistentVolumeClaimRetentionPolicy: whenDeleted str, whenScaled str
StatefulSetSpec: minReadySeconds int, ordinals StatefulSetOrdinals,
    persistentVolumeClaimRetentionPolicy StatefulSetPersistentVolumeClaimRetentionPolicy, podManagementPolicy str,
    replicas int, revisionHistoryLimit int, selector* LabelSelector, serviceName str, template* PodTemplateSpec,
    updateStrategy StatefulSetUpdateStrategy, volumeClaimTemplates [PersistentVolumeClaim]
StatefulSetStatus: availableReplicas int, collisionCount int, conditions [StatefulSetCondition]@type,
    currentReplicas int, currentRevision str, observedGeneration long, readyReplicas int, replicas* int,
    updateRevision str, updatedReplicas int
StatefulSetUpdateStrategy: rollingUpdate RollingUpdateStatefulSetStrategy, type str
Taint: effect* str, key* str, timeAdded time, value str
TypedObjectReference: apiGroup str, kind* str, name* str, namespace str
VolumeResourceRequirements: limits {quantity}, requests {quantity}
"""
