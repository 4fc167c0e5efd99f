"""Reads the requests of AWS Budgets and writes the answers."""

from __future__ import annotations

import json
from typing import Any, cast

from moto.budgets.responses import BudgetsResponse

from engine.emulator.budgets.models import ExtendedBudgetsBackend


class ExtendedBudgetsResponse(BudgetsResponse):
    @property
    def extended(self) -> ExtendedBudgetsBackend:
        return cast(ExtendedBudgetsBackend, self.backend)

    def create_budget(self) -> str:
        self.extended.create_budget(
            account_id=self._param("AccountId"),
            budget=self._param("Budget"),
            notifications=self._param("NotificationsWithSubscribers") or [],
            tags=self._param("ResourceTags"),
        )
        return "{}"

    def update_budget(self) -> str:
        self.extended.update_budget(self._param("AccountId"), self._param("NewBudget"))
        return "{}"

    def update_notification(self) -> str:
        self.extended.update_notification(
            *self._of_budget(), self._param("OldNotification"), self._param("NewNotification")
        )
        return "{}"

    def describe_subscribers_for_notification(self) -> str:
        return json.dumps({"Subscribers": self.extended.subscribers(*self._of_notification())})

    def create_subscriber(self) -> str:
        self.extended.create_subscriber(*self._of_notification(), self._param("Subscriber"))
        return "{}"

    def delete_subscriber(self) -> str:
        self.extended.delete_subscriber(*self._of_notification(), self._param("Subscriber"))
        return "{}"

    def update_subscriber(self) -> str:
        self.extended.update_subscriber(
            *self._of_notification(), self._param("OldSubscriber"), self._param("NewSubscriber")
        )
        return "{}"

    def tag_resource(self) -> str:
        self.extended.tag_resource(self._param("ResourceARN"), self._param("ResourceTags"))
        return "{}"

    def untag_resource(self) -> str:
        self.extended.untag_resource(self._param("ResourceARN"), self._param("ResourceTagKeys"))
        return "{}"

    def list_tags_for_resource(self) -> str:
        return json.dumps(self.extended.list_tags_for_resource(self._param("ResourceARN")))

    def _param(self, name: str) -> Any:
        return self._get_param(name)

    def _of_budget(self) -> tuple[str, str]:
        return self._param("AccountId"), self._param("BudgetName")

    def _of_notification(self) -> tuple[str, str, dict[str, Any]]:
        return *self._of_budget(), self._param("Notification")
