"""The bill of one resource: what its parts charge, and what of it has no price."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TypeAlias

from policies.pricing.around import Surroundings
from policies.pricing.model import (
    Basis,
    CostLine,
    Item,
    MachineHours,
    Origin,
    Price,
    Purchase,
    Saving,
    Sizes,
    Unpriced,
)  # fmt: skip
from policies.pricing.prices import NoPrice, Prices
from policies.pricing.reading import Inputs
from policies.pricing.usage import Usage, Used


@dataclass
class Bill:
    """What one resource costs, as it is being found out."""

    item: Item
    origin: Origin
    prices: Prices
    usage: Usage
    around: Surroundings
    today: date
    lines: list[CostLine] = field(default_factory=list[CostLine])
    unpriced: list[Unpriced] = field(default_factory=list[Unpriced])
    savings: list[Saving] = field(default_factory=list[Saving])

    @property
    def inputs(self) -> Inputs:
        return Inputs(self.item.properties)

    def charge(
        self,
        service: str,
        item: str,
        quantity: Sizes | float,
        working: str,
        *,
        idle: float | None = None,
        what: str = "",
    ) -> None:
        """Add a line, or say that there is no price. ``idle`` is the smallest quantity where nothing else is said."""
        try:
            price = self.prices.find(service, item)
        except NoPrice as error:
            self.lack(what or item, str(error))
            return
        sizes = quantity if isinstance(quantity, Sizes) else Sizes.same(quantity)
        self.add(price, sizes, working, idle=sizes.min if idle is None else idle, what=what)

    def add(
        self,
        price: Price,
        quantity: Sizes,
        working: str,
        *,
        idle: float,
        what: str = "",
        purchase: Purchase = Purchase.ON_DEMAND,
        factor: tuple[float, str] = (1.0, ""),
        gpus: int = 0,
        pool: str = "",
        reservation: str = "",
        basis: Basis = Basis.DECLARED,
    ) -> None:
        """Add a line of which the price is known."""
        self.lines.append(
            CostLine(
                self.origin, what or price.item, price, quantity, idle, working, basis, purchase, factor[0], factor[1],
                gpus, pool, reservation,
            )
        )  # fmt: skip

    def by_use(self, key: str, service: str, item: str, *, per: float = 1.0, times: float = 1.0) -> None:
        """Charge what the usage file says, or what is assumed; a price is for ``per`` of it."""
        used = self.usage.of_item(self.item, key)
        try:
            price = self.prices.find(service, item)
        except NoPrice as error:
            self.lack(f"{item} ({used.measure.about})", str(error))
            return
        quantity = used.amount * times / per
        idle = quantity if used.measure.stays else 0.0
        self.add(price, Sizes.same(quantity), _of_use(used, per, times), idle=idle, basis=used.basis)

    def by_transfer(self, key: str, item: str) -> None:
        """Charge data transfer that the usage file gives; what nobody gives is listed, for nobody can assume it."""
        used = self.usage.of_item(self.item, key)
        if used.basis is Basis.ASSUMED:
            self.lack(f"data transfer {item}", f"how much goes {item} is not declared: a usage file may say ({key})")
        else:
            self.by_use(key, "transfer", item)

    def lack(
        self,
        what: str,
        reason: str,
        *,
        undecided: bool = False,
        boundless: bool = False,
        machines: MachineHours | None = None,
    ) -> None:
        """Say that something has no figure, and why."""
        self.unpriced.append(Unpriced(self.origin, what, reason, undecided, boundless, machines))


Part: TypeAlias = Callable[[Bill], None]
Parts: TypeAlias = Mapping[str, Sequence[Part]]


def _of_use(used: Used, per: float, times: float) -> str:
    said = f"{used.amount:,.12g} {used.measure.unit}"
    if times != 1:
        said += f" × {times:g}"
    return f"{said} / {per:,.12g}" if per != 1 else said
