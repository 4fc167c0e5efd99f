"""Anomaly monitors and subscriptions, and what the API accepts of them.

Source: Cost Explorer API reference, CreateAnomalyMonitor and CreateAnomalySubscription, and the quotas of Cost Anomaly
Detection: one monitor of all AWS services an account.
"""

from __future__ import annotations

from typing import Any

from moto.core.exceptions import JsonRESTError

Fields = dict[str, Any]
DIMENSIONS = ("SERVICE", "LINKED_ACCOUNT", "TAG", "COST_CATEGORY")
FREQUENCIES = ("DAILY", "IMMEDIATE", "WEEKLY")


class ValidationError(JsonRESTError):
    code = 400

    def __init__(self, message: str) -> None:
        super().__init__("ValidationException", message)


class LimitExceeded(JsonRESTError):
    code = 400

    def __init__(self, message: str) -> None:
        super().__init__("LimitExceededException", message)


class UnknownMonitor(JsonRESTError):
    code = 400

    def __init__(self, arn: str) -> None:
        super().__init__("UnknownMonitorException", f"Unknown monitor: {arn}")


class UnknownSubscription(JsonRESTError):
    code = 400

    def __init__(self, arn: str) -> None:
        super().__init__("UnknownSubscriptionException", f"Unknown subscription: {arn}")


def check_monitor(monitor: Fields, existing: list[Fields]) -> None:
    """Raise what the API answers to a monitor that it refuses."""
    dimension = monitor.get("MonitorDimension")
    if monitor.get("MonitorType") == "DIMENSIONAL":
        if dimension not in DIMENSIONS or "MonitorSpecification" in monitor:
            raise ValidationError("A DIMENSIONAL monitor needs a MonitorDimension and no MonitorSpecification")
        if dimension == "SERVICE" and any(other.get("MonitorDimension") == "SERVICE" for other in existing):
            raise LimitExceeded("Limit exceeded on dimensional spend monitor creation")
    elif monitor.get("MonitorType") == "CUSTOM":
        if "MonitorSpecification" not in monitor or dimension:
            raise ValidationError("A CUSTOM monitor needs a MonitorSpecification and no MonitorDimension")
    else:
        raise ValidationError("MonitorType must be one of DIMENSIONAL, CUSTOM")


def check_subscription(subscription: Fields, monitors: dict[str, Fields]) -> None:
    """Raise what the API answers to a subscription that it refuses; ``monitors`` are the known ones by ARN."""
    if subscription.get("Frequency") not in FREQUENCIES:
        raise ValidationError(f"Frequency must be one of {', '.join(FREQUENCIES)}")
    for arn in subscription.get("MonitorArnList", []):
        if arn not in monitors:
            raise UnknownMonitor(arn)
    kinds = [subscriber.get("Type") for subscriber in subscription.get("Subscribers", [])]
    if not kinds:
        raise ValidationError("A subscription needs at least one subscriber")
    if subscription["Frequency"] == "IMMEDIATE" and kinds != ["SNS"]:
        raise ValidationError("Immediate frequency only supports SNS subscriptions, exactly one")
    if subscription["Frequency"] != "IMMEDIATE" and set(kinds) != {"EMAIL"}:
        raise ValidationError("Daily or weekly frequencies only support Email subscriptions")
    if ("Threshold" in subscription) == ("ThresholdExpression" in subscription):
        raise ValidationError("Exactly one of Threshold and ThresholdExpression must be given")
