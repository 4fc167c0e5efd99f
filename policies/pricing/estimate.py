"""The estimate: what every declared resource costs a month, and what of it has no figure and why."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final

from policies.pricing import (
    cluster,
    databases,
    hosting,
    karpenter,
    network,
    pools,
    reservations,
    services,
    storage,
)  # fmt: skip
from policies.pricing.around import Surroundings
from policies.pricing.bill import Bill, Parts
from policies.pricing.free import reason_against
from policies.pricing.model import Estimate, Item
from policies.pricing.prices import SHIPPED, Prices, prices_of
from policies.pricing.reading import NotGiven, NotKnown, NotPriceable, NotReadable
from policies.pricing.usage import Usage

_MODULES: Final = (cluster, databases, hosting, karpenter, network, pools, reservations, services, storage)
PARTS: Final[Parts] = dict(itertools.chain.from_iterable(module.PARTS.items() for module in _MODULES))


def estimate(
    items: Iterable[Item],
    prices: Prices | None = None,
    usage: Usage | None = None,
    *,
    environment: str = "",
    region: str = "",
    today: date | None = None,
    agreed: Mapping[str, float] | None = None,
) -> Estimate:
    """What ``items`` cost a month in USD, with node pools at their smallest, desired and largest size.

    ``prices`` None: those of the region that the program's AWS provider names (``region`` where it names none).
    ``today`` decides which versions are out of support; ``agreed`` is USD an hour of instance types, which stands for
    the list price. Raises MalformedPrices where a cached table can't be read.
    """
    around = Surroundings.of_items(items, region)
    start, used, day = prices or prices_of(around.home or SHIPPED), usage or Usage(), today or date.today()
    own = agreed or {}
    tables = dict.fromkeys(("", start.region), start.agreeing(own))
    bills: list[Bill] = []
    for item in around.items.values():
        origin = around.origin(item)
        if origin.region not in tables:
            tables[origin.region] = prices_of(origin.region).agreeing(own)
        bill = Bill(item, origin, tables[origin.region], used, around, day)
        _fill(bill)
        bills.append(bill)
    return Estimate(
        [line for bill in bills for line in bill.lines],
        sorted((one for bill in bills for one in bill.unpriced), key=lambda one: one.what),  # plans differ in order
        [one for bill in bills for one in bill.savings],
        environment or _environment(around),
        around.home or start.region,
    )


def _fill(bill: Bill) -> None:
    """Let every part of the resource charge; one that can't be priced does not keep the others from it."""
    parts = PARTS.get(bill.item.type)
    if parts is None:
        reason = reason_against(bill.item.type)
        if reason:
            bill.lack(bill.item.name, reason)
        return
    for part in parts:
        try:
            part(bill)
        except NotPriceable as error:
            bill.lack(bill.item.name, str(error), undecided=isinstance(error, (NotGiven, NotKnown, NotReadable)))


def _environment(around: Surroundings) -> str:
    """The stack's name, as every URN has it."""
    urn = next(iter(around.items), "")
    return urn.split("::", 1)[0].rpartition(":")[2] if urn.startswith("urn:pulumi:") else ""
