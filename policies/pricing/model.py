"""What pricing works on and what it finds: resources as plain values in, lines with their sources out."""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

HOURS_A_MONTH: Final = 730.0  # Source: what AWS's own calculator takes a month for; shared/data/README.md, 2026-08
Size: TypeAlias = Literal["min", "desired", "max"]


class Unknown:
    """A value that only the apply will know: never free of cost. There is one, ``UNKNOWN``; compare with ``is``."""

    _instance: Unknown | None = None

    def __new__(cls) -> Unknown:
        if cls._instance is None:
            cls._instance = super().__new__(cls)
        return cls._instance

    def __repr__(self) -> str:
        return "UNKNOWN"

    def __bool__(self) -> bool:
        raise TypeError("an unknown value has no truth; compare with `is UNKNOWN`")


UNKNOWN: Final = Unknown()


@dataclass(frozen=True)
class Item:
    """A declared resource: ``properties`` are its inputs as plain JSON, what isn't known yet as ``UNKNOWN``.

    ``dependencies`` names, by property, the URNs that the value comes from: by it a node group finds its launch
    template before either exists. Without it, equal ids and a common parent have to do. ``provider`` is the URN of the
    one that makes it, which says where.
    """

    urn: str
    type: str
    name: str
    properties: Mapping[str, object]
    parent: str = ""
    dependencies: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    provider: str = ""


@dataclass(frozen=True)
class Sizes:
    """One quantity with the node pools at their smallest, at their desired and at their largest size."""

    min: float
    desired: float
    max: float

    @classmethod
    def same(cls, value: float) -> Sizes:
        return cls(value, value, value)

    def at(self, size: Size) -> float:
        return {"min": self.min, "desired": self.desired, "max": self.max}[size]

    def times(self, factor: float) -> Sizes:
        return Sizes(self.min * factor, self.desired * factor, self.max * factor)

    def plus(self, other: Sizes) -> Sizes:
        return Sizes(self.min + other.min, self.desired + other.desired, self.max + other.max)


@dataclass(frozen=True)
class Price:
    """USD for one ``unit`` of ``item`` in ``region``, who says so, and as of which day (as the source writes it)."""

    service: str
    item: str
    unit: str
    usd: float
    region: str
    source: str
    date: str
    verified: bool = True


class Purchase(enum.StrEnum):
    """How something is bought."""

    ON_DEMAND = "on-demand"
    SPOT = "spot"
    RESERVED = "reserved"


class Basis(enum.StrEnum):
    """Where a quantity comes from: the declaration, the usage file, or a default that nobody has confirmed."""

    DECLARED = "declared"
    USAGE = "usage"
    ASSUMED = "assumed"


@dataclass(frozen=True)
class Origin:
    """The resource that a line is about, and who it belongs to. ``component`` is that of the program, or ''."""

    urn: str
    type: str
    name: str
    component: str
    team: str
    tags: Mapping[str, str]
    region: str


@dataclass(frozen=True)
class CostLine:
    """One thing that is paid for. ``quantity`` is in ``price.unit`` a month; ``idle`` is the part that stays when
    nothing runs: pools at their smallest, no traffic, data still stored.

    ``factor`` is what spot makes of the list price, ``factor_source`` who says so. ``working``
    tells how the desired quantity comes about. ``gpus`` is the number in one node, where the line is of nodes;
    ``reservation`` is the URN of the capacity reservation that they run in, or that nothing runs in.
    """

    origin: Origin
    what: str
    price: Price
    quantity: Sizes
    idle: float
    working: str
    basis: Basis = Basis.DECLARED
    purchase: Purchase = Purchase.ON_DEMAND
    factor: float = 1.0
    factor_source: str = ""
    gpus: int = 0
    pool: str = ""
    reservation: str = ""

    @property
    def unit_price(self) -> float:
        """USD a unit, as it will be billed."""
        return self.price.usd * self.factor

    @property
    def monthly(self) -> Sizes:
        """USD a month."""
        return self.quantity.times(self.unit_price)

    @property
    def idle_monthly(self) -> float:
        """USD a month when nothing runs."""
        return self.idle * self.unit_price

    @property
    def source(self) -> str:
        """Who says what it costs, and as of when."""
        said = (
            f"{self.price.source}"
            if self.price.date in self.price.source
            else f"{self.price.source}, {self.price.date}"
        )
        return f"{said}; {self.factor_source}" if self.factor_source else said


@dataclass(frozen=True)
class MachineHours:
    """Hours a month of instances of type ``kind``; ``pool`` is the name of theirs, '' where they are in none."""

    kind: str
    hours: Sizes
    pool: str = ""


@dataclass(frozen=True)
class Unpriced:
    """Something that costs, or may cost, and for which no figure is given: it is in no total.

    ``undecided`` where that is for want of a value: it is not known yet, or not of the kind that it has to be.
    ``boundless`` where there is no largest size that could have a price. ``machines`` where it is machines that have no
    price: what is paid for by the hour and dear, so that no limit is kept without it.
    """

    origin: Origin
    what: str
    reason: str
    undecided: bool = False
    boundless: bool = False
    machines: MachineHours | None = None


@dataclass(frozen=True)
class Saving:
    """What buying or running a pool in another way saves a month at its desired size, in USD.

    ``kind`` is ``spot`` or ``schedule``; ``done`` where it is declared already and the totals have it.
    """

    origin: Origin
    pool: str
    kind: str
    usd: float
    done: bool
    how: str


@dataclass(frozen=True)
class Estimate:
    """What the declared resources cost a month, in USD.

    ``lines`` are what has a price, ``unpriced`` what has none and so is in no figure; ``region`` is where.
    """

    lines: Sequence[CostLine]
    unpriced: Sequence[Unpriced] = ()
    savings: Sequence[Saving] = ()
    environment: str = ""
    region: str = ""

    @property
    def monthly(self) -> Sizes:
        """USD a month with pools at their smallest, desired and largest size."""
        return total(self.lines)

    def at(self, size: Size) -> float:
        return self.monthly.at(size)

    @property
    def idle(self) -> float:
        """USD a month when nothing runs."""
        return math.fsum(line.idle_monthly for line in self.lines)

    @property
    def gpu_hours(self) -> Sizes:
        """Hours of whole GPUs a month."""
        having = [line for line in self.lines if line.gpus]
        return Sizes(*(math.fsum(line.quantity.at(size) * line.gpus for line in having) for size in SIZES))

    @property
    def usd_per_gpu_hour(self) -> float | None:
        """What an hour of one GPU costs on the average at the desired size: the nodes, without what is around them."""
        nodes, hours = math.fsum(line.monthly.desired for line in self.lines if line.gpus), self.gpu_hours.desired
        return nodes / hours if hours else None

    def by_component(self) -> Mapping[str, Sizes]:
        return self.by(lambda line: line.origin.component)

    def by_team(self) -> Mapping[str, Sizes]:
        return self.by(lambda line: line.origin.team)

    def by_service(self) -> Mapping[str, Sizes]:
        return self.by(lambda line: line.price.service)

    def by(self, key: Callable[[CostLine], str]) -> Mapping[str, Sizes]:
        """USD a month of the lines that have the same ``key``, the dearest first."""
        groups: dict[str, list[CostLine]] = {}
        for line in self.lines:
            groups.setdefault(key(line), []).append(line)
        found = {name: total(lines) for name, lines in groups.items()}
        return dict(sorted(found.items(), key=lambda one: (-one[1].desired, -one[1].max, one[0])))


SIZES: Final[tuple[Size, Size, Size]] = ("min", "desired", "max")


def total(lines: Iterable[CostLine]) -> Sizes:
    """USD a month of ``lines`` together."""
    found = [line.monthly for line in lines]
    return Sizes(*(math.fsum(one.at(size) for one in found) for size in SIZES))
