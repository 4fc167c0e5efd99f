"""What an environment costs as JSON: charges in FOCUS's vocabulary, and what FOCUS has no columns for beside them.

FOCUS 1.2 (FinOps Open Cost and Usage Specification): its column names, allowed values and unit format. Each charge is
what a resource is expected to cost in one month at the desired size of the pools. Columns that begin with ``x_`` are
ours, as the specification asks of what it does not define.
"""

from __future__ import annotations

import json
from datetime import date
from typing import Any, Final

from cli.screen import VERSION
from cli.views import cost_line
from policies.pricing import CostLine, Estimate, Purchase
from policies.pricing.compare import Comparison
from policies.pricing.names import service
from policies.pricing.pool_costs import PoolCost, pool_costs

FOCUS: Final = "1.2"
_PROVIDER: Final = "AWS"
# Our tables' units by FOCUS's unit format: plural, capitalised, "GB-Months", "1000 Requests".
_UNITS: Final = {
    "hour": "Hours", "month": "Months", "GB": "GB", "GB-month": "GB-Months", "GB-second": "GB-Seconds",
    "IOPS-month": "IOPS-Months", "MBps-month": "MBps-Months", "metric-month": "Metric-Months", "DPU-hour": "DPU-Hours",
    "evaluation": "Evaluations",
}  # fmt: skip


def document(comparison: Comparison, today: date | None = None) -> dict[str, Any]:
    """The document of `bedplate cost`."""
    after = comparison.after
    start, end = _month(today or date.today())
    return {
        "version": VERSION,
        "command": "cost",
        "stack": after.environment,
        "focusVersion": FOCUS,
        "summary": cost_line.section(comparison),
        "pools": [_pool(one) for one in pool_costs(after)],
        "savings": _savings(after),
        "charges": [charge(line, after.environment, start, end) for line in after.lines],
    }


def _month(day: date) -> tuple[str, str]:
    """The month of ``day``, as FOCUS wants the bounds of periods: the end is no part of it."""
    first = day.replace(day=1)
    following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return f"{first}T00:00:00Z", f"{following}T00:00:00Z"


def charge(line: CostLine, environment: str, start: str, end: str) -> dict[str, Any]:
    """One line of an estimate as a row of a FOCUS dataset."""
    named = service(line.price.service)
    quantity, billed = line.quantity.desired, line.monthly.desired
    unused = line.reservation == line.origin.urn
    return {
        "BilledCost": round(billed, 6),
        "BillingAccountId": "estimate",
        "BillingAccountName": None,
        "BillingCurrency": cost_line.CURRENCY,
        "BillingPeriodEnd": end,
        "BillingPeriodStart": start,
        "CapacityReservationId": line.reservation or None,
        "CapacityReservationStatus": ("Unused" if unused else "Used") if line.reservation else None,
        "ChargeCategory": "Usage",
        "ChargeClass": None,
        "ChargeDescription": f"{line.what}: {line.working}",
        "ChargeFrequency": "Usage-Based",
        "ChargePeriodEnd": end,
        "ChargePeriodStart": start,
        "ConsumedQuantity": None if unused else round(quantity, 6),
        "ConsumedUnit": None if unused else unit(line.price.unit),
        "ContractedCost": round(billed, 6),
        "ContractedUnitPrice": line.unit_price,
        "EffectiveCost": round(billed, 6),
        "InvoiceIssuerName": _PROVIDER,
        "ListCost": round(quantity * line.price.usd, 6),
        "ListUnitPrice": line.price.usd,
        "PricingCategory": "Dynamic" if line.purchase is Purchase.SPOT else "Standard",
        "PricingQuantity": round(quantity, 6),
        "PricingUnit": unit(line.price.unit),
        "ProviderName": _PROVIDER,
        "PublisherName": _PROVIDER,
        "RegionId": line.price.region,
        "RegionName": None,
        "ResourceId": line.origin.urn,
        "ResourceName": line.origin.name,
        "ResourceType": line.origin.type,
        "ServiceCategory": named.category,
        "ServiceName": named.name,
        "ServiceSubcategory": named.subcategory,
        "SkuId": f"{line.price.service}/{line.price.item}",
        "SkuMeter": line.price.item,
        "SkuPriceDetails": None,
        "SkuPriceId": f"{line.price.service}/{line.price.item}/{line.price.region}/{line.purchase}",
        "SubAccountId": None,
        "SubAccountName": None,
        "Tags": json.dumps(dict(line.origin.tags), sort_keys=True),
        **_ours(line, environment),
    }


def _ours(line: CostLine, environment: str) -> dict[str, Any]:
    return {
        "x_Basis": str(line.basis),
        "x_Component": line.origin.component or None,
        "x_Environment": environment,
        "x_IdleCost": round(line.idle_monthly, 6),
        "x_MaximumCost": round(line.monthly.max, 6),
        "x_MinimumCost": round(line.monthly.min, 6),
        "x_Pool": line.pool or None,
        "x_PriceDate": line.price.date,
        "x_PriceSource": line.source,
        "x_PriceVerified": line.price.verified,
        "x_Team": line.origin.team or None,
        "x_Working": line.working,
    }


def unit(ours: str) -> str:
    """A unit of the price tables by FOCUS's unit format: ``hour`` is ``Hours``, ``1000 requests`` ``1000 Requests``."""
    if ours in _UNITS:
        return _UNITS[ours]
    number, _, noun = ours.partition(" ")
    return f"{number} {noun.title()}" if number.isdecimal() else ours


def _pool(pool: PoolCost) -> dict[str, Any]:
    return {
        "name": pool.name,
        "urn": pool.usual.origin.urn,
        "instanceType": pool.usual.price.item,
        "bought": str(pool.usual.purchase),
        "nodes": cost_line.sizes(pool.nodes),
        "usdPerHour": pool.usd_per_hour,
        "usdPerGpuHour": pool.usd_per_gpu_hour,
        "monthly": cost_line.sizes(pool.monthly),
    }


def _savings(after: Estimate) -> list[dict[str, Any]]:
    return [
        {"pool": one.pool, "urn": one.origin.urn, "kind": one.kind, "usd": round(one.usd, 4), "done": one.done,
         "how": one.how}
        for one in after.savings
    ]  # fmt: skip
