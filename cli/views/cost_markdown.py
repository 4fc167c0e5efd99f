"""What an environment costs in Markdown, for a comment: the sum first, everything else folded below it."""

from __future__ import annotations

from collections.abc import Sequence

from cli.views import cost_figures, cost_line
from cli.views.cost import NO_COMPONENT, NO_TEAM, dates, grouped
from cli.views.markdown import escaped
from cli.views.money import signed, usd
from policies.pricing import CostLine, Estimate
from policies.pricing.compare import Change, Comparison
from policies.pricing.pool_costs import PoolCost, pool_costs


def render(comparison: Comparison) -> str:
    """The whole report."""
    after = comparison.after
    parts = [
        f"### {escaped(after.environment)}: costs",
        cost_line.markdown(comparison) or "nothing here costs anything",
        _changes("component", comparison.by_component(), NO_COMPONENT),
        _changes("team", comparison.by_team(), NO_TEAM) if len(comparison.by_team()) > 1 else "",
        _pools(pool_costs(after)),
        _savings(after),
        _figures(after),
        _unpriced(after),
        f"<sub>{escaped(after.region)}, {dates(after)}</sub>",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _changes(what: str, changes: Sequence[Change], nameless: str) -> str:
    rows = [
        (one.name or nameless, usd(one.before.desired), usd(one.after.desired), _moved(one), usd(one.after.max))
        for one in changes
    ]
    return table((f"by {what}", "before", "after", "change", "at most"), rows) if rows else ""


def _moved(change: Change) -> str:
    return signed(change.delta.desired) if round(change.delta.desired, 2) else ""


def _pools(pools: Sequence[PoolCost]) -> str:
    rows = [
        (
            one.name, f"{one.nodes.desired:.3g}", one.usual.price.item, str(one.usual.purchase),
            f"{one.usd_per_hour:,.4g}", "" if one.usd_per_gpu_hour is None else f"{one.usd_per_gpu_hour:,.4g}",
            usd(one.monthly.desired), usd(one.monthly.max),
        )
        for one in pools
    ]  # fmt: skip
    titles = ("node pool", "nodes", "type", "bought", "$/h", "$/GPU h", "a month", "at most")
    return folded("node pools", table(titles, rows)) if rows else ""


def _savings(after: Estimate) -> str:
    found = sorted((one for one in after.savings if one.usd >= 1), key=lambda one: (one.done, -one.usd))
    rows = [(one.kind, one.pool, usd(one.usd), "saved already" if one.done else "would save", one.how) for one in found]
    return folded("savings", table(("what", "node pool", "a month", "", "how"), rows)) if rows else ""


def _figures(after: Estimate) -> str:
    groups = cost_figures.grouped(after)
    rows = [_figure(group) for group in groups]
    titles = ("what", "resources", "working", "a month", "source")
    return folded("every figure with its source", table(titles, rows)) if rows else ""


def _figure(group: Sequence[CostLine]) -> tuple[str, ...]:
    line, count = group[0], len(group)
    times = f"{count} × " if count > 1 else ""
    names = cost_figures.names([one.origin.name for one in group])
    amount = usd(line.monthly.desired * count)
    return line.what, names, f"{times}{cost_figures.working(line)}", amount, cost_figures.source(line)


def _unpriced(after: Estimate) -> str:
    lines = [f"- {escaped(what)}: {escaped(reason)}" for what, reason in grouped(after)]
    return folded(f"{len(after.unpriced)} not priced, and in no figure", "\n".join(lines)) if lines else ""


def folded(title: str, text: str) -> str:
    """``text`` below a title that opens it."""
    return f"<details><summary>{title}</summary>\n\n{text}\n\n</details>"


def table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; the first column is text, the others are right-aligned."""
    lines = [titles, [":--", *("--:" for _ in titles[1:])], *([escaped(cell) for cell in row] for row in rows)]
    lines[0] = [title.replace("$", "\\$") for title in titles]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
