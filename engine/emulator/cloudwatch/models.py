"""The backend of CloudWatch that moto is given instead of its own.

Source: CloudWatch API reference, PutMetricAlarm, DeleteAlarms, PutDashboard, 2026-11.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final, cast

from moto.cloudwatch.exceptions import (
    CloudWatchException,
    InvalidParameterCombination,
    InvalidParameterValue,
    ResourceNotFound,
)
from moto.cloudwatch.models import CloudWatchBackend
from moto.core.exceptions import ServiceException

Fields = dict[str, Any]

SHORT_PERIODS: Final = (10, 20, 30)  # seconds; every other period is a multiple of a minute
LONGEST: Final = 7 * 24 * 3600  # seconds: what the periods of an alarm may come to
MAX_ACTIONS: Final = 5
MAX_WIDGETS: Final = 500
ARN: Final = re.compile(r"arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:(\d{12}|aws)?:.+")
# Members that moto doesn't keep, by the name of the attribute from which its answers are made.
KEPT: Final = {
    "EvaluationCriteria": "evaluation_criteria",
    "EvaluationInterval": "evaluation_interval",
    "EvaluationWindow": "evaluation_window",
    "WarmUpConfiguration": "warm_up_configuration",
    "Metrics": "metric_data_queries",
}


class DashboardInvalid(ServiceException):
    code = "InvalidParameterInput"


class ExtendedCloudWatchBackend(CloudWatchBackend):
    def put_alarm(self, asked: Fields, put: Any) -> Any:
        """What ``put`` (moto's own way) answers; with what it forgets, and without what an update leaves alone."""
        check_alarm(asked)
        name = asked["AlarmName"]
        before: Any = self.alarms.get(name)
        tags = self.list_tags_for_resource(before.alarm_arn) if before else None
        answer = put()
        alarm: Any = self.alarms[name]
        for member, attribute in KEPT.items():
            setattr(alarm, attribute, asked.get(member) or ([] if member == "Metrics" else None))
        alarm.state_value = before.state_value if before else "INSUFFICIENT_DATA"
        if tags is not None:  # those of an update are ignored
            self.tagger.delete_all_tags_for_resource(alarm.alarm_arn)
            self.tag_resource(alarm.alarm_arn, tags)
        return answer

    def delete_alarms(self, alarm_names: list[str]) -> None:
        absent = [name for name in alarm_names if name not in self.alarms]
        if absent and len(alarm_names) == 1:
            raise ResourceNotFound(f"The alarm {absent[0]} does not exist")
        for name in set(alarm_names) - set(absent):
            self.tagger.delete_all_tags_for_resource(self.alarms[name].alarm_arn)
        super().delete_alarms(alarm_names)

    def put_dashboard(self, name: str, body: str) -> Any:
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,255}", name):
            raise DashboardInvalid(f"Invalid dashboard name {name!r}: A-Z, a-z, 0-9, - and _ are allowed, 255 at most")
        check_dashboard(body)
        return super().put_dashboard(name, body)


def check_alarm(asked: Fields) -> None:
    if "EvaluationCriteria" in asked:
        _check_promql(asked)
    elif asked.get("Metrics"):
        _check_metrics(asked)
    else:
        _check_metric(asked)
    for member in ("AlarmActions", "OKActions", "InsufficientDataActions"):
        actions: list[str] = asked.get(member) or []
        if len(actions) > MAX_ACTIONS:
            raise InvalidParameterValue(f"{member}: at most {MAX_ACTIONS} actions, got {len(actions)}")
        for action in actions:
            if not ARN.fullmatch(action):
                raise _invalid(f"Invalid arn syntax: {action}")


def _check_promql(asked: Fields) -> None:
    if "EvaluationInterval" not in asked:
        raise InvalidParameterCombination("EvaluationInterval is required with EvaluationCriteria")
    if asked.get("MetricName") or asked.get("Metrics"):
        raise InvalidParameterCombination("EvaluationCriteria can't be combined with MetricName or Metrics")


def _check_metrics(asked: Fields) -> None:
    returned = [query for query in asked["Metrics"] if query.get("ReturnData", True)]
    if len(returned) != 1 and not asked.get("ThresholdMetricId"):
        raise _invalid(f"Exactly one of Metrics must return data, {len(returned)} do")
    for query in asked["Metrics"]:
        if ("Expression" in query) == ("MetricStat" in query):
            raise _invalid(f"Metrics: {query.get('Id')} needs either Expression or MetricStat")
    _check_comparison(asked)


def _check_metric(asked: Fields) -> None:
    for member in ("MetricName", "Namespace", "Period"):
        if not asked.get(member):
            raise _invalid(f"The parameter {member} must be specified")
    if bool(asked.get("Statistic")) == bool(asked.get("ExtendedStatistic")):
        raise InvalidParameterCombination("Exactly one of Statistic and ExtendedStatistic must be specified")
    period = int(asked["Period"])
    if period not in SHORT_PERIODS and (period % 60 or period <= 0):
        raise InvalidParameterValue(f"Period must be 10, 20, 30 or a multiple of 60, got {period}")
    _check_comparison(asked)
    if period * int(asked["EvaluationPeriods"]) > LONGEST:
        raise _invalid("Metrics cannot be checked across more than a week (EvaluationPeriods * Period)")


def _check_comparison(asked: Fields) -> None:
    for member in ("ComparisonOperator", "EvaluationPeriods"):
        if not asked.get(member):
            raise _invalid(f"The parameter {member} must be specified")
    if ("Threshold" in asked) == ("ThresholdMetricId" in asked):
        raise InvalidParameterCombination("Exactly one of Threshold and ThresholdMetricId must be specified")
    if int(asked.get("DatapointsToAlarm") or 1) > int(asked["EvaluationPeriods"]):
        raise _invalid("DatapointsToAlarm must not be more than EvaluationPeriods")


def _invalid(message: str) -> CloudWatchException:
    error = CloudWatchException(message)
    error.code = "ValidationError"
    return error


def check_dashboard(body: str) -> None:
    try:
        parsed: Any = json.loads(body)
    except ValueError as error:
        raise DashboardInvalid(f"The field DashboardBody must be a valid JSON object: {error}") from None
    widgets = cast("Fields", parsed).get("widgets") if isinstance(parsed, dict) else None
    if not isinstance(widgets, list):
        raise DashboardInvalid("The dashboard needs a list of widgets")
    listed = cast("list[Any]", widgets)
    if len(listed) > MAX_WIDGETS:
        raise DashboardInvalid(f"A dashboard holds at most {MAX_WIDGETS} widgets, got {len(listed)}")
    for index, widget in enumerate(listed):
        for member in ("type", "properties"):
            if member not in widget:
                raise DashboardInvalid(f"/widgets/{index}: {member} is required")
