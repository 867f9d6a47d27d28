"""What makes pods."""

TABLE = """
@ io.k8s.api.apps.v1 apps/v1

Deployment kind -- Keeps a number of pods of one template, and replaces them step by step when the template changes.
  spec DeploymentSpec -- What is wanted.
  status DeploymentStatus -- What is.

DeploymentSpec -- What a Deployment keeps.
  replicas int -- Pods that are wanted; 1 if not given.
  selector! LabelSelector -- The pods that are its own; the template's labels have to match. Never changes.
  template! PodTemplateSpec -- What its pods are.
  strategy DeploymentStrategy retain -- How old pods are replaced by new ones.
  minReadySeconds int -- Seconds that a pod has to be ready before it counts as available; 0 if not given.
  revisionHistoryLimit int -- Old ReplicaSets that are kept for a way back; 10 if not given.
  paused bool -- A changed template waits.
  progressDeadlineSeconds int -- Seconds without progress after which it says so; 600 if not given.

DeploymentStrategy -- How old pods are replaced by new ones.
  type str =Recreate|RollingUpdate -- All at once, or step by step (if not given).
  rollingUpdate RollingUpdateDeployment -- The steps.

RollingUpdateDeployment -- The steps of a rollout.
  maxUnavailable intstr -- Pods that may be missing, a number or a part of all ("25%", if not given).
  maxSurge intstr -- Pods that may be too many, a number or a part of all ("25%", if not given).

DeploymentStatus -- How a Deployment is.
  observedGeneration long -- The generation that this is about.
  replicas int -- Pods of its selector that do not end.
  updatedReplicas int -- Those of the present template.
  readyReplicas int -- Those that are ready.
  availableReplicas int -- Those that have been ready for minReadySeconds.
  unavailableReplicas int -- Those that are still wanted.
  terminatingReplicas int -- Those that end.
  collisionCount int -- How often a name for a ReplicaSet was taken.
  conditions [DeploymentCondition] by type -- Available, Progressing, ReplicaFailure.

DeploymentCondition -- One thing that is the case with a Deployment, or not.
  type! str -- What.
  status! str -- True, False or Unknown.
  lastUpdateTime time -- When this was written last.
  lastTransitionTime time -- When the status changed last.
  reason str -- Why, in one word for programs.
  message str -- Why, for people.

ReplicaSet kind -- Keeps a number of pods of one template. Mostly made by a Deployment.
  spec ReplicaSetSpec -- What is wanted.
  status ReplicaSetStatus -- What is.

ReplicaSetSpec -- What a ReplicaSet keeps.
  replicas int -- Pods that are wanted; 1 if not given.
  selector! LabelSelector -- The pods that are its own. Never changes.
  template PodTemplateSpec -- What its pods are.
  minReadySeconds int -- Seconds that a pod has to be ready before it counts as available; 0 if not given.

ReplicaSetStatus -- How a ReplicaSet is.
  observedGeneration long -- The generation that this is about.
  replicas! int -- Pods that do not end.
  fullyLabeledReplicas int -- Those with all labels of the template.
  readyReplicas int -- Those that are ready.
  availableReplicas int -- Those that have been ready for minReadySeconds.
  terminatingReplicas int -- Those that end.
  conditions [ReplicaSetCondition] by type -- ReplicaFailure.

ReplicaSetCondition -- One thing that is the case with a ReplicaSet, or not.
  type! str -- What.
  status! str -- True, False or Unknown.
  lastTransitionTime time -- When the status changed last.
  reason str -- Why, in one word for programs.
  message str -- Why, for people.

StatefulSet kind -- Keeps pods that have a number each, and with it a name, an address by name and volumes of their own.
  spec StatefulSetSpec -- What is wanted.
  status StatefulSetStatus -- What is.

StatefulSetSpec -- What a StatefulSet keeps.
  replicas int -- Pods that are wanted; 1 if not given.
  selector! LabelSelector -- The pods that are its own. Never changes.
  serviceName str -- The headless service under which its pods have names.
  template! PodTemplateSpec -- What its pods are.
  podManagementPolicy str =OrderedReady|Parallel -- One after the other (if not given), or all at once.
  updateStrategy StatefulSetUpdateStrategy -- How pods of an older template are replaced.
  minReadySeconds int -- Seconds that a pod has to be ready before it counts as available; 0 if not given.
  ordinals StatefulSetOrdinals -- Where the numbers start.
  revisionHistoryLimit int -- Old templates that are kept; 10 if not given.
  volumeClaimTemplates [PersistentVolumeClaim] -- Claims that each pod has of its own; the lab has no storage for them.
  persistentVolumeClaimRetentionPolicy StatefulSetPersistentVolumeClaimRetentionPolicy -- What happens to the claims.

StatefulSetOrdinals -- Where the numbers of the pods start.
  start int -- The first number; 0 if not given.

StatefulSetPersistentVolumeClaimRetentionPolicy -- What happens to the claims of pods that go.
  whenDeleted str =Delete|Retain -- When the StatefulSet is deleted; Retain if not given.
  whenScaled str =Delete|Retain -- When it is scaled down; Retain if not given.

StatefulSetUpdateStrategy -- How pods of an older template are replaced.
  type str =OnDelete|RollingUpdate -- Whenever somebody deletes them, or one after the other (if not given).
  rollingUpdate RollingUpdateStatefulSetStrategy -- The steps.

RollingUpdateStatefulSetStrategy -- The steps of a rollout.
  partition int -- Pods below this number stay as they are; 0 if not given.
  maxUnavailable intstr -- Pods that may be missing; 1 if not given.

StatefulSetStatus -- How a StatefulSet is.
  observedGeneration long -- The generation that this is about.
  replicas! int -- Pods that there are.
  readyReplicas int -- Those that are ready.
  availableReplicas int -- Those that have been ready for minReadySeconds.
  currentReplicas int -- Those of currentRevision.
  updatedReplicas int -- Those of updateRevision.
  currentRevision str -- The template that pods had before.
  updateRevision str -- The template that pods will have.
  collisionCount int -- How often a name for a revision was taken.
  conditions [StatefulSetCondition] by type -- What is the case, or not.

StatefulSetCondition < ReplicaSetCondition -- One thing that is the case with a StatefulSet, or not.

ControllerRevision kind -- An older template, kept for a way back.
  revision! long -- Counts them.
  data any -- The template.
"""
