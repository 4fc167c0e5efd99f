"""Row 71: for every pod some NetworkPolicy says who reaches it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.kit import Finding, Stack, Value
from policies.security.pack import SECURITY
from policies.subjects.cluster import Namespace, Objects, objects_in
from policies.subjects.kubernetes import KubernetesObject
from policies.subjects.pods import PodTemplate
from policies.subjects.selectors import labels_of, selects

_GROUPS: Final = ("networking.k8s.io", "extensions")
_CILIUM: Final = "cilium.io"


@SECURITY.rule(
    "network-policy",
    number=71,
    title="A NetworkPolicy covers every pod",
    severity="medium",
    fix="Add a NetworkPolicy with an empty podSelector and policyTypes [Ingress, Egress], which denies all.",
    frameworks=("NSA:2.0", "CISE:4.3.2"),
    tags=("checkov:CKV2_K8S_6", "trivy:KSV-0038", "kyverno:add-network-policy"),
    parameters={
        "directions": {
            "type": "array",
            "items": {"type": "string", "enum": ["Ingress", "Egress"]},
            "uniqueItems": True,
            "default": [],
            "description": "Directions that must each be covered; none: any policy that selects the pod is enough.",
        }
    },
)
def network_policy(pod: PodTemplate, stack: Stack, parameters: Mapping[str, Any]) -> Iterator[Finding]:
    """A pod that no policy selects is reached by, and reaches, every other pod of the cluster.

    A policy covers the pods of its own namespace that its podSelector matches (matchLabels and matchExpressions; an
    empty one matches all), for ingress unless policyTypes says otherwise, and for egress where policyTypes or a rule
    says so. Cilium's policies count, too, by their endpointSelector.
    """
    if pod.partial:
        return
    objects = objects_in(stack)
    namespace = objects.namespace_of(pod.object)
    covered: set[str] = set()
    for policy in _policies(objects, namespace, pod):
        if _selects(policy, pod):
            covered |= _directions(policy)
    wanted: list[str] = parameters["directions"]
    open_to = [each for each in wanted if each not in covered] if wanted else ([] if covered else ["all"])
    if open_to:
        what = "traffic" if open_to == ["all"] else " and ".join(open_to).lower()
        yield Finding(f"no NetworkPolicy in the namespace {namespace.shown} covers {what} of the pod", pod.path)


def _policies(objects: Objects, namespace: Namespace, pod: PodTemplate) -> Iterator[KubernetesObject]:
    for group in _GROUPS:
        yield from objects.selecting(pod, group, "NetworkPolicy", "spec", "podSelector")
    yield from objects.within(namespace, _CILIUM, "CiliumNetworkPolicy")
    yield from objects.of(_CILIUM, "CiliumClusterwideNetworkPolicy")


def _selects(policy: KubernetesObject, pod: PodTemplate) -> bool:
    labels = labels_of(pod.metadata.get("labels"))
    if policy.group in _GROUPS:
        return selects(policy.body.get("spec", "podSelector"), labels)
    return any(
        spec.get("endpointSelector").present and selects(spec.get("endpointSelector"), labels)
        for spec in _cilium_specs(policy)
    )


def _directions(policy: KubernetesObject) -> set[str]:
    if policy.group not in _GROUPS:
        rules = {"Ingress": ("ingress", "ingressDeny"), "Egress": ("egress", "egressDeny")}
        specs = list(_cilium_specs(policy))
        return {
            way for way, fields in rules.items() if any(spec.get(field).present for spec in specs for field in fields)
        }
    spec = policy.body.get("spec")
    stated = {each.text("") for each in spec.get("policyTypes").items()}
    if stated:
        return stated
    return {"Ingress", "Egress"} if len(spec.get("egress")) else {"Ingress"}


def _cilium_specs(policy: KubernetesObject) -> Iterator[Value]:
    if policy.body.get("spec").present:
        yield policy.body.get("spec")
    yield from policy.body.get("specs").items()
