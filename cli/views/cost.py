"""What an environment costs, in text: by component, by pool, by team; what could be saved; what is in no figure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from cli.views.columns import Column, Row, table
from cli.views.cost_figures import figures, names
from cli.views.cost_line import remarks
from cli.views.lines import Line, Style, wrapped
from cli.views.money import signed, usd
from policies.pricing import Basis, CostLine, Estimate, Purchase, Saving, Sizes
from policies.pricing.compare import Change, Comparison
from policies.pricing.pool_costs import PoolCost, pool_costs

NO_COMPONENT: Final = "(in no component)"
NO_TEAM: Final = "(no team)"
_DAY: Final = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
_SMALL: Final = 1.0  # USD a month: below it, a component is shown together with the others
_CHANGES: Final = (
    Column("a month", shrinks=True), Column("before", right=True), Column("after", right=True),
    Column("change", right=True), Column("idle floor", right=True, optional=1),
    Column("at most", right=True, optional=2),
)  # fmt: skip
_POOLS: Final = (
    Column("node pools", shrinks=True), Column("nodes", right=True), Column("type", optional=2),
    Column("bought", optional=1), Column("$/h", right=True), Column("$/GPU h", right=True),
    Column("a month", right=True), Column("at most", right=True, optional=3),
)  # fmt: skip
_SAVINGS: Final = (Column("", shrinks=True), Column("", right=True), Column("", shrinks=True), Column(""))


def render(comparison: Comparison, *, width: int, explain: bool = False) -> list[Line]:
    """The whole report in lines of at most ``width`` columns."""
    after = comparison.after
    return [
        *_head(after, width), *_components(comparison, width), *_teams(comparison, width),
        *_pools(pool_costs(after), width), *_savings(after.savings, width),
        *(figures(after, width) if explain else _assumed(after, width)), *_unpriced(after, width),
        *_end(comparison, width),
    ]  # fmt: skip


def _head(after: Estimate, width: int) -> list[Line]:
    line = Line().add(f"bedplate cost {after.environment}", Style.STRONG)
    how = f"{after.region}, {dates(after)}"
    return [line.add(" " * max(width - line.width - len(how), 3)).add(how, Style.DIM).cut(width), Line()]


def dates(estimate: Estimate) -> str:
    """From when to when the prices are of which an estimate is made, and what spot makes of them."""
    said = {line.price.date for line in estimate.lines}
    said.update(day for line in estimate.lines for day in _DAY.findall(line.factor_source))
    found = sorted(day for day in said if day[:1].isdigit())
    if not found:
        return "no prices"
    return f"prices of {found[0]}" if len(found) == 1 else f"prices of {found[0]} to {found[-1]}"


# Who it belongs to


def _components(comparison: Comparison, width: int) -> list[Line]:
    changes = comparison.by_component()
    if not changes:
        return [Line().add("  nothing here has a price", Style.DIM), Line()]
    idle = {name: sum(line.idle_monthly for line in lines) for name, lines in _by_component(comparison.after)}
    large = [one for one in changes if _is_large(one)]
    rows = [_change(one, one.name or NO_COMPONENT, idle.get(one.name, 0.0)) for one in large]
    small = [one for one in changes if not _is_large(one)]
    if small:
        together = Change("", _sum(small, "before"), _sum(small, "after"))
        left = sum(idle.get(one.name, 0.0) for one in small)
        rows.append(_change(together, f"{len(small)} more", left, Style.DIM))
    rows.append(_change(comparison.whole, "together", comparison.after.idle, Style.STRONG))
    return [*table(_CHANGES, rows, width=width), Line()]


def _is_large(change: Change) -> bool:
    return max(change.before.max, change.after.max) >= _SMALL


def _sum(changes: Sequence[Change], side: str) -> Sizes:
    total = Sizes.same(0)
    for one in changes:
        total = total.plus(one.before if side == "before" else one.after)
    return total


def _by_component(estimate: Estimate) -> Iterator[tuple[str, list[CostLine]]]:
    for name in estimate.by_component():
        yield name, [line for line in estimate.lines if line.origin.component == name]


def _change(change: Change, name: str, idle: float, style: Style = Style.PLAIN) -> Row:
    delta = change.delta.desired
    moved = signed(delta) if round(delta, 2) else ""
    color = Style.YELLOW if delta > 0 else Style.GREEN
    cells = (name, usd(change.before.desired), usd(change.after.desired), moved, usd(idle), usd(change.after.max))
    return Row(cells, (style, Style.DIM, style, color if moved else Style.DIM, Style.DIM, Style.DIM))


def _teams(comparison: Comparison, width: int) -> list[Line]:
    changes = comparison.by_team()
    if len(changes) < 2:
        return []
    columns = (Column("teams", shrinks=True), *_CHANGES[1:])
    idle = {
        one.name: sum(line.idle_monthly for line in comparison.after.lines if line.origin.team == one.name)
        for one in changes
    }
    rows = [_change(one, one.name or NO_TEAM, idle[one.name]) for one in changes]
    return [*table(columns, rows, width=width), Line()]


# Pools


def _pools(pools: Sequence[PoolCost], width: int) -> list[Line]:
    if not pools:
        return []
    return [*table(_POOLS, [_pool(one) for one in pools], width=width), Line()]


def _pool(pool: PoolCost) -> Row:
    usual, nodes, gpu = pool.usual, pool.nodes, pool.usd_per_gpu_hour
    cells = (
        pool.name, f"{nodes.desired:.3g}", usual.price.item, str(usual.purchase), f"{pool.usd_per_hour:,.4g}",
        "" if gpu is None else f"{gpu:,.4g}", usd(pool.monthly.desired), usd(pool.monthly.max),
    )  # fmt: skip
    cheap = Style.GREEN if usual.purchase is Purchase.SPOT else Style.PLAIN
    styles = (Style.PLAIN, Style.PLAIN, Style.DIM, cheap, Style.PLAIN, Style.PLAIN, Style.PLAIN, Style.DIM)
    return Row(cells, styles)


# Savings


def _savings(savings: Sequence[Saving], width: int) -> list[Line]:
    worth = sorted((one for one in savings if one.usd >= _SMALL), key=lambda one: -one.usd)
    lines: list[Line] = []
    for done, title in ((False, "would save a month"), (True, "saves a month already")):
        found = [one for one in worth if one.done is done]
        if found:
            rows = [_saving(one) for one in found]
            lines += [Line().add(f"  {title}", Style.STRONG), *table(_SAVINGS, rows, width=width)[1:], Line()]
    return lines


def _saving(saving: Saving) -> Row:
    kind = "a schedule" if saving.kind == "schedule" else saving.kind
    style = Style.DIM if saving.done else Style.GREEN
    return Row(
        (f"{kind} for {saving.pool}", usd(saving.usd), saving.how, ""), (Style.PLAIN, style, Style.DIM, Style.DIM)
    )


# What is not sure


def _assumed(after: Estimate, width: int) -> list[Line]:
    found = [line for line in after.lines if line.basis is Basis.ASSUMED and line.quantity.desired]
    if not found:
        return []
    amount = sum(line.monthly.desired for line in found)
    kinds: dict[str, str] = {}
    for line in found:
        kinds.setdefault(line.what, line.working)
    listed = ", ".join(f"{what} ({working})" for what, working in kinds.items())
    text = f"{usd(amount)} of it rests on what is assumed of use: {listed}; --usage FILE knows better"
    return [*wrapped(text, "  ", width, Style.DIM), Line()]


def _unpriced(after: Estimate, width: int) -> list[Line]:
    if not after.unpriced:
        return []
    lines = [Line().add("  not priced, and in no figure", Style.STRONG)]
    for what, reason in grouped(after):
        lines += wrapped(f"{what}: {reason}", "  - ", width, Style.YELLOW)
    return [*lines, Line()]


def grouped(after: Estimate) -> list[tuple[str, str]]:
    """What has no price, by reason: thousands of resources with one reason are said once."""
    found: dict[str, list[str]] = {}
    for one in after.unpriced:
        name = one.origin.name
        found.setdefault(one.reason, []).append(name if one.what == name else f"{name} ({one.what})")
    return [(names(those), reason) for reason, those in found.items()]


def _end(comparison: Comparison, width: int) -> list[Line]:
    after = comparison.after
    if not after.lines and after.unpriced:
        return [Line().add("  not known", Style.YELLOW).add(f"   none of {len(after.unpriced)} has a price")]
    delta, gpu = comparison.whole.delta.desired, after.usd_per_gpu_hour
    line = Line().add(f"  {usd(after.monthly.desired)} a month", Style.STRONG)
    line.add(f"   {signed(delta)}" if round(delta, 2) else "", Style.YELLOW if delta > 0 else Style.GREEN)
    said = [*remarks(after), *([f"a GPU hour ${gpu:,.2f}"] if gpu is not None else [])]
    return [line, *wrapped("; ".join(said), "  ", width, Style.DIM)]
