"""Row 80: AWS itself watches what is spent: a budget is there, not above the ceiling, and somebody hears of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.budget.limits import Limits
from policies.budget.pack import BUDGET
from policies.kit import Finding, Resource, Stack, Value

_BUDGET: Final = "aws:budgets/budget:Budget"
# Months that one period of a budget has. Source: AWS Budgets API reference, TimeUnit; a day as 12 / 365.
_MONTHS: Final[Mapping[str, float]] = {"DAILY": 12 / 365, "MONTHLY": 1, "QUARTERLY": 3, "ANNUALLY": 12}


@BUDGET.rule(
    "budget-exists",
    number=80,
    title="A stack with resources of AWS has a budget",
    severity="medium",
    fix="Declare an aws.budgets.Budget with budget_type COST.",
    frameworks=("FinOps:Budgeting",),
)
def budget_exists(stack: Stack) -> Iterator[Finding]:
    """An estimate says what was declared; only the bill says what was used, and only a budget reads it every day."""
    if not any(stack.of("aws:*")):
        return
    unreadable: list[Value] = []
    for budget in stack.of(_BUDGET):
        kind = budget.properties.get("budgetType")
        if kind.unknown:
            unreadable.append(kind)
        elif _is_of_cost(budget):
            return
    for kind in unreadable:
        kind.text()  # says that it is not known: with it, there might be a budget of costs
    others = "no aws.budgets.Budget" if not any(stack.of(_BUDGET)) else "no aws.budgets.Budget of budgetType COST"
    yield Finding(f"the stack declares resources of AWS and {others}")


@BUDGET.rule(
    "budget-limit",
    number=80,
    title="The budget's limit is not above the ceiling",
    severity="medium",
    fix="Lower limit_amount (bedplate:cost.monthly_budget_usd), or raise bedplate:cost.ceiling_usd.",
    frameworks=("FinOps:Budgeting",),
    types=(_BUDGET,),
    parameters={
        "ceiling_usd": {
            "type": "number",
            "exclusiveMinimum": 0,
            "description": "USD/month; default: bedplate:cost.ceiling_usd, else monthly_budget_usd.",
        }
    },
)
def budget_limit(budget: Resource, parameters: Mapping[str, Any]) -> Iterator[Finding]:
    """Above the ceiling, notice would come after the money that nobody meant to spend.

    Limits for other periods are compared by the month. Where no ceiling is set, there is nothing to compare with.
    """
    if not _is_of_cost(budget):
        return
    ceiling = parameters.get("ceiling_usd") or Limits(budget.stack).usd("ceiling_usd", "monthly_budget_usd")
    limits = list(_limits(budget.properties))
    if not limits:
        yield Finding("limitAmount: none is given, so AWS holds the costs against what was spent before")
    for amount, unit in limits:
        yield from _about_limit(budget, amount, unit, ceiling)


@BUDGET.rule(
    "budget-notification",
    number=80,
    title="Somebody hears of it when the budget is at risk",
    severity="medium",
    fix="Give the budget a notification GREATER_THAN at most 100 percent, with an address or a topic that gets it.",
    frameworks=("FinOps:Budgeting",),
    types=(_BUDGET,),
)
def budget_notification(budget: Resource) -> Iterator[Finding]:
    """A budget without a notification, or with one that nobody gets, or only past its limit, changes nothing."""
    notifications = budget.properties.get("notifications")
    if _is_of_cost(budget) and not any(_reaches_somebody(each, budget) for each in notifications.items()):
        yield Finding("notifications: none at 100 percent or less reaches an address or a topic")


def _is_of_cost(budget: Resource) -> bool:
    return budget.properties.get("budgetType").text("") == "COST"


def _limits(properties: Value) -> Iterator[tuple[Value, Value]]:
    """Amounts and units: one for all periods, or one for each."""
    if properties.get("limitAmount").present:
        yield properties.get("limitAmount"), properties.get("limitUnit")
    for planned in properties.get("plannedLimits").items():
        yield planned.get("amount"), planned.get("unit")


def _about_limit(budget: Resource, amount: Value, unit: Value, ceiling: float | None) -> Iterator[Finding]:
    if unit.text("USD") != "USD":
        yield Finding(f"{unit.path}: {unit.shown()}, but ceilings are in USD")
        return
    usd = _number(amount)
    if usd is None:
        yield Finding(f"{amount.path}: expected an amount, seen {amount.shown()}")
        return
    months = _MONTHS.get(budget.properties.get("timeUnit").text("MONTHLY"))
    if months is None:
        yield Finding(
            f"timeUnit: expected one of {', '.join(_MONTHS)}, seen {budget.properties.get('timeUnit').shown()}"
        )
    elif ceiling is not None and usd / months > ceiling:
        yield Finding(f"{amount.path}: {usd / months:,.0f} USD a month is above the ceiling of {ceiling:,.0f}")


def _number(value: Value) -> float | None:
    """AWS takes amounts as text."""
    if value.kind == "a number":
        return value.number(0)
    try:
        found = float(value.text(""))
    except ValueError:
        return None
    return found if abs(found) != float("inf") and found == found else None


def _reaches_somebody(notification: Value, budget: Resource) -> bool:
    receivers = (notification.get(name) for name in ("subscriberEmailAddresses", "subscriberSnsTopicArns"))
    if notification.get("comparisonOperator").text("") != "GREATER_THAN" or not any(map(len, receivers)):
        return False
    threshold = notification.get("threshold").number(0)
    if notification.get("thresholdType").text("") == "PERCENTAGE":
        return threshold <= 100
    limits = [_number(amount) for amount, _ in _limits(budget.properties)]
    return all(limit is not None and threshold <= limit for limit in limits)
