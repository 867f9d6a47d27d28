"""The types of what all objects have: one a paragraph, as ``schema.table`` reads it."""

METADATA = """
Condition: lastTransitionTime* time, message* str, observedGeneration long, reason* str, status* str, type* str
DeleteOptions: apiVersion str, dryRun [str], gracePeriodSeconds long,
    ignoreStoreReadErrorWithClusterBreakingPotential bool, kind str, orphanDependents bool,
    preconditions Preconditions, propagationPolicy str
LabelSelector: matchExpressions [LabelSelectorRequirement], matchLabels {str}
LabelSelectorRequirement: key* str, operator* str, values [str]
LocalObjectReference: name str
ObjectMeta: annotations {str}, creationTimestamp time, deletionGracePeriodSeconds long, deletionTimestamp time,
    finalizers [str]@, generateName str, generation long, labels {str}, managedFields [any], name str,
    namespace str, ownerReferences [OwnerReference]@uid, resourceVersion str, selfLink str, uid str
ObjectReference: apiVersion str, fieldPath str, kind str, name str, namespace str, resourceVersion str, uid str
OwnerReference: apiVersion* str, blockOwnerDeletion bool, controller bool, kind* str, name* str, uid* str
Preconditions: resourceVersion str, uid str
TypedLocalObjectReference: apiGroup str, kind* str, name* str
"""
