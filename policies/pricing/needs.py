"""How many nodes the declared workloads need that choose a Karpenter pool."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from components.instance_types import InstanceType
from policies.pricing.around import Surroundings
from policies.pricing.model import Item
from policies.pricing.reading import GIB, Inputs, NotPriceable

_KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "kubernetes:apps/v1:Deployment": ("replicas",),
    "kubernetes:apps/v1:StatefulSet": ("replicas",),
    "kubernetes:apps/v1:ReplicaSet": ("replicas",),
    "kubernetes:batch/v1:Job": ("parallelism",),
}
_POD: Final = "kubernetes:core/v1:Pod"
_DAEMONS: Final = "kubernetes:apps/v1:DaemonSet"
_RESOURCES: Final = ("cpu", "memory", "nvidia.com/gpu")
_POOL_LABEL: Final = "karpenter.sh/nodepool"
# What the system takes of a node. Source: Karpenter's documentation, "vmMemoryOverheadPercent" (7.5%); EKS's defaults.
_MEMORY_KEPT, _CPU_KEPT = Fraction(925, 1000), Fraction(1, 10)

Amounts = Sequence[Fraction]  # of _RESOURCES


@dataclass(frozen=True)
class _Pods:
    each: Amounts
    count: int


def needed_nodes(around: Surroundings, pool: str, spec: Inputs, machines: Sequence[InstanceType]) -> float:
    """Nodes of the cheapest machine that the pods need which choose ``pool``: 0 where none does."""
    found = [one for one in _workloads(around, pool, spec) if one.count]
    if not found:
        return 0
    beside = _daemons(around, pool, spec)
    largest = [max(one.each[index] for one in found) for index, _ in enumerate(_RESOURCES)]
    for machine in machines:
        room = [has - takes for has, takes in zip(_room(machine), beside, strict=True)]
        if all(wanted <= free for wanted, free in zip(largest, room, strict=True)):
            return _packed(found, room)
    raise NotPriceable("a declared workload that chooses it fits on none of its machines")


def _packed(found: Sequence[_Pods], room: Amounts) -> float:
    """Nodes that first-fit-decreasing takes, by groups of equal pods."""
    open_nodes: list[tuple[list[Fraction], int]] = []  # what is free on so many equal nodes
    for pods in sorted(found, key=lambda one: (one.each[2], one.each[0], one.each[1]), reverse=True):
        left = pods.count
        following: list[tuple[list[Fraction], int]] = []
        for free, number in open_nodes:
            fitting = _fitting(pods.each, free)
            used = min(number, math.ceil(left / fitting)) if fitting and left else 0
            left -= min(left, used * fitting)
            taken = [one - fitting * each for one, each in zip(free, pods.each, strict=True)]
            following += [(taken, used)] if used else []
            following += [(free, number - used)] if number > used else []
        fitting = _fitting(pods.each, room)
        more = math.ceil(left / fitting)
        taken = [one - fitting * each for one, each in zip(room, pods.each, strict=True)]
        open_nodes = following + ([(taken, more)] if more else [])
    return float(sum(number for _, number in open_nodes))


def _fitting(each: Amounts, free: Amounts) -> int:
    """How many pods of ``each`` fit into ``free``."""
    most = [int(one // wanted) for one, wanted in zip(free, each, strict=True) if wanted]
    return min(most, default=110)  # pods that ask for nothing: as many as a kubelet takes


def _room(machine: InstanceType) -> Amounts:
    memory = Fraction(machine.memory_gib) * GIB * _MEMORY_KEPT
    return [Fraction(machine.vcpu) - _CPU_KEPT, memory, Fraction(machine.gpu_count)]


# Pods


def _workloads(around: Surroundings, pool: str, spec: Inputs) -> Iterator[_Pods]:
    for item in around.of(*_KINDS):
        inputs = Inputs(item.properties)
        template = inputs.at("spec", "template", "spec")
        if _chooses(template, pool, spec):
            yield _Pods(_requests(template), _count(around, item, inputs.at("spec", *_KINDS[item.type])))
    for item in around.of(_POD):
        template = Inputs(item.properties).at("spec")
        if _chooses(template, pool, spec):
            yield _Pods(_requests(template), 1)


def _count(around: Surroundings, item: Item, given: Inputs) -> int:
    """Replicas; where an autoscaler sets them, the least that it keeps."""
    name = Inputs(item.properties).at("metadata", "name").value
    for scaler in around.of("kubernetes:autoscaling/v2:HorizontalPodAutoscaler"):
        inputs = Inputs(scaler.properties)
        if name is not None and inputs.at("spec", "scaleTargetRef", "name").value == name:
            return int(inputs.at("spec", "minReplicas").number(1))
    return int(given.number(1))


def _daemons(around: Surroundings, pool: str, spec: Inputs) -> Amounts:
    """What runs on each node of the pool beside."""
    total = [Fraction(0)] * len(_RESOURCES)
    for item in around.of(_DAEMONS):
        template = Inputs(item.properties).at("spec", "template", "spec")
        if _tolerates(template, spec) and _selected(template, pool, spec) is not False:
            total = [one + each for one, each in zip(total, _requests(template), strict=True)]
    return total


def _requests(template: Inputs) -> Amounts:
    """What the scheduler counts of a pod: its containers together, or its largest init container."""
    running = [_of_container(one) for one in template.at("containers").items()]
    starting = [_of_container(one) for one in template.at("initContainers").items()]
    amounts = [sum((one[index] for one in running), Fraction(0)) for index, _ in enumerate(_RESOURCES)]
    return [max([amount, *(one[index] for one in starting)]) for index, amount in enumerate(amounts)]


def _of_container(container: Inputs) -> Amounts:
    resources = container.at("resources")
    limits = resources.at("limits")
    return [resources.at("requests", name).quantity(limits.at(name).quantity(Fraction(0))) for name in _RESOURCES]


def _chooses(template: Inputs, pool: str, spec: Inputs) -> bool:
    return bool(_selected(template, pool, spec)) and _tolerates(template, spec)


def _selected(template: Inputs, pool: str, spec: Inputs) -> bool | None:
    """Whether a pod chooses the pool by its labels; None where it chooses nothing, False where it wants another."""
    labels = {_POOL_LABEL: pool} | {
        key: value.value for key, value in spec.at("template", "metadata", "labels").entries() if not value.unknown
    }
    wanted = dict(template.at("nodeSelector").entries())
    meant = {key: value for key, value in wanted.items() if not key.startswith("kubernetes.io/")}
    if not meant:
        return None
    return all(labels.get(key) == value.value for key, value in meant.items() if not value.unknown)


def _tolerates(template: Inputs, spec: Inputs) -> bool:
    tolerations = list(template.at("tolerations").items())
    return all(
        any(_tolerated(taint, one) for one in tolerations)
        for taint in spec.at("template", "spec", "taints").items()
        if taint.at("effect").text() != "PreferNoSchedule"
    )


def _tolerated(taint: Inputs, toleration: Inputs) -> bool:
    if toleration.at("effect").text() not in ("", taint.at("effect").text()):
        return False
    if toleration.at("key").text() in ("", None):
        return toleration.at("operator").text() == "Exists"
    if toleration.at("key").text() != taint.at("key").text():
        return False
    return toleration.at("operator").text("Equal") == "Exists" or (
        toleration.at("value").text() == taint.at("value").text()
    )
