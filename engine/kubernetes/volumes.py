"""Volumes as a storage driver of CSI makes them for claims. Pure: what the sandboxes' drivers decide, said once.

Source of the rules: Kubernetes' external-provisioner 5.3 (``ShouldProvision``, ``Provision``, ``ShouldDelete``), 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

Object: TypeAlias = Mapping[str, Any]

# By them the cluster says who is to make a claim's volume and, where that waits for a pod, on which node that will run.
PROVISIONER: Final = "volume.kubernetes.io/storage-provisioner"
SELECTED_NODE: Final = "volume.kubernetes.io/selected-node"
PROVISIONED_BY: Final = "pv.kubernetes.io/provisioned-by"
LATE: Final = "WaitForFirstConsumer"
_ZONE: Final = "topology.kubernetes.io/zone"
_DRIVER: Final = "ebs.csi.aws.com"
# Drivers inside Kubernetes itself, and the name of none.
_INSIDE: Final = "kubernetes.io/"


def binds_late(class_: Object) -> bool:
    """Whether volumes of a class are made where the first pod that wants them will run."""
    return class_.get("volumeBindingMode") == LATE


def wants_volume(claim: Object) -> bool:
    """Whether a claim waits for a driver to make its volume; of one that binds late, the class tells more."""
    if claim["spec"].get("volumeName") or claim["metadata"].get("deletionTimestamp"):
        return False
    return _is_a_drivers(_annotations(claim).get(PROVISIONER, ""))


def is_to_be_deleted(volume: Object) -> bool:
    """Whether a driver has to delete a volume: its claim is gone, and it was to go with it."""
    if volume["metadata"].get("deletionTimestamp") or (volume.get("status") or {}).get("phase") != "Released":
        return False
    ours = _is_a_drivers(_annotations(volume).get(PROVISIONED_BY, ""))
    return ours and volume["spec"].get("persistentVolumeReclaimPolicy") == "Delete"


def name_of_volume(claim: Object) -> str:
    """The name of a claim's volume: another claim of the same name gets another volume."""
    return f"pvc-{claim['metadata']['uid']}"


def volume_of(claim: Object, class_: Object | None, node: Object | None) -> dict[str, Any]:
    """The volume that is made for ``claim``: of the claim's size, and in the zone of ``node``, if that has one."""
    about, spec = claim["metadata"], claim["spec"]
    found = class_ or {}
    driver = found.get("provisioner") or _annotations(claim).get(PROVISIONER) or _DRIVER
    reference = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "name": about["name"]}
    body: dict[str, Any] = {
        "capacity": {"storage": spec["resources"]["requests"]["storage"]},
        "accessModes": spec.get("accessModes"),
        "claimRef": reference | {"namespace": about["namespace"], "uid": about["uid"]},
        "csi": {"driver": driver, "volumeHandle": f"vol-{about['uid'].replace('-', '')[:17]}"},
        "persistentVolumeReclaimPolicy": found.get("reclaimPolicy", "Delete"),
    }
    for key, value in (
        ("storageClassName", (found.get("metadata") or {}).get("name") or spec.get("storageClassName")),
        ("mountOptions", found.get("mountOptions")),
        ("volumeMode", spec.get("volumeMode")),
        ("nodeAffinity", _in_zone_of(node)),
    ):
        body |= {key: value} if value else {}
    metadata = {"name": name_of_volume(claim), "annotations": {PROVISIONED_BY: driver}}
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": metadata, "spec": body}


def _in_zone_of(node: Object | None) -> dict[str, Any] | None:
    zone = ((node or {}).get("metadata", {}).get("labels") or {}).get(_ZONE)
    if zone is None:
        return None
    here = {"key": _ZONE, "operator": "In", "values": [zone]}
    return {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}}


def _is_a_drivers(provisioner: str) -> bool:
    return bool(provisioner) and not provisioner.startswith(_INSIDE)


def _annotations(value: Object) -> Mapping[str, str]:
    return value["metadata"].get("annotations") or {}
