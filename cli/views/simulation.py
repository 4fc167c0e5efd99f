"""The answer of a simulation in text: pools, workloads, what stays pending and why, what was taken for granted."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Final

from cli.views.columns import Column, Row, table
from cli.views.lines import Line, Style
from cli.views.report import duration
from engine.simulation.answer import Answer, Pending, PoolUse, WorkloadUse
from engine.simulation.model import amount, gpu_names

NO_PRICE: Final = "no on-demand price"
_SPOT: Final = "spot"
_POOLS: Final = (
    Column("pools", shrinks=True), Column("nodes", right=True), Column("type", optional=3),
    Column("GPUs", right=True), Column("CPU", right=True, optional=1), Column("memory", right=True, optional=2),
    Column("$/h placed", right=True), Column("$/h idle", right=True),
)  # fmt: skip
_WORKLOADS: Final = (
    Column("workloads", shrinks=True), Column("", optional=2), Column("pods", right=True),
    Column("where", shrinks=True), Column("$/h", right=True, optional=1),
)  # fmt: skip


def render(answer: Answer, stack: str, *, width: int) -> list[Line]:
    """The whole answer in lines of at most ``width`` columns."""
    return [
        *_head(answer, stack, width), *_pools(answer, width), *_workloads(answer.workloads, width),
        *_pending(answer.pending, width), *_said(answer, width), *_end(answer, width),
    ]  # fmt: skip


def _head(answer: Answer, stack: str, width: int) -> list[Line]:
    line = Line().add(f"bedplate simulate {stack}", Style.STRONG)
    how = f"pools at {answer.size} size, Kubernetes {answer.version}"
    return [line.add(" " * max(width - line.width - len(how), 3)).add(how, Style.DIM).cut(width), Line()]


# Pools


def _pools(answer: Answer, width: int) -> list[Line]:
    if not answer.pools:
        return [Line().add("  the program declares no node pools", Style.YELLOW), Line()]
    rows = [_pool(use) for use in answer.pools]
    if len(rows) > 1:
        rows.append(_total(answer))
    return [*table(_POOLS, rows, width=width), *_on_prices(answer, width), Line()]


def _pool(use: PoolUse) -> Row:
    prices = (NO_PRICE, "") if use.placed_usd is None else (_usd(use.placed_usd), _usd(use.idle_usd))
    idle = bool(gpu_names(use.offered)) and not gpu_names(use.used)
    style = Style.YELLOW if idle else Style.PLAIN
    return Row(
        (use.pool.name, str(use.nodes), use.pool.machine.name, _gpus([use]), _share(use, "cpu"), _share(use, "memory"),
         *prices),
        (Style.PLAIN, Style.PLAIN, Style.DIM, style, Style.PLAIN, Style.PLAIN, Style.PLAIN, style),
    )  # fmt: skip


def _total(answer: Answer) -> Row:
    placed = sum(use.placed_usd or 0.0 for use in answer.pools)
    idle = sum(use.idle_usd or 0.0 for use in answer.pools)
    nodes = sum(use.nodes for use in answer.pools)
    cells = ("total", str(nodes), "", _gpus(answer.pools), "", "", _usd(placed), _usd(idle))
    return Row(cells, (Style.STRONG,) * len(cells))


def _gpus(uses: Sequence[PoolUse]) -> str:
    offered = sum(amount(use.offered, name) for use in uses for name in gpu_names(use.offered))
    used = sum(amount(use.used, name) for use in uses for name in gpu_names(use.offered))
    return f"{used}/{offered}" if offered else ""


def _share(use: PoolUse, resource: str) -> str:
    share = use.share(resource)
    return "" if share is None else f"{share:.0%}"


def _usd(price: float | None) -> str:
    return "" if price is None else f"{price:,.2f}"


def _on_prices(answer: Answer, width: int) -> list[Line]:
    texts: list[str] = []
    if answer.unpriced and len(answer.pools) > 1:
        names = ", ".join(use.pool.name for use in answer.unpriced)
        texts.append(f"the total leaves out {names}: there is no on-demand price")
    spot = [use.pool.name for use in answer.pools if use.pool.capacity_type == _SPOT and use.placed_usd is not None]
    if spot:
        texts.append(f"{', '.join(spot)}: spot nodes, priced as on demand, which is the most that they cost")
    return [line for text in texts for line in _wrapped(text, "  ", width, Style.DIM)]


# Workloads


def _workloads(workloads: Sequence[WorkloadUse], width: int) -> list[Line]:
    rows = [_workload(one) for one in workloads if one.wanted]
    if not rows:
        return [Line().add("  there is nothing to place; -f adds workloads", Style.DIM), Line()]
    return [*table(_WORKLOADS, rows, width=width), Line()]


def _workload(one: WorkloadUse) -> Row:
    where = ", ".join(f"{pool} {pods}" if len(one.placed) > 1 else pool for pool, pods in one.placed.items())
    whole = one.running == one.wanted
    price = "no price" if one.usd is None else _usd(one.usd)
    return Row(
        (str(one.owner), one.owner.kind, f"{one.running}/{one.wanted}", where or "-", price),
        (Style.PLAIN, Style.DIM, Style.GREEN if whole else Style.YELLOW, Style.PLAIN, Style.PLAIN),
    )


# What does not run, and what was settled


def _pending(pending: Sequence[Pending], width: int) -> list[Line]:
    if not pending:
        return []
    lines = [Line().add("  pending", Style.STRONG)]
    for one in pending:
        count = f"{one.pods} pod{'s' if one.pods > 1 else ''}"
        line = Line().add("  ").add(f"{one.owner}", Style.YELLOW).add(f"  {one.owner.kind}, {count}: ", Style.DIM)
        lines.append(line.add(one.why.reason, Style.YELLOW).cut(width))
        lines += _wrapped(one.why.text, "      ", width)
        lines += _wrapped(one.why.advice, "    → ", width, Style.CYAN) if one.why.advice else []
    return [*lines, Line()]


def _said(answer: Answer, width: int) -> list[Line]:
    texts = [*answer.notes, *(f"{one.place}: {one.text}" for one in answer.assumptions)]
    lines = [line for text in texts for line in _wrapped(text, "  - ", width, Style.DIM)]
    return [Line().add("  to know", Style.STRONG), *lines, Line()] if lines else []


def _wrapped(text: str, first: str, width: int, style: Style = Style.PLAIN) -> list[Line]:
    """``text`` below its first line's beginning; a word that is too long is cut."""
    found = textwrap.wrap(text, max(width - len(first), 20), break_long_words=False, break_on_hyphens=False)
    indent = " " * len(first)
    return [Line().add((indent if index else first) + one, style).cut(width) for index, one in enumerate(found)]


def _end(answer: Answer, width: int) -> list[Line]:
    running = sum(one.running for one in answer.workloads)
    waiting = sum(one.pods for one in answer.pending)
    text = "1 pod runs" if running == 1 else f"{running} pods run"
    line = Line().add(f"  {text}", Style.GREEN if running else Style.PLAIN)
    line.add(f"   {waiting} pending", Style.YELLOW) if waiting else None
    nodes = sum(use.nodes for use in answer.pools)
    line.add(f"   {nodes} node" + ("s" if nodes != 1 else ""))
    took = duration(answer.seconds)
    return [line.add(" " * max(width - line.width - len(took), 3)).add(took, Style.DIM).cut(width)]
