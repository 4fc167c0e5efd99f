"""The catalogue of metrics: what each exporter exports, with kind, unit and labels, as ``metrics.yaml`` has it."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import yaml

TABLE: Final = Path(__file__).parents[1] / "data" / "metrics.yaml"
# What a histogram and a summary are stored as.
_PARTS: Final[Mapping[str, tuple[str, ...]]] = {
    "histogram": ("_bucket", "_sum", "_count"),
    "summary": ("", "_sum", "_count"),
}

Kind = Literal["counter", "gauge", "histogram", "summary"]


@dataclass(frozen=True)
class Metric:
    """A metric. ``labels`` are all that its series have, those included that scraping adds.

    ``exposed`` are those among them that the exporter itself gives. ``buckets`` are a histogram's bounds as the label
    ``le`` has them, without ``+Inf``. ``job`` is a regular expression of the scrape jobs that bring it.
    """

    name: str
    kind: Kind
    unit: str
    labels: tuple[str, ...]
    exposed: tuple[str, ...]
    help: str
    exporter: str
    job: str
    source: str
    buckets: tuple[str, ...] = ()

    def series(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """The name of each series that it is stored as, with the labels of that."""
        for part in _PARTS.get(self.kind, ("",)):
            extra = {"_bucket": ("le",), "": ("quantile",) if self.kind == "summary" else ()}.get(part, ())
            yield f"{self.name}{part}", (*self.labels, *extra)


@dataclass(frozen=True)
class Exporter:
    """Where metrics come from. ``honored``: labels that it gives win over those that scraping adds."""

    name: str
    job: str
    source: str
    added: tuple[str, ...]
    honored: bool
    metrics: Mapping[str, Metric]


@functools.cache
def exporters() -> Mapping[str, Exporter]:
    """All exporters, by name."""
    # The loader in C, where there is one: the other takes a third of a second for this file.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    table: dict[str, dict[str, Any]] = yaml.load(TABLE.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506
    return {name: _exporter(name, facts) for name, facts in table.items()}


@functools.cache
def catalogue() -> Mapping[str, Metric]:
    """All metrics, by name."""
    return {name: metric for exporter in exporters().values() for name, metric in exporter.metrics.items()}


@functools.cache
def series_labels() -> Mapping[str, frozenset[str]]:
    """The labels of each series that exporters give, by the name that it is stored under."""
    return {name: frozenset(labels) for metric in catalogue().values() for name, labels in metric.series()}


def _exporter(name: str, facts: Mapping[str, Any]) -> Exporter:
    added, shared = tuple(facts["added"]), tuple(facts.get("labels", ()))
    metrics = {metric: _metric(metric, row, name, facts, shared, added) for metric, row in facts["metrics"].items()}
    return Exporter(name, facts["job"], facts["source"], added, facts.get("honored", False), metrics)


def _metric(
    name: str, row: list[Any], exporter: str, facts: Mapping[str, Any], shared: tuple[str, ...], added: tuple[str, ...]
) -> Metric:
    kind, unit, own, text, *buckets = row
    exposed = (*shared, *own)
    return Metric(
        name=name,
        kind=kind,
        unit=unit,
        labels=tuple(dict.fromkeys((*exposed, *added))),
        exposed=exposed,
        help=text,
        exporter=exporter,
        job=facts["job"],
        source=facts["source"],
        buckets=tuple(buckets[0]) if buckets else (),
    )


def job_of(exporter: str, model: str | None = None) -> str:
    """The scrape job of an exporter; of a server of models, the one of ``model``."""
    job = exporters()[exporter].job
    return re.sub(r"\.\+$", model, job) if model is not None else job
