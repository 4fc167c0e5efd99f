"""How full each pool is, and what each has to say to one pod: our own look beside the scheduler's."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from engine.simulation.manifests import Manifest
from engine.simulation.model import POOL_LABEL, Pool, Size, Taint, amount
from engine.simulation.nodes import node as node_of
from engine.simulation.nodes import slug
from engine.simulation.pods import Pod, Requirement, total
from engine.simulation.quantities import Resources, resources

_PLAIN = frozenset({"cpu", "memory", "ephemeral-storage", "pods"})


@dataclass(frozen=True)
class Node:
    """A node with what its pods have taken."""

    name: str
    labels: Mapping[str, str]
    taints: Sequence[Taint]
    allocatable: Resources
    pods: Sequence[Pod] = ()

    @functools.cached_property
    def used(self) -> Resources:
        return total(pod.requests for pod in self.pods)

    def free(self, name: str) -> Fraction:
        return amount(self.allocatable, name) - amount(self.used, name)

    def short_of(self, pod: Pod) -> list[str]:
        """The resources of which the node has too little left for ``pod``."""
        return [name for name, value in pod.requests.items() if value > self.free(name)]


@dataclass(frozen=True)
class PoolRoom:
    """A pool with its nodes. ``joining`` are nodes as they would join, one per zone: also where it has none now."""

    pool: Pool
    size: Size
    nodes: Sequence[Node]
    joining: Sequence[Node]

    @property
    def empty(self) -> Node:
        """A node on which nothing runs."""
        return self.joining[0]

    @property
    def offered(self) -> dict[str, Fraction]:
        return total(node.allocatable for node in self.nodes)

    @property
    def used(self) -> dict[str, Fraction]:
        return total(node.used for node in self.nodes)

    def takes(self, pod: Pod) -> int:
        """How many pods like ``pod`` a node takes that joins, beside the daemons that every node runs."""
        here = self.nodes[0].pods if self.nodes else ()
        daemons = total(one.requests for one in here if one.owner.kind == "DaemonSet")
        left = {name: amount(self.empty.allocatable, name) - amount(daemons, name) for name in pod.requests}
        return max(min(int(left[name] / value) for name, value in pod.requests.items()), 0)


def rooms(pools: Iterable[Pool], size: Size, nodes: Iterable[Manifest], pods: Iterable[Pod]) -> list[PoolRoom]:
    """The pools with their nodes and what runs on them."""
    placed: dict[str, list[Pod]] = {}
    for pod in pods:
        placed.setdefault(pod.node, []).append(pod)
    there = [_node(one, placed.get(one["metadata"]["name"], ())) for one in nodes]
    return [_room(pool, size, there) for pool in pools]


def _room(pool: Pool, size: Size, nodes: Sequence[Node]) -> PoolRoom:
    joining = [_node(node_of(pool, index), ()) for index in range(len(pool.zones) or 1)]
    return PoolRoom(pool, size, [one for one in nodes if one.labels.get(POOL_LABEL) == slug(pool.name)], joining)


def _node(manifest: Manifest, pods: Sequence[Pod]) -> Node:
    metadata, spec, status = (manifest.get(part) or {} for part in ("metadata", "spec", "status"))
    taints = [Taint(one["key"], one.get("value") or "", one["effect"]) for one in spec.get("taints") or ()]
    return Node(metadata["name"], metadata.get("labels") or {}, taints, resources(_pieces(status)), pods)


def _pieces(status: Mapping[str, Any]) -> Mapping[str, Any]:
    return status.get("allocatable") or {}


@dataclass(frozen=True)
class Verdict:
    """What stands between a pod and a pool: nothing, where ``fits`` says so.

    ``missing``: devices that the pool's machines don't have at all; ``small``: of which not even an empty node has
    enough; ``short``: of which no node has enough left.
    """

    room: PoolRoom
    unmet: Sequence[Requirement]
    taints: Sequence[Taint]
    missing: Sequence[str]
    small: Sequence[str]
    short: Sequence[str]

    @property
    def fits(self) -> bool:
        return not (self.unmet or self.taints or self.missing or self.small or self.short)


def verdict(pod: Pod, room: PoolRoom) -> Verdict:
    """Why ``pod`` is not on a node of this pool."""
    empty = room.empty
    matching = [node for node in room.nodes if not unmet(pod, node)]
    others = room.nodes or room.joining
    example = next((node for node in matching or others if not unmet(pod, node)), others[0])
    lacking = [name for name, value in pod.requests.items() if value > amount(empty.allocatable, name)]
    missing = [name for name in lacking if name not in _PLAIN and not amount(empty.allocatable, name)]
    return Verdict(
        room, unmet(pod, example), [taint for taint in example.taints if _keeps_off(taint, pod)], missing,
        [name for name in lacking if name not in missing], [] if lacking else _short(pod, room, matching),
    )  # fmt: skip


def _short(pod: Pod, room: PoolRoom, matching: Sequence[Node]) -> list[str]:
    """What the node lacks that lacks least; everything that is asked for where there is no node."""
    shortages = [node.short_of(pod) for node in matching or room.nodes]
    if not shortages:
        return [name for name in pod.requests if name != "pods"] or ["pods"]
    return min(shortages, key=len)


def _keeps_off(taint: Taint, pod: Pod) -> bool:
    return not pod.tolerates(taint)


def unmet(pod: Pod, node: Node) -> list[Requirement]:
    """Which of the pod's conditions on labels ``node`` does not meet; of several ways, those of the nearest."""
    plain = [one for one in pod.selector if not one.met(node.labels, node.name)]
    if not pod.terms:
        return plain
    ways = [[one for one in term if not one.met(node.labels, node.name)] for term in pod.terms if term]
    return plain + min(ways, key=len, default=[])
