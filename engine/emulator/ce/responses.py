"""Reads the requests of Cost Explorer and writes the answers."""

from __future__ import annotations

import json
from typing import Any, cast

from moto.ce.responses import CostExplorerResponse

from engine.emulator.ce.models import ExtendedCostExplorerBackend

_CHANGEABLE = ("Threshold", "ThresholdExpression", "Frequency", "MonitorArnList", "Subscribers", "SubscriptionName")


class ExtendedCostExplorerResponse(CostExplorerResponse):
    @property
    def extended(self) -> ExtendedCostExplorerBackend:
        return cast(ExtendedCostExplorerBackend, self.ce_backend)

    @property
    def request(self) -> dict[str, Any]:
        return json.loads(self.body)

    def get_cost_forecast(self) -> str:
        return json.dumps(self.extended.get_cost_forecast(self.request))

    def create_anomaly_monitor(self) -> str:
        request = self.request
        arn = self.extended.create_anomaly_monitor(request["AnomalyMonitor"], request.get("ResourceTags"))
        return json.dumps({"MonitorArn": arn})

    def get_anomaly_monitors(self) -> str:
        return json.dumps({"AnomalyMonitors": self.extended.get_anomaly_monitors(self.request.get("MonitorArnList"))})

    def update_anomaly_monitor(self) -> str:
        request = self.request
        arn = self.extended.update_anomaly_monitor(request["MonitorArn"], request.get("MonitorName"))
        return json.dumps({"MonitorArn": arn})

    def delete_anomaly_monitor(self) -> str:
        self.extended.delete_anomaly_monitor(self.request["MonitorArn"])
        return "{}"

    def create_anomaly_subscription(self) -> str:
        request = self.request
        arn = self.extended.create_anomaly_subscription(request["AnomalySubscription"], request.get("ResourceTags"))
        return json.dumps({"SubscriptionArn": arn})

    def get_anomaly_subscriptions(self) -> str:
        request = self.request
        found = self.extended.get_anomaly_subscriptions(request.get("SubscriptionArnList"), request.get("MonitorArn"))
        return json.dumps({"AnomalySubscriptions": found})

    def update_anomaly_subscription(self) -> str:
        request = self.request
        changes = {key: request[key] for key in _CHANGEABLE if key in request}
        arn = self.extended.update_anomaly_subscription(request["SubscriptionArn"], changes)
        return json.dumps({"SubscriptionArn": arn})

    def delete_anomaly_subscription(self) -> str:
        self.extended.delete_anomaly_subscription(self.request["SubscriptionArn"])
        return "{}"

    def list_cost_category_definitions(self) -> str:
        references = [
            {"CostCategoryArn": item.arn, "Name": item.name, "EffectiveStart": item.effective_start}
            | {"NumberOfRules": len(item.rules), "DefaultValue": item.default_value or ""}
            for item in self.extended.cost_categories.values()
        ]
        return json.dumps({"CostCategoryReferences": references})

    def update_cost_allocation_tags_status(self) -> str:
        errors = self.extended.update_cost_allocation_tags_status(self.request["CostAllocationTagsStatus"])
        return json.dumps({"Errors": errors})

    def list_cost_allocation_tags(self) -> str:
        request = self.request
        found = self.extended.list_cost_allocation_tags(request.get("TagKeys"), request.get("Status"))
        return json.dumps({"CostAllocationTags": found})
