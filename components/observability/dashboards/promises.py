"""What one model promises, and how it keeps it: the first that its dashboard says, a figure for each objective."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from components.observability.dashboards.board import Section
from components.observability.models import Objectives, ServedModel
from components.observability.values import Panel, Query, Threshold

# The label that every series of a model has, and the variable that holds the model of a dashboard.
_ME: Final = '{model="$model"}'
_RATIO: Final = "percentunit"
_LEFT: Final = (Threshold(0, "orange"), Threshold(0.25, "green"))
# A ticket is written from the first on, and somebody woken up by the last.
_BURN: Final = (Threshold(1, "yellow"), Threshold(6, "orange"), Threshold(14.4, "red"))


def promises(model: ServedModel) -> Section | None:
    """The figures of ``model``; None where it promises nothing."""
    wanted = model.objectives
    panels = [*_of_errors(wanted), *_of_latency(wanted), *_of_quality(wanted), *_of_features(wanted), *_of_llm(wanted)]
    return Section("Promises", panels) if panels else None


def _of_errors(wanted: Objectives) -> Iterator[Panel]:
    if wanted.availability is None:
        return
    said = "Part of the requests of three days that did not fail."
    yield _at_least("Answered without error", f"1 - model:error_ratio:rate3d{_ME}", _RATIO, wanted.availability, said)
    said = "What is left of the errors that may happen in 30 days."
    yield _figure("Budget of errors left", f"model:error_ratio_budget:left30d{_ME}", _RATIO, said, _LEFT)
    burn = f"model:error_ratio:rate1h{_ME} / on (model) (1 - model:objective:availability{_ME})"
    said = "At 1 the budget lasts for its 30 days; from 14.4 on somebody is woken up."
    yield _figure("Burn of the error budget", burn, "short", said, _BURN)


def _of_latency(wanted: Objectives) -> Iterator[Panel]:
    if wanted.latency is None:
        return
    said = f"Part of the requests of three days that were answered within {wanted.latency.seconds:g} seconds."
    yield _at_least("Answered in time", f"1 - model:slow_ratio:rate3d{_ME}", _RATIO, wanted.latency.ratio, said)
    said = "What is left of the slow answers that may happen in 30 days."
    yield _figure("Budget of delays left", f"model:slow_ratio_budget:left30d{_ME}", _RATIO, said, _LEFT)


def _of_quality(wanted: Objectives) -> Iterator[Panel]:
    if wanted.accuracy is not None:
        said = "Part of the predictions that were right, of the version that does worst."
        series = f"min(model_version:accuracy:latest{_ME})"
        yield _at_least("Accuracy now", series, _RATIO, wanted.accuracy, said)
    if wanted.calibration_error is not None:
        said = "How far probabilities are from how often they come true."
        series = f"max(model_version:calibration_error:latest{_ME})"
        yield _at_most("Calibration error now", series, _RATIO, wanted.calibration_error, said)
    if wanted.label_delay_seconds is not None:
        said = "How late anybody learns whether a prediction was right."
        series = f"max(model_version:label_delay_seconds:latest{_ME})"
        yield _at_most("Delay of labels now", series, "s", wanted.label_delay_seconds, said)


def _of_features(wanted: Objectives) -> Iterator[Panel]:
    if wanted.psi is not None:
        said = "Population stability index of the feature that is farthest from its baseline."
        yield _at_most("Most drifted feature", f"max(model_feature:psi:latest{_ME})", "short", wanted.psi, said)
    if wanted.kl_nats is not None:
        said = "Kullback-Leibler divergence (nats) of the feature that is farthest from its baseline."
        yield _at_most(
            "Most diverged feature", f"max(model_feature:kl_nats:latest{_ME})", "short", wanted.kl_nats, said
        )


def _of_llm(wanted: Objectives) -> Iterator[Panel]:
    if wanted.queue_depth is not None:
        said = "Requests that wait in the server that has the most of them."
        yield _at_most("Longest queue", f"max(model_pod:queue:depth{_ME})", "short", wanted.queue_depth, said)
    if wanted.tokens_per_second is not None:
        said = "Tokens that all servers make together; it has to be more only while requests wait."
        yield _at_least("Tokens now", f"model:tokens:rate5m{_ME}", "short", wanted.tokens_per_second, said)


def _at_least(title: str, expr: str, unit: str, objective: float, text: str) -> Panel:
    return _figure(title, expr, unit, f"{text} Promised: at least {objective:g}.", (Threshold(objective, "green"),))


def _at_most(title: str, expr: str, unit: str, objective: float, text: str) -> Panel:
    return _figure(title, expr, unit, f"{text} Promised: at most {objective:g}.", (Threshold(objective, "red"),))


def _figure(title: str, expr: str, unit: str, text: str, thresholds: tuple[Threshold, ...]) -> Panel:
    return Panel(title, (Query(expr),), unit, text, "stat", width=4, height=4, thresholds=thresholds)
