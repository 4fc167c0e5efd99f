"""Settings of what the environment may cost, and who hears of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field

from stacks.settings.base import Contradiction, Section

Email = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=254)]


class ThresholdSettings(Section):
    """When a budget gives notice."""

    percent: float = Field(gt=0, le=1000)
    """Percent of the monthly budget."""
    kind: Literal["actual", "forecasted"] = "actual"
    """What is compared with it: what was spent, or what the month is expected to cost."""


class AnomalySettings(Section):
    """Spend that is unusual, whatever the budget."""

    enabled: bool = True
    """Watch for it."""
    minimum_usd: float = Field(default=100, gt=0)
    """Impact (USD in all) below which nothing is reported."""
    frequency: Literal["immediate", "daily", "weekly"] = "immediate"
    """How often: AWS sends `immediate` reports to the alert topic only, `daily` and `weekly` ones by e-mail only."""


class CostSettings(Section):
    """The budget, and who is told when it is at risk."""

    monthly_budget_usd: float = Field(gt=0)
    """What the environment may cost (USD/month)."""
    thresholds: tuple[ThresholdSettings, ...] = Field(
        default=(
            ThresholdSettings(percent=50),
            ThresholdSettings(percent=80),
            ThresholdSettings(percent=100),
            ThresholdSettings(percent=100, kind="forecasted"),
        ),
        max_length=5,
    )
    """When notice is given (AWS: at most 5 notices for a budget)."""
    alert_topic: bool = True
    """Send notices to the platform's SNS topic."""
    emails: tuple[Email, ...] = Field(default=(), max_length=10)
    """Addresses that get notices (AWS: at most 10)."""
    anomalies: AnomalySettings = AnomalySettings()
    """Spend that is unusual, whatever the budget."""

    def contradictions(self) -> Iterable[Contradiction]:
        if self.thresholds and not self.alert_topic and not self.emails:
            why = "have no receiver: cost.alert_topic is off and cost.emails is empty"
            yield Contradiction("thresholds", why, "turn alert_topic on, give an e-mail address, or use no thresholds")
        seen: set[tuple[float, str]] = set()
        for index, threshold in enumerate(self.thresholds):
            key = (threshold.percent, threshold.kind)
            if key in seen:
                why = f"repeats {threshold.percent:g} percent {threshold.kind}"
                yield Contradiction(f"thresholds[{index}]", why, "leave it out")
            seen.add(key)
        yield from self._about_anomalies()

    def _about_anomalies(self) -> Iterable[Contradiction]:
        if not self.anomalies.enabled:
            return
        if self.anomalies.frequency == "immediate" and not self.alert_topic:
            why = "'immediate' reports go to the alert topic only, and cost.alert_topic is off"
            yield Contradiction("anomalies.frequency", why, "use 'daily' or 'weekly' with cost.emails, or turn it on")
        if self.anomalies.frequency != "immediate" and not self.emails:
            why = f"'{self.anomalies.frequency}' reports go by e-mail only, and cost.emails is empty"
            yield Contradiction("anomalies.frequency", why, "use 'immediate', or give an address")
