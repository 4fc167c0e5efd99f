"""Cost Explorer with anomaly detection."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from moto.ce.models import CostExplorerBackend
from moto.core.exceptions import JsonRESTError
from moto.moto_api._internal import mock_random

from engine.emulator.ce.anomalies import (
    Fields,
    UnknownMonitor,
    UnknownSubscription,
    ValidationError,
    check_monitor,
    check_subscription,
)
from engine.emulator.ce.spending import Charge, cost_and_usage, forecast

Tags = list[dict[str, str]] | None


class UnknownResource(JsonRESTError):
    code = 400

    def __init__(self, arn: str) -> None:
        super().__init__("ResourceNotFoundException", f"Resource not found: {arn}")


class ExtendedCostExplorerBackend(CostExplorerBackend):
    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.monitors: dict[str, Fields] = {}
        self.subscriptions: dict[str, Fields] = {}
        self.cost_allocation_tags: dict[str, Fields] = {}
        self.ledger: list[Charge] = []

    def create_cost_category_definition(self, name: str, *args: Any, **kwargs: Any) -> tuple[str, str]:
        if any(category.name == name for category in self.cost_categories.values()):
            raise ValidationError(f"Failed to create Cost Category: Cost category name already exists: {name}")
        return super().create_cost_category_definition(name, *args, **kwargs)

    def delete_cost_category_definition(self, cost_category_arn: str) -> tuple[str, str]:
        self.describe_cost_category_definition(cost_category_arn)
        super().delete_cost_category_definition(cost_category_arn)
        self.tagger.delete_all_tags_for_resource(cost_category_arn)
        return cost_category_arn, _today()

    def create_anomaly_monitor(self, monitor: Fields, tags: Tags) -> str:
        check_monitor(monitor, list(self.monitors.values()))
        arn = self._arn("anomalymonitor")
        server_side = {"MonitorArn": arn, "CreationDate": _today(), "LastUpdatedDate": _today()}
        self.monitors[arn] = monitor | server_side | {"DimensionalValueCount": 0}
        self.tagger.tag_resource(arn, tags)
        return arn

    def get_anomaly_monitors(self, arns: list[str] | None) -> list[Fields]:
        return [self._monitor(arn) for arn in arns] if arns else list(self.monitors.values())

    def update_anomaly_monitor(self, arn: str, name: str | None) -> str:
        monitor = self._monitor(arn)
        monitor.update({"MonitorName": name or monitor["MonitorName"], "LastUpdatedDate": _today()})
        return arn

    def delete_anomaly_monitor(self, arn: str) -> None:
        self._monitor(arn)
        del self.monitors[arn]
        self.tagger.delete_all_tags_for_resource(arn)
        for subscription in self.subscriptions.values():
            subscription["MonitorArnList"] = [item for item in subscription["MonitorArnList"] if item != arn]

    def create_anomaly_subscription(self, subscription: Fields, tags: Tags) -> str:
        check_subscription(subscription, self.monitors)
        arn = self._arn("anomalysubscription")
        self.subscriptions[arn] = _confirmed(subscription) | {"SubscriptionArn": arn, "AccountId": self.account_id}
        self.tagger.tag_resource(arn, tags)
        return arn

    def get_anomaly_subscriptions(self, arns: list[str] | None, monitor_arn: str | None) -> list[Fields]:
        found = [self._subscription(arn) for arn in arns] if arns else list(self.subscriptions.values())
        return [item for item in found if monitor_arn is None or monitor_arn in item["MonitorArnList"]]

    def update_anomaly_subscription(self, arn: str, changes: Fields) -> str:
        current = self._subscription(arn)
        # Each of the two ways of giving a threshold takes the other's place.
        dropped = {"Threshold": "ThresholdExpression", "ThresholdExpression": "Threshold"}
        gone = {dropped[key] for key in changes if key in dropped}
        updated = {key: value for key, value in current.items() if key not in gone} | changes
        check_subscription(updated, self.monitors)
        self.subscriptions[arn] = _confirmed(updated)
        return arn

    def delete_anomaly_subscription(self, arn: str) -> None:
        self._subscription(arn)
        del self.subscriptions[arn]
        self.tagger.delete_all_tags_for_resource(arn)

    def list_tags_for_resource(self, resource_arn: str) -> list[dict[str, str]]:
        self._check_arn(resource_arn)
        return super().list_tags_for_resource(resource_arn)

    def tag_resource(self, resource_arn: str, tags: Any) -> None:
        self._check_arn(resource_arn)
        super().tag_resource(resource_arn, tags)

    def untag_resource(self, resource_arn: str, tag_keys: list[str]) -> None:
        self._check_arn(resource_arn)
        super().untag_resource(resource_arn, tag_keys)

    def update_cost_allocation_tags_status(self, entries: list[Fields]) -> list[Fields]:
        for entry in entries:
            changed = {"TagKey": entry["TagKey"], "Status": entry["Status"], "LastUpdatedDate": _today()}
            self.cost_allocation_tags[entry["TagKey"]] = {"Type": "UserDefined"} | changed
        return []

    def list_cost_allocation_tags(self, keys: list[str] | None, status: str | None) -> list[Fields]:
        found = self.cost_allocation_tags.values()
        return [
            item for item in found if (not keys or item["TagKey"] in keys) and (not status or item["Status"] == status)
        ]

    def get_cost_and_usage(self, body: str) -> Fields:
        self._take_in()
        answer = cost_and_usage(self.ledger, json.loads(body))
        return answer if self.ledger else super().get_cost_and_usage(body)

    def get_cost_forecast(self, request: Fields) -> Fields:
        self._take_in()
        return forecast(self.ledger, request)

    def _take_in(self) -> None:
        """Enter the charges that moto's queue of results holds."""
        kept: list[Any] = []
        for result in self.cost_usage_results_queue:
            if "Charges" in result:
                self.ledger += [Charge.read(charge) for charge in result["Charges"]]
            else:
                kept.append(result)
        self.cost_usage_results_queue[:] = kept

    def _monitor(self, arn: str) -> Fields:
        if arn not in self.monitors:
            raise UnknownMonitor(arn)
        return self.monitors[arn]

    def _subscription(self, arn: str) -> Fields:
        if arn not in self.subscriptions:
            raise UnknownSubscription(arn)
        return self.subscriptions[arn]

    def _check_arn(self, arn: str) -> None:
        if not (arn in self.monitors or arn in self.subscriptions or arn in self.cost_categories):
            raise UnknownResource(arn)

    def _arn(self, kind: str) -> str:
        return f"arn:{self.partition}:ce::{self.account_id}:{kind}/{mock_random.uuid4()}"


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


def _confirmed(subscription: Fields) -> Fields:
    subscribers = [{"Status": "CONFIRMED"} | subscriber for subscriber in subscription["Subscribers"]]
    return subscription | {"Subscribers": subscribers}
