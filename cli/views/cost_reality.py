"""An estimate beside what was billed and what the cluster has measured: text, and parts of a document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from cli.views.columns import Column, Row, table
from cli.views.lines import Line, Style, wrapped
from cli.views.money import usd
from policies.pricing import Estimate
from policies.pricing.reality import Beside, ClusterBeside, by_service, by_tag
from policies.pricing.sources.cost_explorer import Bill
from policies.pricing.sources.opencost import IDLE

_WORTH: Final = 0.01  # USD: less than that is no row
_NAMESPACES: Final = (
    Column("namespaces by OpenCost", shrinks=True),
    Column("a month", right=True),
    Column("", right=True),
)


def bill(estimate: Estimate, found: Bill, width: int) -> list[Line]:
    """What was billed, by the tag's values and by service."""
    if not found.groups:
        text = (
            "Cost Explorer knows no costs of this environment: either nothing has run yet, or DeploymentId is not "
            "activated as a cost allocation tag (Billing, Cost allocation tags), which takes up to a day to count"
        )
        return [*wrapped(text, "  ", width, Style.YELLOW), Line()]
    lines: list[Line] = []
    if found.is_tagged:
        lines += _table(found.tag.lower(), by_tag(estimate, found), width)
    else:
        text = f"nothing that was billed carries {found.tag}: activate it as a cost allocation tag to compare by it"
        lines += [*wrapped(text, "  ", width, Style.YELLOW), Line()]
    lines += _table("service", by_service(estimate, found), width)
    return [*lines, *_end(estimate, found, width)]


def _table(what: str, rows: Sequence[Beside], width: int) -> list[Line]:
    columns = (
        Column(f"billed by {what}", shrinks=True), Column("estimate", right=True), Column("last month", right=True),
        Column("", right=True), Column("this month so far", right=True, optional=1),
    )  # fmt: skip
    shown = [one for one in rows if max(one.estimated, one.last_month, one.this_month) >= _WORTH]
    return [*table(columns, [_row(one) for one in shown], width=width), Line()]


def _row(one: Beside) -> Row:
    ratio = "" if one.ratio is None else f"{one.ratio:.0%}"
    far = one.ratio is not None and not 0.8 <= one.ratio <= 1.2
    cells = (one.name or "(without)", usd(one.estimated), usd(one.last_month), ratio, usd(one.this_month))
    return Row(cells, (Style.PLAIN, Style.DIM, Style.PLAIN, Style.YELLOW if far else Style.DIM, Style.DIM))


def _end(estimate: Estimate, found: Bill, width: int) -> list[Line]:
    expected = "no forecast yet" if found.expected is None else f"{usd(found.expected)} expected"
    line = Line().add(f"  {usd(found.this_month)} since {found.month}", Style.STRONG)
    said = f"{expected} for the month; last month {usd(found.last_month)}; estimate {usd(estimate.monthly.desired)}"
    return [line, *wrapped(said, "  ", width, Style.DIM)]


# The cluster


def cluster(found: ClusterBeside, width: int) -> list[Line]:
    """What OpenCost has measured, by namespace."""
    measured = found.measured
    rows = [
        Row(
            (one.name, usd(one.monthly), _share(one.monthly, measured.monthly)),
            (_style(one.name), Style.PLAIN, Style.DIM),
        )
        for one in measured.allocations
        if one.monthly >= _WORTH
    ]
    if not rows:
        return [Line().add("  OpenCost has measured nothing yet", Style.DIM), Line()]
    line = Line().add(f"  {usd(measured.monthly)} a month at the rate of the last {measured.window}", Style.STRONG)
    said = f"{usd(measured.idle)} of it idle; estimate of nodes, volumes and load balancers {usd(found.estimated)}"
    return [*table(_NAMESPACES, rows, width=width), Line(), line, *wrapped(said, "  ", width, Style.DIM)]


def _style(name: str) -> Style:
    return Style.YELLOW if name == IDLE else Style.PLAIN


def _share(part: float, whole: float) -> str:
    return f"{part / whole:.0%}" if whole else ""


# JSON


def bill_section(estimate: Estimate, found: Bill) -> dict[str, Any]:
    """What was billed, as a part of the document."""
    return {
        "month": found.month.isoformat(),
        "lastMonth": round(found.last_month, 4),
        "thisMonth": round(found.this_month, 4),
        "expected": None if found.expected is None else round(found.expected, 4),
        "tag": found.tag,
        "isTagged": found.is_tagged,
        "byTag": [_beside(one) for one in by_tag(estimate, found)],
        "byService": [_beside(one) for one in by_service(estimate, found)],
    }


def _beside(one: Beside) -> dict[str, Any]:
    amounts = (one.estimated, one.last_month, one.this_month)
    return {
        "name": one.name,
        **dict(zip(("estimate", "lastMonth", "thisMonth"), (round(usd, 4) for usd in amounts), strict=True)),
    }


def cluster_section(found: ClusterBeside) -> dict[str, Any]:
    """What OpenCost has measured, as a part of the document. USD a month."""
    measured = found.measured
    return {
        "url": measured.url,
        "window": measured.window,
        "estimate": round(found.estimated, 4),
        "measured": round(measured.monthly, 4),
        "idle": round(measured.idle, 4),
        "namespaces": [
            {
                "name": one.name,
                "monthly": round(one.monthly, 4),
                "parts": {k: round(v, 4) for k, v in one.parts.items()},
            }
            for one in measured.allocations
        ],
    }
