"""How right a model's predictions are: accuracy, calibration, and how late anybody learns it.

Batch jobs push these when labels have come. A value stays where it was pushed to until another comes: what is older
than ``STALE_SECONDS`` is nobody's accuracy of today, and counts as not measured.
"""

from __future__ import annotations

from typing import Final

from components.observability.signals.constants import OF_MODEL
from components.observability.signals.telemetry import PUSHED
from components.observability.values import Alert, Panel, Query, Recording, Severity, Signal

STALE_SECONDS: Final = 172800


def latest(metric: str, operation: str, labels: str = "model, version") -> str:
    """What was pushed last of ``metric``, as far as it can be true, with the team of its model."""
    stale = f"time() - push_time_seconds > {STALE_SECONDS}"
    fresh = f"{metric} {PUSHED[metric]} unless on (job, model, version) ({stale})"
    return f"{operation} by ({labels}) ({fresh}) {OF_MODEL}"


ACCURACY: Final = Signal(
    name="model-accuracy",
    title="Accuracy",
    area="quality",
    recordings=(Recording("model_version:accuracy:latest", latest("model_accuracy", "avg"), "percentunit"),),
    alerts=(
        Alert(
            "ModelAccuracyLow",
            "model_version:accuracy:latest < on (model) group_left () model:objective:accuracy",
            for_seconds=600,
            severity=Severity.TICKET,
            summary="{{ $labels.model }} {{ $labels.version }}: {{ $value | humanizePercentage }} accurate",
            description="{{ $value | humanizePercentage }} of the predictions of {{ $labels.model }}, version "
            "{{ $labels.version }}, were right, which is less than was promised.",
        ),
        Alert(
            "ModelQualityUnmeasured",
            "model:objective:accuracy unless on (model) model_version:accuracy:latest",
            for_seconds=3600,
            severity=Severity.TICKET,
            summary="{{ $labels.model }}: nobody knows how accurate it is",
            description="{{ $labels.model }} has promised an accuracy of {{ $value | humanizePercentage }}, but none "
            "has been pushed for two days, or ever.",
        ),
    ),
    panels=(
        Panel(
            title="Accuracy",
            queries=(
                Query("model_version:accuracy:latest", "{{model}} {{version}}"),
                Query("model:objective:accuracy", "{{model}} promised"),
            ),
            unit="percentunit",
            description="Part of the predictions that were right, of those whose label has come, by model and version.",
            width=24,
            maximum=1,
        ),
    ),
)

CALIBRATION: Final = Signal(
    name="model-calibration",
    title="Calibration",
    area="quality",
    recordings=(
        Recording("model_version:calibration_error:latest", latest("model_calibration_error", "avg"), "percentunit"),
    ),
    alerts=(
        Alert(
            "ModelCalibrationPoor",
            "model_version:calibration_error:latest > on (model) group_left () model:objective:calibration_error",
            for_seconds=600,
            severity=Severity.TICKET,
            summary="{{ $labels.model }} {{ $labels.version }}: probabilities off by {{ $value | humanizePercentage }}",
            description="The probabilities that version {{ $labels.version }} of {{ $labels.model }} gives differ by "
            "{{ $value | humanizePercentage }} on average from how often it is right, more than was promised.",
        ),
    ),
    panels=(
        Panel(
            title="Calibration error",
            queries=(
                Query("model_version:calibration_error:latest", "{{model}} {{version}}"),
                Query("model:objective:calibration_error", "{{model}} at most"),
            ),
            unit="percentunit",
            description="How far probabilities are, on average, from how often they come true (expected calibration "
            "error).",
            minimum=0,
        ),
    ),
)

LABELS: Final = Signal(
    name="model-labels",
    title="Labels",
    area="quality",
    recordings=(
        Recording("model_version:label_delay_seconds:latest", latest("model_label_delay_seconds", "max"), "s"),
    ),
    alerts=(
        Alert(
            "ModelLabelsLate",
            "model_version:label_delay_seconds:latest > on (model) group_left () model:objective:label_delay_seconds",
            for_seconds=600,
            severity=Severity.TICKET,
            summary="{{ $labels.model }}: labels come {{ $value | humanizeDuration }} late",
            description="Labels of predictions of {{ $labels.model }} come {{ $value | humanizeDuration }} after "
            "those, later than was promised. Its accuracy is that of so long ago.",
        ),
    ),
    panels=(
        Panel(
            title="Delay of labels",
            queries=(
                Query("model_version:label_delay_seconds:latest", "{{model}} {{version}}"),
                Query("model:objective:label_delay_seconds", "{{model}} at most"),
            ),
            unit="s",
            description="Time from a prediction to its label.",
            minimum=0,
        ),
    ),
)
