"""Budgets with updates, tags and complete notifications.

Behaviour after the AWS Budgets API reference: a notification is named by its four fields, a subscriber by its type
and address; a budget has at most 10 notifications of 1 SNS and 10 e-mail subscribers each.
"""

from __future__ import annotations

from typing import Any, cast

from moto.budgets.exceptions import NotFoundException
from moto.budgets.models import Budget, BudgetsBackend, Notification
from moto.core.exceptions import JsonRESTError
from moto.core.utils import unix_time
from moto.utilities.tagging_service import TaggingService

MAX_NOTIFICATIONS = 10
MAX_SUBSCRIBERS = {"SNS": 1, "EMAIL": 10}
BUDGET_TYPES = ("USAGE", "COST", "RI_UTILIZATION", "RI_COVERAGE", "SAVINGS_PLANS_UTILIZATION", "SAVINGS_PLANS_COVERAGE")
TIME_UNITS = ("DAILY", "MONTHLY", "QUARTERLY", "ANNUALLY", "CUSTOM")

Fields = dict[str, Any]


class InvalidParameter(JsonRESTError):
    code = 400

    def __init__(self, message: str) -> None:
        super().__init__("InvalidParameterException", message)


class Duplicate(JsonRESTError):
    code = 400

    def __init__(self, message: str) -> None:
        super().__init__("DuplicateRecordException", message)


class LimitExceeded(JsonRESTError):
    code = 400

    def __init__(self, message: str) -> None:
        super().__init__("CreationLimitExceededException", message)


class ExtendedBudgetsBackend(BudgetsBackend):
    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.tagger = TaggingService(tag_name="ResourceTags")

    def create_budget(
        self, account_id: str, budget: Fields, notifications: list[Fields], tags: list[dict[str, str]] | None = None
    ) -> None:
        check_budget(budget)
        checked: list[Fields] = []
        for entry in notifications:
            details = normalised(entry["Notification"])
            check_new_notification([item["Notification"] for item in checked], details, entry["Subscribers"])
            checked.append({"Notification": details, "Subscribers": entry["Subscribers"]})
        if "AutoAdjustData" in budget:  # moto wants a limit; AWS sets it from the past
            budget.setdefault("BudgetLimit", {"Amount": "0", "Unit": "USD"})
        super().create_budget(account_id, budget, checked)
        self.tagger.tag_resource(self.arn(account_id, budget["BudgetName"]), tags)

    def update_budget(self, account_id: str, budget: Fields) -> None:
        check_budget(budget)
        existing = self._budget(account_id, budget["BudgetName"])
        if budget["BudgetType"] != existing.budget["BudgetType"]:
            raise InvalidParameter("Unable to update budget - the budget type cannot be changed.")
        kept = {"TimePeriod": existing.budget["TimePeriod"]}
        existing.budget = kept | budget | {"LastUpdatedTime": unix_time()}

    def delete_budget(self, account_id: str, budget_name: str) -> None:
        super().delete_budget(account_id, budget_name)
        self.tagger.delete_all_tags_for_resource(self.arn(account_id, budget_name))

    def create_notification(self, account_id: str, budget_name: str, notification: Fields, subscribers: Any) -> None:
        budget = self._budget(account_id, budget_name)
        details = normalised(notification)
        check_new_notification([item.details for item in notifications_of(budget)], details, subscribers)
        budget.add_notification(details=details, subscribers=subscribers)

    def delete_notification(self, account_id: str, budget_name: str, notification: Fields) -> None:
        found = self._notification(account_id, budget_name, notification)
        self._budget(account_id, budget_name).notifications.remove(found)

    def describe_notifications_for_budget(self, account_id: str, budget_name: str) -> list[Fields]:
        return list(self._budget(account_id, budget_name).get_notifications())

    def update_notification(self, account_id: str, budget_name: str, old: Fields, new: Fields) -> None:
        found = self._notification(account_id, budget_name, old)
        details = normalised(new)
        others = [item for item in notifications_of(self._budget(account_id, budget_name)) if item is not found]
        check_new_notification([item.details for item in others], details, found.subscribers)
        found.details = details

    def subscribers(self, account_id: str, budget_name: str, notification: Fields) -> list[Fields]:
        """The subscribers of a notification; the list that is stored, so that a caller may change it."""
        stored: Any = self._notification(account_id, budget_name, notification).subscribers
        return stored

    def create_subscriber(self, account_id: str, budget_name: str, notification: Fields, subscriber: Fields) -> None:
        stored = self.subscribers(account_id, budget_name, notification)
        check_subscribers([*stored, subscriber])
        stored.append(subscriber)

    def delete_subscriber(self, account_id: str, budget_name: str, notification: Fields, subscriber: Fields) -> None:
        stored = self.subscribers(account_id, budget_name, notification)
        if subscriber not in stored:
            raise NotFoundException("Unable to delete subscriber - the subscriber doesn't exist.")
        if len(stored) == 1:
            raise InvalidParameter("Unable to delete subscriber - a notification needs at least one subscriber.")
        stored.remove(subscriber)

    def update_subscriber(
        self, account_id: str, budget_name: str, notification: Fields, old: Fields, new: Fields
    ) -> None:
        stored = self.subscribers(account_id, budget_name, notification)
        if old not in stored:
            raise NotFoundException("Unable to update subscriber - the subscriber doesn't exist.")
        check_subscribers([new if item == old else item for item in stored])
        stored[stored.index(old)] = new

    def tag_resource(self, arn: str, tags: list[dict[str, str]]) -> None:
        self._check_arn(arn)
        self.tagger.tag_resource(arn, tags)

    def untag_resource(self, arn: str, keys: list[str]) -> None:
        self._check_arn(arn)
        self.tagger.untag_resource_using_names(arn, keys)

    def list_tags_for_resource(self, arn: str) -> dict[str, list[dict[str, str]]]:
        self._check_arn(arn)
        return self.tagger.list_tags_for_resource(arn)

    def arn(self, account_id: str, budget_name: str) -> str:
        return f"arn:{self.partition}:budgets::{account_id}:budget/{budget_name}"

    def _check_arn(self, arn: str) -> None:
        if not any(
            arn == self.arn(account, name) for account, budgets in self.budgets.items() for name in list(budgets)
        ):
            raise NotFoundException(f"Unable to find the resource {arn}.")

    def _budget(self, account_id: str, budget_name: str) -> Budget:
        if budget_name not in self.budgets[account_id]:
            raise NotFoundException(f"Unable to get budget: {budget_name} - the budget doesn't exist.")
        return self.budgets[account_id][budget_name]

    def _notification(self, account_id: str, budget_name: str, notification: Fields) -> Notification:
        wanted = _key(normalised(notification))
        for stored in notifications_of(self._budget(account_id, budget_name)):
            if _key(stored.details) == wanted:
                return stored
        raise NotFoundException("Unable to find the notification - the notification doesn't exist.")


def notifications_of(budget: Budget) -> list[Notification]:
    return cast("list[Notification]", budget.notifications)  # moto's base class hides the type of what it makes


def check_budget(budget: Fields) -> None:
    name = str(budget.get("BudgetName", ""))
    if not 1 <= len(name) <= 100 or ":" in name or "\\" in name:
        raise InvalidParameter("The budget name must have 1 to 100 characters, without colons and backslashes.")
    if budget.get("BudgetType") not in BUDGET_TYPES:
        raise InvalidParameter(f"The budget type must be one of {', '.join(BUDGET_TYPES)}.")
    if budget.get("TimeUnit") not in TIME_UNITS:
        raise InvalidParameter(f"The time unit must be one of {', '.join(TIME_UNITS)}.")
    if not any(key in budget for key in ("BudgetLimit", "PlannedBudgetLimits", "AutoAdjustData")):
        raise InvalidParameter(
            "Unable to create/update budget - please provide one of the followings: "
            "Budget Limit/ Planned Budget Limit/ Auto Adjust Data"
        )


def check_new_notification(existing: list[Fields], details: Fields, subscribers: Any) -> None:
    if len(existing) >= MAX_NOTIFICATIONS:
        raise LimitExceeded(f"Unable to create notification - a budget has at most {MAX_NOTIFICATIONS} notifications.")
    if _key(details) in [_key(other) for other in existing]:
        raise Duplicate("Unable to create notification - the notification already exists.")
    if details["Threshold"] <= 0:
        raise InvalidParameter("The threshold of a notification must be above 0.")
    check_subscribers(subscribers)


def check_subscribers(subscribers: list[Fields]) -> None:
    if not subscribers:
        raise InvalidParameter("A notification needs at least one subscriber.")
    keys = [(item["SubscriptionType"], item["Address"]) for item in subscribers]
    if len(set(keys)) < len(keys):
        raise Duplicate("Unable to create subscriber - the subscriber already exists.")
    for kind, most in MAX_SUBSCRIBERS.items():
        if sum(1 for item in keys if item[0] == kind) > most:
            raise LimitExceeded(f"Unable to create subscriber - a notification has at most {most} of type {kind}.")


def normalised(notification: Fields) -> Fields:
    """With the defaults that the API fills in; a state that a caller sends along is the server's to say."""
    return {"ThresholdType": "PERCENTAGE"} | notification | {"NotificationState": "OK"}


def _key(notification: Fields) -> tuple[Any, ...]:
    names = ("NotificationType", "ComparisonOperator", "Threshold", "ThresholdType")
    return tuple(float(notification[name]) if name == "Threshold" else notification[name] for name in names)
