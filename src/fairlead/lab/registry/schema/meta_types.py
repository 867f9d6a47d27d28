"""What every object has."""

TABLE = """
@ io.k8s.apimachinery.pkg.apis.meta.v1 meta/v1

ObjectMeta -- What every object says of itself.
  1 name str -- Its name, the only one of its kind in the namespace.
  2 generateName str -- The start of a name that the server makes up.
  3 namespace str -- Where it lives; empty for kinds that live in none.
  11 labels {str} -- Names and values by which it can be selected.
  12 annotations {str} -- Names and values for people and programs; nothing is selected by them.
  5 uid str -- The only one of its kind in time and space; set by the server.
  6 resourceVersion str -- Changes with every change of the object; compare it, do not read it.
  7 generation long -- Counts the changes of what is wanted (spec).
  8 creationTimestamp time -- When it was created.
  9 deletionTimestamp? time -- When it is to be gone; set once its deletion was asked for.
  10 deletionGracePeriodSeconds? long -- Seconds that it is given to end.
  14 finalizers [str] merged -- Who has to finish something before it may go.
  13 ownerReferences [OwnerReference] by uid -- What it belongs to; with the last of these it goes, too.
  17 managedFields [ManagedFieldsEntry] -- Who set which fields; the lab does not fill it.
  4 selfLink str -- No longer used.

OwnerReference atomic -- An object in the same namespace to which this one belongs.
  5 apiVersion! str -- Group and version of the owner.
  1 kind! str -- Kind of the owner.
  3 name! str -- Name of the owner.
  4 uid! str -- Which object of that name.
  6 controller? bool -- The owner looks after this object; one owner at most does.
  7 blockOwnerDeletion? bool -- The owner stays until this object is gone, where it is deleted in the foreground.

ManagedFieldsEntry -- The fields that one program set.
  1 manager str -- The program.
  2 operation str =Apply|Update -- How it set them.
  3 apiVersion str -- The version they were set in.
  4 time? time -- When.
  6 fieldsType str -- The form of the set, FieldsV1.
  7 fieldsV1? any -- The set.
  8 subresource str -- By which subresource.

LabelSelector atomic -- Selects by labels; both parts have to hold, an empty one selects everything.
  1 matchLabels {str} -- Labels that are there with these values.
  2 matchExpressions [LabelSelectorRequirement] -- Terms that all hold.

LabelSelectorRequirement -- A term about one label.
  1 key! str -- The label.
  2 operator! str -- In, NotIn, Exists or DoesNotExist.
  3 values [str] -- For In and NotIn.

FieldSelectorRequirement -- A term about one field.
  1 key! str -- The field.
  2 operator! str -- In, NotIn, Exists or DoesNotExist.
  3 values [str] -- For In and NotIn.

Condition -- One thing that is the case with an object, or not.
  1 type! str -- What.
  2 status! str -- True, False or Unknown.
  3 observedGeneration long -- The generation this was found for.
  4 lastTransitionTime! time -- When the status changed last.
  5 reason! str -- Why, in one word for programs.
  6 message! str -- Why, for people.

DeleteOptions -- How an object is deleted.
  apiVersion str -- Group and version of these options.
  kind str -- DeleteOptions.
  1 gracePeriodSeconds? long -- Seconds to end in; 0 is at once. What the object says if not given.
  4 propagationPolicy? str =Orphan|Background|Foreground -- What happens to what belongs to it.
  3 orphanDependents? bool -- The older way to say Orphan.
  2 preconditions? Preconditions -- Delete it only if it is this one.
  5 dryRun [str] -- All: say what would happen.
  6 ignoreStoreReadErrorWithClusterBreakingPotential? bool -- Not for the lab.

Preconditions -- What has to hold for an object to be deleted.
  1 uid? str -- It has this UID.
  2 resourceVersion? str -- It has this version.

ListMeta -- What a list says of itself.
  2 resourceVersion str -- As of when the list is; a watch can go on from there.
  3 continue str -- Asks for the rest of a long list.
  4 remainingItemCount? long -- How many more there are.
  1 selfLink str -- No longer used.
  5 shardInfo? ShardInfo -- The part of all objects that this is.

ShardInfo -- A part of all objects.
  1 selector! str -- Which part.

Status -- How a request went.
  apiVersion str -- v1.
  kind str -- Status.
  1 metadata ListMeta -- Of no meaning.
  2 status str -- Success or Failure.
  6 code int -- The HTTP code.
  4 reason str -- The failure in one word, for programs.
  3 message str -- The failure, for people.
  5 details? StatusDetails -- What the failure is about.

StatusDetails -- What a failure is about.
  1 name str -- The object.
  2 group str -- Its group.
  3 kind str -- Its kind, or its resource.
  6 uid str -- Its UID.
  4 causes [StatusCause] -- All that is wrong.
  5 retryAfterSeconds int -- When to ask again.

StatusCause -- One thing that is wrong.
  3 field str -- With which field.
  1 reason str -- In one word, for programs.
  2 message str -- For people.

@ io.k8s.api.autoscaling.v1 autoscaling/v1

Scale kind -- How many pods something has, for whoever scales it.
  2 spec ScaleSpec -- What is wanted.
  3 status ScaleStatus -- What is.

ScaleSpec -- How many pods are wanted.
  1 replicas int -- The number.

ScaleStatus -- How many pods there are.
  1 replicas! int -- The number.
  2 selector str -- Selects them, as a query writes it.
"""
