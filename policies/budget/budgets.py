"""AWS budgets: somebody hears of it before the money is spent."""

from __future__ import annotations

from collections.abc import Iterator

from policies.budget.pack import BUDGET
from policies.kit import Stack


@BUDGET.rule(
    "budget-exists",
    number=80,
    title="Every environment has an AWS budget",
    severity="medium",
    fix="Add an aws.budgets.Budget with a monthly limit and a notification; `cost.monthly_budget_usd` does.",
    types=("aws:budgets/budget:Budget",),
)
def budget_exists(stack: Stack) -> Iterator[str]:
    """Rules judge what is declared; what is spent is only watched by AWS's own budget."""
    if not any(stack.of("aws:budgets/budget:Budget")):
        yield "the stack declares no aws.budgets.Budget"
