"""Volumes. emptyDir, configMap, secret, downwardAPI, projected and hostPath become files; the rest is only kept."""

TABLE = """
@ io.k8s.api.core.v1 v1

Volume -- Files that containers may mount; one of these.
  name! str -- Its name in the pod.
  emptyDir EmptyDirVolumeSource -- An empty directory that goes with the pod.
  configMap ConfigMapVolumeSource -- The texts of a ConfigMap.
  secret SecretVolumeSource -- The texts of a Secret.
  downwardAPI DownwardAPIVolumeSource -- Fields of the pod.
  projected ProjectedVolumeSource -- Several of these in one directory.
  hostPath HostPathVolumeSource -- A file or directory of the node.
  persistentVolumeClaim PersistentVolumeClaimVolumeSource -- Storage that stays.
  ephemeral EphemeralVolumeSource -- Storage that goes with the pod.
  nfs NFSVolumeSource -- An NFS share.
  csi CSIVolumeSource -- Storage from a driver.
  image ImageVolumeSource -- The files of an image.
  awsElasticBlockStore AWSElasticBlockStoreVolumeSource -- No longer used.
  azureDisk AzureDiskVolumeSource -- No longer used.
  azureFile AzureFileVolumeSource -- No longer used.
  cephfs CephFSVolumeSource -- No longer used.
  cinder CinderVolumeSource -- No longer used.
  fc FCVolumeSource -- A Fibre Channel device.
  flexVolume FlexVolumeSource -- No longer used.
  flocker FlockerVolumeSource -- No longer used.
  gcePersistentDisk GCEPersistentDiskVolumeSource -- No longer used.
  gitRepo GitRepoVolumeSource -- No longer used.
  glusterfs GlusterfsVolumeSource -- No longer used.
  iscsi ISCSIVolumeSource -- An iSCSI device.
  photonPersistentDisk PhotonPersistentDiskVolumeSource -- No longer used.
  portworxVolume PortworxVolumeSource -- No longer used.
  quobyte QuobyteVolumeSource -- No longer used.
  rbd RBDVolumeSource -- No longer used.
  scaleIO ScaleIOVolumeSource -- No longer used.
  storageos StorageOSVolumeSource -- No longer used.
  vsphereVolume VsphereVirtualDiskVolumeSource -- No longer used.

VolumeMount -- Where a container sees a volume.
  name! str -- The volume.
  mountPath! str -- Where.
  readOnly bool -- It cannot write there.
  recursiveReadOnly str -- Nor anywhere below: Disabled, IfPossible or Enabled.
  subPath str -- Only this part of the volume.
  subPathExpr str -- The same; $(NAME) stands for an environment variable.
  mountPropagation str =Bidirectional|HostToContainer|None -- Who sees later mounts; None if not given.

VolumeDevice -- Where a container sees a block device.
  name! str -- The claim.
  devicePath! str -- Where.

EmptyDirVolumeSource -- An empty directory that goes with the pod.
  medium str -- Memory, for one in memory.
  sizeLimit quantity -- How much fits.

ConfigMapVolumeSource -- The texts of a ConfigMap as files.
  name str -- The ConfigMap.
  items [KeyToPath] -- Which texts, and where; all if not given.
  defaultMode int -- The files' mode; 0644 if not given.
  optional bool -- It may be missing.

SecretVolumeSource -- The texts of a Secret as files.
  secretName str -- The Secret.
  items [KeyToPath] -- Which texts, and where; all if not given.
  defaultMode int -- The files' mode; 0644 if not given.
  optional bool -- It may be missing.

KeyToPath -- A text as a file.
  key! str -- The text.
  path! str -- The file.
  mode int -- The file's mode.

DownwardAPIVolumeSource -- Fields of the pod as files.
  items [DownwardAPIVolumeFile] -- Which fields, and where.
  defaultMode int -- The files' mode; 0644 if not given.

DownwardAPIVolumeFile -- A field of the pod as a file.
  path! str -- The file.
  fieldRef ObjectFieldSelector -- A field of the pod.
  resourceFieldRef ResourceFieldSelector -- What a container may use.
  mode int -- The file's mode.

ProjectedVolumeSource -- Several things in one directory.
  sources [VolumeProjection] -- The things.
  defaultMode int -- The files' mode; 0644 if not given.

VolumeProjection -- One thing in a directory; one of these.
  configMap ConfigMapProjection -- The texts of a ConfigMap.
  secret SecretProjection -- The texts of a Secret.
  downwardAPI DownwardAPIProjection -- Fields of the pod.
  serviceAccountToken ServiceAccountTokenProjection -- A token.
  clusterTrustBundle ClusterTrustBundleProjection -- Certificates of authorities.
  podCertificate PodCertificateProjection -- A certificate for the pod.

ConfigMapProjection -- The texts of a ConfigMap.
  name str -- The ConfigMap.
  items [KeyToPath] -- Which texts, and where; all if not given.
  optional bool -- It may be missing.

SecretProjection -- The texts of a Secret.
  name str -- The Secret.
  items [KeyToPath] -- Which texts, and where; all if not given.
  optional bool -- It may be missing.

DownwardAPIProjection -- Fields of the pod.
  items [DownwardAPIVolumeFile] -- Which fields, and where.

ServiceAccountTokenProjection -- A token of the pod's ServiceAccount.
  path! str -- The file.
  audience str -- Whom it is for; the API server if not given.
  expirationSeconds long -- Seconds that it is good for; 3600 if not given.

ClusterTrustBundleProjection -- Certificates of authorities.
  path! str -- The file.
  name str -- Which bundle.
  signerName str -- Or those of this signer.
  labelSelector LabelSelector -- Which of them.
  optional bool -- They may be missing.

PodCertificateProjection -- A certificate for the pod.
  signerName! str -- Who signs it.
  keyType! str -- The kind of its key.
  credentialBundlePath str -- The file for key and certificates.
  keyPath str -- The file for the key.
  certificateChainPath str -- The file for the certificates.
  maxExpirationSeconds int -- Seconds that it is good for, at most.
  userAnnotations {str} -- For the signer.

HostPathVolumeSource -- A file or directory of the node.
  path! str -- Where.
  type str =|BlockDevice|CharDevice|Directory|DirectoryOrCreate|File|FileOrCreate|Socket -- What has to be there.

PersistentVolumeClaimVolumeSource -- Storage that stays.
  claimName! str -- The claim.
  readOnly bool -- Nobody writes there.

EphemeralVolumeSource -- Storage that goes with the pod.
  volumeClaimTemplate PersistentVolumeClaimTemplate -- The claim for it.

PersistentVolumeClaimTemplate -- A claim that is made with the pod.
  metadata ObjectMeta -- Its labels and annotations.
  spec! PersistentVolumeClaimSpec -- What it asks for.

PersistentVolumeClaim kind -- Asks for storage. Only as a part of a StatefulSet: the lab has no storage.
  spec PersistentVolumeClaimSpec -- What is wanted.
  status PersistentVolumeClaimStatus -- What is.

PersistentVolumeClaimSpec -- Storage that is asked for.
  accessModes [str] -- ReadWriteOnce, ReadOnlyMany, ReadWriteMany, ReadWriteOncePod.
  resources VolumeResourceRequirements -- How much.
  storageClassName str -- Of which kind.
  volumeName str -- Which volume.
  volumeMode str =Block|Filesystem -- A device, or files (if not given).
  selector LabelSelector -- Labels of the volume.
  dataSource TypedLocalObjectReference -- What it starts with.
  dataSourceRef TypedObjectReference -- What it starts with.
  volumeAttributesClassName str -- Of which quality.

TypedObjectReference -- An object.
  apiGroup str -- Its group.
  kind! str -- Its kind.
  name! str -- Its name.
  namespace str -- Its namespace.

VolumeResourceRequirements -- How much storage.
  limits {quantity} -- At most.
  requests {quantity} -- At least.

PersistentVolumeClaimStatus -- How a claim is.
  phase str =Bound|Lost|Pending -- How far it is.
  accessModes [str] -- How it may be used.
  capacity {quantity} -- How much there is.
  conditions [PersistentVolumeClaimCondition] by type -- What is the case, or not.
  allocatedResources {quantity} -- How much was set aside.
  allocatedResourceStatuses {str} -- How a change of size goes.
  currentVolumeAttributesClassName str -- Of which quality.
  modifyVolumeStatus ModifyVolumeStatus -- How a change of quality goes.

PersistentVolumeClaimCondition -- One thing that is the case with a claim, or not.
  type! str -- What.
  status! str -- True, False or Unknown.
  lastProbeTime time -- When this was looked at last.
  lastTransitionTime time -- When the status changed last.
  reason str -- Why, in one word for programs.
  message str -- Why, for people.

ModifyVolumeStatus -- How a change of quality goes.
  status! str -- How far it is.
  targetVolumeAttributesClassName str -- Which quality is wanted.

NFSVolumeSource -- An NFS share.
  server! str -- The server.
  path! str -- The directory there.
  readOnly bool -- Nobody writes there.

CSIVolumeSource -- Storage from a driver.
  driver! str -- The driver.
  fsType str -- The file system.
  readOnly bool -- Nobody writes there.
  volumeAttributes {str} -- For the driver.
  nodePublishSecretRef LocalObjectReference -- A Secret for the driver.

ImageVolumeSource -- The files of an image.
  reference str -- The image.
  pullPolicy str =Always|IfNotPresent|Never -- When it is fetched.

FCVolumeSource -- A Fibre Channel device.
  targetWWNs [str]
  lun int
  wwids [str]
  fsType str
  readOnly bool

ISCSIVolumeSource -- An iSCSI device.
  targetPortal! str
  iqn! str
  lun! int
  iscsiInterface str
  portals [str]
  initiatorName str
  chapAuthDiscovery bool
  chapAuthSession bool
  secretRef LocalObjectReference
  fsType str
  readOnly bool

AWSElasticBlockStoreVolumeSource -- No longer used.
  volumeID! str
  partition int
  fsType str
  readOnly bool

AzureDiskVolumeSource -- No longer used.
  diskName! str
  diskURI! str
  cachingMode str
  fsType str
  kind str
  readOnly bool

AzureFileVolumeSource -- No longer used.
  secretName! str
  shareName! str
  readOnly bool

CephFSVolumeSource -- No longer used.
  monitors! [str]
  path str
  user str
  secretFile str
  secretRef LocalObjectReference
  readOnly bool

CinderVolumeSource -- No longer used.
  volumeID! str
  secretRef LocalObjectReference
  fsType str
  readOnly bool

FlexVolumeSource -- No longer used.
  driver! str
  options {str}
  secretRef LocalObjectReference
  fsType str
  readOnly bool

FlockerVolumeSource -- No longer used.
  datasetName str
  datasetUUID str

GCEPersistentDiskVolumeSource -- No longer used.
  pdName! str
  partition int
  fsType str
  readOnly bool

GitRepoVolumeSource -- No longer used.
  repository! str
  revision str
  directory str

GlusterfsVolumeSource -- No longer used.
  endpoints! str
  path! str
  readOnly bool

PhotonPersistentDiskVolumeSource -- No longer used.
  pdID! str
  fsType str

PortworxVolumeSource -- No longer used.
  volumeID! str
  fsType str
  readOnly bool

QuobyteVolumeSource -- No longer used.
  registry! str
  volume! str
  user str
  group str
  tenant str
  readOnly bool

RBDVolumeSource -- No longer used.
  monitors! [str]
  image! str
  pool str
  user str
  keyring str
  secretRef LocalObjectReference
  fsType str
  readOnly bool

ScaleIOVolumeSource -- No longer used.
  gateway! str
  system! str
  secretRef! LocalObjectReference
  sslEnabled bool
  protectionDomain str
  storagePool str
  storageMode str
  volumeName str
  fsType str
  readOnly bool

StorageOSVolumeSource -- No longer used.
  volumeName str
  volumeNamespace str
  secretRef LocalObjectReference
  fsType str
  readOnly bool

VsphereVirtualDiskVolumeSource -- No longer used.
  volumePath! str
  storagePolicyName str
  storagePolicyID str
  fsType str
"""
