"""Capacity reservations: what is reserved costs as much as what runs; what runs in one pays for itself."""

from __future__ import annotations

from collections.abc import Iterator

from policies.pricing.bill import Bill, Parts
from policies.pricing.karpenter import NODE_POOLS, nodes_of, reservations_of_pool
from policies.pricing.model import HOURS_A_MONTH, SIZES, Purchase, Sizes
from policies.pricing.pools import GROUP, NODE_GROUP, RESERVATION, on_demand_kind, reservations_of, size_of
from policies.pricing.prices import NoPrice


def _reservation(bill: Bill) -> None:
    """Charges what of a reservation no pool of the program uses.

    Source: EC2 User Guide, "Capacity Reservation pricing and billing", 2026-11: at the on-demand rate, whether its
    instances run or not, and those that run are not billed twice.
    """
    inputs = bill.inputs
    kind, reserved = inputs.at("instanceType").text(), inputs.at("instanceCount").number()
    try:
        price = bill.prices.instance(kind)
    except NoPrice as error:
        bill.lack(f"{reserved:g} × {kind} reserved", str(error))
        return
    used = Sizes.same(0)
    for one in _users(bill):
        used = used.plus(one)
    unused = Sizes(*(max(reserved - used.at(size), 0.0) for size in SIZES))
    bill.add(
        price, unused.times(HOURS_A_MONTH),
        f"({reserved:g} reserved − {min(used.desired, reserved):g} in use) × {HOURS_A_MONTH:g} h",
        idle=unused.min * HOURS_A_MONTH, what=f"{kind} reserved, not in use", purchase=Purchase.RESERVED,
    )  # fmt: skip


def _users(bill: Bill) -> Iterator[Sizes]:
    """How many nodes each pool has that runs in the reservation: it names it, or it is open to all of its type."""
    around = bill.around
    is_open = bill.inputs.at("instanceMatchCriteria").text("open") == "open"
    kind = bill.inputs.at("instanceType").text()
    for item in (*around.of(NODE_GROUP), *around.of(GROUP)):
        if bill.item in reservations_of(around, item) or (is_open and on_demand_kind(around, item) == kind):
            yield size_of(item)
    for item in around.of(*NODE_POOLS):
        if bill.item in reservations_of_pool(around, item):
            yield nodes_of(around, item)


PARTS: Parts = {RESERVATION: [_reservation]}
