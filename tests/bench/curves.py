"""The figures of ``scale`` as a picture: seconds over resources, both axes logarithmic: linear growth is straight."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cli.views.svg import Drawing
from tests.bench.measure import Measured
from tests.bench.rows import Row

WIDTH: Final = 960
HEIGHT: Final = 400
_PANEL: Final = 372  # of each of the two, without what stands beside its axis
_TOP, _BOTTOM = 96, 330
_INK, _SOFT, _RULE, _PAPER = "#16202c", "#5b6876", "#e6eaee", "#ffffff"
_OURS, _THEIRS = "#2f6fb5", "#d1495b"
_TICKS: Final = (1, 10, 100, 1_000)


@dataclass(frozen=True)
class _Scale:
    """From values to places, logarithmically."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        part = math.log(value / self.low) / math.log(self.high / self.low)
        return self.start + part * (self.end - self.start)


def draw(found: Sequence[tuple[int, str, Row]], note: str) -> str:
    """The picture as one SVG document; ``note`` says when and where it was measured."""
    drawing = Drawing(WIDTH, _PAPER, "Seconds by number of resources, Bedplate's engine and the Pulumi CLI")
    verbs = list(dict.fromkeys(verb for _, verb, _ in found))
    largest = max(each.seconds for _, _, row in found for each in (row.ours, row.peer) if each is not None)
    high = next((tick for tick in _TICKS if tick >= largest), largest)
    for number, verb in enumerate(verbs):
        left = 64 + number * (_PANEL + 92)
        _panel(drawing, left, verb.replace("`", ""), [(count, row) for count, each, row in found if each == verb], high)
    drawing.text(64, HEIGHT - 18, f"seconds by number of component resources; {note}", size=12, color=_SOFT)
    return drawing.finished(HEIGHT)


def _panel(drawing: Drawing, left: float, verb: str, rows: Sequence[tuple[int, Row]], high: float) -> None:
    across = _Scale(rows[0][0], rows[-1][0], left + 24, left + _PANEL - 12)
    up = _Scale(0.5, high, _BOTTOM, _TOP)
    drawing.text(left, 44, verb, size=19, color=_INK, weight=600)
    drawing.text(left, 66, "Bedplate", size=13, color=_OURS, weight=600)
    if any(row.peer for _, row in rows):
        drawing.text(left + 76, 66, "Pulumi CLI", size=13, color=_THEIRS, weight=600)
    for tick in (tick for tick in _TICKS if tick <= high):
        drawing.rule(left, up(tick), _PANEL, _RULE)
        drawing.text(left - 10, up(tick) + 4, f"{tick:,} s", size=12, color=_SOFT, anchor="end")
    for count, _ in rows:
        drawing.text(across(count), _BOTTOM + 24, f"{count:,}", size=12, color=_SOFT, anchor="middle")
    theirs = [(count, row.peer) for count, row in rows if row.peer is not None]
    _curve(drawing, across, up, theirs, _THEIRS, above=True)
    _curve(drawing, across, up, [(count, row.ours) for count, row in rows], _OURS, above=False)


def _curve(
    drawing: Drawing, across: _Scale, up: _Scale, points: Sequence[tuple[int, Measured]], color: str, *, above: bool
) -> None:
    if not points:
        return
    places = [(across(count), up(max(one.seconds, 0.5))) for count, one in points]
    known = next((at for at, (_, one) in enumerate(points) if one.cut_off), len(places))
    drawing.curve(places[known - 1 :] if known else places, color, dashed=True)
    drawing.curve(places[:known], color)
    for (x, y), (_, one) in zip(places, points, strict=True):
        text = f"{'> ' * one.cut_off}{one.seconds:.{1 if one.seconds < 20 else 0}f}"
        drawing.text(x, y - 12 if above else y + 20, text, size=12, color=color, weight=600, anchor="middle")
