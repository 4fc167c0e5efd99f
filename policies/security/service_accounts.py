"""Row 65: pods have no credentials of the cluster's API that they don't need."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.kit import Finding
from policies.security.pack import SECURITY
from policies.subjects.kubernetes import KubernetesObject
from policies.subjects.mending import Patch, mending
from policies.subjects.pods import PodTemplate

_FIELD: Final = "automountServiceAccountToken"
_DEFAULT: Final = "default"
_RBAC: Final = "rbac.authorization.k8s.io"


def _gets_token(pod: PodTemplate) -> bool:
    return pod.get(_FIELD).boolean(not pod.partial)


@SECURITY.rule(
    "service-account-token",
    number=65,
    title="Pods get no token of the API server without being asked",
    severity="medium",
    fix="Set automountServiceAccountToken: false; a container that needs a token mounts it as a projected volume.",
    frameworks=("CISE:4.1.6", "NSA:1.11"),
    tags=("checkov:CKV_K8S_38", "trivy:KSV-0036", "gatekeeper:automount-serviceaccount-token"),
    mend=mending(PodTemplate, lambda pod: {_FIELD: False} if _gets_token(pod) else None),
)
def service_account_token(pod: PodTemplate) -> Iterator[Finding]:
    """Kubernetes puts a token into every container unless the pod says false: whoever gets in has it, too."""
    if _gets_token(pod):
        value = pod.get(_FIELD)
        state = "sets automountServiceAccountToken to true" if value.present else "doesn't set " + _FIELD
        yield Finding(f"the pod {state}", value.path)


def _without_token(each: KubernetesObject) -> Patch:
    return {_FIELD: False} if _is_default_with_token(each) else None


def _is_default_with_token(each: KubernetesObject) -> bool:
    if (each.group, each.kind) != ("", "ServiceAccount") or each.metadata.get("name").text("") != _DEFAULT:
        return False
    return each.body.get(_FIELD).boolean(not each.partial)


@SECURITY.rule(
    "default-account-token",
    number=65,
    title="Nobody gets the default account's token",
    severity="medium",
    fix="Set automountServiceAccountToken: false on the ServiceAccount `default`.",
    frameworks=("CISE:4.1.5",),
    tags=("checkov:CKV_K8S_41",),
    mend=mending(KubernetesObject, _without_token),
)
def default_account_token(each: KubernetesObject) -> Iterator[Finding]:
    """Pods that name no account have the namespace's `default`: its token is for nobody in particular."""
    if _is_default_with_token(each):
        yield Finding(
            "the account `default` gives its token to every pod that names no account", each.body.get(_FIELD).path
        )


@SECURITY.rule(
    "default-account-rights",
    number=65,
    title="The default account has no rights",
    severity="medium",
    fix="Bind the role to a ServiceAccount of its own, and name that in the pod.",
    frameworks=("CISE:4.1.5",),
    tags=("checkov:CKV_K8S_42",),
)
def default_account_rights(each: KubernetesObject) -> Iterator[Finding]:
    """What the account `default` may do, every pod of the namespace may do that names no account."""
    if each.group != _RBAC or each.kind not in ("RoleBinding", "ClusterRoleBinding"):
        return
    for subject in each.body.get("subjects").items():
        if subject.get("kind").text("") == "ServiceAccount" and subject.get("name").text("") == _DEFAULT:
            yield Finding("the binding gives rights to the account `default`", subject.path)
