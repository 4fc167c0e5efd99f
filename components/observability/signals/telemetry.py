"""Whether what a model says of itself is there, and can be true."""

from __future__ import annotations

from typing import Final

from components.observability.model_servers import SERVERS
from components.observability.signals.constants import OF_MODEL
from components.observability.signals.requests import PLAUSIBLE
from components.observability.values import Alert, Panel, Query, Recording, Severity, Signal, Threshold

_UP: Final = 'up{job=~"model/.+"}'
# What is pushed, and the range in which it can be true. A population stability index has no upper end; beyond this one
# a bin was empty, or the baseline is of something else. Ten years is no delay of a label.
PUSHED: Final = {
    "model_accuracy": ">= 0 <= 1",
    "model_calibration_error": ">= 0 <= 1",
    "model_label_delay_seconds": ">= 0 < 315360000",
    "model_feature_psi": ">= 0 < 1000",
    "model_feature_kl_nats": ">= 0 < 1000",
}


def _implausible() -> str:
    # `unless` keeps what a comparison drops: also what is no number, which compares with nothing.
    counted: list[tuple[str, str]] = []
    for server in SERVERS.values():
        for what, selector in (("requests", server.requests), ("tokens", server.tokens)):
            if selector is not None:
                seen = f"rate({selector}[5m])"
                counted.append((what, f"count by (model, team) ({seen} unless {seen} {PLAUSIBLE})"))
    counted += [(name, f"count by (model) ({name} unless {name} {right}) {OF_MODEL}") for name, right in PUSHED.items()]
    return "\nor ".join(f'label_replace({expr}, "metric", "{what}", "", "")' for what, expr in counted)


TELEMETRY: Final = Signal(
    name="model-telemetry",
    title="Telemetry",
    area="models",
    recordings=(Recording("model_metric:implausible:count", _implausible(), "short"),),
    alerts=(
        Alert(
            "ModelTelemetryMissing",
            f'model:info{{server!="none"}} unless on (model) sum by (model) ({_UP}) > 0',
            for_seconds=600,
            severity=Severity.PAGE,
            summary="{{ $labels.model }}: no metrics",
            description="No pod of {{ $labels.model }} in {{ $labels.namespace }} gives metrics. Either none runs, or "
            "none is found: nobody knows how the model does, and none of its other alerts can fire.",
        ),
        Alert(
            "ModelReplicaSilent",
            f"count by (model, team) ({_UP} == 0) and on (model) sum by (model) ({_UP}) > 0",
            for_seconds=900,
            severity=Severity.TICKET,
            summary="{{ $labels.model }}: some pods give no metrics",
            description="Pods of {{ $labels.model }} that run, but can't be scraped: {{ $value }}. What they do is "
            "missing in every figure of the model.",
        ),
        Alert(
            "ModelRequestsUncounted",
            f"sum by (model, team) ({_UP}) > 0 unless on (model) model:requests:rate5m",
            for_seconds=3600,
            severity=Severity.TICKET,
            summary="{{ $labels.model }}: gives metrics, but counts no requests",
            description="The pods of {{ $labels.model }} give metrics, among which none counts requests as its server "
            "does by the settings. The server may be another, or nobody has ever asked the model.",
        ),
        Alert(
            "ModelMetricsImplausible",
            "model_metric:implausible:count > 0",
            for_seconds=300,
            severity=Severity.TICKET,
            summary="{{ $labels.model }}: values that can't be true ({{ $labels.metric }})",
            description="Series of {{ $labels.model }} ({{ $labels.metric }}) whose values are no number, negative or "
            "beyond all bounds: {{ $value }}. They are left out of all figures, which miss what is behind them.",
        ),
    ),
    panels=(
        Panel(
            title="Pods that give metrics",
            queries=(
                Query(f"sum by (model) ({_UP})", "{{model}}"),
                Query(f"count by (model) ({_UP} == 0)", "{{model}}, silent"),
            ),
            unit="short",
            description="Pods of each model that were scraped, and those that were found, but could not be.",
            minimum=0,
        ),
        Panel(
            title="Values that can't be true",
            queries=(Query("model_metric:implausible:count", "{{model}} {{metric}}"),),
            unit="short",
            description="Series with values that are no number, negative or beyond all bounds, which are left out.",
            thresholds=(Threshold(1, "red"),),
            minimum=0,
        ),
    ),
)
