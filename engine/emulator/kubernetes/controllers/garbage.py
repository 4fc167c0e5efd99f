"""Owner references: what an object owned goes after it, before it (foreground), or stays (orphan)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.emulator.kubernetes.cluster import FOREGROUND, ORPHAN, Cluster, Deletion
from engine.emulator.kubernetes.controllers.writes import OPTIONS
from engine.emulator.kubernetes.refusals import Json, Refused
from engine.emulator.kubernetes.resources import Storage
from engine.emulator.kubernetes.store import Event, name_of


def react(cluster: Cluster, event: Event) -> None:
    about = event.object["metadata"]
    if event.change == "ADDED" and about.get("ownerReferences") and not _owned(cluster, event.object):
        _delete(cluster, event.storage, event.object, Deletion())  # its owners are gone, or never were
    elif event.change == "DELETED":
        for storage, body in _dependents(cluster, about["uid"]):
            if not _owned(cluster, body):
                _delete(cluster, storage, body, Deletion())
        for reference in about.get("ownerReferences") or []:
            _finish_owner(cluster, event.object, reference)
    elif about.get("deletionTimestamp") and ORPHAN in (about.get("finalizers") or []):
        for storage, body in _dependents(cluster, about["uid"]):
            _drop(cluster, storage, body, "ownerReferences", about["uid"])
        _drop(cluster, event.storage, event.object, "finalizers", ORPHAN)
    elif about.get("deletionTimestamp") and FOREGROUND in (about.get("finalizers") or []):
        _foreground(cluster, event.storage, event.object)


def _foreground(cluster: Cluster, storage: Storage, body: Json) -> None:
    for of, dependent in _dependents(cluster, body["metadata"]["uid"]):
        if not dependent["metadata"].get("deletionTimestamp"):
            _delete(cluster, of, dependent, Deletion("Foreground"))
    if not any(_blocks(each, body) for _, each in _dependents(cluster, body["metadata"]["uid"])):
        _drop(cluster, storage, body, "finalizers", FOREGROUND)


def _blocks(dependent: Json, owner: Json) -> bool:
    uid = owner["metadata"]["uid"]
    references = dependent["metadata"].get("ownerReferences") or []
    return any(each.get("uid") == uid and each.get("blockOwnerDeletion") for each in references)


def _finish_owner(cluster: Cluster, gone: Json, reference: Json) -> None:
    """An owner that waits for its dependents may go when the last of them has gone."""
    resource = cluster.resources.of_kind(reference["apiVersion"], reference["kind"])
    namespace = gone["metadata"].get("namespace", "") if resource and resource.namespaced else ""
    owner = cluster.store.get(resource.storage, namespace, reference["name"]) if resource else None
    if resource and owner and FOREGROUND in (owner["metadata"].get("finalizers") or []):
        _foreground(cluster, resource.storage, owner)


def _dependents(cluster: Cluster, uid: str) -> Iterator[tuple[Storage, Json]]:
    for storage, body in cluster.store.everything():
        references = body["metadata"].get("ownerReferences")
        if references and any(each.get("uid") == uid for each in references):
            yield storage, body


def _owned(cluster: Cluster, body: Json) -> bool:
    return any(_lives(cluster, body, reference) for reference in body["metadata"]["ownerReferences"])


def _lives(cluster: Cluster, body: Json, reference: Json) -> bool:
    resource = cluster.resources.of_kind(reference["apiVersion"], reference["kind"])
    if resource is None:
        return True  # of a kind that isn't served: nobody can tell
    namespace = body["metadata"].get("namespace", "") if resource.namespaced else ""
    owner = cluster.store.get(resource.storage, namespace, reference["name"])
    return owner is not None and owner["metadata"]["uid"] == reference["uid"]


def _delete(cluster: Cluster, storage: Storage, body: Json, deletion: Deletion) -> None:
    resource = cluster.resources.of_storage(storage)
    if resource and cluster.store.get(storage, *name_of(body)):
        cluster.delete(resource, *name_of(body), deletion)


def _drop(cluster: Cluster, storage: Storage, body: Json, part: str, dropped: str) -> None:
    """Take a finalizer, or the reference to an owner of this uid, from the object."""
    resource = cluster.resources.of_storage(storage)
    if resource is None:
        return

    def without(old: Json) -> Json:
        listed: list[Any] = old["metadata"].get(part) or []
        kept = [each for each in listed if (each.get("uid") if isinstance(each, dict) else each) != dropped]
        about = {key: value for key, value in old["metadata"].items() if key != part}
        return old | {"metadata": about | ({part: kept} if kept else {})}

    try:
        cluster.update(resource, *name_of(body), without, OPTIONS)
    except Refused:
        return  # gone meanwhile
