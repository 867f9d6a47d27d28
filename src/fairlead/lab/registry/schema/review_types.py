"""Questions that are asked by creating an object: who am I, may I; and requests like them."""

TABLE = """
@ io.k8s.api.policy.v1 policy/v1

Eviction kind -- Asks for a pod to be deleted.
  deleteOptions DeleteOptions -- How.

@ io.k8s.api.authentication.v1 authentication.k8s.io/v1

UserInfo -- A user, as the server knows him.
  username str -- The name.
  uid str -- The only one of its kind.
  groups [str] -- The groups the user is in.
  extra {[str]} -- What else is known.

SelfSubjectReview kind -- Who am I?
  status SelfSubjectReviewStatus -- The answer.

SelfSubjectReviewStatus -- Who asks.
  userInfo UserInfo -- The user.

TokenReview kind -- Whose token is this?
  spec! TokenReviewSpec -- The question.
  status TokenReviewStatus -- The answer.

TokenReviewSpec -- A token.
  token! str -- The token.
  audiences [str] -- Whom it has to be for.

TokenReviewStatus -- Whose token it is.
  authenticated bool -- It is good.
  user UserInfo -- Whose.
  audiences [str] -- Whom it is for.
  error str -- Why it could not be looked at.

TokenRequest kind -- Asks for a token of a ServiceAccount.
  spec TokenRequestSpec -- What is asked for.
  status TokenRequestStatus -- The token.

TokenRequestSpec -- What a token is for.
  audiences [str] -- Whom it is for.
  expirationSeconds long -- Seconds that it is good for.
  boundObjectRef BoundObjectReference -- It is good while this exists.

BoundObjectReference -- A pod, a secret or a node.
  apiVersion str -- Its group and version.
  kind str -- Its kind.
  name str -- Its name.
  uid str -- Its UID.

TokenRequestStatus -- A token.
  token str -- The token.
  expirationTimestamp time -- Until when it is good.

@ io.k8s.api.authorization.v1 authorization.k8s.io/v1

SelfSubjectAccessReview kind -- May I?
  spec! SelfSubjectAccessReviewSpec -- The question.
  status SubjectAccessReviewStatus -- The answer; in the lab it is yes.

SelfSubjectAccessReviewSpec -- What somebody wants to do; one of both.
  resourceAttributes ResourceAttributes -- With an object.
  nonResourceAttributes NonResourceAttributes -- With a path of the server.

ResourceAttributes -- Something done with objects.
  verb str -- get, list, watch, create, update, patch, delete; * for all.
  group str -- The group; * for all.
  version str -- The version; * for all.
  resource str -- The resource; * for all.
  subresource str -- A part of it, such as log.
  name str -- Which; all if not given.
  namespace str -- Where; everywhere if not given.
  fieldSelector FieldSelectorAttributes -- Only those.
  labelSelector LabelSelectorAttributes -- Only those.

FieldSelectorAttributes -- Selects by fields.
  rawSelector str -- As a query writes it.
  requirements [FieldSelectorRequirement] -- Term by term.

LabelSelectorAttributes -- Selects by labels.
  rawSelector str -- As a query writes it.
  requirements [LabelSelectorRequirement] -- Term by term.

NonResourceAttributes -- Something done with a path of the server.
  path str -- The path.
  verb str -- The HTTP method, in small letters.

SubjectAccessReviewStatus -- Whether somebody may.
  allowed! bool -- Yes.
  denied bool -- No, whatever others say.
  reason str -- Why.
  evaluationError str -- What went wrong while this was found out.

SubjectAccessReview kind -- May he?
  spec! SubjectAccessReviewSpec -- The question.
  status SubjectAccessReviewStatus -- The answer; in the lab it is yes.

LocalSubjectAccessReview kind -- May he, in this namespace?
  spec! SubjectAccessReviewSpec -- The question.
  status SubjectAccessReviewStatus -- The answer; in the lab it is yes.

SubjectAccessReviewSpec -- What somebody else wants to do.
  user str -- Who.
  groups [str] -- The groups the user is in.
  uid str -- The user's UID.
  extra {[str]} -- What else is known of the user.
  resourceAttributes ResourceAttributes -- With an object.
  nonResourceAttributes NonResourceAttributes -- With a path of the server.

SelfSubjectRulesReview kind -- What may I do in a namespace?
  spec! SelfSubjectRulesReviewSpec -- The question.
  status SubjectRulesReviewStatus -- The answer; in the lab it is all.

SelfSubjectRulesReviewSpec -- Where.
  namespace str -- The namespace.

SubjectRulesReviewStatus -- What somebody may do.
  resourceRules! [ResourceRule] -- With objects.
  nonResourceRules! [NonResourceRule] -- With paths of the server.
  incomplete! bool -- There may be more.
  evaluationError str -- What went wrong while this was found out.

ResourceRule -- What may be done with some objects.
  verbs! [str] -- What; * for all.
  apiGroups [str] -- With which groups; * for all.
  resources [str] -- With which resources; * for all.
  resourceNames [str] -- Only with these; all if not given.

NonResourceRule -- What may be done with some paths of the server.
  verbs! [str] -- What; * for all.
  nonResourceURLs [str] -- Which paths; * for all.
"""
