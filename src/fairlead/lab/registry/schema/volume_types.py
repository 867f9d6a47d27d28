"""Volumes. emptyDir, configMap, secret, downwardAPI, projected and hostPath become files; the rest is only kept."""

TABLE = """
@ io.k8s.api.core.v1 v1

Volume -- Files that containers may mount; one of these.
  1 name! str -- Its name in the pod.
  2.2 emptyDir? EmptyDirVolumeSource -- An empty directory that goes with the pod.
  2.19 configMap? ConfigMapVolumeSource -- The texts of a ConfigMap.
  2.6 secret? SecretVolumeSource -- The texts of a Secret.
  2.16 downwardAPI? DownwardAPIVolumeSource -- Fields of the pod.
  2.26 projected? ProjectedVolumeSource -- Several of these in one directory.
  2.1 hostPath? HostPathVolumeSource -- A file or directory of the node.
  2.10 persistentVolumeClaim? PersistentVolumeClaimVolumeSource -- Storage that stays.
  2.29 ephemeral? EphemeralVolumeSource -- Storage that goes with the pod.
  2.7 nfs? NFSVolumeSource -- An NFS share.
  2.28 csi? CSIVolumeSource -- Storage from a driver.
  2.30 image? ImageVolumeSource -- The files of an image.
  2.4 awsElasticBlockStore? AWSElasticBlockStoreVolumeSource -- No longer used.
  2.22 azureDisk? AzureDiskVolumeSource -- No longer used.
  2.18 azureFile? AzureFileVolumeSource -- No longer used.
  2.14 cephfs? CephFSVolumeSource -- No longer used.
  2.13 cinder? CinderVolumeSource -- No longer used.
  2.17 fc? FCVolumeSource -- A Fibre Channel device.
  2.12 flexVolume? FlexVolumeSource -- No longer used.
  2.15 flocker? FlockerVolumeSource -- No longer used.
  2.3 gcePersistentDisk? GCEPersistentDiskVolumeSource -- No longer used.
  2.5 gitRepo? GitRepoVolumeSource -- No longer used.
  2.9 glusterfs? GlusterfsVolumeSource -- No longer used.
  2.8 iscsi? ISCSIVolumeSource -- An iSCSI device.
  2.23 photonPersistentDisk? PhotonPersistentDiskVolumeSource -- No longer used.
  2.24 portworxVolume? PortworxVolumeSource -- No longer used.
  2.21 quobyte? QuobyteVolumeSource -- No longer used.
  2.11 rbd? RBDVolumeSource -- No longer used.
  2.25 scaleIO? ScaleIOVolumeSource -- No longer used.
  2.27 storageos? StorageOSVolumeSource -- No longer used.
  2.20 vsphereVolume? VsphereVirtualDiskVolumeSource -- No longer used.

VolumeMount -- Where a container sees a volume.
  1 name! str -- The volume.
  3 mountPath! str -- Where.
  2 readOnly bool -- It cannot write there.
  7 recursiveReadOnly? str -- Nor anywhere below: Disabled, IfPossible or Enabled.
  4 subPath str -- Only this part of the volume.
  6 subPathExpr str -- The same; $(NAME) stands for an environment variable.
  5 mountPropagation? str =Bidirectional|HostToContainer|None -- Who sees later mounts; None if not given.

VolumeDevice -- Where a container sees a block device.
  1 name! str -- The claim.
  2 devicePath! str -- Where.

EmptyDirVolumeSource -- An empty directory that goes with the pod.
  1 medium str -- Memory, for one in memory.
  2 sizeLimit? quantity -- How much fits.

ConfigMapVolumeSource -- The texts of a ConfigMap as files.
  1.1 name str -- The ConfigMap.
  2 items [KeyToPath] -- Which texts, and where; all if not given.
  3 defaultMode? int -- The files' mode; 0644 if not given.
  4 optional? bool -- It may be missing.

SecretVolumeSource -- The texts of a Secret as files.
  1 secretName str -- The Secret.
  2 items [KeyToPath] -- Which texts, and where; all if not given.
  3 defaultMode? int -- The files' mode; 0644 if not given.
  4 optional? bool -- It may be missing.

KeyToPath -- A text as a file.
  1 key! str -- The text.
  2 path! str -- The file.
  3 mode? int -- The file's mode.

DownwardAPIVolumeSource -- Fields of the pod as files.
  1 items [DownwardAPIVolumeFile] -- Which fields, and where.
  2 defaultMode? int -- The files' mode; 0644 if not given.

DownwardAPIVolumeFile -- A field of the pod as a file.
  1 path! str -- The file.
  2 fieldRef? ObjectFieldSelector -- A field of the pod.
  3 resourceFieldRef? ResourceFieldSelector -- What a container may use.
  4 mode? int -- The file's mode.

ProjectedVolumeSource -- Several things in one directory.
  1 sources [VolumeProjection] -- The things.
  2 defaultMode? int -- The files' mode; 0644 if not given.

VolumeProjection -- One thing in a directory; one of these.
  3 configMap? ConfigMapProjection -- The texts of a ConfigMap.
  1 secret? SecretProjection -- The texts of a Secret.
  2 downwardAPI? DownwardAPIProjection -- Fields of the pod.
  4 serviceAccountToken? ServiceAccountTokenProjection -- A token.
  5 clusterTrustBundle? ClusterTrustBundleProjection -- Certificates of authorities.
  6 podCertificate? PodCertificateProjection -- A certificate for the pod.

ConfigMapProjection -- The texts of a ConfigMap.
  1.1 name str -- The ConfigMap.
  2 items [KeyToPath] -- Which texts, and where; all if not given.
  4 optional? bool -- It may be missing.

SecretProjection -- The texts of a Secret.
  1.1 name str -- The Secret.
  2 items [KeyToPath] -- Which texts, and where; all if not given.
  4 optional? bool -- It may be missing.

DownwardAPIProjection -- Fields of the pod.
  1 items [DownwardAPIVolumeFile] -- Which fields, and where.

ServiceAccountTokenProjection -- A token of the pod's ServiceAccount.
  3 path! str -- The file.
  1 audience str -- Whom it is for; the API server if not given.
  2 expirationSeconds? long -- Seconds that it is good for; 3600 if not given.

ClusterTrustBundleProjection -- Certificates of authorities.
  4 path! str -- The file.
  1 name? str -- Which bundle.
  2 signerName? str -- Or those of this signer.
  3 labelSelector? LabelSelector -- Which of them.
  5 optional? bool -- They may be missing.

PodCertificateProjection -- A certificate for the pod.
  1 signerName! str -- Who signs it.
  2 keyType! str -- The kind of its key.
  4 credentialBundlePath str -- The file for key and certificates.
  5 keyPath str -- The file for the key.
  6 certificateChainPath str -- The file for the certificates.
  3 maxExpirationSeconds? int -- Seconds that it is good for, at most.
  7 userAnnotations {str} -- For the signer.

HostPathVolumeSource -- A file or directory of the node.
  1 path! str -- Where.
  2 type? str =|BlockDevice|CharDevice|Directory|DirectoryOrCreate|File|FileOrCreate|Socket -- What has to be there.

PersistentVolumeClaimVolumeSource -- Storage that stays.
  1 claimName! str -- The claim.
  2 readOnly bool -- Nobody writes there.

EphemeralVolumeSource -- Storage that goes with the pod.
  1 volumeClaimTemplate? PersistentVolumeClaimTemplate -- The claim for it.

PersistentVolumeClaimTemplate -- A claim that is made with the pod.
  1 metadata ObjectMeta -- Its labels and annotations.
  2 spec! PersistentVolumeClaimSpec -- What it asks for.

PersistentVolumeClaim kind -- Asks for storage. Only as a part of a StatefulSet: the lab has no storage.
  2 spec PersistentVolumeClaimSpec -- What is wanted.
  3 status PersistentVolumeClaimStatus -- What is.

PersistentVolumeClaimSpec -- Storage that is asked for.
  1 accessModes [str] -- ReadWriteOnce, ReadOnlyMany, ReadWriteMany, ReadWriteOncePod.
  2 resources VolumeResourceRequirements -- How much.
  5 storageClassName? str -- Of which kind.
  3 volumeName str -- Which volume.
  6 volumeMode? str =Block|Filesystem -- A device, or files (if not given).
  4 selector? LabelSelector -- Labels of the volume.
  7 dataSource? TypedLocalObjectReference -- What it starts with.
  8 dataSourceRef? TypedObjectReference -- What it starts with.
  9 volumeAttributesClassName? str -- Of which quality.

TypedObjectReference -- An object.
  1 apiGroup? str -- Its group.
  2 kind! str -- Its kind.
  3 name! str -- Its name.
  4 namespace? str -- Its namespace.

VolumeResourceRequirements -- How much storage.
  1 limits {quantity} -- At most.
  2 requests {quantity} -- At least.

PersistentVolumeClaimStatus -- How a claim is.
  1 phase str =Bound|Lost|Pending -- How far it is.
  2 accessModes [str] -- How it may be used.
  3 capacity {quantity} -- How much there is.
  4 conditions [PersistentVolumeClaimCondition] by type -- What is the case, or not.
  5 allocatedResources {quantity} -- How much was set aside.
  7 allocatedResourceStatuses {str} -- How a change of size goes.
  8 currentVolumeAttributesClassName? str -- Of which quality.
  9 modifyVolumeStatus? ModifyVolumeStatus -- How a change of quality goes.

PersistentVolumeClaimCondition -- One thing that is the case with a claim, or not.
  1 type! str -- What.
  2 status! str -- True, False or Unknown.
  3 lastProbeTime time -- When this was looked at last.
  4 lastTransitionTime time -- When the status changed last.
  5 reason str -- Why, in one word for programs.
  6 message str -- Why, for people.

ModifyVolumeStatus -- How a change of quality goes.
  2 status! str -- How far it is.
  1 targetVolumeAttributesClassName str -- Which quality is wanted.

NFSVolumeSource -- An NFS share.
  1 server! str -- The server.
  2 path! str -- The directory there.
  3 readOnly bool -- Nobody writes there.

CSIVolumeSource -- Storage from a driver.
  1 driver! str -- The driver.
  3 fsType? str -- The file system.
  2 readOnly? bool -- Nobody writes there.
  4 volumeAttributes {str} -- For the driver.
  5 nodePublishSecretRef? LocalObjectReference -- A Secret for the driver.

ImageVolumeSource -- The files of an image.
  1 reference str -- The image.
  2 pullPolicy str =Always|IfNotPresent|Never -- When it is fetched.

FCVolumeSource -- A Fibre Channel device.
  1 targetWWNs [str]
  2 lun? int
  5 wwids [str]
  3 fsType str
  4 readOnly bool

ISCSIVolumeSource -- An iSCSI device.
  1 targetPortal! str
  2 iqn! str
  3 lun! int
  4 iscsiInterface str
  7 portals [str]
  12 initiatorName? str
  8 chapAuthDiscovery bool
  11 chapAuthSession bool
  10 secretRef? LocalObjectReference
  5 fsType str
  6 readOnly bool

AWSElasticBlockStoreVolumeSource -- No longer used.
  1 volumeID! str
  3 partition int
  2 fsType str
  4 readOnly bool

AzureDiskVolumeSource -- No longer used.
  1 diskName! str
  2 diskURI! str
  3 cachingMode? str
  4 fsType? str
  6 kind? str
  5 readOnly? bool

AzureFileVolumeSource -- No longer used.
  1 secretName! str
  2 shareName! str
  3 readOnly bool

CephFSVolumeSource -- No longer used.
  1 monitors! [str]
  2 path str
  3 user str
  4 secretFile str
  5 secretRef? LocalObjectReference
  6 readOnly bool

CinderVolumeSource -- No longer used.
  1 volumeID! str
  4 secretRef? LocalObjectReference
  2 fsType str
  3 readOnly bool

FlexVolumeSource -- No longer used.
  1 driver! str
  5 options {str}
  3 secretRef? LocalObjectReference
  2 fsType str
  4 readOnly bool

FlockerVolumeSource -- No longer used.
  1 datasetName str
  2 datasetUUID str

GCEPersistentDiskVolumeSource -- No longer used.
  1 pdName! str
  3 partition int
  2 fsType str
  4 readOnly bool

GitRepoVolumeSource -- No longer used.
  1 repository! str
  2 revision str
  3 directory str

GlusterfsVolumeSource -- No longer used.
  1 endpoints! str
  2 path! str
  3 readOnly bool

PhotonPersistentDiskVolumeSource -- No longer used.
  1 pdID! str
  2 fsType str

PortworxVolumeSource -- No longer used.
  1 volumeID! str
  2 fsType str
  3 readOnly bool

QuobyteVolumeSource -- No longer used.
  1 registry! str
  2 volume! str
  4 user str
  5 group str
  6 tenant str
  3 readOnly bool

RBDVolumeSource -- No longer used.
  1 monitors! [str]
  2 image! str
  4 pool str
  5 user str
  6 keyring str
  7 secretRef? LocalObjectReference
  3 fsType str
  8 readOnly bool

ScaleIOVolumeSource -- No longer used.
  1 gateway! str
  2 system! str
  3 secretRef!? LocalObjectReference
  4 sslEnabled bool
  5 protectionDomain str
  6 storagePool str
  7 storageMode str
  8 volumeName str
  9 fsType str
  10 readOnly bool

StorageOSVolumeSource -- No longer used.
  1 volumeName str
  2 volumeNamespace str
  5 secretRef? LocalObjectReference
  3 fsType str
  4 readOnly bool

VsphereVirtualDiskVolumeSource -- No longer used.
  1 volumePath! str
  3 storagePolicyName str
  4 storagePolicyID str
  2 fsType str
"""
