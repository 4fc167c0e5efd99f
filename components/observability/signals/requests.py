"""Requests of models: how many there are, how many fail, and how long they take, whatever serves the model.

What servers count goes into sums only where it can be true: a rate that is no number, negative or beyond any server
would spoil the sum of all others. ``telemetry`` says which are left out.
"""

from __future__ import annotations

from typing import Final

from components.observability.model_servers import SERVERS
from components.observability.signals.burn import Budget
from components.observability.values import Panel, Query, Recording, Signal, Threshold

# No server answers more (requests per second, tokens per second).
PLAUSIBLE: Final = ">= 0 < 1e6"
_BY: Final = "sum by (model, team, version)"

_FAILURES: Final = Budget("request_errors", "requests", "error_ratio", "(1 - model:objective:availability)")
_DELAYS: Final = Budget(
    "slow_requests", "timed_requests", "slow_ratio", "(1 - max by (model) (model:objective:latency_ratio))"
)
_FAIL: Final = "fail"
_ARE_SLOW: Final = "are slower than promised"


def rate(selector: str, by: str = _BY) -> str:
    """The sum of the plausible rates of a counter, over five minutes."""
    return f"{by} (rate({selector}[5m]) {PLAUSIBLE})"


def _requests() -> str:
    parts = [rate(server.requests) for name, server in SERVERS.items() if name != "triton"]
    triton = SERVERS["triton"]
    assert triton.errors is not None, "Triton counts those that fail apart from those that succeed"
    good, bad = rate(triton.requests), rate(triton.errors)
    return "\nor ".join([*parts, f"({good} + ({bad} or 0 * {good}))"])


def _errors() -> str:
    parts = [rate(server.errors) for server in SERVERS.values() if server.errors]
    return "\nor ".join([*parts, "0 * model_version:requests:rate5m"])


def _buckets(per_second: int) -> str:
    names = [server.latency for server in SERVERS.values() if server.per_second == per_second]
    return "\nor ".join(rate(f"{name}_bucket", "sum by (model, team, version, le)") for name in names)


def _quantile(quantile: float) -> Recording:
    seconds, milliseconds = (
        f"histogram_quantile({quantile}, model_version:{name}_bucket:rate5m)"
        for name in ("request_duration_seconds", "first_response_milliseconds")
    )
    record = f"model_version:latency_seconds:p{quantile * 100:.0f}_5m"
    return Recording(record, f"{seconds} >= 0\nor ({milliseconds} >= 0) / 1000", "s")


def _timed(record: str, expr: str) -> Recording:
    """The same over buckets in seconds and in milliseconds; ``expr`` has a place for each."""
    both = (
        expr.format(buckets=f"model_version:{name}_bucket:rate5m")
        for name in ("request_duration_seconds", "first_response_milliseconds")
    )
    return Recording(record, "\nor ".join(both), "reqps")


AVAILABILITY: Final = Signal(
    name="model-availability",
    title="Errors",
    area="models",
    interval_seconds=30,
    recordings=(
        Recording("model_version:requests:rate5m", _requests(), "reqps"),
        Recording("model_version:request_errors:rate5m", _errors(), "reqps"),
        Recording("model:requests:rate5m", "sum by (model, team) (model_version:requests:rate5m)", "reqps"),
        Recording("model:request_errors:rate5m", "sum by (model, team) (model_version:request_errors:rate5m)", "reqps"),
        *_FAILURES.recent(),
    ),
    alerts=(_FAILURES.fast("ModelErrorBudgetBurnsFast", _FAIL),),
    panels=(
        Panel(
            title="Error budget left",
            queries=(Query("model:error_ratio_budget:left30d", "{{model}}", instant=True),),
            unit="percentunit",
            description="What is left of the errors that may happen in 30 days (or as long as metrics are kept): 100% "
            "is all of them, below 0% more happened than was promised.",
            kind="bargauge",
            width=8,
            thresholds=(Threshold(0, "orange"), Threshold(0.25, "green")),
            maximum=1,
        ),
        Panel(
            title="Requests that fail",
            queries=(
                Query(
                    "model_version:request_errors:rate5m / (model_version:requests:rate5m > 0)",
                    "{{model}} {{version}}",
                ),
            ),
            unit="percentunit",
            description="Part of the requests that fail, by model and version, over five minutes.",
            width=16,
            minimum=0,
        ),
        Panel(
            title="How fast the error budget burns",
            queries=(
                Query(
                    "model:error_ratio:rate1h / on (model) group_left () (1 - model:objective:availability)",
                    "{{model}}",
                ),
            ),
            unit="short",
            description="At 1 the budget lasts for its 30 days; from 14.4 on somebody is woken up.",
            thresholds=(Threshold(1, "yellow"), Threshold(6, "orange"), Threshold(14.4, "red")),
            minimum=0,
        ),
        Panel(
            title="Requests by version",
            queries=(Query("model_version:requests:rate5m", "{{model}} {{version}}"),),
            unit="reqps",
            description="Requests per second that each version of each model answers.",
            minimum=0,
        ),
    ),
)

LATENCY: Final = Signal(
    name="model-latency",
    title="Latency",
    area="models",
    interval_seconds=30,
    recordings=(
        Recording("model_version:request_duration_seconds_bucket:rate5m", _buckets(1), "reqps"),
        Recording("model_version:first_response_milliseconds_bucket:rate5m", _buckets(1000), "reqps"),
        *(_quantile(quantile) for quantile in (0.5, 0.95, 0.99)),
        _timed("model:timed_requests:rate5m", 'sum by (model, team) ({buckets}{{le="+Inf"}})'),
        _timed(
            "model:slow_requests:rate5m",
            'clamp_min(sum by (model, team) ({buckets}{{le="+Inf"}})'
            " - sum by (model, team) ({buckets} and on (model, le) model:objective:latency_ratio), 0)",
        ),
        *_DELAYS.recent(),
    ),
    alerts=(_DELAYS.fast("ModelLatencyBudgetBurnsFast", _ARE_SLOW),),
    panels=(
        Panel(
            title="Latency budget left",
            queries=(Query("model:slow_ratio_budget:left30d", "{{model}}", instant=True),),
            unit="percentunit",
            description="What is left of the slow answers that may happen in 30 days (or as long as metrics are kept).",
            kind="bargauge",
            width=8,
            thresholds=(Threshold(0, "orange"), Threshold(0.25, "green")),
            maximum=1,
        ),
        Panel(
            title="Latency, 99th percentile",
            queries=(
                Query("model_version:latency_seconds:p99_5m", "{{model}} {{version}}"),
                Query("model:objective:latency_seconds", "{{model}} promised"),
            ),
            unit="s",
            description="One of a hundred requests takes longer. Read from the histogram's bounds, between which it is "
            "a guess.",
            width=16,
            minimum=0,
        ),
        Panel(
            title="Latency, median and 95th percentile",
            queries=(
                Query("model_version:latency_seconds:p50_5m", "{{model}} {{version}} median"),
                Query("model_version:latency_seconds:p95_5m", "{{model}} {{version}} 95th"),
            ),
            unit="s",
            description="Half of the requests, and one of twenty, take longer.",
            minimum=0,
        ),
        Panel(
            title="Slow requests",
            queries=(Query("model:slow_ratio:rate5m", "{{model}}"),),
            unit="percentunit",
            description="Part of the requests that takes longer than the objective says.",
            minimum=0,
        ),
    ),
)

BUDGETS: Final = Signal(
    name="model-budgets",
    title="Budgets over days",
    area="models",
    interval_seconds=120,
    recordings=(*_FAILURES.hourly(), *_DELAYS.hourly(), *_FAILURES.long(), *_DELAYS.long()),
    alerts=(
        _FAILURES.slow("ModelErrorBudgetBurnsSlow", _FAIL),
        _DELAYS.slow("ModelLatencyBudgetBurnsSlow", _ARE_SLOW),
    ),
    panels=(
        Panel(
            title="Bad requests over three days",
            queries=(
                Query("model:error_ratio:rate3d", "{{model}} failed"),
                Query("model:slow_ratio:rate3d", "{{model}} slow"),
            ),
            unit="percentunit",
            description="Part of the requests of the last three days that failed, or were slower than promised.",
            width=24,
            minimum=0,
        ),
    ),
)
