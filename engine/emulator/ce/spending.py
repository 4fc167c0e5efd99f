"""What was spent: a ledger that is written by hand, and the questions that the API answers of it.

An emulator costs nothing, so its ledger is empty. Charges come in by moto's own way, POST
``/moto-api/static/ce/cost-and-usage-results`` with ``{"results": [{"Charges": [...]}]}``, each of them
``{"Date": "2026-11-03", "Service": "Amazon FSx", "Amount": 12.5, "Tags": {"Team": "vision"}}``; results of other
forms are answered as moto does.

Source: Cost Explorer API reference, GetCostAndUsage and GetCostForecast.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from moto.core.exceptions import JsonRESTError

from engine.emulator.ce.anomalies import Fields, ValidationError

GROUPS_A_PAGE = 20
_METRICS = (
    "AmortizedCost", "BlendedCost", "NetAmortizedCost", "NetUnblendedCost", "NormalizedUsageAmount", "UnblendedCost",
    "UsageQuantity",
)  # fmt: skip
_MOST_GROUPS = 2


class DataUnavailable(JsonRESTError):
    code = 400

    def __init__(self) -> None:
        super().__init__("DataUnavailableException", "Insufficient amount of historical data to generate forecast")


class BadPage(JsonRESTError):
    code = 400

    def __init__(self) -> None:
        super().__init__("InvalidNextTokenException", "The pagination token is invalid")


@dataclass(frozen=True)
class Charge:
    """An amount in USD that one day has cost."""

    day: date
    service: str
    amount: float
    tags: Mapping[str, str]

    @classmethod
    def read(cls, given: Fields) -> Charge:
        return cls(date.fromisoformat(given["Date"]), given["Service"], float(given["Amount"]), given.get("Tags", {}))


def cost_and_usage(ledger: Iterable[Charge], request: Fields) -> Fields:
    """The answer to GetCostAndUsage: a result for each period, its groups in pages."""
    start, end = _period(request)
    metrics, groups = request.get("Metrics") or [], request.get("GroupBy") or []
    if request.get("Granularity") not in ("DAILY", "MONTHLY"):
        raise ValidationError("Granularity must be one of DAILY, MONTHLY, HOURLY")
    if not metrics or any(metric not in _METRICS for metric in metrics):
        raise ValidationError("Metrics must name what is wanted")
    if len(groups) > _MOST_GROUPS:
        raise ValidationError("GroupBy can have at most 2 groups")
    charges = [one for one in ledger if start <= one.day < end and _matches(one, request.get("Filter"))]
    results = [
        _result(charges, begin, until, metrics, groups) for begin, until in _spans(start, end, request["Granularity"])
    ]
    return _page(results, request.get("NextPageToken"))


def forecast(ledger: Iterable[Charge], request: Fields) -> Fields:
    """The answer to GetCostForecast: the days to come cost what the days so far have cost on the average."""
    start, end = _period(request)
    today = datetime.now(UTC).date()
    if start < today:
        raise ValidationError("Start date of the forecast must not be in the past")
    if request.get("Metric") != "UNBLENDED_COST":
        raise ValidationError("Metric must be one that is forecast here: UNBLENDED_COST")
    charges = [one for one in ledger if one.day < today and _matches(one, request.get("Filter"))]
    if not charges:
        raise DataUnavailable
    days = (today - min(one.day for one in charges)).days
    mean = sum(one.amount for one in charges) / days * (end - start).days
    period = {"Start": start.isoformat(), "End": end.isoformat()}
    return {"Total": _amount(mean), "ForecastResultsByTime": [{"TimePeriod": period, "MeanValue": f"{mean:.10f}"}]}


def _period(request: Fields) -> tuple[date, date]:
    try:
        start, end = (date.fromisoformat(request["TimePeriod"][key]) for key in ("Start", "End"))
    except (KeyError, TypeError, ValueError) as error:
        raise ValidationError("TimePeriod must have Start and End, each YYYY-MM-DD") from error
    if start >= end:
        raise ValidationError("Start date (inclusive) should be before end date (exclusive)")
    return start, end


def _matches(charge: Charge, wanted: Fields | None) -> bool:
    if not wanted:
        return True
    if set(wanted) == {"And"}:
        return all(_matches(charge, one) for one in wanted["And"])
    if set(wanted) == {"Tags"} and set(wanted["Tags"]) <= {"Key", "Values", "MatchOptions"}:
        return charge.tags.get(wanted["Tags"]["Key"]) in wanted["Tags"]["Values"]
    if set(wanted) == {"Dimensions"} and wanted["Dimensions"].get("Key") == "SERVICE":
        return charge.service in wanted["Dimensions"]["Values"]
    raise ValidationError("Filter is of a form that is not answered here")


def _spans(start: date, end: date, granularity: str) -> Iterable[tuple[date, date]]:
    while start < end:
        if granularity == "DAILY":
            until = start + timedelta(days=1)
        else:
            until = (start.replace(day=1) + timedelta(days=32)).replace(day=1)
        yield start, min(until, end)
        start = until


def _result(charges: list[Charge], begin: date, until: date, metrics: list[str], groups: list[Fields]) -> Fields:
    within = [one for one in charges if begin <= one.day < until]
    answer: Fields = {"TimePeriod": {"Start": begin.isoformat(), "End": until.isoformat()}, "Estimated": True}
    if not groups:
        return answer | {"Total": _metrics(within, metrics), "Groups": []}
    by_keys: dict[tuple[str, ...], list[Charge]] = {}
    for one in within:
        by_keys.setdefault(tuple(_key(one, group) for group in groups), []).append(one)
    found = [{"Keys": list(keys), "Metrics": _metrics(own, metrics)} for keys, own in sorted(by_keys.items())]
    return answer | {"Total": {}, "Groups": found}


def _key(charge: Charge, group: Fields) -> str:
    if group.get("Type") == "TAG":
        return f"{group['Key']}${charge.tags.get(group['Key'], '')}"
    if group.get("Type") == "DIMENSION" and group.get("Key") == "SERVICE":
        return charge.service
    raise ValidationError("GroupBy is of a form that is not answered here")


def _metrics(charges: list[Charge], metrics: list[str]) -> dict[str, Any]:
    total = sum(one.amount for one in charges)
    return {metric: _amount(total) for metric in metrics}


def _amount(usd: float) -> dict[str, str]:
    return {"Amount": f"{usd:.10f}", "Unit": "USD"}


def _page(results: list[Fields], token: str | None) -> Fields:
    """The groups from where the page before has ended; a period goes on in the next page under its own name."""
    if token is not None and not token.isdecimal():
        raise BadPage
    first, seen, shown = int(token or 0), 0, list[Fields]()
    for result in results:
        groups = result["Groups"]
        own = groups[max(first - seen, 0) : max(first + GROUPS_A_PAGE - seen, 0)]
        if own or (not groups and token is None):
            shown.append(result | {"Groups": own})
        seen += len(groups)
    more = {"NextPageToken": str(first + GROUPS_A_PAGE)} if seen > first + GROUPS_A_PAGE else {}
    return {"ResultsByTime": shown, "DimensionValueAttributes": [], **more}
