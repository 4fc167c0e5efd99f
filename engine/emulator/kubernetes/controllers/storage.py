"""Volumes: a claim gets a volume, and takes it along when it goes (reclaim policy Delete).

It gets it at once; where its class binds late (WaitForFirstConsumer), when a pod that uses it runs.
"""

from __future__ import annotations

from engine.emulator.kubernetes.allocations import CLAIM_PROTECTION
from engine.emulator.kubernetes.cluster import Cluster
from engine.emulator.kubernetes.controllers.placement import NODES
from engine.emulator.kubernetes.controllers.writes import change, current, ensure, set_status
from engine.emulator.kubernetes.refusals import Json
from engine.emulator.kubernetes.store import Event
from engine.kubernetes import volumes

_CLASSES = ("storage.k8s.io", "storageclasses")
_CLAIMS = ("", "persistentvolumeclaims")
_VOLUMES = ("", "persistentvolumes")
_DEFAULT = "storageclass.kubernetes.io/is-default-class"


def _claim(cluster: Cluster, event: Event) -> None:
    if event.change == "DELETED":
        _release(cluster, event.object)
        return
    resource = cluster.named("v1", "PersistentVolumeClaim")
    _let_go(cluster, event.object["metadata"]["namespace"])
    claim = current(cluster, resource, event.object)
    if claim is None:
        return
    if not claim["spec"].get("volumeName"):
        class_ = _class_of(cluster, claim)
        users = _users(cluster, claim)
        if class_ and volumes.binds_late(class_) and not users:
            set_status(cluster, resource, claim, {"phase": "Pending"})
            return
        claim = _bind(cluster, claim, class_, users[0] if users else None)
    spec = claim["spec"]
    status: Json = {"phase": "Bound", "accessModes": spec.get("accessModes") or []}
    set_status(cluster, resource, claim, status | {"capacity": {"storage": spec["resources"]["requests"]["storage"]}})


def _bind(cluster: Cluster, claim: Json, class_: Json | None, user: Json | None) -> Json:
    """Make the claim's volume, where the pod ``user`` runs."""
    node = cluster.store.get(NODES, "", user["spec"].get("nodeName", "")) if user else None
    volume = volumes.volume_of(claim, class_, node)
    ensure(cluster, cluster.named("v1", "PersistentVolume"), "", volume["metadata"]["name"], volume)
    named: Json = {"volumeName": volume["metadata"]["name"]}
    if class_:
        named["storageClassName"] = class_["metadata"]["name"]
    return change(cluster, cluster.named("v1", "PersistentVolumeClaim"), claim, "spec", named)


def _class_of(cluster: Cluster, claim: Json) -> Json | None:
    name = claim["spec"].get("storageClassName")
    if name is not None:
        return cluster.store.get(_CLASSES, "", name)
    for class_ in cluster.store.list(_CLASSES):
        if (class_["metadata"].get("annotations") or {}).get(_DEFAULT) == "true":
            return class_
    return None


def _release(cluster: Cluster, claim: Json) -> None:
    name = claim["spec"].get("volumeName", "")
    volume = cluster.store.get(_VOLUMES, "", name)
    if volume is None or ((volume["spec"].get("claimRef") or {}).get("uid") != claim["metadata"]["uid"]):
        return
    resource = cluster.named("v1", "PersistentVolume")
    if volume["spec"].get("persistentVolumeReclaimPolicy") == "Delete":
        cluster.delete(resource, "", name)
    else:
        set_status(cluster, resource, volume, {"phase": "Released"})


def _let_go(cluster: Cluster, namespace: str) -> None:
    """Claims that are to be deleted go when no pod uses them any more."""
    resource = cluster.named("v1", "PersistentVolumeClaim")
    for claim in cluster.store.list(_CLAIMS, namespace):
        about = claim["metadata"]
        held = about.get("deletionTimestamp") and CLAIM_PROTECTION in (about.get("finalizers") or [])
        if held and not _pods_with(cluster, claim):
            kept = [name for name in about["finalizers"] if name != CLAIM_PROTECTION]
            change(cluster, resource, claim, "metadata", {"finalizers": kept})


def _users(cluster: Cluster, claim: Json) -> list[Json]:
    """The pods that run with the claim's volume."""
    return [pod for pod in _pods_with(cluster, claim) if (pod.get("status") or {}).get("phase") == "Running"]


def _pods_with(cluster: Cluster, claim: Json) -> list[Json]:
    about = claim["metadata"]
    return [pod for pod in cluster.store.list(("", "pods"), about["namespace"]) if about["name"] in _claimed(pod)]


def _claimed(pod: Json) -> set[str]:
    listed = pod["spec"].get("volumes") or []
    return {volume["persistentVolumeClaim"]["claimName"] for volume in listed if volume.get("persistentVolumeClaim")}


def _pod(cluster: Cluster, event: Event) -> None:
    """A pod that has gone lets go of its claims; one that runs has them bound."""
    namespace = event.object["metadata"]["namespace"]
    if event.change == "DELETED":
        _let_go(cluster, namespace)
        return
    for name in _claimed(event.object):
        claim = cluster.store.get(_CLAIMS, namespace, name)
        if claim and not claim["spec"].get("volumeName"):
            _claim(cluster, Event(event.revision, "MODIFIED", _CLAIMS, claim, claim))


def _volume_phase(cluster: Cluster, event: Event) -> None:
    resource = cluster.named("v1", "PersistentVolume")
    volume = current(cluster, resource, event.object)
    if volume is not None and not (volume.get("status") or {}).get("phase"):
        set_status(cluster, resource, volume, {"phase": "Bound" if volume["spec"].get("claimRef") else "Available"})


REACTIONS = {_CLAIMS: _claim, _VOLUMES: _volume_phase, ("", "pods"): _pod}
