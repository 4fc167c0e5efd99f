"""Volumes: a claim gets a volume at once, and takes it along when it goes (reclaim policy Delete)."""

from __future__ import annotations

from engine.emulator.kubernetes.allocations import CLAIM_PROTECTION
from engine.emulator.kubernetes.cluster import Cluster
from engine.emulator.kubernetes.controllers.writes import change, current, ensure, set_status
from engine.emulator.kubernetes.refusals import Json
from engine.emulator.kubernetes.store import Event

_CLASSES = ("storage.k8s.io", "storageclasses")
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
    spec = claim["spec"]
    if not spec.get("volumeName"):
        class_ = spec.get("storageClassName", _default_class(cluster))
        volume = f"pvc-{claim['metadata']['uid']}"
        ensure(cluster, cluster.named("v1", "PersistentVolume"), "", volume, _volume(cluster, claim, class_))
        named = {"volumeName": volume} | ({"storageClassName": class_} if class_ else {})
        claim = change(cluster, resource, claim, "spec", named)
    status: Json = {"phase": "Bound", "accessModes": spec.get("accessModes") or []}
    set_status(cluster, resource, claim, status | {"capacity": {"storage": spec["resources"]["requests"]["storage"]}})


def _volume(cluster: Cluster, claim: Json, class_: str | None) -> Json:
    about, spec = claim["metadata"], claim["spec"]
    reference = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "name": about["name"]}
    reference |= {"namespace": about["namespace"], "uid": about["uid"]}
    found = cluster.store.get(_CLASSES, "", class_ or "")
    driver = (found or {}).get("provisioner", "ebs.csi.aws.com")
    body = {"capacity": spec["resources"]["requests"], "accessModes": spec.get("accessModes"), "claimRef": reference}
    body |= {"csi": {"driver": driver, "volumeHandle": f"vol-{about['uid'].replace('-', '')[:17]}"}}
    body |= {"persistentVolumeReclaimPolicy": (found or {}).get("reclaimPolicy", "Delete")}
    return {"spec": body | ({"storageClassName": class_} if class_ else {})}


def _default_class(cluster: Cluster) -> str | None:
    for class_ in cluster.store.list(_CLASSES):
        if (class_["metadata"].get("annotations") or {}).get(_DEFAULT) == "true":
            return class_["metadata"]["name"]
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
    for claim in cluster.store.list(resource.storage, namespace):
        about = claim["metadata"]
        held = about.get("deletionTimestamp") and CLAIM_PROTECTION in (about.get("finalizers") or [])
        if held and about["name"] not in _used(cluster, namespace):
            kept = [name for name in about["finalizers"] if name != CLAIM_PROTECTION]
            change(cluster, resource, claim, "metadata", {"finalizers": kept})


def _used(cluster: Cluster, namespace: str) -> set[str]:
    pods = cluster.store.list(("", "pods"), namespace)
    volumes = [volume for pod in pods for volume in pod["spec"].get("volumes") or []]
    return {volume["persistentVolumeClaim"]["claimName"] for volume in volumes if volume.get("persistentVolumeClaim")}


def _pod(cluster: Cluster, event: Event) -> None:
    if event.change == "DELETED":
        _let_go(cluster, event.object["metadata"]["namespace"])


def _volume_phase(cluster: Cluster, event: Event) -> None:
    resource = cluster.named("v1", "PersistentVolume")
    volume = current(cluster, resource, event.object)
    if volume is not None and not (volume.get("status") or {}).get("phase"):
        set_status(cluster, resource, volume, {"phase": "Bound" if volume["spec"].get("claimRef") else "Available"})


REACTIONS = {("", "persistentvolumeclaims"): _claim, _VOLUMES: _volume_phase, ("", "pods"): _pod}
