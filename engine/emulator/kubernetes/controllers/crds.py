"""CustomResourceDefinitions: served at once, and taken along with all of their objects."""

from __future__ import annotations

from engine.emulator.kubernetes.cluster import CRD_CLEANUP, CRDS, Cluster
from engine.emulator.kubernetes.controllers.writes import OPTIONS, condition, set_status
from engine.emulator.kubernetes.refusals import Json
from engine.emulator.kubernetes.resources import Storage
from engine.emulator.kubernetes.store import Event, name_of


def react(cluster: Cluster, event: Event) -> None:
    crd = cluster.store.get(CRDS, "", event.object["metadata"]["name"])
    if crd is None:
        return
    if crd["metadata"].get("deletionTimestamp"):
        _end(cluster, crd)
        return
    if event.former is None or event.former.get("spec") != event.object.get("spec"):
        cluster.resources.declare(crd)
    stored = [version["name"] for version in crd["spec"]["versions"] if version.get("storage")]
    former = (crd.get("status") or {}).get("storedVersions") or []
    conditions = [
        condition("NamesAccepted", True, "NoConflicts", "no conflicts found"),
        condition("Established", True, "InitialNamesAccepted", "the initial names have been accepted"),
    ]
    status = {"acceptedNames": crd["spec"]["names"], "storedVersions": list(dict.fromkeys([*former, *stored]))}
    set_status(
        cluster,
        cluster.named("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
        crd,
        status | {"conditions": conditions},
    )


REACTIONS = {CRDS: react}


def react_to_any(cluster: Cluster, event: Event) -> None:
    """A definition that waits for its last object may go."""
    group, plural = event.storage
    crd = cluster.store.get(CRDS, "", f"{plural}.{group}") if event.change == "DELETED" else None
    if crd and crd["metadata"].get("deletionTimestamp"):
        _end(cluster, crd)


def _end(cluster: Cluster, crd: Json) -> None:
    storage: Storage = (crd["spec"]["group"], crd["spec"]["names"]["plural"])
    resource = cluster.resources.of_storage(storage)
    for body in cluster.store.list(storage) if resource else ():
        if resource and not body["metadata"].get("deletionTimestamp"):
            cluster.delete(resource, *name_of(body))
    if not cluster.store.list(storage) and CRD_CLEANUP in (crd["metadata"].get("finalizers") or []):
        definition = cluster.named("apiextensions.k8s.io/v1", "CustomResourceDefinition")
        cluster.update(definition, "", crd["metadata"]["name"], _released, OPTIONS)


def _released(body: Json) -> Json:
    kept = [name for name in body["metadata"].get("finalizers") or [] if name != CRD_CLEANUP]
    about = {key: value for key, value in body["metadata"].items() if key != "finalizers"}
    return body | {"metadata": about | ({"finalizers": kept} if kept else {})}
