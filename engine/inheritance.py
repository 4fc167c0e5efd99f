"""What a resource inherits from its parent where it says nothing itself: protection, how it is deleted, providers.

The SDKs let their own options be inherited; this holds for what reaches the engine without them, as Pulumi's has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from engine import urn as urns
from engine.goals import Goal, ReadGoal
from engine.provider_registry import split_reference


class Inheritance:
    """What the parents among one program's registrations leave to their children, by URN."""

    def __init__(self) -> None:
        self._goals: dict[str, Goal] = {}

    def remember(self, urn: str, goal: Goal) -> None:
        """Keep what children of ``urn`` inherit."""
        self._goals[urn] = goal

    def remember_providers(self, urn: str, providers: Mapping[str, str]) -> None:
        """Keep what a remote component's children inherit: its provider has registered it, with options of its own."""
        known = self._goals.get(urn)
        if known is not None:
            self._goals[urn] = replace(known, providers=providers)

    def take(self, goal: Goal) -> Goal:
        """``goal`` with what its parent leaves to it."""
        parent = self._goals.get(goal.parent)
        if parent is None:
            return goal
        taken = {
            "deleted_with": goal.deleted_with or parent.deleted_with,
            "protect": parent.protect if goal.protect is None else goal.protect,
            "retain_on_delete": parent.retain_on_delete if goal.retain_on_delete is None else goal.retain_on_delete,
            "provider": goal.provider or self._provider(goal, parent),
            "providers": goal.providers if goal.custom or parent.custom else {**parent.providers, **goal.providers},
        }
        left = {name: value for name, value in taken.items() if value != getattr(goal, name)}
        return replace(goal, **left) if left else goal  # most inherit nothing, and a copy takes its time

    def take_provider(self, goal: ReadGoal) -> ReadGoal:
        """``goal`` with the provider that its parent, a component, has for its package."""
        parent = self._goals.get(goal.parent)
        if parent is None or goal.provider:
            return goal
        return replace(goal, provider=self.provider_below(goal.parent, urns.package_of(goal.type)))

    def provider_below(self, parent: str, package: str) -> str:
        """The provider that ``parent`` has for ``package``, "" where it says nothing of it."""
        goal = self._goals.get(parent)
        return goal.providers.get(package, "") if goal is not None else ""

    @staticmethod
    def _provider(goal: Goal, parent: Goal) -> str:
        package = urns.package_of(goal.type)
        if not (goal.custom or goal.remote):
            return parent.provider if parent.custom else ""  # for its transforms to see: a component has none in use
        if urns.is_provider_type(goal.type):
            return ""
        if (
            parent.custom
            and parent.provider
            and urns.type_of(split_reference(parent.provider)[0]) == urns.PROVIDER_TYPE_PREFIX + package
        ):
            return parent.provider
        return goal.providers.get(package) or parent.providers.get(package, "")
