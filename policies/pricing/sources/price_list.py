"""The AWS Price List: a region's prices, read once into a table beside the project.

What is asked for is data (``data/price_list.csv``): of which service, family and usage type each of our items is, and
how much of AWS's unit is in one of ours. Instances, databases and SageMaker hosts are asked for as a whole. A usage
type begins with a region's short name (``EUW1-NatGateway-Hours``) or its own (``us-east-1-KMS-Keys``), save in the
oldest regions.

Source: AWS Price List Query API reference, GetProducts.
"""

from __future__ import annotations

import csv
import json
import math
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from policies.pricing.prices import COLUMNS, EC2, cache_folder
from policies.pricing.sources.errors import NoAnswer, asking, client

_ITEMS: Final = Path(__file__).parents[1] / "data" / "price_list.csv"
_WHOM: Final = "AWS Price List"
_ENDPOINT_REGION: Final = "us-east-1"  # one of the three in which the service answers
_SHORT_NAME: Final = re.compile(r"^(?:[A-Z]{2,4}\d?|[a-z]{2}(?:-[a-z]+)+-\d)-")
_LINUX: Final = {
    "operatingSystem": "Linux", "tenancy": "Shared", "preInstalledSw": "NA", "capacitystatus": "Used",
    "marketoption": "OnDemand",
}  # fmt: skip
_ENGINES: Final = ("PostgreSQL", "MySQL")
_ZONES: Final = {"Single-AZ": "single-AZ", "Multi-AZ": "Multi-AZ"}
_INSTANCES: Final = ("InstanceUsage:", "Multi-AZUsage:")  # others are of I/O-optimized or extended-support databases
_HOST: Final = re.compile(r"Host:(ml\.[a-z0-9-]+\.[a-z0-9]+)")
_PAGES: Final = 500  # more of them is an answer that goes in circles


@dataclass(frozen=True)
class Row:
    """A line of a price table."""

    service: str
    item: str
    unit: str
    usd: float


@dataclass(frozen=True)
class Product:
    """What AWS sells: its attributes, and USD for one of its units beyond what is free."""

    attributes: Mapping[str, str]
    usd: float

    @property
    def usage(self) -> str:
        return _SHORT_NAME.sub("", self.attributes.get("usagetype", ""))


def fetch(region: str, today: date, folder: Path | None = None) -> Path:
    """Read the prices of ``region`` into the cache; returns the table's path. Raises NotAllowed and NoAnswer.

    Nothing is written before everything has been read.
    """
    with asking(_WHOM, "pricing:GetProducts"):
        pricing = client("pricing", _ENDPOINT_REGION)
        ask: Callable[[str, Mapping[str, str]], list[Product]] = lambda code, filters: list(  # noqa: E731
            _products(pricing, code, {"regionCode": region, **filters})
        )
        rows = [*_instances(ask), *_items(ask), *_databases(ask), *_hosts(ask)]
    if not any(row.service == EC2 for row in rows):
        raise NoAnswer(f"{_WHOM}: it has no instances in {region}: is that a region?")
    return _written(rows, (folder or cache_folder()) / f"{region}.csv", f"AWS Price List, read {today.isoformat()}")


_Ask = Callable[[str, Mapping[str, str]], list[Product]]


def _instances(ask: _Ask) -> Iterator[Row]:
    found: dict[str, float] = {}
    for product in ask("AmazonEC2", {"productFamily": "Compute Instance", **_LINUX}):
        name = product.attributes.get("instanceType", "")
        if name and product.usage.startswith("BoxUsage"):
            found[name] = product.usd
    yield from (Row(EC2, name, "hour", usd) for name, usd in sorted(found.items()))


def _items(ask: _Ask) -> Iterator[Row]:
    """The items of the table; those of one family are asked for together."""
    with _ITEMS.open(encoding="utf-8", newline="") as lines:
        wanted = list(csv.DictReader(lines))
    known: dict[tuple[str, str], list[Product]] = {}
    for row in wanted:
        key = row["code"], row["family"]
        if key not in known:
            known[key] = ask(row["code"], {"productFamily": row["family"]} if row["family"] else {})
        for product in known[key]:
            if product.usage == row["usage_type"]:
                yield Row(row["service"], row["item"], row["unit"], product.usd * float(row["times"]))
                break


def _databases(ask: _Ask) -> Iterator[Row]:
    found: dict[str, float] = {}
    for engine in _ENGINES:
        for product in ask("AmazonRDS", {"productFamily": "Database Instance", "databaseEngine": engine}):
            kind, zones = product.attributes.get("instanceType"), product.attributes.get("deploymentOption", "")
            if kind and zones in _ZONES and product.usage.startswith(_INSTANCES):
                found[f"{engine} {kind} {_ZONES[zones]}"] = product.usd
    yield from (Row("rds", item, "hour", usd) for item, usd in sorted(found.items()))


def _hosts(ask: _Ask) -> Iterator[Row]:
    found: dict[str, float] = {}
    for product in ask("AmazonSageMaker", {"productFamily": "ML Instance"}):
        match = _HOST.fullmatch(product.usage)
        if match:
            found[f"{match[1]} hosting"] = product.usd
    yield from (Row("sagemaker", item, "hour", usd) for item, usd in sorted(found.items()))


# The API


def _products(pricing: Any, code: str, filters: Mapping[str, str]) -> Iterator[Product]:
    """All pages of GetProducts, read."""
    request: dict[str, Any] = {
        "ServiceCode": code,
        "Filters": [{"Type": "TERM_MATCH", "Field": field, "Value": value} for field, value in filters.items()],
        "FormatVersion": "aws_v1",
        "MaxResults": 100,
    }
    for _ in range(_PAGES):
        answer = pricing.get_products(**request)
        for text in answer.get("PriceList", []):
            product = _product(text)
            if product is not None:
                yield product
        token = answer.get("NextToken")
        if not token:
            return
        request["NextToken"] = token
    raise NoAnswer(f"{_WHOM}: its answer for {code} has no end")


def _product(text: str) -> Product | None:
    """One product; None where it is sold only for nothing, or in another currency. Raises NoAnswer."""
    try:
        content = json.loads(text)
        attributes = content["product"]["attributes"]
        offers = content.get("terms", {}).get("OnDemand", {}).values()
        tiers = [tier for offer in offers for tier in offer["priceDimensions"].values()]
        priced = [(float(tier.get("beginRange", 0)), float(tier["pricePerUnit"]["USD"])) for tier in tiers
                  if "USD" in tier["pricePerUnit"]]  # fmt: skip
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise NoAnswer(f"{_WHOM}: expected a product with its price, found {text[:80]!r}") from error
    paid = sorted((begin, usd) for begin, usd in priced if math.isfinite(usd) and usd > 0)
    return Product(attributes, paid[0][1]) if paid else None


# The table


def _written(rows: Iterable[Row], path: Path, source: str) -> Path:
    """Write the table in one step: whoever reads it meanwhile has the one before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("w", encoding="utf-8", newline="") as lines:
            table = csv.writer(lines, lineterminator="\n")
            table.writerow(COLUMNS)
            for row in rows:
                table.writerow([row.service, row.item, row.unit, f"{row.usd:.10g}", "yes", source])
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return path
