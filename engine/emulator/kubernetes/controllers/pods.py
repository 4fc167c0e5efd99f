"""Pods: those of a workload, a few of them as objects, and what makes a pod run.

A workload has at most PODS_EACH of its pods as objects; its status counts all of them. That is enough to look at and to
select by, and a thousand replicas stay cheap.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from engine.emulator.kubernetes import metadata
from engine.emulator.kubernetes.cluster import Cluster
from engine.emulator.kubernetes.controllers import placement
from engine.emulator.kubernetes.controllers.writes import OPTIONS, change, condition, current, owned, owner, set_status
from engine.emulator.kubernetes.refusals import Json, Refused
from engine.emulator.kubernetes.store import Event, name_of
from engine.kubernetes import pods

PODS_EACH = 5


def react(cluster: Cluster, event: Event) -> None:
    """Every pod runs, on a node that it may run on if there is one."""
    resource = cluster.named("v1", "Pod")
    pod = current(cluster, resource, event.object) if event.change != "DELETED" else None
    if pod is None or (pod.get("status") or {}).get("phase"):
        return
    spec: Json = pod["spec"]
    if spec.get("schedulingGates"):
        gated = condition(
            "PodScheduled", False, "SchedulingGated", "Scheduling is blocked due to non-empty scheduling gates"
        )
        set_status(cluster, resource, pod, {"phase": "Pending", "conditions": [gated], "qosClass": pods.qos(spec)})
        return
    if not spec.get("nodeName") and (nodes := placement.nodes_for(cluster, spec)):
        place = nodes[int(hashlib.sha256(pod["metadata"]["uid"].encode()).hexdigest(), 16) % len(nodes)]
        pod = change(cluster, resource, pod, "spec", {"nodeName": place["metadata"]["name"]})
    set_status(cluster, resource, pod, _running(pod))


REACTIONS = {("", "pods"): react}


def forget_node(cluster: Cluster, name: str) -> None:
    """The pods of a node that has gone go, too; their workloads make others."""
    resource = cluster.named("v1", "Pod")
    for pod in cluster.store.list(resource.storage):
        if pod["spec"].get("nodeName") == name:
            cluster.delete(resource, *name_of(pod))


@dataclass(frozen=True)
class Own:
    """What one pod of a workload has for itself: its name, or its node, and volumes of its own."""

    name: str = ""
    node: str = ""
    volumes: Sequence[Json] = ()

    def is_had_by(self, pod: Json) -> bool:
        return self.name == pod["metadata"]["name"] if self.name else self.node == pod["spec"].get("nodeName")


def keep(cluster: Cluster, workload: Json, template: Json, count: int, own: Sequence[Own] = ()) -> int:
    """Make the workload's pods what they should be; returns how many there are of ``count``, all counted.

    ``own``: what each of them has for itself, where they are not all the same. Raises Refused where the namespace's
    quota takes no pod at all of a workload that has none.
    """
    resource, namespace = cluster.named("v1", "Pod"), workload["metadata"]["namespace"]
    digest, wanted = hash_of(template), min(count, PODS_EACH)
    kept: list[Json] = []
    for pod in owned(cluster, resource, workload):
        current = (pod["metadata"].get("annotations") or {}).get(_TEMPLATE) == digest
        meant = not own or any(each.is_had_by(pod) for each in own[:wanted])
        if current and meant and len(kept) < wanted:
            kept.append(pod)
        else:
            cluster.delete(resource, *name_of(pod))
    missing = [each for each in own[:wanted] if not any(map(each.is_had_by, kept))]
    for number, each in enumerate(missing or [Own()] * (wanted - len(kept)), len(kept)):
        try:
            cluster.create(resource, namespace, _pod(workload, template, digest, each), OPTIONS)
        except Refused as refused:
            if refused.reason == "AlreadyExists":
                continue
            if number == 0:
                raise
            return number
    return count


_TEMPLATE = "bedplate.dev/template"  # the digest of the template that a pod was made from


def _pod(workload: Json, template: Json, digest: str, own: Own) -> Json:
    about: dict[str, Any] = template.get("metadata") or {}
    annotations = (about.get("annotations") or {}) | {_TEMPLATE: digest}
    named = {"name": own.name} if own.name else {"generateName": f"{workload['metadata']['name']}-"}
    made = named | {"labels": about.get("labels") or {}, "annotations": annotations, "ownerReferences": owner(workload)}
    spec: Json = template.get("spec") or {}
    if own.volumes:
        spec = spec | {"volumes": [*own.volumes, *(spec.get("volumes") or [])]}
    if own.node:
        spec = spec | {"nodeName": own.node}
    return {"metadata": made, "spec": spec}


def hash_of(template: Json) -> str:
    """Ten characters that tell templates apart, as ``pod-template-hash`` has them."""
    digest = hashlib.sha256(repr(_sorted(template)).encode()).digest()
    return "".join(metadata.SUFFIX[byte % len(metadata.SUFFIX)] for byte in digest[:10])


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return sorted((key, _sorted(part)) for key, part in value.items())
    return [_sorted(part) for part in value] if isinstance(value, list) else value


def _running(pod: Json) -> Json:
    number = int(hashlib.sha256(pod["metadata"]["uid"].encode()).hexdigest(), 16)
    address = f"100.64.{number % 254}.{number // 254 % 253 + 1}"
    return pods.running(pod, address=address, host="", now=metadata.now())
