"""Row 77: services are reached from inside the cluster, but for those that somebody meant to open."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.kit import Finding
from policies.security.pack import SECURITY
from policies.subjects.kubernetes import DEFAULT_NAMESPACE, KubernetesObject

_OPEN: Final = ("LoadBalancer", "NodePort")


@SECURITY.rule(
    "open-service",
    number=77,
    title="No service opens a load balancer or a node's port unexpectedly",
    severity="medium",
    fix="Make it a ClusterIP behind the ingress, or name it in the parameter `allowed`.",
    tags=("gatekeeper:block-loadbalancer-services", "gatekeeper:block-nodeport-services"),
    parameters={
        "allowed": {
            "type": "array",
            "items": {"type": "string", "pattern": "^[^/]+/[^/]+$"},
            "default": [],
            "description": "Services that may be open: namespace/name, with globs.",
        }
    },
)
def open_service(each: KubernetesObject, parameters: Mapping[str, Any]) -> Iterator[Finding]:
    """A LoadBalancer costs by the hour and may face the internet; a NodePort is open on every node, past policies."""
    kind = each.body.get("spec", "type") if (each.group, each.kind) == ("", "Service") else None
    if kind is None or kind.text("ClusterIP") not in _OPEN or _is_allowed(each, parameters["allowed"]):
        return
    yield Finding(f"the service '{each.name}' is a {kind.text()}", kind.path)


def _is_allowed(each: KubernetesObject, allowed: list[str]) -> bool:
    if not allowed:
        return False
    named = f"{each.metadata.get('namespace').text(DEFAULT_NAMESPACE)}/{each.name}"
    return any(fnmatch.fnmatchcase(named, pattern) for pattern in allowed)
