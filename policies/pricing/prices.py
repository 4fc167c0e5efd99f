"""Prices of one region, each with its source and date: tables that are shipped, or read from AWS's price list.

A table is CSV: ``service,item,unit,usd,verified,source``; an item of service ``ec2`` is an instance type by the hour.

NoPrice            nothing has a price for it: the message says whether that is so everywhere, or for want of a table
MalformedPrices    a table is not what it has to be; the message says file, line and what was expected
"""

from __future__ import annotations

import csv
import functools
import math
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from components import instance_types
from policies.pricing.model import Price
from policies.pricing.reading import NotPriceable

COLUMNS: Final = ("service", "item", "unit", "usd", "verified", "source")
SHIPPED: Final = "us-east-1"
EC2: Final = "ec2"
FOLDER_VARIABLE: Final = "BEDPLATE_PRICES"
_FOLDER: Final = Path(".bedplate") / "prices"
_TABLES: Final = (Path(__file__).parent / "data" / "services_us_east_1.csv",
                  Path(__file__).parent / "data" / "further_services_us_east_1.csv")  # fmt: skip
# Source: components/data/README.md: the AWS price list as Karpenter's AWS provider generated it that day.
_EC2_SOURCE, _EC2_DATE = "AWS price list through Karpenter", "2026-07-20"
_DATE: Final = re.compile(r"\d{4}-\d{2}(?:-\d{2})?|\b\d{8}\b")
UNDATED: Final = "undated"
_AGREED: Final = "agreed, as the settings say (bedplate:cost.prices)"  # of what holds now, there is no date


class NoPrice(NotPriceable):
    """There is no figure; the message says why."""


class MalformedPrices(ValueError):
    """A price table that can't be read."""


@dataclass(frozen=True)
class Prices:
    """The prices of ``region``, by service and item. ``unsold`` are instance types that are sold by reservation only.

    ``origin`` is where they are from; where there are none at all, how to get some. ``agreed`` are prices of instance
    types that were agreed with AWS, and stand for those of the table.
    """

    region: str
    table: Mapping[tuple[str, str], Price]
    unsold: frozenset[str] = frozenset()
    origin: str = "shipped"
    agreed: Mapping[str, Price] = field(default_factory=dict[str, Price])

    def agreeing(self, usd: Mapping[str, float]) -> Prices:
        """These prices with those that were agreed (USD an hour by instance type)."""
        found = {name: Price(EC2, name, "hour", hour, self.region, _AGREED, "") for name, hour in usd.items()}
        return replace(self, agreed=found) if found else self

    def find(self, service: str, item: str) -> Price:
        """The price of ``item``. Raises NoPrice."""
        price = self.table.get((service, item))
        if price is not None:
            return price
        if not self.table:
            raise NoPrice(f"there are no prices for {self.region}; {self.origin}")
        raise NoPrice(f"no price is known for {service}: {item}")

    def instance(self, name: str) -> Price:
        """An hour of an instance type: as agreed, else Linux on demand. Raises NoPrice."""
        price = self.agreed.get(name) or self.table.get((EC2, name))
        if price is not None:
            return price
        if name in self.unsold:
            raise NoPrice(f"no on-demand price: AWS sells {name} by reservation or Capacity Block only")
        if not self.table:
            raise NoPrice(f"there are no prices for {self.region}; {self.origin}")
        raise NoPrice(f"no price is known for instance type {name}")


def prices_of(region: str = SHIPPED, folder: Path | None = None) -> Prices:
    """The prices of ``region``: from the cache of AWS's price list, else those that are shipped, else none.

    Raises MalformedPrices where the cache can't be read.
    """
    cached = (folder or cache_folder()) / f"{region}.csv"
    if cached.is_file():
        own = read(cached, region)
        # Not everything that is shipped can be read from the price list.
        return own if region != SHIPPED else Prices(region, {**shipped().table, **own.table}, own.unsold, own.origin)
    if region == SHIPPED:
        return shipped()
    return Prices(region, {}, origin="`bedplate cost --fetch-prices` reads them from AWS, with credentials")


def cache_folder() -> Path:
    """Where prices that were read from AWS lie: ``BEDPLATE_PRICES``, else below the folder that we run in.

    Or below one of those that hold it, where there are prices already: a policy pack runs in its own folder.
    """
    given = os.environ.get(FOLDER_VARIABLE)
    if given:
        return Path(given)
    here = Path.cwd()
    return next((one / _FOLDER for one in (here, *here.parents) if (one / _FOLDER).is_dir()), _FOLDER)


@functools.cache
def shipped() -> Prices:
    """The tables of us-east-1 that are part of this package."""
    table = {(price.service, price.item): price for path in _TABLES for price in _rows(path, SHIPPED)}
    types = instance_types.instance_types()
    for kind in types.values():
        if kind.usd_per_hour is not None:
            key = (EC2, kind.name)
            table[key] = Price(*key, "hour", kind.usd_per_hour, SHIPPED, _EC2_SOURCE, _EC2_DATE)
    unsold = frozenset(kind.name for kind in types.values() if kind.usd_per_hour is None)
    return Prices(SHIPPED, table, unsold)


def read(path: Path, region: str) -> Prices:
    """The table in ``path``. Raises MalformedPrices."""
    table = {(price.service, price.item): price for price in _rows(path, region)}
    types = instance_types.instance_types()
    unsold = frozenset(name for name, kind in types.items() if kind.usd_per_hour is None and (EC2, name) not in table)
    return Prices(region, table, unsold, origin=str(path))


def _rows(path: Path, region: str) -> Iterator[Price]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise MalformedPrices(f"{path}: can't be read as a price table: {error}") from error
    lines = csv.DictReader(text.splitlines())
    if tuple(lines.fieldnames or ()) != COLUMNS:
        found = ",".join(lines.fieldnames or ()) or "nothing"
        raise MalformedPrices(f"{path}:1: expected the columns {','.join(COLUMNS)}, found {found}")
    return _prices(path, region, lines)


def _prices(path: Path, region: str, lines: Iterable[dict[str, str]]) -> Iterator[Price]:
    for number, row in enumerate(lines, start=2):
        place = f"{path}:{number}"
        if len(row) != len(COLUMNS) or not all(row[column] for column in COLUMNS):
            raise MalformedPrices(f"{place}: expected {len(COLUMNS)} values, found {list(row.values())}")
        if row["verified"] not in ("yes", "no"):
            raise MalformedPrices(f"{place}: verified is yes or no, found {row['verified']!r}")
        source = row["source"]
        date = _DATE.search(source)
        yield Price(
            row["service"], row["item"], row["unit"], _usd(place, row["usd"]), region, source,
            date[0] if date else UNDATED, verified=row["verified"] == "yes",
        )  # fmt: skip


def _usd(place: str, text: str) -> float:
    try:
        usd = float(text)
    except ValueError:
        usd = math.nan
    if not (math.isfinite(usd) and usd > 0):
        raise MalformedPrices(f"{place}: expected a price above 0 in USD, found {text!r}")
    return usd
