"""Rows 70 and 72: namespaces are limited, held to a Pod Security Standard, and those of the system left to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.kit import Finding, Resource, Stack
from policies.security.pack import SECURITY
from policies.subjects.cluster import objects_in
from policies.subjects.kubernetes import DEFAULT_NAMESPACE, KubernetesObject
from policies.subjects.mending import Patch, mending_by
from policies.subjects.pods import PodTemplate

_LEVELS: Final = ("privileged", "baseline", "restricted")
_ENFORCE: Final = "pod-security.kubernetes.io/enforce"
_SYSTEM_PREFIX: Final = "kube-"
_SYSTEM: Final = "kube-system"
# Beside pods, what lies in a namespace and grants or exposes something there.
_NAMESPACED: Final = frozenset(
    {
        ("", "ConfigMap"),
        ("", "PersistentVolumeClaim"),
        ("", "Secret"),
        ("", "Service"),
        ("", "ServiceAccount"),
        ("networking.k8s.io", "Ingress"),
        ("rbac.authorization.k8s.io", "Role"),
        ("rbac.authorization.k8s.io", "RoleBinding"),
    }
)
# Kubernetes makes these in `default` itself.
_ITS_OWN: Final = frozenset(
    {("ServiceAccount", "default"), ("Service", "kubernetes"), ("ConfigMap", "kube-root-ca.crt")}
)


@SECURITY.rule(
    "namespace-quota",
    number=70,
    title="Namespaces have a ResourceQuota",
    severity="low",
    fix="Add a ResourceQuota on CPU, memory and devices to the namespace.",
    frameworks=("NSA:4.0",),
    tags=("trivy:KSV-0040", "kyverno:add-ns-quota"),
)
def namespace_quota(each: KubernetesObject, stack: Stack) -> Iterator[Finding]:
    """Without a quota one namespace takes whatever the cluster has. One without amounts bounds nothing."""
    if _is_ours(each) and not _has(each, stack, "ResourceQuota", "hard"):
        yield Finding(f"the namespace '{each.name}' has no ResourceQuota with amounts", each.body.path)


@SECURITY.rule(
    "namespace-limit-range",
    number=70,
    title="Namespaces have a LimitRange",
    severity="low",
    fix="Add a LimitRange with defaults for containers to the namespace.",
    frameworks=("NSA:4.1",),
    tags=("trivy:KSV-0039", "kyverno:add-ns-quota"),
)
def namespace_limit_range(each: KubernetesObject, stack: Stack) -> Iterator[Finding]:
    """A LimitRange gives containers that say nothing a request; without it a quota refuses them or they count as 0."""
    if _is_ours(each) and not _has(each, stack, "LimitRange", "limits"):
        yield Finding(f"the namespace '{each.name}' has no LimitRange with limits", each.body.path)


def _is_ours(each: KubernetesObject) -> bool:
    """Whether it is a namespace that somebody declares, and none of the system's."""
    return (each.group, each.kind) == ("", "Namespace") and not each.partial and not _is_system(each.name)


def _is_system(namespace: str) -> bool:
    return namespace.startswith(_SYSTEM_PREFIX)


def _has(namespace: KubernetesObject, stack: Stack, kind: str, amounts: str) -> bool:
    objects = objects_in(stack)
    inside = objects.within(objects.identity_of(namespace), "", kind)
    return any(len(each.body.get("spec", amounts)) > 0 for each in inside)


def _with_label(each: KubernetesObject, parameters: Mapping[str, Any]) -> Patch:
    return {"metadata": {"labels": {_ENFORCE: parameters["minimum"]}}} if _is_loose(each, parameters) else None


def _is_loose(each: KubernetesObject, parameters: Mapping[str, Any]) -> bool:
    if (each.group, each.kind) != ("", "Namespace") or _is_system(each.name):
        return False
    label = each.metadata.get("labels", _ENFORCE)
    if label.missing and each.partial:
        return False
    level = label.text("")
    return level not in _LEVELS or _LEVELS.index(level) < _LEVELS.index(parameters["minimum"])


@SECURITY.rule(
    "namespace-pod-security",
    number=72,
    title="Namespaces enforce a Pod Security Standard",
    severity="low",
    fix="Label the namespace pod-security.kubernetes.io/enforce: restricted, or baseline where its pods need it.",
    frameworks=("NSA:1.12", "CISE:4.5.3"),
    tags=("kyverno:psa",),
    parameters={
        "minimum": {
            "type": "string",
            "enum": ["baseline", "restricted"],
            "default": "baseline",
            "description": "The least that a namespace must enforce.",
        }
    },
    mend=mending_by(KubernetesObject, _with_label),
)
def namespace_pod_security(each: KubernetesObject, parameters: Mapping[str, Any]) -> Iterator[Finding]:
    """What a namespace enforces holds for every pod there, whoever makes it; without the label anything is let in.

    The labels audit and warn refuse nothing. The system's namespaces (kube-…) are left alone.
    """
    if _is_loose(each, parameters):
        label = each.metadata.get("labels", _ENFORCE)
        enforces = f"enforces {label.shown()}" if label.present else "enforces no Pod Security Standard"
        yield Finding(f"the namespace {enforces}, and {parameters['minimum']} is the least", label.path)


class _Placed:
    """An object that lies in a namespace of somebody's choosing: one with pods, or one that exposes or grants."""

    types = KubernetesObject.types

    def __init__(self, each: KubernetesObject) -> None:
        self.object = each

    @classmethod
    def found_in(cls, resource: Resource) -> Iterator[_Placed]:
        pods = {pod.object.body.path for pod in PodTemplate.found_in(resource)}
        for each in KubernetesObject.found_in(resource):
            if not each.partial and (each.body.path in pods or (each.group, each.kind) in _NAMESPACED):
                yield cls(each)


@SECURITY.rule(
    "default-namespace",
    number=72,
    title="Nothing lies in the namespace default",
    severity="low",
    fix="Name a namespace of its own in metadata.namespace.",
    frameworks=("CISE:4.5.3", "NSA:1.12"),
    tags=("checkov:CKV_K8S_21", "trivy:KSV-0110"),
)
def default_namespace(placed: _Placed, stack: Stack) -> Iterator[Finding]:
    """`default` has no quota, no policies and no owner, and it is where everything lands that names no namespace.

    A name that is not known yet passes where it is that of a Namespace in the stack.
    """
    each, namespace = placed.object, objects_in(stack).namespace_of(placed.object)
    value = each.metadata.get("namespace")
    if namespace.name is None:
        if not namespace.declared:
            value.text()  # not known, and nobody knows whose it is
        return
    if namespace.name == DEFAULT_NAMESPACE and (each.kind, each.name) not in _ITS_OWN:
        state = "lies in the namespace default" if value.present else "names no namespace, which means default"
        yield Finding(f"the {each.kind} '{each.name}' {state}", value.path)


@SECURITY.rule(
    "system-namespace",
    number=72,
    title="Pods of others stay out of kube-system",
    severity="medium",
    fix="Name a namespace of its own in metadata.namespace.",
    frameworks=("CISE:4.5.3",),
    tags=("trivy:KSV-0037",),
)
def system_namespace(pod: PodTemplate, stack: Stack) -> Iterator[Finding]:
    """kube-system enforces no Pod Security Standard, and who may read its secrets may do anything in the cluster."""
    namespace, value = objects_in(stack).namespace_of(pod.object), pod.object.metadata.get("namespace")
    if namespace.name is None and not namespace.declared:
        value.text()  # not known, and nobody knows whose it is
    if namespace.name == _SYSTEM:
        yield Finding(f"the {pod.object.kind} '{pod.object.name}' lies in kube-system", value.path)
