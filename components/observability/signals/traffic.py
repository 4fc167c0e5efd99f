"""Traffic of models: that it comes at all, and how a new version does beside the one that it is to replace."""

from __future__ import annotations

from typing import Final

from components.observability.values import Alert, Panel, Query, Recording, Severity, Signal

_BASELINE: Final = "on (model, version) model:baseline:info"
_WORSE: Final = "on (model) (1 + model:objective:canary_ratio)"
# So many requests have to have been answered within half an hour before two versions are compared.
_LEAST_REQUESTS: Final = "avg_over_time(model_version:requests:rate5m[30m]) * 1800 >= 20"

TRAFFIC: Final = Signal(
    name="model-traffic",
    title="Traffic",
    area="models",
    panels=(
        Panel(
            title="Requests",
            queries=(
                Query("model:requests:rate5m", "{{model}}"),
                Query("model:requests:rate1h offset 1w", "{{model}} a week ago"),
            ),
            unit="reqps",
            description="Requests per second, and how many there were at this time a week ago.",
            width=24,
            minimum=0,
        ),
    ),
    alerts=(
        Alert(
            "ModelTrafficDropped",
            # Nothing is said of a model that was hardly asked a week ago, or was not there.
            "model:requests:rate1h < 0.1 * (model:requests:rate1h offset 1w > 0.1)",
            for_seconds=900,
            severity=Severity.TICKET,
            summary="{{ $labels.model }}: hardly any requests",
            description="{{ $labels.model }} gets {{ $value | humanize }} requests per second, less than a tenth of "
            "what it got at this time a week ago. Those who ask it may no longer reach it.",
        ),
    ),
)

CANARY: Final = Signal(
    name="model-canary",
    title="Canary",
    area="models",
    recordings=(
        Recording(
            "model:baseline:info",
            "topk by (model) (1, avg_over_time(model_version:requests:rate5m[1h]) > 0) * 0 + 1",
            "short",
        ),
        Recording(
            "model_version:traffic:ratio",
            "model_version:requests:rate5m / on (model) group_left () (model:requests:rate5m > 0)",
            "percentunit",
        ),
        Recording(
            "model_version:error_ratio:rate30m",
            "avg_over_time(model_version:request_errors:rate5m[30m])"
            " / (avg_over_time(model_version:requests:rate5m[30m]) > 0)",
            "percentunit",
        ),
        Recording(
            "model_version:latency_seconds:p95_30m", "avg_over_time(model_version:latency_seconds:p95_5m[30m])", "s"
        ),
        Recording(
            "model:baseline_error_ratio:rate30m",
            f"max by (model) (model_version:error_ratio:rate30m and {_BASELINE})",
            "percentunit",
        ),
        Recording(
            "model:baseline_latency_seconds:p95_30m",
            f"max by (model) (model_version:latency_seconds:p95_30m and {_BASELINE})",
            "s",
        ),
    ),
    alerts=(
        Alert(
            "CanaryFailsMore",
            # One request of a thousand more is chance, whatever the baseline is.
            f"(model_version:error_ratio:rate30m unless {_BASELINE})\n"
            f"  > on (model) group_left () (model:baseline_error_ratio:rate30m * {_WORSE} + 0.001)\n"
            f"and {_LEAST_REQUESTS}",
            for_seconds=300,
            severity=Severity.PAGE,
            summary="{{ $labels.model }} {{ $labels.version }}: fails more often than what it is to replace",
            description="{{ $value | humanizePercentage }} of the requests to version {{ $labels.version }} of "
            "{{ $labels.model }} fail: more than those to the version that answers most, and more than its objective "
            "allows a canary.",
        ),
        Alert(
            "CanarySlower",
            f"(model_version:latency_seconds:p95_30m unless {_BASELINE})\n"
            f"  > on (model) group_left () (model:baseline_latency_seconds:p95_30m * {_WORSE})\n"
            f"and {_LEAST_REQUESTS}",
            for_seconds=300,
            severity=Severity.TICKET,
            summary="{{ $labels.model }} {{ $labels.version }}: slower than what it is to replace",
            description="One of twenty requests to version {{ $labels.version }} of {{ $labels.model }} takes longer "
            "than {{ $value | humanizeDuration }}: more than with the version that answers most, and more than its "
            "objective allows a canary.",
        ),
    ),
    panels=(
        Panel(
            title="Traffic of each version",
            queries=(Query("model_version:traffic:ratio", "{{model}} {{version}}"),),
            unit="percentunit",
            description="Part of a model's requests that each version answers.",
            width=8,
            minimum=0,
            maximum=1,
        ),
        Panel(
            title="Errors of each version",
            queries=(Query("model_version:error_ratio:rate30m", "{{model}} {{version}}"),),
            unit="percentunit",
            description="Part of the requests that fails, by version, over half an hour.",
            width=8,
            minimum=0,
        ),
        Panel(
            title="Latency of each version",
            queries=(Query("model_version:latency_seconds:p95_30m", "{{model}} {{version}}"),),
            unit="s",
            description="The 95th percentile of latency, by version, over half an hour.",
            width=8,
            minimum=0,
        ),
    ),
)
