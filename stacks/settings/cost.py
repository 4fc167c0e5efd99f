"""Settings of what the environment may cost, and who hears of it.

The budget is what AWS watches when money has been spent; the ceilings are what the policy packs hold an estimate
against, before anything is created.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field

from components.instance_types import instance_types
from stacks.settings.base import Contradiction, Section
from stacks.settings.problems import did_you_mean

Usd = Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)]
InstanceType = Annotated[str, Field(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$", max_length=60)]
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
    """The budget, the ceilings that a preview may not break, and who is told when the budget is at risk."""

    monthly_budget_usd: Usd
    """What the environment may cost (USD/month); AWS Budgets watches what is spent against it."""
    ceiling_usd: Usd | None = None
    """What it may cost by estimate (USD/month): a preview above it is refused; default: monthly_budget_usd."""
    team_ceilings_usd: dict[str, Usd] = Field(default_factory=dict)
    """The same for what carries a team's tag or label, by team; teams that are not named have none of their own."""
    max_increase_usd: Usd | None = None
    """How much one change may add to the estimate (USD/month); default: no limit."""
    max_increase_percent: float | None = Field(default=None, gt=0, le=10000)
    """How much one change may add to the estimate, in percent of what there is; default: no limit."""
    max_pool_usd: Usd | None = None
    """What one node pool may cost at its largest size, on demand (USD/month); default: no limit."""
    allowed_gpus: tuple[str, ...] | None = None
    """GPUs and accelerators that may be used, by name such as L4; default: all, while an empty list allows none."""
    prices: dict[InstanceType, Usd] = Field(default_factory=dict)
    """What an hour of an instance type costs as agreed with AWS (USD), such as p5e.48xlarge: 63.5; default: by list."""
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

    @property
    def ceiling(self) -> float:
        """What the environment may cost by estimate (USD/month)."""
        return self.monthly_budget_usd if self.ceiling_usd is None else self.ceiling_usd

    def contradictions(self) -> Iterable[Contradiction]:
        yield from self._about_notices()
        yield from self._about_anomalies()
        yield from self._about_ceilings()
        yield from self._about_gpus()

    def _about_ceilings(self) -> Iterable[Contradiction]:
        if self.monthly_budget_usd > self.ceiling:
            why = f"is {self.ceiling:g}, which is below monthly_budget_usd ({self.monthly_budget_usd:g})"
            yield Contradiction("ceiling_usd", why, "lower monthly_budget_usd, or raise the ceiling")
        for team, usd in self.team_ceilings_usd.items():
            if usd > self.ceiling:
                why = f"is {usd:g}, but the whole environment may cost {self.ceiling:g}"
                yield Contradiction(f"team_ceilings_usd.{team}", why, "use less, or raise ceiling_usd")

    def _about_gpus(self) -> Iterable[Contradiction]:
        known = sorted({name for kind in instance_types().values() if (name := kind.gpu_name or kind.accelerator_name)})
        for index, name in enumerate(self.allowed_gpus or ()):
            if name not in known:
                advice = did_you_mean(name, known) or f"known here: {', '.join(known)}"
                yield Contradiction(f"allowed_gpus[{index}]", f"no instance type has a GPU '{name}'", advice)

    def _about_notices(self) -> Iterable[Contradiction]:
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

    def _about_anomalies(self) -> Iterable[Contradiction]:
        if not self.anomalies.enabled:
            return
        if self.anomalies.frequency == "immediate" and not self.alert_topic:
            why = "'immediate' reports go to the alert topic only, and cost.alert_topic is off"
            yield Contradiction("anomalies.frequency", why, "use 'daily' or 'weekly' with cost.emails, or turn it on")
        if self.anomalies.frequency != "immediate" and not self.emails:
            why = f"'{self.anomalies.frequency}' reports go by e-mail only, and cost.emails is empty"
            yield Contradiction("anomalies.frequency", why, "use 'immediate', or give an address")
