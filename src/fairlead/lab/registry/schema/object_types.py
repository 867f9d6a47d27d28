"""Nodes, namespaces, services and what else there is beside pods."""

TABLE = """
@ io.k8s.api.core.v1 v1

Namespace kind -- A room of its own for names.
  2 spec NamespaceSpec -- What is wanted.
  3 status NamespaceStatus -- What is.

NamespaceSpec -- What has to be done before a namespace may go.
  1 finalizers [str] -- Who has to do it.

NamespaceStatus -- How a namespace is.
  1 phase str =Active|Terminating -- In use, or on its way out.
  2 conditions [NamespaceCondition] by type -- What keeps it from going.

NamespaceCondition -- One thing that is the case with a namespace, or not.
  1 type! str -- What.
  2 status! str -- True, False or Unknown.
  4 lastTransitionTime time -- When the status changed last.
  5 reason str -- Why, in one word for programs.
  6 message str -- Why, for people.

Node kind -- A machine that runs pods. The lab has one.
  2 spec NodeSpec -- What is wanted.
  3 status NodeStatus -- What is.

NodeSpec -- What a node is to do.
  1 podCIDR str -- The addresses of its pods.
  7 podCIDRs [str] merged -- The same, one for each address family.
  3 providerID str -- What its provider calls it.
  4 unschedulable bool -- No new pods.
  5 taints [Taint] -- What keeps pods away that do not tolerate it.
  6 configSource? NodeConfigSource -- No longer used.
  2 externalID str -- No longer used.

Taint -- What keeps pods away that do not tolerate it.
  1 key! str -- The name.
  2 value str -- The value.
  3 effect! str =NoExecute|NoSchedule|PreferNoSchedule -- What happens to pods that do not tolerate it.
  4 timeAdded? time -- Since when.

NodeConfigSource -- No longer used.
  2 configMap? ConfigMapNodeConfigSource

ConfigMapNodeConfigSource -- No longer used.
  1 namespace! str
  2 name! str
  3 uid str
  4 resourceVersion str
  5 kubeletConfigKey! str

NodeStatus -- How a node is.
  1 capacity {quantity} -- All that it has.
  2 allocatable {quantity} -- What pods may have of it.
  3 phase str =Pending|Running|Terminated -- No longer used.
  4 conditions [NodeCondition] by type -- Ready, MemoryPressure, DiskPressure, PIDPressure.
  5 addresses [NodeAddress] by type -- Where it is reached.
  6 daemonEndpoints NodeDaemonEndpoints -- Where its own programs listen.
  7 nodeInfo NodeSystemInfo -- What it runs.
  8 images [ContainerImage] -- Images it has.
  9 volumesInUse [str] -- Volumes it uses.
  10 volumesAttached [AttachedVolume] -- Volumes it has.
  11 config? NodeConfigStatus -- No longer used.
  12 runtimeHandlers [NodeRuntimeHandler] -- What its container runtime offers.
  13 features? NodeFeatures -- What its container runtime can do.
  14 declaredFeatures [str] -- What it can do.

NodeCondition -- One thing that is the case with a node, or not.
  1 type! str -- What.
  2 status! str -- True, False or Unknown.
  3 lastHeartbeatTime time -- When the node said so last.
  4 lastTransitionTime time -- When the status changed last.
  5 reason str -- Why, in one word for programs.
  6 message str -- Why, for people.

NodeAddress -- An address, or a name.
  1 type! str -- Hostname, InternalIP, ExternalIP, InternalDNS or ExternalDNS.
  2 address! str -- The address.

NodeDaemonEndpoints -- Where a node's own programs listen.
  1 kubeletEndpoint DaemonEndpoint -- The node API.

DaemonEndpoint -- A port.
  1 Port! int -- The number.

NodeSystemInfo -- What a node runs.
  1 machineID! str -- From /etc/machine-id.
  2 systemUUID! str -- From its firmware.
  3 bootID! str -- Another one after every boot.
  4 kernelVersion! str -- As uname -r says.
  5 osImage! str -- As /etc/os-release says.
  6 containerRuntimeVersion! str -- Its container runtime, NAME://VERSION.
  7 kubeletVersion! str -- The version of its kubelet.
  8 kubeProxyVersion! str -- No longer used.
  9 operatingSystem! str -- linux.
  10 architecture! str -- amd64, arm64 and so on.
  11 swap? NodeSwapStatus -- Its swap.

NodeSwapStatus -- The swap of a node.
  1 capacity? long -- In bytes.

ContainerImage -- An image that a node has.
  1 names [str] -- Its names.
  2 sizeBytes long -- Its size.

AttachedVolume -- A volume that a node has.
  1 name! str -- Its name.
  2 devicePath! str -- Its device.

NodeConfigStatus -- No longer used.
  1 assigned? NodeConfigSource
  2 active? NodeConfigSource
  3 lastKnownGood? NodeConfigSource
  4 error str

NodeRuntimeHandler -- A way in which a container runtime runs containers.
  1 name str -- Its name; empty for the usual one.
  2 features? NodeRuntimeHandlerFeatures -- What it can do.

NodeRuntimeHandlerFeatures -- What a way to run containers can do.
  1 recursiveReadOnlyMounts? bool -- Mounts that are read-only all the way down.
  2 userNamespaces? bool -- User namespaces.

NodeFeatures -- What a container runtime can do.
  1 supplementalGroupsPolicy? bool -- It knows supplementalGroupsPolicy.

Service kind -- One name and address for a set of pods.
  2 spec ServiceSpec -- What is wanted.
  3 status ServiceStatus -- What is.

ServiceSpec -- What a service is.
  2 selector {str} atomic -- Labels of its pods; none if somebody else keeps its endpoints.
  1 ports [ServicePort] by port,protocol -- Where it listens.
  3 clusterIP str -- Its address; None for none at all (headless). Picked by the server if not given.
  18 clusterIPs [str] -- The same, one for each address family.
  4 type str =ClusterIP|ExternalName|LoadBalancer|NodePort -- Where it is reached from; ClusterIP if not given.
  5 externalIPs [str] -- Further addresses at which nodes take its traffic.
  10 externalName str -- What its name stands for, for the type ExternalName.
  7 sessionAffinity str =ClientIP|None -- The same client reaches the same pod; None if not given.
  14 sessionAffinityConfig? SessionAffinityConfig -- For how long.
  11 externalTrafficPolicy str =Cluster|Local -- Where traffic from outside goes.
  22 internalTrafficPolicy? str =Cluster|Local -- Where traffic from inside goes; Cluster if not given.
  13 publishNotReadyAddresses bool -- Pods count as ready in any case.
  19 ipFamilies [str] -- IPv4, IPv6.
  17 ipFamilyPolicy? str =PreferDualStack|RequireDualStack|SingleStack -- One address family, or two.
  23 trafficDistribution? str -- Which endpoints are preferred.
  20 allocateLoadBalancerNodePorts? bool -- A load balancer's service has node ports, too.
  21 loadBalancerClass? str -- Which load balancer.
  8 loadBalancerIP str -- The address that is asked for.
  9 loadBalancerSourceRanges [str] -- Who may use the load balancer.
  12 healthCheckNodePort int -- Where a load balancer asks whether the node has such pods.

ServicePort -- A port of a service.
  1 name str -- Its name; needed where there are more than one.
  3 port! int -- The number.
  2 protocol str =SCTP|TCP|UDP -- TCP if not given.
  4 targetPort intstr -- The port of the pods, a number or a name; the same number if not given.
  5 nodePort int -- The port on every node, for the types NodePort and LoadBalancer.
  6 appProtocol? str -- What is spoken there.

SessionAffinityConfig -- For how long the same client reaches the same pod.
  1 clientIP? ClientIPConfig -- By its address.

ClientIPConfig -- For how long.
  1 timeoutSeconds? int -- 10800 if not given.

ServiceStatus -- How a service is.
  1 loadBalancer LoadBalancerStatus -- Its load balancer.
  2 conditions [Condition] by type -- What is the case, or not.

LoadBalancerStatus -- A load balancer.
  1 ingress [LoadBalancerIngress] -- Where it is reached.

LoadBalancerIngress -- Where a load balancer is reached.
  1 ip str -- Its address.
  2 hostname str -- Or its name.
  3 ipMode? str -- VIP or Proxy.
  4 ports [PortStatus] -- Its ports.

PortStatus -- A port of a load balancer.
  1 port! int -- The number.
  2 protocol! str =SCTP|TCP|UDP -- The protocol.
  3 error? str -- Why it does not work.

Endpoints kind -- The addresses behind a service, in the older form; EndpointSlices are the newer one.
  2 subsets [EndpointSubset] -- Addresses with the same ports.

EndpointSubset -- Addresses with the same ports.
  1 addresses [EndpointAddress] -- Those that are ready.
  2 notReadyAddresses [EndpointAddress] -- Those that are not.
  3 ports [EndpointPort] -- The ports.

EndpointAddress atomic -- An address behind a service.
  1 ip! str -- The address.
  3 hostname str -- Its name below that of the service.
  4 nodeName? str -- Its node.
  2 targetRef? ObjectReference -- Its pod.

EndpointPort atomic -- A port behind a service.
  1 name str -- Its name, as the service has it.
  2 port! int -- The number.
  3 protocol str =SCTP|TCP|UDP -- TCP if not given.
  4 appProtocol? str -- What is spoken there.

ConfigMap kind -- Texts for pods.
  2 data {str} -- The texts.
  3 binaryData {bytes} -- Bytes, in base64.
  4 immutable? bool -- Never changes.

Secret kind -- Texts for pods that are not for everybody.
  2 data {bytes} -- The texts, in base64.
  4 stringData {str} -- The same as plain text; for writing only.
  3 type str -- What it is for; Opaque if not given.
  5 immutable? bool -- Never changes.

ServiceAccount kind -- Who a pod is to the API server.
  2 secrets [ObjectReference] by name -- Secrets that its pods may have.
  3 imagePullSecrets [LocalObjectReference] -- Secrets for pulling images.
  4 automountServiceAccountToken? bool -- Its pods get a token.

Event kind -- Something that happened.
  1 metadata! ObjectMeta -- What every object says of itself.
  2 involvedObject! ObjectReference -- To what.
  3 reason str -- What, in one word.
  4 message str -- What, for people.
  9 type str -- Normal or Warning.
  5 source EventSource -- Who says so.
  8 count int -- How often.
  6 firstTimestamp time -- When first.
  7 lastTimestamp time -- When last.
  10 eventTime microtime -- When first, in the newer form.
  11 series? EventSeries -- How often, in the newer form.
  12 action str -- What was done.
  13 related? ObjectReference -- What else it is about.
  14 reportingComponent str -- Who says so, in the newer form.
  15 reportingInstance str -- Which of them.

EventSource -- Who tells of an event.
  1 component str -- The program.
  2 host str -- Its node.

EventSeries -- An event that happens again and again.
  1 count int -- How often.
  2 lastObservedTime microtime -- When last.

Binding kind -- Puts a pod on a node.
  2 target! ObjectReference -- The node.

@ io.k8s.api.discovery.v1 discovery.k8s.io/v1

EndpointSlice kind -- Some of the addresses behind a service.
  4 addressType! str =FQDN|IPv4|IPv6 -- What kind of addresses.
  2 endpoints [Endpoint] -- The addresses.
  3 ports [SlicePort] -- Their ports.

Endpoint -- One pod, or another thing that answers.
  1 addresses! [str] set -- Its address.
  2 conditions EndpointConditions -- How it is.
  3 hostname? str -- Its name below that of the service.
  4 targetRef? ObjectReference -- Its pod.
  6 nodeName? str -- Its node.
  7 zone? str -- Its zone.
  8 hints? EndpointHints -- Who had better use it.
  5 deprecatedTopology {str} -- No longer used.

EndpointConditions -- How an endpoint is.
  1 ready? bool -- It takes traffic; so it is if not given.
  2 serving? bool -- It would, even while it ends.
  3 terminating? bool -- It ends.

EndpointHints -- Who had better use an endpoint.
  1 forZones [ForZone] -- Those in these zones.
  2 forNodes [ForNode] -- Those on these nodes.

ForZone -- A zone.
  1 name! str -- Its name.

ForNode -- A node.
  1 name! str -- Its name.

SlicePort (EndpointPort) atomic -- A port of the addresses.
  1 name? str -- Its name, as the service has it.
  3 port? int -- The number.
  2 protocol? str =SCTP|TCP|UDP -- TCP if not given.
  4 appProtocol? str -- What is spoken there.

@ io.k8s.api.coordination.v1 coordination.k8s.io/v1

Lease kind -- Who does something at present, and until when.
  2 spec LeaseSpec -- Who, and until when.

LeaseSpec -- Who holds a lease.
  1 holderIdentity? str -- Who.
  2 leaseDurationSeconds? int -- Seconds after which others may take it, counted from renewTime.
  3 acquireTime? microtime -- Since when.
  4 renewTime? microtime -- When the holder was heard of last.
  5 leaseTransitions? int -- How often it changed hands.
  7 preferredHolder? str -- Who had better hold it.
  6 strategy? str -- How the holder is picked.

@ io.k8s.api.networking.v1 networking.k8s.io/v1

Ingress kind -- Which HTTP requests from outside reach which service. The lab keeps it and does not serve it.
  2 spec IngressSpec -- What is wanted.
  3 status IngressStatus -- What is.

IngressSpec -- Which requests go where.
  4 ingressClassName? str -- Who serves it.
  1 defaultBackend? IngressBackend -- Where requests go that no rule is about.
  3 rules [IngressRule] -- Which host's requests go where.
  2 tls [IngressTLS] -- Certificates.

IngressBackend -- Where requests go; one of both.
  4 service? IngressServiceBackend -- A service.
  3 resource? TypedLocalObjectReference -- Something else.

IngressServiceBackend -- A service.
  1 name! str -- Its name.
  2 port ServiceBackendPort -- Its port.

ServiceBackendPort atomic -- A port; one of both.
  1 name str -- By name.
  2 number int -- By number.

IngressRule -- Where the requests for one host go.
  1 host str -- The host; every one if not given.
  2.1 http? HTTPIngressRuleValue -- By path.

HTTPIngressRuleValue -- Where requests go by path.
  1 paths! [HTTPIngressPath] -- The paths.

HTTPIngressPath -- Where the requests for one path go.
  1 path str -- The path.
  3 pathType!? str =Exact|ImplementationSpecific|Prefix -- How it is compared.
  2 backend! IngressBackend -- Where they go.

IngressTLS -- A certificate.
  1 hosts [str] -- For these hosts.
  2 secretName str -- In this secret.

IngressStatus -- How an ingress is.
  1 loadBalancer IngressLoadBalancerStatus -- Where it is reached.

IngressLoadBalancerStatus -- Where an ingress is reached.
  1 ingress [IngressLoadBalancerIngress] -- Its addresses.

IngressLoadBalancerIngress -- Where an ingress is reached.
  1 ip str -- Its address.
  2 hostname str -- Or its name.
  4 ports [IngressPortStatus] -- Its ports.

IngressPortStatus -- A port of an ingress.
  1 port! int -- The number.
  2 protocol! str =SCTP|TCP|UDP -- The protocol.
  3 error? str -- Why it does not work.
"""
