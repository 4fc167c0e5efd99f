"""Capacity reservations: what is reserved costs as much as what runs; what runs in one pays for itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from policies.pricing.bill import Bill, Parts
from policies.pricing.karpenter import NODE_POOLS, nodes_of, reservations_of_pool
from policies.pricing.model import HOURS_A_MONTH, SIZES, Item, MachineHours, Purchase, Sizes
from policies.pricing.pools import GROUP, NODE_GROUP, RESERVATION, on_demand_kind, reservations_of, size_of
from policies.pricing.prices import NoPrice
from policies.pricing.reading import Inputs, NotGiven


def _reservation(bill: Bill) -> None:
    """Charges what of a reservation no pool of the program uses.

    Source: EC2 User Guide, "Capacity Reservation pricing and billing", 2026-11: at the on-demand rate, whether its
    instances run or not, and those that run are not billed twice.
    """
    inputs = bill.inputs
    kind, reserved = inputs.at("instanceType").text(), inputs.at("instanceCount").number()
    used = _used(bill, kind)
    hours = Sizes(*(max(reserved - used.at(size), 0.0) for size in SIZES)).times(HOURS_A_MONTH)
    try:
        price = bill.prices.instance(kind)
    except NoPrice as error:
        bill.lack(f"{reserved:g} × {kind} reserved", str(error), machines=MachineHours(kind, hours))
        return
    bill.add(
        price, hours,
        f"({reserved:g} reserved − {min(used.desired, reserved):g} in use) × {HOURS_A_MONTH:g} h",
        idle=hours.min, what=f"{kind} reserved, not in use", purchase=Purchase.RESERVED,
        reservation=bill.item.urn,
    )  # fmt: skip


def _used(bill: Bill, kind: str) -> Sizes:
    """How many nodes run in the reservation: of the pools that name it, and if it is open, of those of its type.

    Nodes run in one reservation only: of several open ones, a later one has what the earlier ones leave over.
    """
    named = _sum(size_of(one) for one in _groups(bill) if bill.item in _named_by(bill, one))
    named = named.plus(
        _sum(
            nodes_of(bill.around, one, bill.prices)
            for one in bill.around.of(*NODE_POOLS)
            if bill.item in reservations_of_pool(bill.around, one)
        )
    )
    return named.plus(_left_over(bill, kind)) if _is_open(bill.item) else named


def _left_over(bill: Bill, kind: str) -> Sizes:
    """The nodes of a type that name no reservation, without those that earlier open reservations take in."""
    around = bill.around
    free = _sum(
        size_of(one)
        for one in _groups(bill)
        if on_demand_kind(around, one) == kind and not reservations_of(around, one)
    )
    earlier = 0.0
    for one in around.of(RESERVATION):
        if one is bill.item:
            break
        inputs = Inputs(one.properties)
        if _is_open(one) and inputs.at("instanceType").text() == kind:
            earlier += inputs.at("instanceCount").number()
    return Sizes(*(max(free.at(size) - earlier, 0.0) for size in SIZES))


def _named_by(bill: Bill, group: Item) -> list[Item]:
    """The reservations that a group names, as far as its launch template is declared here."""
    try:
        return reservations_of(bill.around, group)
    except NotGiven:
        return []


def _groups(bill: Bill) -> Iterator[Item]:
    yield from bill.around.of(NODE_GROUP, GROUP)


def _is_open(reservation: Item) -> bool:
    return Inputs(reservation.properties).at("instanceMatchCriteria").text("open") == "open"


def _sum(sizes: Iterable[Sizes]) -> Sizes:
    total = Sizes.same(0)
    for one in sizes:
        total = total.plus(one)
    return total


PARTS: Parts = {RESERVATION: [_reservation]}
