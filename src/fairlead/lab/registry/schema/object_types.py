"""Nodes, namespaces, services and what else there is beside pods."""

TABLE = """
@ io.k8s.api.core.v1 v1

Namespace kind -- A room of its own for names.
  spec NamespaceSpec -- What is wanted.
  status NamespaceStatus -- What is.

NamespaceSpec -- What has to be done before a namespace may go.
  finalizers [str] -- Who has to do it.

NamespaceStatus -- How a namespace is.
  phase str =Active|Terminating -- In use, or on its way out.
  conditions [NamespaceCondition] by type -- What keeps it from going.

NamespaceCondition -- One thing that is the case with a namespace, or not.
  type! str -- What.
  status! str -- True, False or Unknown.
  lastTransitionTime time -- When the status changed last.
  reason str -- Why, in one word for programs.
  message str -- Why, for people.

Node kind -- A machine that runs pods. The lab has one.
  spec NodeSpec -- What is wanted.
  status NodeStatus -- What is.

NodeSpec -- What a node is to do.
  podCIDR str -- The addresses of its pods.
  podCIDRs [str] merged -- The same, one for each address family.
  providerID str -- What its provider calls it.
  unschedulable bool -- No new pods.
  taints [Taint] -- What keeps pods away that do not tolerate it.
  configSource NodeConfigSource -- No longer used.
  externalID str -- No longer used.

Taint -- What keeps pods away that do not tolerate it.
  key! str -- The name.
  value str -- The value.
  effect! str =NoExecute|NoSchedule|PreferNoSchedule -- What happens to pods that do not tolerate it.
  timeAdded time -- Since when.

NodeConfigSource -- No longer used.
  configMap ConfigMapNodeConfigSource

ConfigMapNodeConfigSource -- No longer used.
  namespace! str
  name! str
  uid str
  resourceVersion str
  kubeletConfigKey! str

NodeStatus -- How a node is.
  capacity {quantity} -- All that it has.
  allocatable {quantity} -- What pods may have of it.
  phase str =Pending|Running|Terminated -- No longer used.
  conditions [NodeCondition] by type -- Ready, MemoryPressure, DiskPressure, PIDPressure.
  addresses [NodeAddress] by type -- Where it is reached.
  daemonEndpoints NodeDaemonEndpoints -- Where its own programs listen.
  nodeInfo NodeSystemInfo -- What it runs.
  images [ContainerImage] -- Images it has.
  volumesInUse [str] -- Volumes it uses.
  volumesAttached [AttachedVolume] -- Volumes it has.
  config NodeConfigStatus -- No longer used.
  runtimeHandlers [NodeRuntimeHandler] -- What its container runtime offers.
  features NodeFeatures -- What its container runtime can do.
  declaredFeatures [str] -- What it can do.

NodeCondition -- One thing that is the case with a node, or not.
  type! str -- What.
  status! str -- True, False or Unknown.
  lastHeartbeatTime time -- When the node said so last.
  lastTransitionTime time -- When the status changed last.
  reason str -- Why, in one word for programs.
  message str -- Why, for people.

NodeAddress -- An address, or a name.
  type! str -- Hostname, InternalIP, ExternalIP, InternalDNS or ExternalDNS.
  address! str -- The address.

NodeDaemonEndpoints -- Where a node's own programs listen.
  kubeletEndpoint DaemonEndpoint -- The node API.

DaemonEndpoint -- A port.
  Port! int -- The number.

NodeSystemInfo -- What a node runs.
  machineID! str -- From /etc/machine-id.
  systemUUID! str -- From its firmware.
  bootID! str -- Another one after every boot.
  kernelVersion! str -- As uname -r says.
  osImage! str -- As /etc/os-release says.
  containerRuntimeVersion! str -- Its container runtime, NAME://VERSION.
  kubeletVersion! str -- The version of its kubelet.
  kubeProxyVersion! str -- No longer used.
  operatingSystem! str -- linux.
  architecture! str -- amd64, arm64 and so on.
  swap NodeSwapStatus -- Its swap.

NodeSwapStatus -- The swap of a node.
  capacity long -- In bytes.

ContainerImage -- An image that a node has.
  names [str] -- Its names.
  sizeBytes long -- Its size.

AttachedVolume -- A volume that a node has.
  name! str -- Its name.
  devicePath! str -- Its device.

NodeConfigStatus -- No longer used.
  assigned NodeConfigSource
  active NodeConfigSource
  lastKnownGood NodeConfigSource
  error str

NodeRuntimeHandler -- A way in which a container runtime runs containers.
  name str -- Its name; empty for the usual one.
  features NodeRuntimeHandlerFeatures -- What it can do.

NodeRuntimeHandlerFeatures -- What a way to run containers can do.
  recursiveReadOnlyMounts bool -- Mounts that are read-only all the way down.
  userNamespaces bool -- User namespaces.

NodeFeatures -- What a container runtime can do.
  supplementalGroupsPolicy bool -- It knows supplementalGroupsPolicy.

Service kind -- One name and address for a set of pods.
  spec ServiceSpec -- What is wanted.
  status ServiceStatus -- What is.

ServiceSpec -- What a service is.
  selector {str} atomic -- Labels of its pods; none if somebody else keeps its endpoints.
  ports [ServicePort] by port,protocol -- Where it listens.
  clusterIP str -- Its address; None for none at all (headless). Picked by the server if not given.
  clusterIPs [str] -- The same, one for each address family.
  type str =ClusterIP|ExternalName|LoadBalancer|NodePort -- Where it is reached from; ClusterIP if not given.
  externalIPs [str] -- Further addresses at which nodes take its traffic.
  externalName str -- What its name stands for, for the type ExternalName.
  sessionAffinity str =ClientIP|None -- The same client reaches the same pod; None if not given.
  sessionAffinityConfig SessionAffinityConfig -- For how long.
  externalTrafficPolicy str =Cluster|Local -- Where traffic from outside goes.
  internalTrafficPolicy str =Cluster|Local -- Where traffic from inside goes; Cluster if not given.
  publishNotReadyAddresses bool -- Pods count as ready in any case.
  ipFamilies [str] -- IPv4, IPv6.
  ipFamilyPolicy str =PreferDualStack|RequireDualStack|SingleStack -- One address family, or two.
  trafficDistribution str -- Which endpoints are preferred.
  allocateLoadBalancerNodePorts bool -- A load balancer's service has node ports, too.
  loadBalancerClass str -- Which load balancer.
  loadBalancerIP str -- The address that is asked for.
  loadBalancerSourceRanges [str] -- Who may use the load balancer.
  healthCheckNodePort int -- Where a load balancer asks whether the node has such pods.

ServicePort -- A port of a service.
  name str -- Its name; needed where there are more than one.
  port! int -- The number.
  protocol str =SCTP|TCP|UDP -- TCP if not given.
  targetPort intstr -- The port of the pods, a number or a name; the same number if not given.
  nodePort int -- The port on every node, for the types NodePort and LoadBalancer.
  appProtocol str -- What is spoken there.

SessionAffinityConfig -- For how long the same client reaches the same pod.
  clientIP ClientIPConfig -- By its address.

ClientIPConfig -- For how long.
  timeoutSeconds int -- 10800 if not given.

ServiceStatus -- How a service is.
  loadBalancer LoadBalancerStatus -- Its load balancer.
  conditions [Condition] by type -- What is the case, or not.

LoadBalancerStatus -- A load balancer.
  ingress [LoadBalancerIngress] -- Where it is reached.

LoadBalancerIngress -- Where a load balancer is reached.
  ip str -- Its address.
  hostname str -- Or its name.
  ipMode str -- VIP or Proxy.
  ports [PortStatus] -- Its ports.

PortStatus -- A port of a load balancer.
  port! int -- The number.
  protocol! str =SCTP|TCP|UDP -- The protocol.
  error str -- Why it does not work.

Endpoints kind -- The addresses behind a service, in the older form; EndpointSlices are the newer one.
  subsets [EndpointSubset] -- Addresses with the same ports.

EndpointSubset -- Addresses with the same ports.
  addresses [EndpointAddress] -- Those that are ready.
  notReadyAddresses [EndpointAddress] -- Those that are not.
  ports [EndpointPort] -- The ports.

EndpointAddress atomic -- An address behind a service.
  ip! str -- The address.
  hostname str -- Its name below that of the service.
  nodeName str -- Its node.
  targetRef ObjectReference -- Its pod.

EndpointPort atomic -- A port behind a service.
  name str -- Its name, as the service has it.
  port! int -- The number.
  protocol str =SCTP|TCP|UDP -- TCP if not given.
  appProtocol str -- What is spoken there.

ConfigMap kind -- Texts for pods.
  data {str} -- The texts.
  binaryData {bytes} -- Bytes, in base64.
  immutable bool -- Never changes.

Secret kind -- Texts for pods that are not for everybody.
  data {bytes} -- The texts, in base64.
  stringData {str} -- The same as plain text; for writing only.
  type str -- What it is for; Opaque if not given.
  immutable bool -- Never changes.

ServiceAccount kind -- Who a pod is to the API server.
  secrets [ObjectReference] by name -- Secrets that its pods may have.
  imagePullSecrets [LocalObjectReference] -- Secrets for pulling images.
  automountServiceAccountToken bool -- Its pods get a token.

Event kind -- Something that happened.
  metadata! ObjectMeta -- What every object says of itself.
  involvedObject! ObjectReference -- To what.
  reason str -- What, in one word.
  message str -- What, for people.
  type str -- Normal or Warning.
  source EventSource -- Who says so.
  count int -- How often.
  firstTimestamp time -- When first.
  lastTimestamp time -- When last.
  eventTime microtime -- When first, in the newer form.
  series EventSeries -- How often, in the newer form.
  action str -- What was done.
  related ObjectReference -- What else it is about.
  reportingComponent str -- Who says so, in the newer form.
  reportingInstance str -- Which of them.

EventSource -- Who tells of an event.
  component str -- The program.
  host str -- Its node.

EventSeries -- An event that happens again and again.
  count int -- How often.
  lastObservedTime microtime -- When last.

Binding kind -- Puts a pod on a node.
  target! ObjectReference -- The node.

@ io.k8s.api.discovery.v1 discovery.k8s.io/v1

EndpointSlice kind -- Some of the addresses behind a service.
  addressType! str =FQDN|IPv4|IPv6 -- What kind of addresses.
  endpoints [Endpoint] -- The addresses.
  ports [SlicePort] -- Their ports.

Endpoint -- One pod, or another thing that answers.
  addresses! [str] set -- Its address.
  conditions EndpointConditions -- How it is.
  hostname str -- Its name below that of the service.
  targetRef ObjectReference -- Its pod.
  nodeName str -- Its node.
  zone str -- Its zone.
  hints EndpointHints -- Who had better use it.
  deprecatedTopology {str} -- No longer used.

EndpointConditions -- How an endpoint is.
  ready bool -- It takes traffic; so it is if not given.
  serving bool -- It would, even while it ends.
  terminating bool -- It ends.

EndpointHints -- Who had better use an endpoint.
  forZones [ForZone] -- Those in these zones.
  forNodes [ForNode] -- Those on these nodes.

ForZone -- A zone.
  name! str -- Its name.

ForNode -- A node.
  name! str -- Its name.

SlicePort (EndpointPort) atomic -- A port of the addresses.
  name str -- Its name, as the service has it.
  port int -- The number.
  protocol str =SCTP|TCP|UDP -- TCP if not given.
  appProtocol str -- What is spoken there.

@ io.k8s.api.coordination.v1 coordination.k8s.io/v1

Lease kind -- Who does something at present, and until when.
  spec LeaseSpec -- Who, and until when.

LeaseSpec -- Who holds a lease.
  holderIdentity str -- Who.
  leaseDurationSeconds int -- Seconds after which others may take it, counted from renewTime.
  acquireTime microtime -- Since when.
  renewTime microtime -- When the holder was heard of last.
  leaseTransitions int -- How often it changed hands.
  preferredHolder str -- Who had better hold it.
  strategy str -- How the holder is picked.

@ io.k8s.api.networking.v1 networking.k8s.io/v1

Ingress kind -- Which HTTP requests from outside reach which service. The lab keeps it and does not serve it.
  spec IngressSpec -- What is wanted.
  status IngressStatus -- What is.

IngressSpec -- Which requests go where.
  ingressClassName str -- Who serves it.
  defaultBackend IngressBackend -- Where requests go that no rule is about.
  rules [IngressRule] -- Which host's requests go where.
  tls [IngressTLS] -- Certificates.

IngressBackend -- Where requests go; one of both.
  service IngressServiceBackend -- A service.
  resource TypedLocalObjectReference -- Something else.

IngressServiceBackend -- A service.
  name! str -- Its name.
  port ServiceBackendPort -- Its port.

ServiceBackendPort atomic -- A port; one of both.
  name str -- By name.
  number int -- By number.

IngressRule -- Where the requests for one host go.
  host str -- The host; every one if not given.
  http HTTPIngressRuleValue -- By path.

HTTPIngressRuleValue -- Where requests go by path.
  paths! [HTTPIngressPath] -- The paths.

HTTPIngressPath -- Where the requests for one path go.
  path str -- The path.
  pathType! str =Exact|ImplementationSpecific|Prefix -- How it is compared.
  backend! IngressBackend -- Where they go.

IngressTLS -- A certificate.
  hosts [str] -- For these hosts.
  secretName str -- In this secret.

IngressStatus -- How an ingress is.
  loadBalancer IngressLoadBalancerStatus -- Where it is reached.

IngressLoadBalancerStatus -- Where an ingress is reached.
  ingress [IngressLoadBalancerIngress] -- Its addresses.

IngressLoadBalancerIngress -- Where an ingress is reached.
  ip str -- Its address.
  hostname str -- Or its name.
  ports [IngressPortStatus] -- Its ports.

IngressPortStatus -- A port of an ingress.
  port! int -- The number.
  protocol! str =SCTP|TCP|UDP -- The protocol.
  error str -- Why it does not work.
"""
