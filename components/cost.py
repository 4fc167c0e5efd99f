"""What the deployment costs: a budget with notices, a watch for unusual spend, and costs by team.

All three find their costs by tags, so Team and DeploymentId have to be activated as cost allocation tags in the billing
account, once.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pulumi_aws.budgets import BudgetNotificationArgsDict as Notification
from pulumi_aws.costexplorer import AnomalySubscriptionSubscriberArgsDict as Subscriber

from components import names
from components.base import PlatformComponent


@dataclass(frozen=True)
class Threshold:
    """Percent of the budget, compared with what was spent (``ACTUAL``) or is expected (``FORECASTED``)."""

    percent: float
    kind: str


@dataclass(frozen=True)
class AnomalyChoices:
    """Unusual spend from ``minimum_usd`` on is reported to the topic (``IMMEDIATE``) or by mail (others)."""

    minimum_usd: float
    frequency: str


@dataclass(frozen=True)
class CostChoices:
    """What an environment decides about its costs (USD/month)."""

    monthly_budget_usd: float
    thresholds: Sequence[Threshold]
    emails: Sequence[str]
    use_topic: bool
    anomalies: AnomalyChoices | None


@dataclass(frozen=True)
class CostControlArgs:
    deployment_id: str
    topic_arn: pulumi.Input[str]
    choices: CostChoices


class CostControl(PlatformComponent, area="cost"):
    """A budget (``budget_name``), an anomaly monitor with its subscription, and a cost category."""

    budget_name: pulumi.Output[str]

    def __init__(self, name: str, args: CostControlArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._args = args
        self.budget_name = self._budget().name
        if args.choices.anomalies is not None:
            self._watch(args.choices.anomalies)
        self._category()
        self.register_outputs({"budgetName": self.budget_name})

    def _budget(self) -> aws.budgets.Budget:
        choices = self._args.choices
        return aws.budgets.Budget(
            self.child("monthly"),
            name=self.physical(names.BUDGET, "monthly"),
            budget_type="COST",
            time_unit="MONTHLY",
            limit_amount=_amount(choices.monthly_budget_usd),
            limit_unit="USD",
            cost_filters=[{"name": "TagKeyValue", "values": [f"user:DeploymentId${self._args.deployment_id}"]}],
            notifications=[self._notification(threshold) for threshold in choices.thresholds],
            opts=self.options(),
        )

    def _notification(self, threshold: Threshold) -> Notification:
        choices = self._args.choices
        return {
            "comparison_operator": "GREATER_THAN",
            "threshold": threshold.percent,
            "threshold_type": "PERCENTAGE",
            "notification_type": threshold.kind,
            "subscriber_email_addresses": list(choices.emails),
            "subscriber_sns_topic_arns": [self._args.topic_arn] if choices.use_topic else [],
        }

    def _watch(self, anomalies: AnomalyChoices) -> None:
        # An account may have one monitor of all services only, so this one watches the deployment's tag instead.
        tags = {"Key": "DeploymentId", "Values": [self._args.deployment_id], "MatchOptions": ["EQUALS"]}
        monitor = aws.costexplorer.AnomalyMonitor(
            self.child("anomalies"),
            name=self.physical(names.ANOMALY, "spend"),
            monitor_type="CUSTOM",
            monitor_specification=json.dumps({"Tags": tags}),
            opts=self.options(),
        )
        aws.costexplorer.AnomalySubscription(
            self.child("anomalies"),
            name=self.physical(names.ANOMALY, "spend"),
            frequency=anomalies.frequency,
            monitor_arn_lists=[monitor.arn],
            subscribers=self._subscribers(anomalies),
            threshold_expression={
                "dimension": {
                    "key": "ANOMALY_TOTAL_IMPACT_ABSOLUTE",
                    "match_options": ["GREATER_THAN_OR_EQUAL"],
                    "values": [_amount(anomalies.minimum_usd)],
                }
            },
            opts=self.options(),
        )

    def _subscribers(self, anomalies: AnomalyChoices) -> list[Subscriber]:
        # Source: AWS Cost Management API reference, AnomalySubscription, 2026-11: immediate reports go to SNS only.
        if anomalies.frequency == "IMMEDIATE":
            return [{"type": "SNS", "address": self._args.topic_arn}]
        return [{"type": "EMAIL", "address": email} for email in self._args.choices.emails]

    def _category(self) -> None:
        aws.costexplorer.CostCategory(
            self.child("by-team"),
            name=self.physical(names.COST_CATEGORY, "team"),
            rule_version="CostCategoryExpression.v1",
            default_value="unassigned",
            rules=[
                {"type": "INHERITED_VALUE", "inherited_value": {"dimension_name": "TAG", "dimension_key": "Team"}},
            ],
            opts=self.options(),
        )


def _amount(usd: float) -> str:
    """An amount as the billing services write it: no exponent, no trailing zeros."""
    return f"{usd:.2f}".rstrip("0").rstrip(".")
