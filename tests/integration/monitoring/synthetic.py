"""Exporters made from the catalogue of metrics: each says all that it has there, until a test sets something else.

How things are where nothing is wrong stands in ``tests/cases/monitoring/healthy.yaml``. A metric that is not there has
one series for each combination of its labels' values, with a value by its kind and unit.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

import yaml

from components.observability.metrics import Metric, exporters
from tests.conftest import REPOSITORY
from tests.integration.monitoring.exporters import Sample, text

HEALTHY: Final = REPOSITORY / "tests" / "cases" / "monitoring" / "healthy.yaml"
Clock = Callable[[], float]
_Key = tuple[str, frozenset[tuple[str, str]]]


@dataclass
class Series:
    """One series, or all of one histogram or summary.

    A counter grows by ``rate`` a second, and a histogram by as many observations, each of ``value``; a gauge is
    ``value``, and with ``age`` the time that many seconds ago.
    """

    metric: Metric
    labels: Mapping[str, str]
    value: float | str = 1.0
    rate: float = 0.0
    age: float | None = None
    total: float = 0.0
    weighted: dict[float, float] = field(default_factory=dict[float, float])

    def grow(self, seconds: float) -> None:
        """Let so much time pass; what came before keeps the rate that it had."""
        self.total += self.rate * seconds
        if self.rate:
            seen = float(self.value)
            self.weighted[seen] = self.weighted.get(seen, 0.0) + self.rate * seconds

    def samples(self, now: float) -> Iterator[Sample]:
        match self.metric.kind:
            case "counter":
                yield Sample(self.metric.name, self.labels, self.total)
            case "gauge":
                yield Sample(self.metric.name, self.labels, self.value if self.age is None else now - self.age)
            case "histogram":
                yield from self._distribution("_bucket", "le", (*self.metric.buckets, "+Inf"))
            case "summary":
                yield Sample(self.metric.name, {**self.labels, "quantile": "0.5"}, self.value)
                yield from self._distribution("", "", ())

    def _distribution(self, part: str, label: str, bounds: Sequence[str]) -> Iterator[Sample]:
        name = self.metric.name
        for bound in bounds:
            below = sum(count for value, count in self.weighted.items() if value <= float(bound))
            yield Sample(f"{name}{part}", {**self.labels, label: bound}, below)
        yield Sample(f"{name}_count", self.labels, self.total)
        yield Sample(f"{name}_sum", self.labels, sum(value * count for value, count in self.weighted.items()))


class Synthetic:
    """One target of an exporter. ``labels`` are the values that labels have in it, such as its node's name."""

    def __init__(self, exporter: str, clock: Clock = time.time, **labels: Sequence[str]) -> None:
        self._clock = clock
        self._then = clock()
        self.metrics = exporters()[exporter].metrics
        self.series: dict[_Key, Series] = {}
        for metric in self.metrics.values():
            for each in _healthy(metric, labels):
                self.series[metric.name, frozenset(each.labels.items())] = each

    def body(self) -> bytes:
        """What it says now."""
        self._pass()
        samples = [sample for each in self.series.values() for sample in each.samples(self._then)]
        return text(samples, {name: metric.kind for name, metric in self.metrics.items()})

    def set(self, metric: str, labels: Mapping[str, str] | None = None, *, value: float | str = 1.0,
            rate: float = 0.0, age: float | None = None) -> None:  # fmt: skip
        """Let the series of a metric that have these labels go on like this; where there is none, one begins."""
        self._pass()
        labels = labels or {}
        wanted = frozenset(labels.items())
        series = [each for key, each in self.series.items() if key[0] == metric and wanted <= key[1]]
        if not series:
            series = [self.series.setdefault((metric, wanted), Series(self.metrics[metric], labels))]
        for each in series:
            each.value, each.rate, each.age = value, rate, age

    def _pass(self) -> None:
        now = self._clock()
        for each in self.series.values():
            each.grow(now - self._then)
        self._then = now


@cache
def _table() -> Mapping[str, Any]:
    return yaml.safe_load(HEALTHY.read_text(encoding="utf-8"))


def _healthy(metric: Metric, labels: Mapping[str, Sequence[str]]) -> Iterator[Series]:
    """The series of a metric where nothing is wrong."""
    table = _table()
    values = {**table["labels"], **labels}
    usual = table["units"].get(metric.unit, {"value": 1})
    for row in table["metrics"].get(metric.name, [{}]):
        fixed = row.get("labels", {})
        free = [name for name in metric.exposed if name not in fixed]
        how = {key: each for key, each in {**usual, **row}.items() if key != "labels"}
        for combination in itertools.product(*(values.get(name, [f"some {name}"]) for name in free)):
            yield Series(metric, {**fixed, **dict(zip(free, combination, strict=True))}, **how)


def unknown_names() -> list[str]:
    """What the table of the healthy speaks of and the catalogue does not have."""
    known = {name: metric for exporter in exporters().values() for name, metric in exporter.metrics.items()}
    found = [name for name in _table()["metrics"] if name not in known]
    for name, rows in _table()["metrics"].items():
        exposed = known[name].exposed if name in known else ()
        found += [f"{name}{{{label}}}" for row in rows for label in row.get("labels", {}) if label not in exposed]
    return found
