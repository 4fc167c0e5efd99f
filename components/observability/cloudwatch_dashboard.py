"""The dashboard of what lives in AWS, as CloudWatch's JSON: the state of all alarms, then a picture of each metric.

Source: Amazon CloudWatch API reference, "Dashboard body structure and syntax", 2026-11.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pulumi

from components.observability.cloudwatch_values import AwsAlarm, AwsMetric, Shown, Unit

Widget = Mapping[str, Any]

_WIDTH: Final = 24
_CHART: Final = (8, 6)  # width and height
_HEADING: Final = 1
_ALARMS: Final = 4
_AXIS: Final[Mapping[Unit, str]] = {
    "percent": "%",
    "count": "",
    "bytes": "bytes",
    "seconds": "s",
    "microseconds": "µs",
    "usd": "USD",
}


@dataclass(frozen=True)
class Section:
    """Pictures that belong together, under a heading (Markdown). ``region``: where their metrics are."""

    heading: str
    region: str
    alarms: Sequence[AwsAlarm] = ()
    shown: Sequence[Shown] = ()


@dataclass
class _Chart:
    unit: Unit
    period: int
    lines: list[list[Any]] = field(default_factory=list[list[Any]])
    limits: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


def body(alarm_arns: Sequence[pulumi.Input[str]], sections: Iterable[Section]) -> pulumi.Output[str]:
    """The dashboard's JSON, unknown as long as a part of it is."""
    widgets: list[Widget] = [_alarm_states(alarm_arns)] if alarm_arns else []
    top = _ALARMS if alarm_arns else 0
    for section in sections:
        placed = list(_placed(section, top))
        widgets += placed
        top = max((widget["y"] + widget["height"] for widget in placed), default=top)
    return pulumi.Output.json_dumps({"widgets": widgets})


def _alarm_states(arns: Sequence[pulumi.Input[str]]) -> Widget:
    properties = {"title": "Alarms", "alarms": list(arns)}
    return {"type": "alarm", "x": 0, "y": 0, "width": _WIDTH, "height": _ALARMS, "properties": properties}


def _placed(section: Section, top: int) -> Iterator[Widget]:
    """The section's heading and its pictures, three in a row, from ``top`` on."""
    heading = {"markdown": section.heading}
    yield {"type": "text", "x": 0, "y": top, "width": _WIDTH, "height": _HEADING, "properties": heading}
    width, height = _CHART
    columns = _WIDTH // width
    for index, (title, chart) in enumerate(_charts(section).items()):
        row, column = divmod(index, columns)
        yield {
            "type": "metric",
            "x": column * width,
            "y": top + _HEADING + row * height,
            "width": width,
            "height": height,
            "properties": _properties(title, chart, section.region),
        }


def _charts(section: Section) -> dict[str, _Chart]:
    """One picture for each title: what all things of the section have in common is in one."""
    charts: dict[str, _Chart] = {}
    for alarm in section.alarms:
        chart = charts.setdefault(alarm.kind.title, _Chart(alarm.kind.unit, alarm.kind.period_seconds))
        chart.lines += _lines(alarm, len(chart.lines))
        limit = alarm.kind.written(alarm.threshold)
        chart.limits.append({"label": f"{alarm.about}: {limit}", "value": alarm.threshold})
    for shown in section.shown:
        chart = charts.setdefault(shown.title, _Chart(shown.unit, 300))
        chart.lines.append(_line(shown.metric, {"label": shown.label}))
    return charts


def _lines(alarm: AwsAlarm, before: int) -> list[list[Any]]:
    """The alarm's line; ids are unique in a picture, so those of an expression get the number of lines ``before``."""
    if alarm.expression is None:
        return [_line(metric, {"label": alarm.about}) for metric in alarm.metrics.values()]
    ids = {id_: f"{id_}{before}" for id_ in alarm.metrics}
    expression = re.sub(r"[a-z]+", lambda name: ids[name[0]], alarm.expression)
    shown = {"id": f"line{before}", "expression": expression, "label": alarm.about}
    hidden = [_line(metric, {"id": ids[id_], "visible": False}) for id_, metric in alarm.metrics.items()]
    return [[shown], *hidden]


def _line(metric: AwsMetric, options: Mapping[str, Any]) -> list[Any]:
    dimensions = [part for pair in metric.dimensions.items() for part in pair]
    return [metric.namespace, metric.name, *dimensions, {**options, "stat": metric.statistic}]


def _properties(title: str, chart: _Chart, region: str) -> Mapping[str, Any]:
    return {
        "title": title,
        "view": "timeSeries",
        "region": region,
        "period": chart.period,
        "metrics": chart.lines,
        "yAxis": {"left": {"label": _AXIS[chart.unit], "showUnits": False, "min": 0}},
        **({"annotations": {"horizontal": chart.limits}} if chart.limits else {}),
    }
