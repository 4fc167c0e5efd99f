"""How controllers write: as themselves, and only where something differs."""

from __future__ import annotations

from typing import Any

from engine.emulator.kubernetes import metadata
from engine.emulator.kubernetes.calls import Options
from engine.emulator.kubernetes.cluster import Cluster
from engine.emulator.kubernetes.refusals import Json
from engine.emulator.kubernetes.resources import Resource
from engine.emulator.kubernetes.store import name_of

MANAGER = "kube-controller-manager"
OPTIONS = Options(manager=MANAGER)
OF_STATUS = Options(manager=MANAGER, subresource="status")


def current(cluster: Cluster, resource: Resource, body: Json) -> Json | None:
    """The object of an event as it is now, None when it is gone or going."""
    about = body["metadata"]
    found = cluster.store.get(resource.storage, about.get("namespace", ""), about["name"])
    if found is None or found["metadata"]["uid"] != about["uid"] or found["metadata"].get("deletionTimestamp"):
        return None
    return found


def set_status(cluster: Cluster, resource: Resource, body: Json, status: Json) -> None:
    """Conditions keep their times where they have not changed."""
    was: Json = body.get("status") or {}
    if "conditions" in status:
        status = status | {"conditions": _timed(status["conditions"], was.get("conditions") or [])}
    if status != was:

        def changed(old: Json) -> Json:
            return old | {"status": status}

        cluster.update(resource, *name_of(body), changed, OF_STATUS)


def change(cluster: Cluster, resource: Resource, body: Json, part: str, values: Json) -> Json:
    """Set ``values`` in ``spec``, ``metadata`` or another part of the object."""

    def changed(old: Json) -> Json:
        return old | {part: (old.get(part) or {}) | values}

    return cluster.update(resource, *name_of(body), changed, OPTIONS)


def condition(type_: str, status: bool, reason: str, message: str = "") -> Json:
    return {"type": type_, "status": "True" if status else "False", "reason": reason, "message": message}


def _timed(conditions: list[Json], was: list[Json]) -> list[Json]:
    former = {each["type"]: each for each in was}
    timed: list[Json] = []
    for each in conditions:
        before = former.get(each["type"], {})
        same = before.get("status") == each["status"]
        at = before["lastTransitionTime"] if same and "lastTransitionTime" in before else metadata.now()
        timed.append(each | {"lastTransitionTime": at})
    return timed


def ensure(cluster: Cluster, resource: Resource, namespace: str, name: str, body: Json) -> Json:
    """The object, made if it isn't there."""
    found = cluster.store.get(resource.storage, namespace, name)
    return found or cluster.create(resource, namespace, body | {"metadata": _named(body, name)}, OPTIONS)


def _named(body: Json, name: str) -> Json:
    about: dict[str, Any] = body.get("metadata") or {}
    return about | {"name": name}


def owner(body: Json) -> list[Json]:
    about = body["metadata"]
    said = {"apiVersion": body["apiVersion"], "kind": body["kind"], "name": about["name"], "uid": about["uid"]}
    return [said | {"controller": True, "blockOwnerDeletion": True}]


def owned(cluster: Cluster, resource: Resource, of: Json) -> list[Json]:
    """The objects of a kind that an object controls, in its own namespace."""
    uid = of["metadata"]["uid"]
    return [
        body
        for body in cluster.store.list(resource.storage, of["metadata"].get("namespace", ""))
        if any(
            each.get("uid") == uid and each.get("controller") for each in body["metadata"].get("ownerReferences") or []
        )
    ]
