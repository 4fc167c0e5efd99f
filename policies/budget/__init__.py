"""Budget rules. A module of rules must not be called what a library is called."""

from policies.budget import budgets
from policies.budget.pack import BUDGET

__all__ = ["BUDGET", "budgets"]
