"""Why a pod stays pending, from what the scheduler said and our own look at each pool. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from math import ceil
from typing import Final

from engine.simulation.model import EFA, GPU, PoolKind, Size, amount
from engine.simulation.pods import DEFAULT_SCHEDULER, Pod, Requirement
from engine.simulation.quantities import shown
from engine.simulation.reasons import Explanation, Reason
from engine.simulation.room import PoolRoom, Verdict, verdict

_REASONS: Final = {
    GPU: Reason.GPU_COUNT, EFA: Reason.EFA, "memory": Reason.MEMORY, "cpu": Reason.CPU, "pods": Reason.POD_COUNT,
    "ephemeral-storage": Reason.STORAGE,
}  # fmt: skip
_NAMES: Final = {
    GPU: "GPUs", EFA: "EFA interfaces", "memory": "of memory", "cpu": "CPUs", "ephemeral-storage": "of storage",
    "pods": "pods",
}  # fmt: skip
_BY_MESSAGE: Final = (
    ("pod topology spread constraints", "the spread over {spread} leaves no node for it",
     "give nodes in more zones, or whenUnsatisfiable: ScheduleAnyway"),
    ("pod anti-affinity rules", "pods that it keeps away from are on every node that would take it",
     "give more nodes, or prefer the anti-affinity instead of requiring it"),
    ("existing pods anti-affinity rules", "pods on every node that would take it keep away from it",
     "give more nodes, or prefer the anti-affinity instead of requiring it"),
    ("pod affinity rules", "no node that would take it has the pods that it wants beside it",
     "check the labels in its podAffinity, or prefer it instead of requiring it"),
    ("free ports for the requested pod ports", "its host port is taken on every node that would take it",
     "give more nodes, or do without hostPort"),
)  # fmt: skip


def explain(pod: Pod, rooms: Sequence[PoolRoom], *, count: int = 1) -> Explanation:
    """Why ``pod`` and ``count - 1`` more like it are not placed."""
    if pod.gates:
        text = f"it waits for its scheduling gates: {', '.join(pod.gates)}"
        return Explanation(Reason.UNKNOWN, text, "whoever set a gate takes it away; nobody does here", pod.message)
    if pod.scheduler != DEFAULT_SCHEDULER:
        return Explanation(
            Reason.UNKNOWN, f"its scheduler {pod.scheduler} does not run here", "simulate it without one"
        )
    verdicts = [verdict(pod, room) for room in rooms]
    if not verdicts:
        return Explanation(Reason.UNKNOWN, "there is no node pool", "declare one", pod.message)
    best = min(verdicts, key=lambda one: (_distance(one, pod), -one.room.pool.nodes_at(Size.MAX)))
    found = _fitting(pod, best) if best.fits else _standing(pod, best, verdicts, count)
    return Explanation(found.reason, found.text, found.advice, pod.message)


def _distance(one: Verdict, pod: Pod) -> int:
    """How far a pool is from taking the pod: the pool that would need least is the one to speak of."""
    idle_gpus = not amount(pod.requests, GPU) and bool(one.room.pool.machine.gpu_name)
    return (
        (16 if one.missing else 0)
        + (8 if one.unmet else 0)
        + (4 if one.small else 0)
        + ((6 if idle_gpus else 2) if one.taints else 0)
        + (1 if one.short else 0)
    )


def _standing(pod: Pod, best: Verdict, verdicts: Sequence[Verdict], count: int) -> Explanation:
    if best.missing:
        return _missing(pod, best)
    if best.unmet:
        return _unmet(best.unmet, verdicts)
    if best.small:
        return _small(pod, best, verdicts)
    if best.taints:
        return _tainted(best)
    return _short(pod, best, count)


def _missing(pod: Pod, best: Verdict) -> Explanation:
    name = best.missing[0]
    what = _NAMES.get(name, name)
    advice = {
        GPU: "declare a pool whose instance type has GPUs",
        EFA: "give a pool EFA interfaces; only types that have them can",
    }.get(name, f"declare a pool that offers {name}")
    text = f"no pool that it may use offers {what}, and it asks for {shown(name, pod.requests[name])}"
    return Explanation(_REASONS.get(name, Reason.UNKNOWN), text, advice)


def _unmet(conditions: Sequence[Requirement], verdicts: Sequence[Verdict]) -> Explanation:
    text = f"no pool has {' and '.join(str(one) for one in conditions)}"
    if len(conditions) > 1 or len({one.room.pool.name for one in verdicts if one.unmet}) < len(verdicts):
        text = f"no pool that would take it has {' and '.join(str(one) for one in conditions)}"
    key = conditions[0].key
    labels = [one.room.empty.labels.get(key) for one in verdicts]
    values = sorted({value for value in labels if value is not None})
    if values:
        return Explanation(Reason.SELECTOR, text, f"there are {key}={', '.join(values[:4])}")
    return Explanation(Reason.SELECTOR, text, f"no node has the label {key}: give it to a pool, or select by another")


def _small(pod: Pod, best: Verdict, verdicts: Sequence[Verdict]) -> Explanation:
    name = best.small[0]
    reachable = [one for one in verdicts if name in one.small and not one.unmet] or [best]
    largest = max(reachable, key=lambda one: amount(one.room.empty.allocatable, name))
    has, asked = amount(largest.room.empty.allocatable, name), pod.requests[name]
    pool, what = largest.room.pool, _NAMES.get(name, name)
    if name == GPU:
        text = f"pool {pool.name} has {shown(name, has)} GPUs a node, the pod asks for {shown(name, asked)}"
        parts = ceil(asked / has)
        return Explanation(Reason.TOO_SMALL, text, f"split it into {parts} pods of {shown(name, asked / parts)} GPUs")
    text = f"a node of pool {pool.name} has {shown(name, has)} {what} for pods, the pod asks for {shown(name, asked)}"
    return Explanation(Reason.TOO_SMALL, text, f"ask for less, or give pool {pool.name} a larger instance type")


def _tainted(best: Verdict) -> Explanation:
    taint, pool = best.taints[0], best.room.pool
    room = "has room" if not best.short else "would take it if it had room"
    text = f"pool {pool.name} {room}, but the pod does not tolerate its taint {taint}"
    return Explanation(Reason.TAINT, text, " and ".join(f"tolerate {one.key}" for one in best.taints))


def _short(pod: Pod, best: Verdict, count: int) -> Explanation:
    name = next((one for one in _REASONS if one in best.short), best.short[0])
    reason = _REASONS.get(name, Reason.UNKNOWN)
    return Explanation(reason, _left(pod, best.room, name), _more_nodes(pod, best.room, count))


def _left(pod: Pod, room: PoolRoom, name: str) -> str:
    pool, asked, what = room.pool, shown(name, pod.requests[name]), _NAMES.get(name, name)
    if not room.nodes:
        return f"pool {pool.name} would take it, but has no node at its {room.size} size"
    if name == "pods":
        return f"each node of pool {pool.name} takes {pool.pods} pods, and has them"
    frees = [node.free(name) for node in room.nodes]
    left, most, all_ = sum(frees, Fraction(0)), max(frees), amount(room.offered, name)
    of = f"{shown(name, left)} of {shown(name, all_)} {what} are free in pool {pool.name}"
    if left >= pod.requests[name] and most < pod.requests[name]:
        return f"{of}, but at most {shown(name, most)} on one node; the pod asks for {asked}"
    return f"{of}, the pod asks for {asked}{_outranked(pod, room, name)}"


def _outranked(pod: Pod, room: PoolRoom, name: str) -> str:
    """How much of it pods have that go first, where that is what stands in the way."""
    above = [one for node in room.nodes for one in node.pods if one.priority > pod.priority]
    held = sum((amount(one.requests, name) for one in above if one.owner.kind != "DaemonSet"), Fraction(0))
    return f"; pods of higher priority hold {shown(name, held)}" if held else ""


def _more_nodes(pod: Pod, room: PoolRoom, count: int) -> str:
    """To which size the pool would have to go for all of the waiting pods."""
    pool, each = room.pool, room.takes(pod)
    if not each:
        return f"give pool {pool.name} a larger instance type: its daemons leave too little of a node"
    wanted, most = len(room.nodes) + ceil(count / each), pool.nodes_at(Size.MAX)
    if wanted > most:
        return f"raise max of pool {pool.name} to {wanted}"
    if pool.kind is PoolKind.KARPENTER and room.size is not Size.MAX:
        return f"Karpenter would launch nodes, {most} at most: see --pool-size max"
    if room.size is Size.MIN:
        return f"pool {pool.name} grows to {most}: see --pool-size max"
    return f"raise the desired size of pool {pool.name} to {wanted} (its max is {most})"


def _fitting(pod: Pod, best: Verdict) -> Explanation:
    """The scheduler sees something that labels, taints and amounts don't show."""
    for mark, text, advice in _BY_MESSAGE:
        if mark in pod.message:
            return Explanation(Reason.TOPOLOGY, text.format(spread=" and ".join(pod.spread) or "topologies"), advice)
    text = re.sub(r"\s+preemption:.*", "", pod.message) or "the scheduler has not said why"
    return Explanation(Reason.UNKNOWN, text, f"pool {best.room.pool.name} would have room for it")
