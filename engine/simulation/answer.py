"""The answer of a simulation: what runs where, what does not and why, and what it costs. Pure.

A node's price is shared by what runs on it: on a node with GPUs by GPUs, on any other by the scarcer of CPU and memory.
What no pod has asked for idles.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from engine.simulation.explain import explain
from engine.simulation.manifests import Given, Manifest
from engine.simulation.model import Assumption, Pool, Size, amount, gpu_names
from engine.simulation.pods import Owner, Pod
from engine.simulation.quantities import Resources
from engine.simulation.reasons import Explanation, Reason
from engine.simulation.refusals import Refused, refusal
from engine.simulation.room import Node, PoolRoom, rooms
from engine.simulation.seen import Seen
from engine.simulation.settling import wanted_pods


@dataclass(frozen=True)
class PoolUse:
    """How a pool is used. Prices in USD per hour, None where there is no on-demand price for its instance type."""

    pool: Pool
    nodes: int
    offered: Resources
    used: Resources
    placed_usd: float | None
    idle_usd: float | None

    def share(self, resource: str) -> float | None:
        """How much of ``resource`` is asked for, from 0 to 1; None where the pool has none."""
        offered = amount(self.offered, resource)
        return float(amount(self.used, resource) / offered) if offered else None


@dataclass(frozen=True)
class Pending:
    """Pods of one workload that do not run for the same reason."""

    owner: Owner
    pods: int
    names: Sequence[str]  # of those pods that exist
    why: Explanation


@dataclass(frozen=True)
class WorkloadUse:
    """One workload: how many pods it wants, and where those are that run (by pool's name)."""

    owner: Owner
    place: str
    added: bool
    wanted: int
    placed: Mapping[str, int]
    nodes: Mapping[str, str]  # by pod's name
    gpus: int
    usd: float | None

    @property
    def running(self) -> int:
        return sum(self.placed.values())


@dataclass(frozen=True)
class Answer:
    """What a simulation has found."""

    size: Size
    version: str  # of Kubernetes
    pools: Sequence[PoolUse]
    workloads: Sequence[WorkloadUse]
    pending: Sequence[Pending]
    notes: Sequence[str] = ()
    assumptions: Sequence[Assumption] = ()
    seconds: float = 0.0

    @property
    def all_placed(self) -> bool:
        return not self.pending

    @property
    def unpriced(self) -> Sequence[PoolUse]:
        """The pools with nodes that no price is known of: sums leave them out."""
        return [one for one in self.pools if one.placed_usd is None and one.nodes]


def answer(
    seen: Seen,
    pools: Sequence[Pool],
    size: Size,
    given: Sequence[Given],
    refused: Mapping[Owner, str],
    *,
    version: str,
) -> Answer:
    """What came of it. ``refused`` are the objects that the API server did not take, with its words."""
    owned = seen.owned()
    with_room = rooms(pools, size, seen.of("Node"), [pod for pod in seen.pods if pod.is_placed])
    costs = _costs(with_room)
    workloads: list[WorkloadUse] = []
    pending: list[Pending] = []
    for one in given:
        owner = Owner(one.kind, one.namespace, one.name)
        there = sorted(owned.get(owner, ()), key=lambda pod: pod.name)
        live = seen.get(one.kind, one.namespace, one.name)
        wanted = max(_wanted(live, one), len(there))
        workloads.append(_workload(one, owner, wanted, there, with_room, costs))
        pending += _unplaced(owner, there, with_room)
        missing = wanted - len(there)
        if missing > 0:
            pending.append(Pending(owner, missing, (), _not_made(seen, owner, there, refused, missing)))
    return Answer(size, version, [_use(room) for room in with_room], workloads, pending)


def _wanted(live: Manifest | None, given: Given) -> int:
    """How many pods a workload is about; what the API server did not take may not even say so rightly."""
    if live is not None:
        return wanted_pods(live) or 0
    replicas = (given.manifest.get("spec") or {}).get("replicas", 1)
    return replicas if isinstance(replicas, int) else 1


def _workload(
    given: Given,
    owner: Owner,
    wanted: int,
    pods: Sequence[Pod],
    with_room: Sequence[PoolRoom],
    costs: Mapping[tuple[str, str], float | None],
) -> WorkloadUse:
    pool_of = {node.name: room.pool.name for room in with_room for node in room.nodes}
    placed = [pod for pod in pods if pod.is_placed]
    where = Counter(pool_of.get(pod.node, pod.node) for pod in placed)
    gpus = sum((amount(pod.requests, name) for pod in placed for name in gpu_names(pod.requests)), Fraction(0))
    return WorkloadUse(
        owner, given.place, given.added, wanted, dict(sorted(where.items())), {pod.name: pod.node for pod in placed},
        int(gpus), _sum(costs[owner.namespace, pod.name] for pod in placed),
    )  # fmt: skip


# What does not run


def _unplaced(owner: Owner, pods: Iterable[Pod], with_room: Sequence[PoolRoom]) -> list[Pending]:
    """Pods that exist and have no node, those together that ask for the same."""
    alike: dict[str, list[Pod]] = {}
    for pod in pods:
        if not pod.is_placed:
            alike.setdefault(repr((sorted(pod.requests.items()), pod.selector, pod.terms)), []).append(pod)
    return [
        Pending(owner, len(same), sorted(pod.name for pod in same), explain(same[0], with_room, count=len(same)))
        for same in alike.values()
    ]


def _not_made(
    seen: Seen, owner: Owner, there: Sequence[Pod], refused: Mapping[Owner, str], missing: int
) -> Explanation:
    message = refused.get(owner) or seen.refusal_of(owner)
    if message:
        return refusal(message, Refused(owner.namespace, missing, seen.counted(owner.namespace)))
    first = next((pod.name for pod in there if not pod.is_placed), "")
    if owner.kind == "StatefulSet" and first:
        return Explanation(Reason.ORDER, f"it is made when {first} runs", "see why that one does not")
    if owner in seen.gone:
        return Explanation(Reason.PREEMPTED, "pods of higher priority took its place, and nothing makes it again",
                           "run it as a Job, or give it more priority")  # fmt: skip
    return Explanation(Reason.UNKNOWN, "its controller has not made it, and does not say why")


# Money


def _use(room: PoolRoom) -> PoolUse:
    price = room.pool.usd_per_hour
    share = float(sum((_busy(node) for node in room.nodes), Fraction(0)))
    placed = None if price is None else price * share
    idle = None if price is None else price * (len(room.nodes) - share)
    return PoolUse(room.pool, len(room.nodes), room.offered, room.used, placed, idle)


def _busy(node: Node) -> Fraction:
    """Which part of a node is in use."""
    return max((_part(node, name) for name in _shared_by(node)), default=Fraction(0))


def _shared_by(node: Node) -> tuple[str, ...]:
    return tuple(gpu_names(node.allocatable)) or ("cpu", "memory")


def _part(node: Node, name: str) -> Fraction:
    has = amount(node.allocatable, name)
    return min(amount(node.used, name) / has, Fraction(1)) if has else Fraction(0)


def _costs(with_room: Sequence[PoolRoom]) -> dict[tuple[str, str], float | None]:
    """What each pod costs an hour, by namespace and name: its part of what is in use on its node."""
    found: dict[tuple[str, str], float | None] = {}
    for room in with_room:
        for node in room.nodes:
            weights = [(pod, _weight(pod, node)) for pod in node.pods]
            whole = sum((weight for _, weight in weights), Fraction(0))
            for pod, weight in weights:
                part = float(_busy(node) * weight / whole) if whole else 0.0
                price = room.pool.usd_per_hour
                found[pod.owner.namespace, pod.name] = None if price is None else price * part
    return found


def _sum(prices: Iterable[float | None]) -> float | None:
    """All prices together; None where one of them is not known."""
    known = list(prices)
    return None if None in known else sum((one for one in known if one is not None), 0.0)


def _weight(pod: Pod, node: Node) -> Fraction:
    shares = (amount(pod.requests, name) / amount(node.allocatable, name) for name in _shared_by(node))
    return max(shares, default=Fraction(0))
