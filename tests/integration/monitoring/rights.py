"""What an account may do in a cluster, asked of its API server: SubjectAccessReview."""

from __future__ import annotations

from collections.abc import Set
from typing import Final

from tests.integration.live_objects import Live

# Verb, resource with its subresource ("" and a path for what is no resource), namespace ("" for the whole cluster).
Right = tuple[str, str, str]

_VERBS: Final = ("get", "list", "watch", "create", "update", "patch", "delete")
_RESOURCES: Final = (
    "pods", "nodes", "services", "endpoints", "namespaces", "secrets", "configmaps", "events", "persistentvolumeclaims",
    "serviceaccounts", "nodes/metrics", "nodes/proxy", "nodes/stats", "nodes/log", "pods/log", "pods/exec",
    "pods/portforward", "serviceaccounts/token", "discovery.k8s.io:endpointslices", "apps:deployments",
    "networking.k8s.io:ingresses", "rbac.authorization.k8s.io:clusterroles", "external-secrets.io:externalsecrets",
)  # fmt: skip
_PATHS: Final = ("/metrics", "/metrics/slis", "/debug/pprof/profile", "/logs")

# What discovery of pods and nodes watches, and what is scraped of kubelets and of the API server.
PROMETHEUS_MAY: Final[Set[Right]] = {
    *((verb, resource, "") for verb in ("list", "watch") for resource in ("pods", "nodes")),
    ("get", "nodes/metrics", ""),
    ("get", "/metrics", ""),
}


def rights(live: Live, namespace: str, account: str) -> set[Right]:
    """What a service account may do in the whole cluster, of all that an account of monitoring might ever be given."""
    user = f"system:serviceaccount:{namespace}:{account}"
    groups = ["system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated"]
    resources = {(verb, each, ""): {"verb": verb, **_attributes(each)} for verb in _VERBS for each in _RESOURCES}
    paths = {("get", path, ""): {"verb": "get", "path": path} for path in _PATHS}
    return {right for right, what in {**resources, **paths}.items() if live.allows(user, groups, what)}


def _attributes(resource: str) -> dict[str, str]:
    group, _, name = resource.rpartition(":")
    name, _, subresource = name.partition("/")
    return {"group": group, "resource": name, **({"subresource": subresource} if subresource else {})}
