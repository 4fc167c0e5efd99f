"""What lives in AWS, watched there: alarms that go to the platform's topic, and one dashboard.

Prometheus watches what runs in the cluster; this goes on when the cluster doesn't. What a month costs, AWS Budgets
watches (``components/cost.py``): here it is shown, and the whole account's charges can have an alarm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
import pulumi_aws as aws

from components import names
from components.account import Account
from components.base import PlatformComponent
from components.observability import cloudwatch_dashboard
from components.observability.cloudwatch_dashboard import Section
from components.observability.cloudwatch_sources import (
    ControlPlane,
    ControlPlaneLimits,
    Database,
    Endpoint,
    Gateway,
    GatewayLimits,
    charges_alarm,
    charges_metric,
)
from components.observability.cloudwatch_values import AwsAlarm, AwsMetric, Missing, Shown

BILLING_REGION: Final = "us-east-1"
# A database or a cluster that was just made says nothing yet. Source: CloudWatch User Guide, "Alarm warm-up periods".
_WARM_UP_MINUTES: Final = 60


@dataclass(frozen=True)
class CloudWatchChoices:
    """What an environment decides: ``team`` runs the platform, ``runbooks`` is what links begin with.

    ``gateway_ids`` are NAT gateways that exist. ``charges_usd`` is what the whole account may cost a month (None: no
    alarm), ``budget_usd`` what the environment may, which is only shown.
    """

    team: str
    runbooks: str
    gateway: GatewayLimits
    gateway_ids: Sequence[str]
    control_plane: ControlPlaneLimits
    databases: Sequence[Database]
    endpoints: Sequence[Endpoint]
    charges_usd: float | None
    budget_usd: float


@dataclass(frozen=True)
class CloudWatchArgs:
    """What is there to watch; ``cluster_name`` None: the control plane is somebody else's.

    Components that make databases and endpoints hand them over here, beside those that the settings name.
    """

    account: Account
    topic_arn: pulumi.Input[str]
    gateway_ids: Sequence[pulumi.Input[str]]
    cluster_name: pulumi.Input[str] | None
    choices: CloudWatchChoices
    databases: Sequence[Database] = ()
    endpoints: Sequence[Endpoint] = ()


class CloudWatch(PlatformComponent, area="observability"):
    """An alarm for each limit of each thing, and a dashboard of all of them: ``dashboard_name``."""

    dashboard_name: pulumi.Output[str]

    def __init__(self, name: str, args: CloudWatchArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._args = args
        sections = self._sections()
        alarms = [self._alarm(alarm) for section in sections for alarm in section.alarms]
        self.dashboard_name = aws.cloudwatch.Dashboard(
            self.child("dashboard"),
            dashboard_name=self.physical(names.DASHBOARD, "aws"),
            dashboard_body=cloudwatch_dashboard.body([self._arn(alarm) for alarm in alarms], sections),
            opts=self.options(),
        ).dashboard_name
        self.register_outputs({"dashboardName": self.dashboard_name})

    def _sections(self) -> list[Section]:
        args, choices = self._args, self._args.choices
        plane = [] if args.cluster_name is None else [ControlPlane(args.cluster_name, choices.control_plane)]
        watched = {
            "# NAT gateways": self._gateways(),
            "# Control plane of the cluster": plane,
            "# Databases": [*choices.databases, *args.databases],
            "# Endpoints": [*choices.endpoints, *args.endpoints],
        }
        sections = [
            Section(
                heading,
                args.account.region,
                alarms=[alarm for source in sources for alarm in source.alarms(choices.team)],
                shown=[shown for source in sources for shown in source.shown()],
            )
            for heading, sources in watched.items()
            if sources
        ]
        return [*sections, self._charges()]

    def _gateways(self) -> list[Gateway]:
        limits = self._args.choices.gateway
        ours = [Gateway(f"nat-{index}", id_, limits) for index, id_ in enumerate(self._args.gateway_ids, start=1)]
        return [*ours, *(Gateway(id_, id_, limits) for id_ in self._args.choices.gateway_ids)]

    def _charges(self) -> Section:
        args = self._args.choices
        heading = f"# Charges of the whole account (the budget of this environment: {args.budget_usd:g} USD a month)"
        if args.charges_usd is not None:
            return Section(heading, BILLING_REGION, alarms=[charges_alarm(args.charges_usd, args.team)])
        shown = Shown("Charges of the account this month", "usd", "account", charges_metric())
        return Section(heading, BILLING_REGION, shown=[shown])

    def _alarm(self, alarm: AwsAlarm) -> aws.cloudwatch.MetricAlarm:
        kind = alarm.kind
        actions = [self._args.topic_arn]
        return aws.cloudwatch.MetricAlarm(
            self.child(kind.name, alarm.about),
            name=self.physical(names.ALARM, kind.name, alarm.about),
            alarm_description=self._description(alarm),
            comparison_operator="LessThanThreshold" if kind.below else "GreaterThanThreshold",
            threshold=alarm.threshold,
            evaluation_periods=kind.periods,
            datapoints_to_alarm=kind.bad,
            treat_missing_data=kind.missing.value,
            warm_up_configuration=(
                {"warm_up_period_duration_in_minutes": _WARM_UP_MINUTES} if kind.missing is Missing.BAD else None
            ),
            alarm_actions=actions,
            ok_actions=actions,
            tags={"Team": alarm.team, "Severity": kind.severity.value},
            opts=self.options(),
            **_compared(alarm),
        )

    def _description(self, alarm: AwsAlarm) -> str:
        kind = alarm.kind
        beyond = f"{'below' if kind.below else 'above'} {kind.written(alarm.threshold)}"
        return (
            f"{kind.summary.format(about=alarm.about)} {kind.title}: {beyond}. "
            f"A {kind.severity.value} for {alarm.team}. {self._args.choices.runbooks}cloudwatch.md#{kind.name.lower()}"
        )

    def _arn(self, alarm: aws.cloudwatch.MetricAlarm) -> pulumi.Output[str]:
        return self._args.account.arn("cloudwatch", pulumi.Output.concat("alarm:", alarm.name))


def _compared(alarm: AwsAlarm) -> dict[str, Any]:
    """The arguments of an alarm that say what it compares."""
    if alarm.expression is None:
        (metric,) = alarm.metrics.values()
        few = {"evaluate_low_sample_count_percentiles": "ignore"} if _is_percentile(metric) else {}
        return {
            "namespace": metric.namespace,
            "metric_name": metric.name,
            "extended_statistic" if _is_percentile(metric) else "statistic": metric.statistic,
            "dimensions": metric.dimensions,
            "period": alarm.kind.period_seconds,
            **few,
        }
    ratio = {"id": "ratio", "expression": alarm.expression, "label": alarm.kind.title, "return_data": True}
    parts = [_query(id_, metric, alarm.kind.period_seconds) for id_, metric in alarm.metrics.items()]
    return {"metric_queries": [ratio, *parts]}


def _query(id_: str, metric: AwsMetric, period: int) -> Mapping[str, Any]:
    compared = {
        "namespace": metric.namespace,
        "metric_name": metric.name,
        "dimensions": metric.dimensions,
        "period": period,
        "stat": metric.statistic,
    }
    return {"id": id_, "metric": compared, "return_data": False}


def _is_percentile(metric: AwsMetric) -> bool:
    return metric.statistic.startswith("p")
