"""Node objects of a pool: as kubelets would register them, without machines below."""

from __future__ import annotations

import re
from typing import Any, Final

from engine.simulation.capacity import allocatable, capacity
from engine.simulation.model import POOL_LABEL, Pool, Size
from engine.simulation.quantities import Resources, written

SIMULATED: Final = {"kwok.x-k8s.io/node": "fake"}  # by this, kwok takes a node for one of its own
_NAME: Final = re.compile(r"[^a-z0-9]+")


def nodes(pool: Pool, size: Size) -> list[dict[str, Any]]:
    """The nodes of ``pool`` at one of its sizes, spread over its zones in turn."""
    return [node(pool, index) for index in range(pool.nodes_at(size))]


def node(pool: Pool, index: int) -> dict[str, Any]:
    """One node. Its name says pool and number, where a cloud's would say nothing."""
    name = f"{slug(pool.name)}-{index}"
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": _labels(pool, name, index), "annotations": dict(SIMULATED)},
        "spec": {
            "providerID": f"bedplate://{name}",
            "taints": [_taint(key, value, effect) for key, value, effect in pool.taints],
        },
        "status": {
            "capacity": _amounts(capacity(pool)),
            "allocatable": _amounts(allocatable(pool)),
            "nodeInfo": {"architecture": pool.machine.architecture, "operatingSystem": "linux"},
        },
    }


def slug(name: str) -> str:
    """``name`` as the beginning of a node's name."""
    return _NAME.sub("-", name.lower()).strip("-")[:50] or "pool"


def _taint(key: str, value: str, effect: str) -> dict[str, str]:
    return {"key": key, "effect": effect} | ({"value": value} if value else {})


def _labels(pool: Pool, name: str, index: int) -> dict[str, str]:
    """The pool's labels below those that the kubelet sets whatever the pool says."""
    machine = pool.machine
    labels = dict(pool.labels) | {
        POOL_LABEL: slug(pool.name),
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": machine.architecture,
        "node.kubernetes.io/instance-type": machine.name,
    }
    if pool.zones:
        zone = pool.zones[index % len(pool.zones)]
        labels |= {"topology.kubernetes.io/zone": zone, "topology.kubernetes.io/region": zone.rstrip("abcdef")}
    return labels


def _amounts(resources: Resources) -> dict[str, str]:
    return {name: written(name, amount) for name, amount in resources.items()}
