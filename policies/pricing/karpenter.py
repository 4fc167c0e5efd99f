"""Karpenter's NodePools: no more nodes than their limits allow, as many as are declared or their workloads need.

Between its limits and nothing, a NodePool has no size of its own. ``desired`` is the larger one of what the annotation
``bedplate.dev/desired-nodes`` says and of what the declared workloads need that choose the pool; ``min`` is that of
``bedplate.dev/min-nodes``, or of ``spec.replicas`` where the pool is static.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from components.instance_types import InstanceType, instance_types
from policies.pricing import nodes
from policies.pricing.around import Surroundings
from policies.pricing.bill import Bill, Parts
from policies.pricing.model import HOURS_A_MONTH, UNKNOWN, Item, MachineHours, Purchase, Sizes
from policies.pricing.needs import needed_nodes
from policies.pricing.nodes import DISK_OF_IMAGE, Disk, Nodes
from policies.pricing.pools import RESERVATION
from policies.pricing.prices import NoPrice, Prices
from policies.pricing.reading import GIB, Inputs, NotGiven, NotPriceable
from policies.pricing.requirements import asked_in, machines_of

NODE_POOLS: Final = ("kubernetes:karpenter.sh/v1:NodePool", "kubernetes:karpenter.sh/v1beta1:NodePool")
_CLASSES: Final = ("kubernetes:karpenter.k8s.aws/v1:EC2NodeClass", "kubernetes:karpenter.k8s.aws/v1beta1:EC2NodeClass")
_DESIRED, _MIN = "bedplate.dev/desired-nodes", "bedplate.dev/min-nodes"
_CAPACITY: Final = "karpenter.sh/capacity-type"
_GPU: Final = "nvidia.com/gpu"


@dataclass(frozen=True)
class KarpenterPool:
    """What a NodePool may launch, the cheapest machine first, and in which ways it may buy.

    ``asked`` are the types that it names, which need not be ones that we know.
    """

    name: str
    machines: Sequence[InstanceType]
    ways: Sequence[str]
    spec: Inputs
    annotations: Mapping[str, object]
    asked: frozenset[str]

    @property
    def at_best(self) -> Purchase:
        """How nodes are bought while all is well: Karpenter tries reserved, then spot, then on demand."""
        return Purchase.SPOT if "spot" in self.ways else Purchase.ON_DEMAND

    @property
    def at_worst(self) -> Purchase:
        return Purchase.ON_DEMAND if "on-demand" in self.ways or not self.ways else self.at_best


def read(item: Item, prices: Prices) -> KarpenterPool:
    """The NodePool that ``item`` declares. Raises NotPriceable."""
    inputs = Inputs(item.properties)
    spec = inputs.at("spec")
    requirements = list(spec.at("template", "spec", "requirements").items())
    machines = sorted(machines_of(requirements, instance_types()), key=lambda one: _usd(one, prices))
    if not machines:
        raise NotGiven("no instance type that we know meets its requirements")
    ways = [
        value.text()
        for one in requirements
        if one.at("key").text() == _CAPACITY and one.at("operator").text() == "In"
        for value in one.at("values").items()
    ]
    annotations = inputs.at("metadata", "annotations").value
    name = inputs.at("metadata", "name")
    said = annotations if isinstance(annotations, Mapping) else {}
    called = item.name if name.unknown else name.text(item.name)
    return KarpenterPool(called, machines, ways, spec, said, frozenset(asked_in(requirements)))


def _usd(machine: InstanceType, prices: Prices) -> tuple[float, str]:
    try:
        return prices.instance(machine.name).usd, machine.name
    except NotPriceable:
        return math.inf, machine.name


def _node_pool(bill: Bill) -> None:
    pool = read(bill.item, bill.prices)
    count = size_of(bill.around, pool)
    disks = _disks(bill, pool)
    cheapest = pool.machines[0]
    reserved = [one.urn for one in reservations_of_pool(bill.around, bill.item)]
    stays = Nodes(
        pool.name, cheapest.name, Sizes(count.min, count.desired, 0), Purchase.RESERVED if reserved else pool.at_best,
        idle=_static(pool), disks=disks, may_stop=True, by_clock=False, reservation="".join(reserved[:1]),
    )  # fmt: skip
    nodes.charge(bill, stays)
    _lacking(bill, pool, reserved=bool(reserved))
    most = _dearest(pool, bill.prices)
    if most is None:
        bill.lack(
            f"nodes of {pool.name} at the largest size", "spec.limits is not given: nothing keeps it from growing",
            boundless=True,
        )  # fmt: skip
        return
    machine, number = most
    at_most = Nodes(
        pool.name, machine.name, Sizes(0, 0, number), pool.at_worst, idle=0, disks=disks, note=", all that limits allow"
    )
    nodes.charge(bill, at_most)


def _lacking(bill: Bill, pool: KarpenterPool, *, reserved: bool) -> None:
    """Says what the pool may launch beside machines that have a price.

    What AWS sells by reservation only comes to a pool that takes what is reserved, or asks for it by name.
    """
    for name in sorted(pool.asked - instance_types().keys()):
        bill.lack(f"nodes of {name}", f"{name} is no instance type that we know", undecided=True)
    if _usd(pool.machines[0], bill.prices)[0] == math.inf:
        return  # nothing of it has a price, which is said of its nodes
    for machine in pool.machines:
        number = _allowed(pool, machine)
        if number is not None and (reserved or "reserved" in pool.ways or machine.name in pool.asked):
            _priced(bill, pool, machine.name, number)


def _priced(bill: Bill, pool: KarpenterPool, kind: str, most: float) -> None:
    try:
        bill.prices.instance(kind)
    except NoPrice as error:
        hours = Sizes(0, 0, most).times(HOURS_A_MONTH)
        bill.lack(f"nodes of {kind}", str(error), machines=MachineHours(kind, hours, pool.name))


def size_of(around: Surroundings, pool: KarpenterPool) -> Sizes:
    """How many nodes of the cheapest machine there are at the least and as a rule, and the most that limits allow."""
    static = _static(pool)
    low = max(static, _annotated(pool, _MIN))
    declared = max(low, _annotated(pool, _DESIRED), needed_nodes(around, pool.name, pool.spec, pool.machines))
    allowed = _allowed(pool, pool.machines[0])
    if allowed is None:
        return Sizes(low, declared, declared)
    return Sizes(min(low, allowed), min(declared, allowed), allowed)


def nodes_of(around: Surroundings, item: Item, prices: Prices) -> Sizes:
    """The size of the pool that ``item`` declares, of the machine that is the cheapest by ``prices``."""
    return size_of(around, read(item, prices))


def reservations_of_pool(around: Surroundings, item: Item) -> list[Item]:
    """The capacity reservations of the program that a NodePool may take its nodes from."""
    found = _class_of(around, item)
    if found is None:
        return []
    terms = Inputs(found.properties).at("spec", "capacityReservationSelectorTerms")
    ids = [UNKNOWN] if terms.unknown else [term.at("id").value for term in terms.items()]
    return around.referred(found, "spec", RESERVATION, *ids) if ids else []


def _static(pool: KarpenterPool) -> float:
    return pool.spec.at("replicas").number(0)


def _annotated(pool: KarpenterPool, name: str) -> float:
    return Inputs(pool.annotations, "metadata.annotations").at(name).number(0)


def _allowed(pool: KarpenterPool, machine: InstanceType) -> float | None:
    """How many of ``machine`` the limits allow; None where they don't bound it."""
    has = {
        "cpu": Fraction(machine.vcpu),
        "memory": Fraction(machine.memory_gib) * GIB,
        _GPU: Fraction(machine.gpu_count),
    }
    most = [
        float(limit.quantity() // (1 if key == "nodes" else has[key]))
        for key, limit in pool.spec.at("limits").entries()
        if key == "nodes" or has.get(key)
    ]
    return min(most, default=None)


def _dearest(pool: KarpenterPool, prices: Prices) -> tuple[InstanceType, float] | None:
    """The machine of which the limits allow the dearest number, and that number."""
    able = [(machine, _allowed(pool, machine)) for machine in pool.machines]
    bounded = [(machine, number) for machine, number in able if number is not None]
    if len(bounded) < len(able):
        return None
    priced = [(machine, number) for machine, number in bounded if _usd(machine, prices)[0] < math.inf]
    return max(priced or bounded, key=lambda one: one[1] * _usd(one[0], prices)[0] if priced else one[1])


def _disks(bill: Bill, pool: KarpenterPool) -> Sequence[Disk]:
    found = _class_of(bill.around, bill.item)
    if found is None:
        bill.lack(f"volumes of {pool.name}", "its EC2NodeClass is not declared here")
        return []
    return nodes.disks_of(Inputs(found.properties).at("spec", "blockDeviceMappings"), kubernetes=True) or [
        DISK_OF_IMAGE
    ]


def _class_of(around: Surroundings, item: Item) -> Item | None:
    wanted = Inputs(item.properties).at("spec", "template", "spec", "nodeClassRef", "name").value
    for one in around.of(*_CLASSES):
        if Inputs(one.properties).at("metadata", "name").value == wanted and wanted is not UNKNOWN:
            return one
    return None


PARTS: Parts = {type_: [_node_pool] for type_ in NODE_POOLS}
