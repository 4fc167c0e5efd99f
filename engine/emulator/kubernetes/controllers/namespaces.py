"""Namespaces: what a new one holds, and how one that is deleted goes.

A namespace that is deleted takes its objects along. While some of them have finalizers it stays Terminating, and its
conditions say which, as with the real one.
"""

from __future__ import annotations

from collections import Counter

from engine.emulator.kubernetes.calls import Options
from engine.emulator.kubernetes.cluster import NAMESPACES, Cluster
from engine.emulator.kubernetes.controllers.writes import MANAGER, condition, ensure, set_status
from engine.emulator.kubernetes.refusals import Json, Refused
from engine.emulator.kubernetes.resources import Resource, Storage
from engine.emulator.kubernetes.store import Event, name_of

_ROOT_CA = "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"  # plain HTTP on loopback: there is none
_NOTE = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the "
    "internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes "
    "clusters."
)


def react(cluster: Cluster, event: Event) -> None:
    name = event.object["metadata"]["name"]
    found = cluster.store.get(NAMESPACES, "", name)
    if found is None:
        return
    if found["metadata"].get("deletionTimestamp"):
        _end(cluster, found)
    else:
        _furnish(cluster, name)


def react_to_any(cluster: Cluster, event: Event) -> None:
    """The namespace of an object that has gone may go, too; an account or the CA that was deleted comes back."""
    namespace = event.object["metadata"].get("namespace")
    found = cluster.store.get(NAMESPACES, "", namespace) if namespace and event.change != "ADDED" else None
    if found is None:
        return
    if found["metadata"].get("deletionTimestamp"):
        _end(cluster, found)
    elif event.change == "DELETED" and event.storage in (("", "serviceaccounts"), ("", "configmaps")):
        _furnish(cluster, namespace)


REACTIONS = {NAMESPACES: react}


def _furnish(cluster: Cluster, namespace: str) -> None:
    ensure(cluster, cluster.named("v1", "ServiceAccount"), namespace, "default", {})
    body = {"metadata": {"annotations": {"kubernetes.io/description": _NOTE}}, "data": {"ca.crt": _ROOT_CA}}
    ensure(cluster, cluster.named("v1", "ConfigMap"), namespace, "kube-root-ca.crt", body)


def _end(cluster: Cluster, namespace: Json) -> None:
    name = namespace["metadata"]["name"]
    left: list[tuple[Resource, Json]] = []
    for storage in cluster.resources.storages(namespaced=True):
        left += _emptied(cluster, storage, name)
    resource = cluster.named("v1", "Namespace")
    current = cluster.store.get(NAMESPACES, "", name)
    if current is None:
        return
    if left:
        set_status(cluster, resource, current, (current.get("status") or {}) | {"conditions": _conditions(left)})
        return
    if (current.get("spec") or {}).get("finalizers"):
        options = Options(manager=MANAGER, subresource="finalize")
        cluster.update(resource, "", name, _without_finalizers, options)


def _emptied(cluster: Cluster, storage: Storage, namespace: str) -> list[tuple[Resource, Json]]:
    """Delete all of one storage in the namespace; what stays is returned."""
    resource = cluster.resources.of_storage(storage)
    bodies = cluster.store.list(storage, namespace) if resource else []
    for body in bodies:
        if resource and not body["metadata"].get("deletionTimestamp"):
            try:
                cluster.delete(resource, *name_of(body))
            except Refused:
                continue  # gone meanwhile, by a reaction to what was deleted before it
    return [(resource, body) for body in cluster.store.list(storage, namespace)] if resource else []


def _without_finalizers(body: Json) -> Json:
    return body | {"spec": {key: value for key, value in body["spec"].items() if key != "finalizers"}}


def _conditions(left: list[tuple[Resource, Json]]) -> list[Json]:
    kinds = Counter(f"{resource.plural}.{resource.group}" for resource, _ in left)
    finalizers = Counter(name for _, body in left for name in body["metadata"].get("finalizers") or [])
    remaining = ", ".join(f"{kind} has {count} resource instances" for kind, count in sorted(kinds.items()))
    holding = ", ".join(f"{name} in {count} resource instances" for name, count in sorted(finalizers.items()))
    words = {
        "NamespaceDeletionDiscoveryFailure": ("ResourcesDiscovered", "All resources successfully discovered"),
        "NamespaceDeletionGroupVersionParsingFailure": (
            "ParsedGroupVersions",
            "All legacy kube types successfully parsed",
        ),
        "NamespaceDeletionContentFailure": (
            "ContentDeleted",
            "All content successfully deleted, may be waiting on finalization",
        ),
    }
    conditions = [condition(type_, False, *said) for type_, said in words.items()]
    message = f"Some resources are remaining: {remaining}"
    conditions.append(condition("NamespaceContentRemaining", True, "SomeResourcesRemain", message))
    message = f"Some content in the namespace has finalizers remaining: {holding}"
    return [*conditions, condition("NamespaceFinalizersRemaining", bool(finalizers), "SomeFinalizersRemain", message)]
