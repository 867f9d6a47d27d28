"""What makes pods."""

TABLE = """
@ io.k8s.api.apps.v1 apps/v1

Deployment kind -- Keeps a number of pods of one template, and replaces them step by step when the template changes.
  2 spec DeploymentSpec -- What is wanted.
  3 status DeploymentStatus -- What is.

DeploymentSpec -- What a Deployment keeps.
  1 replicas? int -- Pods that are wanted; 1 if not given.
  2 selector!? LabelSelector -- The pods that are its own; the template's labels have to match. Never changes.
  3 template! PodTemplateSpec -- What its pods are.
  4 strategy DeploymentStrategy retain -- How old pods are replaced by new ones.
  5 minReadySeconds int -- Seconds that a pod has to be ready before it counts as available; 0 if not given.
  6 revisionHistoryLimit? int -- Old ReplicaSets that are kept for a way back; 10 if not given.
  7 paused bool -- A changed template waits.
  9 progressDeadlineSeconds? int -- Seconds without progress after which it says so; 600 if not given.

DeploymentStrategy -- How old pods are replaced by new ones.
  1 type str =Recreate|RollingUpdate -- All at once, or step by step (if not given).
  2 rollingUpdate? RollingUpdateDeployment -- The steps.

RollingUpdateDeployment -- The steps of a rollout.
  1 maxUnavailable? intstr -- Pods that may be missing, a number or a part of all ("25%", if not given).
  2 maxSurge? intstr -- Pods that may be too many, a number or a part of all ("25%", if not given).

DeploymentStatus -- How a Deployment is.
  1 observedGeneration long -- The generation that this is about.
  2 replicas int -- Pods of its selector that do not end.
  3 updatedReplicas int -- Those of the present template.
  7 readyReplicas int -- Those that are ready.
  4 availableReplicas int -- Those that have been ready for minReadySeconds.
  5 unavailableReplicas int -- Those that are still wanted.
  9 terminatingReplicas? int -- Those that end.
  8 collisionCount? int -- How often a name for a ReplicaSet was taken.
  6 conditions [DeploymentCondition] by type -- Available, Progressing, ReplicaFailure.

DeploymentCondition -- One thing that is the case with a Deployment, or not.
  1 type! str -- What.
  2 status! str -- True, False or Unknown.
  6 lastUpdateTime time -- When this was written last.
  7 lastTransitionTime time -- When the status changed last.
  4 reason str -- Why, in one word for programs.
  5 message str -- Why, for people.

ReplicaSet kind -- Keeps a number of pods of one template. Mostly made by a Deployment.
  2 spec ReplicaSetSpec -- What is wanted.
  3 status ReplicaSetStatus -- What is.

ReplicaSetSpec -- What a ReplicaSet keeps.
  1 replicas? int -- Pods that are wanted; 1 if not given.
  2 selector!? LabelSelector -- The pods that are its own. Never changes.
  3 template PodTemplateSpec -- What its pods are.
  4 minReadySeconds int -- Seconds that a pod has to be ready before it counts as available; 0 if not given.

ReplicaSetStatus -- How a ReplicaSet is.
  3 observedGeneration long -- The generation that this is about.
  1 replicas! int -- Pods that do not end.
  2 fullyLabeledReplicas int -- Those with all labels of the template.
  4 readyReplicas int -- Those that are ready.
  5 availableReplicas int -- Those that have been ready for minReadySeconds.
  7 terminatingReplicas? int -- Those that end.
  6 conditions [ReplicaSetCondition] by type -- ReplicaFailure.

ReplicaSetCondition -- One thing that is the case with a ReplicaSet, or not.
  1 type! str -- What.
  2 status! str -- True, False or Unknown.
  3 lastTransitionTime time -- When the status changed last.
  4 reason str -- Why, in one word for programs.
  5 message str -- Why, for people.

StatefulSet kind -- Keeps pods that have a number each, and with it a name, an address by name and volumes of their own.
  2 spec StatefulSetSpec -- What is wanted.
  3 status StatefulSetStatus -- What is.

StatefulSetSpec -- What a StatefulSet keeps.
  1 replicas? int -- Pods that are wanted; 1 if not given.
  2 selector!? LabelSelector -- The pods that are its own. Never changes.
  5 serviceName str -- The headless service under which its pods have names.
  3 template! PodTemplateSpec -- What its pods are.
  6 podManagementPolicy str =OrderedReady|Parallel -- One after the other (if not given), or all at once.
  7 updateStrategy StatefulSetUpdateStrategy -- How pods of an older template are replaced.
  9 minReadySeconds int -- Seconds that a pod has to be ready before it counts as available; 0 if not given.
  11 ordinals? StatefulSetOrdinals -- Where the numbers start.
  8 revisionHistoryLimit? int -- Old templates that are kept; 10 if not given.
  4 volumeClaimTemplates [PersistentVolumeClaim] -- Claims that each pod has of its own; the lab has no storage.
  10 persistentVolumeClaimRetentionPolicy? StatefulSetPersistentVolumeClaimRetentionPolicy -- What comes of claims.

StatefulSetOrdinals -- Where the numbers of the pods start.
  1 start int -- The first number; 0 if not given.

StatefulSetPersistentVolumeClaimRetentionPolicy -- What happens to the claims of pods that go.
  1 whenDeleted str =Delete|Retain -- When the StatefulSet is deleted; Retain if not given.
  2 whenScaled str =Delete|Retain -- When it is scaled down; Retain if not given.

StatefulSetUpdateStrategy -- How pods of an older template are replaced.
  1 type str =OnDelete|RollingUpdate -- Whenever somebody deletes them, or one after the other (if not given).
  2 rollingUpdate? RollingUpdateStatefulSetStrategy -- The steps.

RollingUpdateStatefulSetStrategy -- The steps of a rollout.
  1 partition? int -- Pods below this number stay as they are; 0 if not given.
  2 maxUnavailable? intstr -- Pods that may be missing; 1 if not given.

StatefulSetStatus -- How a StatefulSet is.
  1 observedGeneration long -- The generation that this is about.
  2 replicas! int -- Pods that there are.
  3 readyReplicas int -- Those that are ready.
  11 availableReplicas int -- Those that have been ready for minReadySeconds.
  4 currentReplicas int -- Those of currentRevision.
  5 updatedReplicas int -- Those of updateRevision.
  6 currentRevision str -- The template that pods had before.
  7 updateRevision str -- The template that pods will have.
  9 collisionCount? int -- How often a name for a revision was taken.
  10 conditions [StatefulSetCondition] by type -- What is the case, or not.

StatefulSetCondition < ReplicaSetCondition -- One thing that is the case with a StatefulSet, or not.

ControllerRevision kind -- An older template, kept for a way back.
  3 revision! long -- Counts them.
  2 data any -- The template.
"""
