"""Claims of StatefulSets: each of its pods has its own, made from the set's templates, by the pod's name.

They stay when the set goes or shrinks, unless it says otherwise (persistentVolumeClaimRetentionPolicy).
"""

from __future__ import annotations

from engine.emulator.kubernetes.cluster import Cluster
from engine.emulator.kubernetes.controllers.pods import PODS_EACH, Own
from engine.emulator.kubernetes.controllers.writes import OPTIONS, change, owner
from engine.emulator.kubernetes.refusals import Json
from engine.emulator.kubernetes.store import name_of


def keep(cluster: Cluster, stateful_set: Json) -> list[Own]:
    """Make the claims of the set's pods what they should be; returns the pods' names and volumes.

    Raises Refused where the namespace's quota takes no claim more.
    """
    spec, about = stateful_set["spec"], stateful_set["metadata"]
    templates: list[Json] = spec.get("volumeClaimTemplates") or []
    policy: Json = spec.get("persistentVolumeClaimRetentionPolicy") or {}
    owners = owner(stateful_set) if policy.get("whenDeleted") == "Delete" else []
    found: list[Own] = []
    for number in range(PODS_EACH):
        pod, volumes = f"{about['name']}-{number}", list[Json]()
        for template in templates:
            name = f"{template['metadata']['name']}-{pod}"
            volumes.append({"name": template["metadata"]["name"], "persistentVolumeClaim": {"claimName": name}})
            if number < spec["replicas"]:
                _ensure(cluster, stateful_set, template, name, owners)
            elif policy.get("whenScaled") == "Delete":
                _drop(cluster, about["namespace"], name)
        found.append(Own(name=pod, volumes=volumes))
    return found


def _ensure(cluster: Cluster, stateful_set: Json, template: Json, name: str, owners: list[Json]) -> None:
    resource, namespace = cluster.named("v1", "PersistentVolumeClaim"), stateful_set["metadata"]["namespace"]
    found = cluster.store.get(resource.storage, namespace, name)
    if found is None:
        labels = {
            **(template["metadata"].get("labels") or {}),
            **(stateful_set["spec"]["selector"].get("matchLabels") or {}),
        }
        about = template["metadata"] | {"name": name, "labels": labels, "ownerReferences": owners}
        cluster.create(resource, namespace, {"metadata": about, "spec": template["spec"]}, OPTIONS)
    elif (found["metadata"].get("ownerReferences") or []) != owners:
        change(cluster, resource, found, "metadata", {"ownerReferences": owners})


def _drop(cluster: Cluster, namespace: str, name: str) -> None:
    resource = cluster.named("v1", "PersistentVolumeClaim")
    found = cluster.store.get(resource.storage, namespace, name)
    if found is not None and not found["metadata"].get("deletionTimestamp"):
        cluster.delete(resource, *name_of(found))
