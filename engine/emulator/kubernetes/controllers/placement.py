"""Which nodes a pod may run on: node selector, required node affinity, taints. No capacity: that is the scheduler's."""

from __future__ import annotations

from typing import Any

from engine.emulator.kubernetes.cluster import Cluster
from engine.emulator.kubernetes.refusals import Json
from engine.emulator.kubernetes.rules import at
from engine.emulator.kubernetes.selectors import expression_holds

NODES = ("", "nodes")
# What a DaemonSet's pods tolerate without saying so.
_OF_DAEMONS: list[Json] = [
    {"key": f"node.kubernetes.io/{name}", "operator": "Exists"}
    for name in ("not-ready", "unreachable", "disk-pressure", "memory-pressure", "pid-pressure", "unschedulable")
]


def nodes_for(cluster: Cluster, spec: Json, *, daemon: bool = False) -> list[Json]:
    tolerations = [*(spec.get("tolerations") or []), *(_OF_DAEMONS if daemon else [])]
    return [node for node in cluster.store.list(NODES) if _wanted(spec, node) and _tolerated(tolerations, node, daemon)]


def _wanted(spec: Json, node: Json) -> bool:
    labels: dict[str, str] = node["metadata"].get("labels") or {}
    if any(labels.get(key) != value for key, value in (spec.get("nodeSelector") or {}).items()):
        return False
    required: Any = at(spec, "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution")
    if not required:
        return True
    fields = {"metadata.name": node["metadata"]["name"]}
    return any(
        all(expression_holds(each, labels) for each in term.get("matchExpressions") or [])
        and all(expression_holds(each, fields) for each in term.get("matchFields") or [])
        for term in required.get("nodeSelectorTerms") or []
        if term.get("matchExpressions") or term.get("matchFields")
    )


def _tolerated(tolerations: list[Json], node: Json, daemon: bool) -> bool:
    if (node.get("spec") or {}).get("unschedulable") and not daemon:
        return False
    hard = [taint for taint in (node.get("spec") or {}).get("taints") or [] if taint["effect"] != "PreferNoSchedule"]
    return all(any(_tolerates(each, taint) for each in tolerations) for taint in hard)


def _tolerates(toleration: Json, taint: Json) -> bool:
    if toleration.get("effect") not in (None, "", taint["effect"]):
        return False
    if toleration.get("operator") == "Exists":
        return toleration.get("key") in (None, "", taint["key"])
    return toleration.get("key") == taint["key"] and (toleration.get("value") or "") == (taint.get("value") or "")
