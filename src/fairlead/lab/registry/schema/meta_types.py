"""What every object has."""

TABLE = """
@ io.k8s.apimachinery.pkg.apis.meta.v1 meta/v1

ObjectMeta -- What every object says of itself.
  name str -- Its name, the only one of its kind in the namespace.
  generateName str -- The start of a name that the server makes up.
  namespace str -- Where it lives; empty for kinds that live in none.
  labels {str} -- Names and values by which it can be selected.
  annotations {str} -- Names and values for people and programs; nothing is selected by them.
  uid str -- The only one of its kind in time and space; set by the server.
  resourceVersion str -- Changes with every change of the object; compare it, do not read it.
  generation long -- Counts the changes of what is wanted (spec).
  creationTimestamp time -- When it was created.
  deletionTimestamp time -- When it is to be gone; set once its deletion was asked for.
  deletionGracePeriodSeconds long -- Seconds that it is given to end.
  finalizers [str] merged -- Who has to finish something before it may go.
  ownerReferences [OwnerReference] by uid -- What it belongs to; with the last of these it goes, too.
  managedFields [ManagedFieldsEntry] -- Who set which fields; the lab does not fill it.
  selfLink str -- No longer used.

OwnerReference atomic -- An object in the same namespace to which this one belongs.
  apiVersion! str -- Group and version of the owner.
  kind! str -- Kind of the owner.
  name! str -- Name of the owner.
  uid! str -- Which object of that name.
  controller bool -- The owner looks after this object; one owner at most does.
  blockOwnerDeletion bool -- The owner stays until this object is gone, where it is deleted in the foreground.

ManagedFieldsEntry -- The fields that one program set.
  manager str -- The program.
  operation str =Apply|Update -- How it set them.
  apiVersion str -- The version they were set in.
  time time -- When.
  fieldsType str -- The form of the set, FieldsV1.
  fieldsV1 any -- The set.
  subresource str -- By which subresource.

LabelSelector atomic -- Selects by labels; both parts have to hold, an empty one selects everything.
  matchLabels {str} -- Labels that are there with these values.
  matchExpressions [LabelSelectorRequirement] -- Terms that all hold.

LabelSelectorRequirement -- A term about one label.
  key! str -- The label.
  operator! str -- In, NotIn, Exists or DoesNotExist.
  values [str] -- For In and NotIn.

FieldSelectorRequirement -- A term about one field.
  key! str -- The field.
  operator! str -- In, NotIn, Exists or DoesNotExist.
  values [str] -- For In and NotIn.

Condition -- One thing that is the case with an object, or not.
  type! str -- What.
  status! str -- True, False or Unknown.
  observedGeneration long -- The generation this was found for.
  lastTransitionTime! time -- When the status changed last.
  reason! str -- Why, in one word for programs.
  message! str -- Why, for people.

DeleteOptions -- How an object is deleted.
  apiVersion str -- Group and version of these options.
  kind str -- DeleteOptions.
  gracePeriodSeconds long -- Seconds to end in; 0 is at once. What the object says if not given.
  propagationPolicy str =Orphan|Background|Foreground -- What happens to what belongs to it.
  orphanDependents bool -- The older way to say Orphan.
  preconditions Preconditions -- Delete it only if it is this one.
  dryRun [str] -- All: say what would happen.
  ignoreStoreReadErrorWithClusterBreakingPotential bool -- Not for the lab.

Preconditions -- What has to hold for an object to be deleted.
  uid str -- It has this UID.
  resourceVersion str -- It has this version.

ListMeta -- What a list says of itself.
  resourceVersion str -- As of when the list is; a watch can go on from there.
  continue str -- Asks for the rest of a long list.
  remainingItemCount long -- How many more there are.
  selfLink str -- No longer used.
  shardInfo ShardInfo -- The part of all objects that this is.

ShardInfo -- A part of all objects.
  selector! str -- Which part.

Status -- How a request went.
  apiVersion str -- v1.
  kind str -- Status.
  metadata ListMeta -- Of no meaning.
  status str -- Success or Failure.
  code int -- The HTTP code.
  reason str -- The failure in one word, for programs.
  message str -- The failure, for people.
  details StatusDetails -- What the failure is about.

StatusDetails -- What a failure is about.
  name str -- The object.
  group str -- Its group.
  kind str -- Its kind, or its resource.
  uid str -- Its UID.
  causes [StatusCause] -- All that is wrong.
  retryAfterSeconds int -- When to ask again.

StatusCause -- One thing that is wrong.
  field str -- With which field.
  reason str -- In one word, for programs.
  message str -- For people.

@ io.k8s.api.autoscaling.v1 autoscaling/v1

Scale kind -- How many pods something has, for whoever scales it.
  spec ScaleSpec -- What is wanted.
  status ScaleStatus -- What is.

ScaleSpec -- How many pods are wanted.
  replicas int -- The number.

ScaleStatus -- How many pods there are.
  replicas! int -- The number.
  selector str -- Selects them, as a query writes it.
"""
