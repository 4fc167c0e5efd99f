"""What was spent, by Cost Explorer: the month before, this month so far, and what is expected of it.

Only what carries the deployment's tag counts. Cost Explorer knows a tag from the day that it is activated as a cost
allocation tag on; each request costs 0.01 USD (source: AWS Cost Management pricing, 2026-08).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from policies.pricing.names import by_billed_name
from policies.pricing.sources.errors import NoAnswer, asking, client

_WHOM: Final = "Cost Explorer"
_REGION: Final = "us-east-1"  # the service is global and answers there
_METRIC: Final = "UnblendedCost"
_PAGES: Final = 1000  # more of them is an answer that goes in circles


@dataclass(frozen=True)
class Spending:
    """USD that were billed for one group of resources: ``tag`` is the value of the tag asked for, '' without it;
    ``service`` is Cost Explorer's name, ``key`` that of our price tables ('' where we price nothing of it)."""

    tag: str
    service: str
    last_month: float
    this_month: float

    @property
    def key(self) -> str:
        return by_billed_name(self.service)


@dataclass(frozen=True)
class Bill:
    """What was billed. ``month`` is the first day of this month; ``expected`` is what all of it is expected to come to,
    None where Cost Explorer has too little to say so."""

    month: date
    tag: str
    groups: tuple[Spending, ...]
    expected: float | None

    @property
    def last_month(self) -> float:
        return math.fsum(one.last_month for one in self.groups)

    @property
    def this_month(self) -> float:
        return math.fsum(one.this_month for one in self.groups)

    @property
    def is_tagged(self) -> bool:
        """Whether any of it carries the tag that it was to be told apart by."""
        return any(one.tag for one in self.groups)

    def by_tag(self) -> Mapping[str, tuple[float, float]]:
        """Last month's and this month's USD by the tag's value."""
        found: dict[str, tuple[float, float]] = {}
        for one in self.groups:
            last, this = found.get(one.tag, (0.0, 0.0))
            found[one.tag] = (last + one.last_month, this + one.this_month)
        return found


def read(deployment: tuple[str, str], tag: str, today: date) -> Bill:
    """What was billed for what carries the tag ``deployment`` (key, value), by the values of ``tag`` and by service.

    Raises NotAllowed and NoAnswer.
    """
    month = today.replace(day=1)
    before = (month - timedelta(days=1)).replace(day=1)
    which = {"Tags": {"Key": deployment[0], "Values": [deployment[1]], "MatchOptions": ["EQUALS"]}}
    with asking(_WHOM, "ce:GetCostAndUsage and ce:GetCostForecast"):
        explorer = client("ce", _REGION)
        amounts: dict[tuple[str, str], list[float]] = {}
        for start, keys, usd in _amounts(explorer, before, today + timedelta(days=1), which, tag):
            own = amounts.setdefault(keys, [0.0, 0.0])
            own[1 if start >= month else 0] += usd
        groups = tuple(Spending(*keys, last, this) for keys, (last, this) in sorted(amounts.items()))
        rest = _forecast(explorer, today, which)
    so_far = math.fsum(one.this_month for one in groups)
    return Bill(month, tag, groups, None if rest is None else so_far + rest)


def _amounts(
    explorer: Any, start: date, end: date, which: Mapping[str, Any], tag: str
) -> Iterator[tuple[date, tuple[str, str], float]]:
    """The groups of all pages: the first day of their month, (tag's value, service), USD."""
    request: dict[str, Any] = {
        "TimePeriod": {"Start": start.isoformat(), "End": end.isoformat()},
        "Granularity": "MONTHLY",
        "Metrics": [_METRIC],
        "Filter": which,
        "GroupBy": [{"Type": "TAG", "Key": tag}, {"Type": "DIMENSION", "Key": "SERVICE"}],
    }
    for _ in range(_PAGES):
        answer = explorer.get_cost_and_usage(**request)
        for result in answer.get("ResultsByTime", []):
            begin = date.fromisoformat(str(result["TimePeriod"]["Start"])[:10])
            for group in result.get("Groups", []):
                yield begin, _keys(group["Keys"], tag), _usd(group["Metrics"][_METRIC])
        token = answer.get("NextPageToken")
        if not token:
            return
        request["NextPageToken"] = token
    raise NoAnswer(f"{_WHOM}: its answer has no end")


def _keys(keys: list[str], tag: str) -> tuple[str, str]:
    """``Component$train`` is how a tag's value comes; ``Component$`` is what has none."""
    return keys[0].removeprefix(f"{tag}$"), keys[1]


def _usd(amount: Mapping[str, str]) -> float:
    if amount.get("Unit") != "USD":
        raise NoAnswer(f"{_WHOM}: expected USD, found {amount.get('Unit')!r}: other currencies are not compared")
    try:
        usd = float(amount["Amount"])
    except (KeyError, ValueError) as error:
        raise NoAnswer(f"{_WHOM}: expected an amount, found {amount!r}") from error
    if not math.isfinite(usd):
        raise NoAnswer(f"{_WHOM}: expected an amount, found {amount!r}")
    return usd


def _forecast(explorer: Any, today: date, which: Mapping[str, Any]) -> float | None:
    """What the rest of this month is expected to cost."""
    following = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    try:
        answer = explorer.get_cost_forecast(
            TimePeriod={"Start": today.isoformat(), "End": following.isoformat()},
            Metric="UNBLENDED_COST",
            Granularity="MONTHLY",
            Filter=which,
        )
    except explorer.exceptions.DataUnavailableException:
        return None
    return _usd(answer["Total"])
