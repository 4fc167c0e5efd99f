"""Which series there are: those that exporters give, and those that rules record, each with its labels."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Final

from components.observability.labels import LabelsOf, UnknownMetric, result_labels
from components.observability.lint_queries import query_problems
from components.observability.metrics import series_labels
from components.observability.models import (
    LatencyObjective,
    Limits,
    Objectives,
    Pool,
    ServedModel,
    Telemetry,
    Watched,
)
from components.observability.promql import parsed
from components.observability.promql_grammar import PromqlError
from components.observability.signals import signals
from components.observability.signals.constants import constants
from components.observability.values import Recording

# An environment whose settings say everything that settings can say: what is recorded from those has its labels also
# where nobody has said it, and a rule that asks for it names nothing unknown.
_MODEL: Final = ServedModel(
    "model",
    "team",
    Telemetry("standard", "namespace", {}),
    Objectives(0.99, LatencyObjective(0.99, 0.3), 0.9, 0.1, 3600, 0.2, 0.1, 0.2, 10, 100),
)
_EVERYTHING: Final = Watched(
    environment="",
    team="team",
    namespace="",
    runbooks="",
    namespaces={"team": "namespace"},
    models={"model": _MODEL},
    pools={"pool": Pool("pool", 1)},
    budget_usd=1,
    team_budgets_usd={"team": 1},
    limits=Limits(feature_views_seconds={"view": 1}),
)


def recordings(watched: Watched) -> list[Recording]:
    """Everything that is recorded, in the order in which it is."""
    ours = (recording for signal in signals(watched) for recording in signal.recordings)
    return [*constants(watched), *ours, *watched.own.recordings]


def labels_of(watched: Watched) -> LabelsOf:
    """Says of a series by its name which labels it has; None where nothing gives it."""
    by_name: dict[str, list[Recording]] = {}
    for recording in [*constants(_EVERYTHING), *recordings(watched)]:
        by_name.setdefault(recording.record, []).append(recording)
    known: dict[str, frozenset[str]] = {}

    def look(name: str) -> Collection[str] | None:
        if name in known:
            return known[name]
        if name not in by_name:
            return series_labels().get(name)
        known[name] = frozenset()  # what a rule records from itself, it has from elsewhere
        found: set[str] = set()
        for recording in by_name[name]:
            found.update(recording.labels)
            found.update(_result(recording.expr, look))
        known[name] = frozenset(found)
        return known[name]

    return look


def _result(expression: str, look: LabelsOf) -> frozenset[str]:
    try:
        return result_labels(parsed(expression), look)
    except (UnknownMetric, PromqlError):
        return frozenset()  # `problems` says so


def problems(watched: Watched) -> Iterator[str]:
    """What is wrong with the rules: series that nothing gives, labels that those don't have, templates of others."""
    look = labels_of(watched)
    for recording in recordings(watched):
        for problem in query_problems(recording.expr, "", look):
            yield f"{recording.record}: {problem}"
    for signal in signals(watched):
        for alert in signal.alerts:
            legend = _named(f"{alert.summary} {alert.description}")
            for problem in query_problems(alert.expr, legend, look):
                yield f"{alert.name}: {problem}"


def _named(text: str) -> str:
    """The labels that a template names, as a legend names them."""
    words: Iterable[str] = text.replace("}", " ").replace("|", " ").split()
    names = (word.removeprefix("$labels.") for word in words if word.startswith("$labels."))
    return " ".join(f"{{{{{name}}}}}" for name in names)
