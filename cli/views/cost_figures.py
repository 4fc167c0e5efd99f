"""Every figure of an estimate: how it comes about, who says what a unit costs, and as of when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cli.views.lines import Line, Style, wrapped
from cli.views.money import usd
from policies.pricing import Basis, CostLine, Estimate

_AMOUNT: Final = 11  # columns of the amounts


def figures(estimate: Estimate, width: int) -> list[Line]:
    """Two lines for each: what it is and its working, then whose it is and the source. Equal ones are said once."""
    lines = [Line().add("  every figure", Style.STRONG)]
    for group in grouped(estimate):
        lines += _figure(group, width)
    return [*lines, Line()]


def grouped(estimate: Estimate) -> list[list[CostLine]]:
    """The lines that cost something, those with the same working together, the dearest first."""
    found: dict[tuple[object, ...], list[CostLine]] = {}
    for line in estimate.lines:
        if line.monthly.max or line.monthly.desired:
            key = (line.what, line.working, line.price, line.unit_price, line.quantity, line.basis)
            found.setdefault(key, []).append(line)
    return sorted(found.values(), key=lambda group: (-group[0].monthly.desired * len(group), -group[0].monthly.max))


def _figure(group: Sequence[CostLine], width: int) -> list[Line]:
    line, count = group[0], len(group)
    amount = usd(line.monthly.desired * count)
    times = f"{count} × " if count > 1 else ""
    at_most = f", at most {usd(line.monthly.max * count)}" if line.monthly.max > line.monthly.desired else ""
    said = f"{line.what} = {times}{working(line)}{at_most}"
    first, *rest = wrapped(said, " " * (_AMOUNT + 4), width, Style.YELLOW if _is_assumed(line) else Style.PLAIN)
    head = Line().add(" " * max(_AMOUNT + 2 - len(amount), 0)).add(amount, Style.STRONG)
    head.add("  ").pieces.append((first.plain.lstrip(), first.pieces[0][1]))
    about = f"{names([one.origin.name for one in group])}; {source(line)}"
    return [head, *rest, *wrapped(about, " " * (_AMOUNT + 4), width, Style.DIM)]


def working(line: CostLine) -> str:
    """The quantity and the price of a unit."""
    assumed = " (assumed)" if _is_assumed(line) else ""
    return f"{line.working}{assumed} × ${line.unit_price:,.6g}"


def source(line: CostLine) -> str:
    """Who says what it costs, and whether others say otherwise."""
    return line.source if line.price.verified else f"{line.source}; public sources disagree"


def names(found: Sequence[str]) -> str:
    """Names, the first few of many."""
    return ", ".join(found[:4]) + (f" and {len(found) - 4} more" if len(found) > 4 else "")


def _is_assumed(line: CostLine) -> bool:
    return line.basis is Basis.ASSUMED
