"""How far the features of today are from those that a model was trained on, by feature."""

from __future__ import annotations

from typing import Final

from components.observability.signals.quality import latest
from components.observability.values import Alert, Panel, Query, Recording, Severity, Signal, Threshold

_BY: Final = "model, version, feature"

STABILITY: Final = Signal(
    name="feature-stability",
    title="Population stability",
    area="data",
    recordings=(Recording("model_feature:psi:latest", latest("model_feature_psi", "max", _BY), "short"),),
    alerts=(
        Alert(
            "FeatureDrifted",
            "model_feature:psi:latest > on (model) group_left () model:objective:psi",
            for_seconds=600,
            severity=Severity.TICKET,
            summary="{{ $labels.model }}: feature {{ $labels.feature }} has drifted",
            description="The population stability index of {{ $labels.feature }}, which {{ $labels.model }} reads, is "
            '{{ $value | printf "%.2f" }} against its baseline, more than its objective allows.',
        ),
        Alert(
            "ModelDriftUnmeasured",
            "(model:objective:psi or model:objective:kl_nats)\n"
            "  unless on (model) (model_feature:psi:latest or model_feature:kl_nats:latest)",
            for_seconds=3600,
            severity=Severity.TICKET,
            summary="{{ $labels.model }}: nobody knows whether its features have drifted",
            description="{{ $labels.model }} has an objective for the distribution of its features, but none has been "
            "measured for two days, or ever.",
        ),
    ),
    panels=(
        Panel(
            title="Population stability index",
            queries=(Query("model_feature:psi:latest", "{{model}} {{feature}}"),),
            unit="short",
            description="Distance of each feature from its baseline. Below 0.1 is usual, from 0.2 on the model meets "
            "other data than it was trained on.",
            thresholds=(Threshold(0.1, "yellow"), Threshold(0.2, "red")),
            minimum=0,
        ),
        Panel(
            title="Features that have drifted",
            queries=(
                Query(
                    "count by (model) (model_feature:psi:latest > on (model) group_left () model:objective:psi)",
                    "{{model}}",
                ),
            ),
            unit="short",
            description="Number of features of each model whose index is above its objective.",
            minimum=0,
        ),
    ),
)

DIVERGENCE: Final = Signal(
    name="feature-divergence",
    title="Divergence",
    area="data",
    recordings=(Recording("model_feature:kl_nats:latest", latest("model_feature_kl_nats", "max", _BY), "short"),),
    alerts=(
        Alert(
            "FeatureDiverged",
            "model_feature:kl_nats:latest > on (model) group_left () model:objective:kl_nats",
            for_seconds=600,
            severity=Severity.TICKET,
            summary="{{ $labels.model }}: feature {{ $labels.feature }} diverges",
            description="The Kullback-Leibler divergence of {{ $labels.feature }}, which {{ $labels.model }} reads, "
            'from its baseline is {{ $value | printf "%.2f" }} nats, more than its objective allows.',
        ),
    ),
    panels=(
        Panel(
            title="Kullback-Leibler divergence",
            queries=(Query("model_feature:kl_nats:latest", "{{model}} {{feature}}"),),
            unit="short",
            description="Divergence of each feature from its baseline, in nats.",
            width=24,
            minimum=0,
        ),
    ),
)
