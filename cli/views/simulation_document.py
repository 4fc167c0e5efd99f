"""The answer of a simulation as JSON. Amounts: CPU in cores, memory and storage in bytes; prices in USD per hour."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from cli.screen import VERSION
from engine.simulation.answer import Answer, Pending, PoolUse, WorkloadUse
from engine.simulation.quantities import Resources


def document(answer: Answer, stack: str, *, code: int) -> dict[str, Any]:
    """All that was found. A price is null where there is no on-demand price, and ``total`` names what it leaves out."""
    return {
        "version": VERSION,
        "command": "simulate",
        "stack": stack,
        "exitCode": code,
        "seconds": round(answer.seconds, 3),
        "kubernetes": answer.version,
        "poolSize": str(answer.size),
        "allPlaced": answer.all_placed,
        "pools": [_pool(one) for one in answer.pools],
        "workloads": [_workload(one) for one in answer.workloads],
        "pending": [_pending(one) for one in answer.pending],
        "total": _total(answer),
        "notes": list(answer.notes),
        "assumptions": [{"place": one.place, "text": one.text} for one in answer.assumptions],
    }


def _pool(use: PoolUse) -> dict[str, Any]:
    pool = use.pool
    return {
        "name": pool.name,
        "kind": str(pool.kind),
        "urn": pool.urn,
        "instanceType": pool.machine.name,
        "instanceTypes": list(pool.instance_types),
        "capacityType": pool.capacity_type,
        "zones": list(pool.zones),
        "nodes": use.nodes,
        "sizes": {str(size): nodes for size, nodes in pool.sizes.items()},
        "allocatable": _amounts(use.offered),
        "requested": _amounts(use.used),
        "usdPerHourOfNode": pool.usd_per_hour,
        "usdPerHourPlaced": _rounded(use.placed_usd),
        "usdPerHourIdle": _rounded(use.idle_usd),
    }


def _workload(one: WorkloadUse) -> dict[str, Any]:
    return {
        "kind": one.owner.kind,
        "namespace": one.owner.namespace,
        "name": one.owner.name,
        "place": one.place,
        "added": one.added,
        "wanted": one.wanted,
        "running": one.running,
        "pools": dict(one.placed),
        "pods": [{"name": pod, "node": node} for pod, node in sorted(one.nodes.items())],
        "gpus": one.gpus,
        "usdPerHour": _rounded(one.usd),
    }


def _pending(one: Pending) -> dict[str, Any]:
    return {
        "kind": one.owner.kind,
        "namespace": one.owner.namespace,
        "name": one.owner.name,
        "count": one.pods,
        "pods": list(one.names),
        "reason": one.why.reason.name.lower().replace("_", "-"),
        "text": one.why.text,
        "advice": one.why.advice,
        "said": one.why.said,
    }


def _total(answer: Answer) -> dict[str, Any]:
    return {
        "nodes": sum(one.nodes for one in answer.pools),
        "running": sum(one.running for one in answer.workloads),
        "pending": sum(one.pods for one in answer.pending),
        "usdPerHourPlaced": _rounded(sum(one.placed_usd or 0.0 for one in answer.pools)),
        "usdPerHourIdle": _rounded(sum(one.idle_usd or 0.0 for one in answer.pools)),
        "withoutPrice": [one.pool.name for one in answer.unpriced],
        "spotPricedAsOnDemand": [one.pool.name for one in answer.pools if one.pool.capacity_type == "spot"],
    }


def _amounts(resources: Resources) -> dict[str, float | int]:
    return {name: _number(value) for name, value in sorted(resources.items())}


def _number(value: Fraction) -> float | int:
    return int(value) if value.denominator == 1 else round(float(value), 3)


def _rounded(price: float | None) -> float | None:
    return None if price is None else round(price, 4)
