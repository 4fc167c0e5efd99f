"""What monitoring consists of, as values: recording rules, alerts, panels, and the signals that hold them together.

A signal is one thing that can go well or badly (a model's latency, a GPU's idleness). It holds for every model, GPU or
team at once: rules are written over labels, and what differs between models is a series of its own, recorded from the
settings (``model:objective:...``). So the number of rules does not grow with the number of models, but for those.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

# Labels that every alert has, so that it finds who has to act: the team's name, and how urgent it is.
TEAM, SEVERITY = "team", "severity"

PanelKind = Literal["timeseries", "stat", "gauge", "table", "bargauge", "state-timeline"]


class Severity(enum.StrEnum):
    """``PAGE`` wakes somebody, ``TICKET`` waits for the working day, ``INFO`` only inhibits or is looked at."""

    PAGE = "page"
    TICKET = "ticket"
    INFO = "info"


@dataclass(frozen=True)
class Recording:
    """A recording rule: ``record`` (level:metric:operation) is what ``expr`` gives. ``unit`` is Grafana's."""

    record: str
    expr: str
    unit: str
    labels: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Alert:
    """An alert for each series that ``expr`` gives for ``for_seconds``.

    Who has to act is the label ``team`` of those series; where they have none, or ``platform`` is True, it is the team
    that runs the platform. ``summary`` and ``description`` are Prometheus's templates.
    """

    name: str
    expr: str
    for_seconds: int
    severity: Severity
    summary: str
    description: str
    platform: bool = False
    keep_firing_seconds: int = 0
    labels: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Query:
    """A PromQL expression of a panel, and how its series are called (Grafana's template, such as ``{{model}}``).

    It is about everything at once and names no variable: a dashboard narrows it to the team or model that is chosen.
    """

    expr: str
    legend: str = ""
    instant: bool = False


@dataclass(frozen=True)
class Threshold:
    """From ``value`` on, in the panel's unit, a panel shows ``color``."""

    value: float
    color: Literal["green", "yellow", "orange", "red"]


@dataclass(frozen=True)
class Panel:
    """A picture of ``queries``. ``unit`` is Grafana's name of it; a dashboard is 24 wide."""

    title: str
    queries: Sequence[Query]
    unit: str
    description: str
    kind: PanelKind = "timeseries"
    width: int = 12
    height: int = 8
    thresholds: Sequence[Threshold] = ()
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True)
class Signal:
    """One thing that is watched: its rules, its alerts, and the panels that show it.

    ``area`` is one of ``dashboards.areas.AREAS``: a dashboard.
    """

    name: str
    title: str
    area: str
    panels: Sequence[Panel]
    recordings: Sequence[Recording] = ()
    alerts: Sequence[Alert] = ()
    interval_seconds: int = 60
