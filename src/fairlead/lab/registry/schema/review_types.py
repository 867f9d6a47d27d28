"""Questions that are asked by creating an object: who am I, may I; and requests like them."""

TABLE = """
@ io.k8s.api.policy.v1 policy/v1

Eviction kind -- Asks for a pod to be deleted.
  2 deleteOptions? DeleteOptions -- How.

@ io.k8s.api.authentication.v1 authentication.k8s.io/v1

UserInfo -- A user, as the server knows him.
  1 username str -- The name.
  2 uid str -- The only one of its kind.
  3 groups [str] -- The groups the user is in.
  4 extra {[str]} -- What else is known.

SelfSubjectReview kind -- Who am I?
  2 status SelfSubjectReviewStatus -- The answer.

SelfSubjectReviewStatus -- Who asks.
  1 userInfo UserInfo -- The user.

TokenReview kind -- Whose token is this?
  2 spec! TokenReviewSpec -- The question.
  3 status TokenReviewStatus -- The answer.

TokenReviewSpec -- A token.
  1 token! str -- The token.
  2 audiences [str] -- Whom it has to be for.

TokenReviewStatus -- Whose token it is.
  1 authenticated bool -- It is good.
  2 user UserInfo -- Whose.
  4 audiences [str] -- Whom it is for.
  3 error str -- Why it could not be looked at.

TokenRequest kind -- Asks for a token of a ServiceAccount.
  2 spec TokenRequestSpec -- What is asked for.
  3 status TokenRequestStatus -- The token.

TokenRequestSpec -- What a token is for.
  1 audiences [str] -- Whom it is for.
  4 expirationSeconds? long -- Seconds that it is good for.
  3 boundObjectRef? BoundObjectReference -- It is good while this exists.

BoundObjectReference -- A pod, a secret or a node.
  2 apiVersion str -- Its group and version.
  1 kind str -- Its kind.
  3 name str -- Its name.
  4 uid str -- Its UID.

TokenRequestStatus -- A token.
  1 token str -- The token.
  2 expirationTimestamp time -- Until when it is good.

@ io.k8s.api.authorization.v1 authorization.k8s.io/v1

SelfSubjectAccessReview kind -- May I?
  2 spec! SelfSubjectAccessReviewSpec -- The question.
  3 status SubjectAccessReviewStatus -- The answer; in the lab it is yes.

SelfSubjectAccessReviewSpec -- What somebody wants to do; one of both.
  1 resourceAttributes? ResourceAttributes -- With an object.
  2 nonResourceAttributes? NonResourceAttributes -- With a path of the server.

ResourceAttributes -- Something done with objects.
  2 verb str -- get, list, watch, create, update, patch, delete; * for all.
  3 group str -- The group; * for all.
  4 version str -- The version; * for all.
  5 resource str -- The resource; * for all.
  6 subresource str -- A part of it, such as log.
  7 name str -- Which; all if not given.
  1 namespace str -- Where; everywhere if not given.
  8 fieldSelector? FieldSelectorAttributes -- Only those.
  9 labelSelector? LabelSelectorAttributes -- Only those.

FieldSelectorAttributes -- Selects by fields.
  1 rawSelector str -- As a query writes it.
  2 requirements [FieldSelectorRequirement] -- Term by term.

LabelSelectorAttributes -- Selects by labels.
  1 rawSelector str -- As a query writes it.
  2 requirements [LabelSelectorRequirement] -- Term by term.

NonResourceAttributes -- Something done with a path of the server.
  1 path str -- The path.
  2 verb str -- The HTTP method, in small letters.

SubjectAccessReviewStatus -- Whether somebody may.
  1 allowed! bool -- Yes.
  4 denied bool -- No, whatever others say.
  2 reason str -- Why.
  3 evaluationError str -- What went wrong while this was found out.

SubjectAccessReview kind -- May he?
  2 spec! SubjectAccessReviewSpec -- The question.
  3 status SubjectAccessReviewStatus -- The answer; in the lab it is yes.

LocalSubjectAccessReview kind -- May he, in this namespace?
  2 spec! SubjectAccessReviewSpec -- The question.
  3 status SubjectAccessReviewStatus -- The answer; in the lab it is yes.

SubjectAccessReviewSpec -- What somebody else wants to do.
  3 user str -- Who.
  4 groups [str] -- The groups the user is in.
  6 uid str -- The user's UID.
  5 extra {[str]} -- What else is known of the user.
  1 resourceAttributes? ResourceAttributes -- With an object.
  2 nonResourceAttributes? NonResourceAttributes -- With a path of the server.

SelfSubjectRulesReview kind -- What may I do in a namespace?
  2 spec! SelfSubjectRulesReviewSpec -- The question.
  3 status SubjectRulesReviewStatus -- The answer; in the lab it is all.

SelfSubjectRulesReviewSpec -- Where.
  1 namespace str -- The namespace.

SubjectRulesReviewStatus -- What somebody may do.
  1 resourceRules! [ResourceRule] -- With objects.
  2 nonResourceRules! [NonResourceRule] -- With paths of the server.
  3 incomplete! bool -- There may be more.
  4 evaluationError str -- What went wrong while this was found out.

ResourceRule -- What may be done with some objects.
  1 verbs! [str] -- What; * for all.
  2 apiGroups [str] -- With which groups; * for all.
  3 resources [str] -- With which resources; * for all.
  4 resourceNames [str] -- Only with these; all if not given.

NonResourceRule -- What may be done with some paths of the server.
  1 verbs! [str] -- What; * for all.
  2 nonResourceURLs [str] -- Which paths; * for all.
"""
