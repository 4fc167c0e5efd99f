"""Features that models are served with: how old they are."""

from __future__ import annotations

from typing import Final

from components.observability.signals.constants import OF_TEAM
from components.observability.values import Alert, Panel, Query, Recording, Severity, Signal

_UPDATED: Final = "feature_last_update_timestamp_seconds"
# Clocks differ by seconds; what lies further ahead is no time of an update.
_AHEAD: Final = 300
_OWN: Final = "on (feature_view) feature_view:objective:age_seconds"

FRESHNESS: Final = Signal(
    name="feature-freshness",
    title="Freshness",
    area="features",
    recordings=(
        Recording(
            "feature_view:age:seconds",
            f"clamp_min(time() - max by (namespace, feature_view) ({_UPDATED} > 0 < time() + {_AHEAD}), 0) {OF_TEAM}",
            "s",
        ),
    ),
    alerts=(
        Alert(
            "FeaturesStale",
            "feature_view:age:seconds > on (feature_view) group_left () feature_view:objective:age_seconds\n"
            f"or (feature_view:age:seconds unless {_OWN}) > on () group_left () limit:feature_age:seconds",
            for_seconds=300,
            severity=Severity.TICKET,
            summary="{{ $labels.feature_view }}: {{ $value | humanizeDuration }} old",
            description="The newest row of feature view {{ $labels.feature_view }} is {{ $value | humanizeDuration }} "
            "old. Models are served with what was true then.",
        ),
        Alert(
            "FeatureTimeImplausible",
            f"max by (namespace, feature_view) ({_UPDATED} unless {_UPDATED} > 0 < time() + {_AHEAD}) {OF_TEAM}",
            for_seconds=300,
            severity=Severity.TICKET,
            summary="{{ $labels.feature_view }}: a time of update that can't be true",
            description="Feature view {{ $labels.feature_view }} says that it was updated in the future, before 1970, "
            "or at no time. Nobody knows how old it is.",
        ),
    ),
    panels=(
        Panel(
            title="Age of features",
            queries=(
                Query("feature_view:age:seconds", "{{team}} {{feature_view}}"),
                Query("feature_view:objective:age_seconds", "{{feature_view}} at most"),
            ),
            unit="s",
            description="Age of each feature view's newest row, and the most that it may be.",
            width=24,
            minimum=0,
        ),
    ),
)
