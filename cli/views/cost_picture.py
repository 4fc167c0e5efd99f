"""Where the money goes, drawn: one bar of the whole, one for each component, and what could be saved.

A component's bar is as long as what it costs at the desired size of its pools; the pale end is how far it may grow,
the notch what it costs when nothing runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from cli.views.cost import NO_COMPONENT, dates
from cli.views.money import signed, usd
from cli.views.svg import Drawing, Word, fitted, width_of
from policies.pricing import CostLine, Estimate
from policies.pricing.compare import Comparison
from policies.pricing.pool_costs import runs_on_gpus

WIDTH: Final = 1200
_MARGIN: Final = 48
_NAMES: Final = 250  # columns of the rows: names, bars, amounts
_AMOUNTS: Final = 190
_ROW: Final = 34
_ROWS: Final = 14  # components beyond are drawn together
_INK, _SOFT, _FAINT, _RULE, _PAPER = "#16202c", "#5b6876", "#98a3af", "#e6eaee", "#ffffff"
_GREEN: Final = "#0f8a5f"
# Far apart for every kind of colour vision (Okabe and Ito, 2008), toned down.
_COLORS: Final[Mapping[str, str]] = {
    "GPU nodes": "#d1495b", "CPU nodes": "#2f6fb5", "volumes and buckets": "#e0a030", "network": "#4fa3a5",
    "control plane": "#6b5b95", "services": "#8a9a5b", "keys, logs and the like": "#9aa5b1",
}  # fmt: skip
_KINDS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("ebs", "s3", "efs", "fsx", "ecr"), "volumes and buckets"),
    "vpc": "network", "elb": "network", "route53": "network", "eks": "control plane",
    "rds": "services", "mwaa": "services", "sagemaker": "services", "glue": "services", "amp": "services",
    "dynamodb": "services", "lambda": "services",
}  # fmt: skip


def draw(comparison: Comparison) -> str:
    """The picture as one SVG document."""
    after = comparison.after
    drawing = Drawing(WIDTH, _PAPER, f"What {after.environment} costs: {usd(after.monthly.desired)} a month")
    y = _title(drawing, comparison)
    y = _whole(drawing, after, y + 30)
    y = _components(drawing, after, y + 34)
    y = _savings(drawing, after, y + 26)
    return drawing.finished(_foot(drawing, after, y + 18))


def kind_of(line: CostLine) -> str:
    """What a line is, to somebody who asks where the money goes."""
    if line.price.service == "ec2":
        return "GPU nodes" if runs_on_gpus(line) else "CPU nodes"
    return _KINDS.get(line.price.service, "keys, logs and the like")


def _title(drawing: Drawing, comparison: Comparison) -> float:
    after = comparison.after
    drawing.text(_MARGIN, 66, f"What {after.environment} costs", size=17, color=_SOFT)
    words = [Word(usd(after.monthly.desired), 46, _INK, 700), Word("a month", 20, _SOFT)]
    if not after.lines and after.unpriced:
        drawing.text(_MARGIN, 116, "not known", size=46, color=_INK, weight=700)
        return 132
    delta = comparison.whole.delta.desired
    if comparison.before.lines and round(delta, 2):
        words.append(Word(signed(delta), 20, _GREEN if delta < 0 else _COLORS["GPU nodes"], 600))
    drawing.words(_MARGIN, 116, words)
    facts = [("idle floor", usd(after.idle)), ("at most", usd(after.monthly.max))]
    if after.usd_per_gpu_hour is not None:
        facts.append(("a GPU hour", f"${after.usd_per_gpu_hour:,.2f}"))
    right = WIDTH - _MARGIN
    for label, value in reversed(facts):
        drawing.text(right, 112, value, size=22, color=_INK, weight=600, anchor="end")
        drawing.text(right, 84, label, size=14, color=_SOFT, anchor="end")
        right -= max(width_of(value, 22), width_of(label, 14)) + 44
    return 132


# The whole


def _whole(drawing: Drawing, after: Estimate, y: float) -> float:
    """All kinds in one bar, and what each comes to below it."""
    kinds = _by_kind(after.lines)
    total = sum(kinds.values())
    if not total:
        drawing.text(_MARGIN, y + 20, "Nothing here has a price.", size=16, color=_SOFT)
        return y + 30
    x, room = float(_MARGIN), WIDTH - 2 * _MARGIN
    drawing.clip("whole", x, y, room, 30, 8)
    for kind, amount in kinds.items():
        wide = room * amount / total
        drawing.box(x, y, wide, 30, _COLORS[kind], clip="whole", title=f"{kind}: {usd(amount)}")
        share = f"{amount / total:.0%}"
        if wide > width_of(share, 14) + 16:
            drawing.text(x + 10, y + 20.5, share, size=14, color=_PAPER, weight=600)
        x += wide
    return _legend(drawing, kinds, y + 54)


def _legend(drawing: Drawing, kinds: Mapping[str, float], y: float) -> float:
    x = float(_MARGIN)
    for kind, amount in kinds.items():
        wide = 20 + width_of(f"{kind}  {usd(amount)}", 14) + 26
        if x + wide > WIDTH - _MARGIN + 26:
            x, y = float(_MARGIN), y + 24
        drawing.box(x, y - 11, 12, 12, _COLORS[kind], radius=3)
        drawing.words(x + 19, y, [Word(kind, 14, _INK), Word(usd(amount), 14, _SOFT)], gap=7)
        x += wide
    return y


def _by_kind(lines: Iterable[CostLine]) -> dict[str, float]:
    found = dict.fromkeys(_COLORS, 0.0)
    for line in lines:
        found[kind_of(line)] += line.monthly.desired
    return {kind: amount for kind, amount in sorted(found.items(), key=lambda one: -one[1]) if amount > 0}


# Its components


def _components(drawing: Drawing, after: Estimate, y: float) -> float:
    """A row for each component, the dearest first."""
    groups = _rows(after)
    if not groups:
        return y
    drawing.rule(_MARGIN, y, WIDTH - 2 * _MARGIN, _RULE)
    y += 14
    longest = max(max(_sum(lines, "max"), _sum(lines, "desired")) for _, lines in groups)
    total = after.monthly.desired
    for name, lines in groups:
        _component(drawing, (name, lines), y, longest, total)
        y += _ROW
    return y


def _rows(after: Estimate) -> list[tuple[str, list[CostLine]]]:
    """The components in the order of what they cost; the smallest, if there are many, as one."""
    amounts = {name: max(one.desired, one.max) for name, one in after.by_component().items()}
    names = [name for name, amount in amounts.items() if amount > 0]
    shown = names if len(names) <= _ROWS else sorted(names, key=lambda name: -amounts[name])[: _ROWS - 1]
    of = {name: [line for line in after.lines if line.origin.component == name] for name in names}
    rows = [(name or NO_COMPONENT, of[name]) for name in names if name in shown]
    rest = [name for name in names if name not in shown]
    return [*rows, (f"{len(rest)} more", [line for name in rest for line in of[name]])] if rest else rows


def _component(drawing: Drawing, row: tuple[str, Sequence[CostLine]], y: float, longest: float, total: float) -> None:
    name, lines = row
    room = WIDTH - 2 * _MARGIN - _NAMES - _AMOUNTS
    left, scale = float(_MARGIN + _NAMES), room / longest if longest else 0.0
    desired, most, idle = _sum(lines, "desired"), _sum(lines, "max"), sum(line.idle_monthly for line in lines)
    drawing.text(_MARGIN, y + 20, fitted(name, 15, _NAMES - 16), size=15, color=_INK)
    if most > desired:
        grows = f"{name}: at most {usd(most)}"
        drawing.box(left, y + 7, max(most * scale, 3), 18, _color(lines), radius=4, opacity=0.16, title=grows)
    x = left
    for kind, amount in _by_kind(lines).items():
        wide = max(amount * scale, 0.5)
        drawing.box(x, y + 7, wide, 18, _COLORS[kind], radius=2, title=f"{name}, {kind}: {usd(amount)}")
        x += wide
    if idle and desired and idle * scale > 2:
        drawing.box(left + idle * scale - 1, y + 4, 2, 24, _INK, title=f"{name}: idle floor {usd(idle)}")
    right = WIDTH - _MARGIN
    drawing.text(right - 62, y + 20, usd(desired), size=15, color=_INK, weight=600, anchor="end")
    share = desired / total if total else 0.0
    drawing.text(right, y + 20, f"{share:.1%}", size=14, color=_FAINT, anchor="end")


def _color(lines: Sequence[CostLine]) -> str:
    """The colour of what a component would grow by."""
    return _COLORS[kind_of(max(lines, key=lambda line: line.monthly.max - line.monthly.desired))]


def _sum(lines: Iterable[CostLine], size: str) -> float:
    return sum(line.monthly.max if size == "max" else line.monthly.desired for line in lines)


# What could be saved


def _savings(drawing: Drawing, after: Estimate, y: float) -> float:
    """The largest savings, those that are made already last."""
    worth = sorted((one for one in after.savings if one.usd >= 1), key=lambda one: (one.done, -one.usd))[:6]
    if not worth:
        return y - 26
    drawing.rule(_MARGIN, y - 8, WIDTH - 2 * _MARGIN, _RULE)
    drawing.text(_MARGIN, y + 20, "Savings", size=15, color=_INK, weight=600)
    columns, wide = 3, (WIDTH - 2 * _MARGIN) / 3
    for index, one in enumerate(worth):
        x, at = _MARGIN + wide * (index % columns), y + 50 + 46 * (index // columns)
        kind = "a schedule" if one.kind == "schedule" else "spot"
        color = _FAINT if one.done else _GREEN
        drawing.text(x, at, usd(one.usd), size=17, color=color, weight=600)
        said = f"{kind} for {one.pool}" + (", saved already" if one.done else "")
        drawing.text(x, at + 19, fitted(said, 13, wide - 20), size=13, color=_SOFT)
    return y + 50 + 46 * ((len(worth) - 1) // columns) + 26


def _foot(drawing: Drawing, after: Estimate, y: float) -> float:
    drawing.rule(_MARGIN, y, WIDTH - 2 * _MARGIN, _RULE)
    said = [f"{after.region}, {dates(after)}", "bar: desired size; pale: at most; notch: idle floor"]
    if after.unpriced:
        said.append(f"{len(after.unpriced)} not priced, and in no figure")
    drawing.text(_MARGIN, y + 26, "   ·   ".join(said), size=13, color=_SOFT)
    return y + 52
