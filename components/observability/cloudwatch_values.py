"""Alarms of CloudWatch as values: kinds of alarms, the metrics that they compare, and what silence means."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pulumi

from components.observability.values import Severity

Unit = Literal["percent", "count", "bytes", "seconds", "microseconds", "usd"]

_GIB = 1024**3
# How a threshold is written, by the unit that CloudWatch has the metric in.
_WRITTEN: Mapping[Unit, tuple[float, str]] = {
    "percent": (1, "%"),
    "count": (1, ""),
    "bytes": (_GIB, " GiB"),
    "seconds": (1, " s"),
    "microseconds": (1000, " ms"),
    "usd": (1, " USD"),
}


class Missing(enum.StrEnum):
    """What an alarm makes of a period without a value, in CloudWatch's words."""

    BAD = "breaching"
    FINE = "notBreaching"
    AS_BEFORE = "ignore"


@dataclass(frozen=True)
class AlarmKind:
    """What an alarm of this name is about: ``summary`` is said of ``{about}``, ``title`` is that of its picture.

    It goes off once ``bad`` of the last ``periods`` values are beyond the threshold (``below``: under it), each of
    ``period_seconds``. ``because`` is why a missing value counts as ``missing`` says.
    """

    name: str
    title: str
    severity: Severity
    summary: str
    unit: Unit
    missing: Missing
    because: str
    period_seconds: int = 300
    periods: int = 3
    bad: int = 3
    below: bool = False

    def written(self, threshold: float) -> str:
        """``threshold`` as people read it."""
        size, unit = _WRITTEN[self.unit]
        return f"{threshold / size:g}{unit}"


@dataclass(frozen=True)
class AwsMetric:
    """One series of CloudWatch: ``statistic`` is its own (Sum, Maximum) or a percentile (p99)."""

    namespace: str
    name: str
    statistic: str
    dimensions: Mapping[str, pulumi.Input[str]]


@dataclass(frozen=True)
class AwsAlarm:
    """An alarm for ``about``, on which ``team`` acts. ``expression`` is of ``metrics`` by id; None: there is one."""

    kind: AlarmKind
    about: str
    team: str
    threshold: float
    metrics: Mapping[str, AwsMetric]
    expression: str | None = None


@dataclass(frozen=True)
class Shown:
    """A metric that a dashboard shows in the picture ``title``, as the line ``label``, and that has no alarm."""

    title: str
    unit: Unit
    label: str
    metric: AwsMetric
