"""What is inside a panel, as HTML: lines over time, figures, bars, gauges, tables, states.

A plot fills its panel whatever that measures, so lines are SVG that stretches, and whatever has letters is HTML above
it. Colours are classes, which the page's style gives for light and for dark.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from typing import Final

from cli.views.dashboards.quantities import mark, ticks, written
from stacks.dashboards import HOURS, Panel, PicturedPanel, Series, Trouble

_WIDTH, _HEIGHT = 1000, 200
_COLORS: Final = 8


def body(pictured: PicturedPanel, trouble: Trouble | None) -> str:
    """The inside of a panel; ``trouble`` is when an alert fires."""
    if not pictured.series:
        return '<p class="empty">nothing to show</p>'
    draw = _PANELS.get(pictured.panel.kind)
    return draw(pictured.panel, pictured.series) if draw else _over_time(pictured.panel, pictured.series, trouble)


# Lines over time


def _over_time(panel: Panel, series: Sequence[Series], trouble: Trouble | None) -> str:
    marks = ticks(*_range(panel, series), panel.unit)
    low, high = marks[0], marks[-1]
    grid = "".join(f'<path class="grid" d="M0 {_y(each, low, high)}H{_WIDTH}"/>' for each in marks)
    levels = "".join(
        f'<path class="level {each.color}" d="M0 {_y(each.value, low, high)}H{_WIDTH}"/>'
        for each in panel.thresholds
        if low < each.value < high
    )
    lines = "".join(_line(index, each, low, high, alone=len(series) == 1) for index, each in enumerate(series))
    svg = (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" preserveAspectRatio="none" aria-hidden="true">'
        f"{_firing(trouble)}{grid}{levels}{lines}</svg>"
    )
    up = "".join(f"<span>{escape(mark(each, panel.unit))}</span>" for each in reversed(marks))
    along = "".join(f"<span>{f'−{hour} h' if hour else 'now'}</span>" for hour in range(HOURS, -1, -2))
    field = f'<div class="up">{up}</div><div class="field">{svg}</div><div class="along">{along}</div>'
    return f'<div class="plot">{field}</div>{_legend(panel, series)}'


def _range(panel: Panel, series: Sequence[Series]) -> tuple[float, float]:
    """From where to where the axis goes: all values, and the thresholds that are near."""
    values = [value for each in series for value in each.values if value is not None]
    low, high = min(values), max(values)
    near = [each.value for each in panel.thresholds if low * 0.7 <= each.value <= max(high * 1.5, high + 0.02)]
    low, high = min([low, *near]), max([high, *near])
    if panel.minimum is not None:
        low = min(low, panel.minimum)
    if panel.maximum is not None and high > panel.maximum * 0.8:
        high = panel.maximum
    return low, high * 1.02 if panel.maximum is None else high


def _y(value: float, low: float, high: float) -> str:
    return f"{_HEIGHT - (value - low) / (high - low) * _HEIGHT:.1f}".removesuffix(".0")


def _line(index: int, series: Series, low: float, high: float, *, alone: bool) -> str:
    points = [
        (round(number * _WIDTH / (len(series.values) - 1)), _y(value, low, high))
        for number, value in enumerate(series.values)
        if value is not None
    ]
    if not points:
        return ""
    color = "promised" if series.constant else f"c{index % _COLORS}"
    path = "M" + "L".join(f"{x} {y}" for x, y in points)
    area = f'<path class="area {color}" d="{path}V{_HEIGHT}H{points[0][0]}Z"/>' if alone else ""
    told = escape(f"{series.name}: {written(series.last, '')}")
    return f'{area}<path class="line {color}" d="{path}"><title>{told}</title></path>'


def _firing(trouble: Trouble | None) -> str:
    if trouble is None:
        return ""
    start, width = round(trouble.start * _WIDTH), round((trouble.end - trouble.start) * _WIDTH)
    return (
        f'<rect class="firing" x="{start}" width="{width}" height="{_HEIGHT}"><title>an alert fires</title></rect>'
        f'<path class="since" d="M{start} 0V{_HEIGHT}"/>'
    )


def _legend(panel: Panel, series: Sequence[Series]) -> str:
    items = (
        f'<li><i class="{"promised" if each.constant else f"c{index % _COLORS}"}"></i>'
        f"<span>{escape(each.name)}</span><b>{escape(written(each.last, panel.unit))}</b></li>"
        for index, each in enumerate(series)
    )
    return f'<ul class="legend">{"".join(items)}</ul>'


# Figures


def color_of(panel: Panel, value: float) -> str:
    """The colour that ``value`` has by the panel's thresholds."""
    if not panel.thresholds:
        return "plain"
    passed = [each.color for each in panel.thresholds if value >= each.value]
    falling = panel.thresholds[-1].color == "green"
    return passed[-1] if passed else "red" if falling else "green"


def _stat(panel: Panel, series: Sequence[Series]) -> str:
    value = series[0].last
    color = color_of(panel, value)
    values = [each for each in series[0].values if each is not None]
    low, high = min(values), max(values)
    room = (high - low) or 1.0
    path = "L".join(
        f"{round(number * _WIDTH / (len(values) - 1))} {_y(each, low - room * 0.4, high + room * 0.1)}"
        for number, each in enumerate(values)
    )
    trend = (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" preserveAspectRatio="none" aria-hidden="true">'
        f'<path class="area" d="M{path}V{_HEIGHT}H0Z"/><path class="line" d="M{path}"/></svg>'
    )
    return f'<div class="stat {color}"><b>{escape(written(value, panel.unit))}</b>{trend}</div>'


def _bars(panel: Panel, series: Sequence[Series]) -> str:
    most = panel.maximum or max((abs(each.last) for each in series), default=1.0) or 1.0
    return f'<ul class="bars">{"".join(_bar(panel, each, most) for each in series)}</ul>'


def _bar(panel: Panel, series: Series, most: float) -> str:
    part = min(max(series.last / most, 0.0), 1.0)
    bar = f'<i class="{color_of(panel, series.last)}" style="--part:{part:.3f}"></i>'
    return f"<li><span>{escape(series.name)}</span>{bar}<b>{escape(written(series.last, panel.unit))}</b></li>"


def _gauges(panel: Panel, series: Sequence[Series]) -> str:
    most = panel.maximum or max((abs(each.last) for each in series), default=1.0) or 1.0
    return f'<ul class="gauges">{"".join(_gauge(panel, each, most) for each in series)}</ul>'


def _gauge(panel: Panel, series: Series, most: float) -> str:
    part = min(max(series.last / most, 0.0), 1.0)
    angle = math.pi * (1 - part)
    x, y = 50 + 42 * math.cos(angle), 50 - 42 * math.sin(angle)
    return (
        '<li><svg viewBox="0 0 100 56" aria-hidden="true"><path class="rest" d="M8 50A42 42 0 0 1 92 50"/>'
        f'<path class="held {color_of(panel, series.last)}" d="M8 50A42 42 0 0 1 {x:.1f} {y:.1f}"/></svg>'
        f"<b>{escape(written(series.last, panel.unit))}</b><span>{escape(series.name)}</span></li>"
    )


def _states(panel: Panel, series: Sequence[Series]) -> str:
    rows = (
        f'<li><span>{escape(each.name)}</span><svg viewBox="0 0 {len(each.values)} 1" preserveAspectRatio="none">'
        f"{''.join(_spans(panel, each.values))}</svg></li>"
        for each in series
    )
    return f'<ul class="states">{"".join(rows)}</ul>'


def _spans(panel: Panel, values: Sequence[float | None]) -> Iterable[str]:
    """A box for each stretch of time in which the colour is the same."""
    start = 0
    colors = ["none" if value is None else color_of(panel, value) for value in values]
    for index in range(1, len(colors) + 1):
        if index == len(colors) or colors[index] != colors[start]:
            yield f'<rect class="{colors[start]}" x="{start}" width="{index - start}" height="1"/>'
            start = index


def _table(panel: Panel, series: Sequence[Series]) -> str:
    """A row for each combination of labels, a column for each query."""
    labels = list(dict.fromkeys(label for each in series for label in each.labels))
    rows: dict[tuple[str, ...], dict[int, float]] = {}
    for each in series:
        rows.setdefault(tuple(each.labels.get(label, "") for label in labels), {})[each.query] = each.last
    queries = [query.legend if "{{" not in query.legend else "" for query in panel.queries]
    titles = [*labels, *(legend or "value" for legend in queries)]
    head = "".join(f"<th>{escape(title)}</th>" for title in titles)
    lines = (
        f"<tr>{''.join(f'<td>{escape(value)}</td>' for value in row)}"
        + "".join(
            f'<td class="number {color_of(panel, value)}">{escape(written(value, panel.unit))}</td>'
            for value in (found.get(number, 0.0) for number in range(len(queries)))
        )
        + "</tr>"
        for row, found in rows.items()
    )
    return f'<div class="rows"><table><thead><tr>{head}</tr></thead><tbody>{"".join(lines)}</tbody></table></div>'


_PANELS: Final[Mapping[str, Callable[[Panel, Sequence[Series]], str]]] = {
    "stat": _stat,
    "bargauge": _bars,
    "gauge": _gauges,
    "state-timeline": _states,
    "table": _table,
}
