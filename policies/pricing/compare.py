"""What a change does to the costs: two estimates side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from policies.pricing.model import CostLine, Estimate, Sizes

_NOTHING = Sizes.same(0)


@dataclass(frozen=True)
class Change:
    """USD a month of one group of lines, before and after."""

    name: str
    before: Sizes
    after: Sizes

    @property
    def delta(self) -> Sizes:
        return self.after.plus(self.before.times(-1))


@dataclass(frozen=True)
class Comparison:
    """The estimates of what stands and of what is going to."""

    before: Estimate
    after: Estimate

    @property
    def whole(self) -> Change:
        """The environment."""
        return Change(self.after.environment or self.before.environment, self.before.monthly, self.after.monthly)

    def by_component(self) -> Sequence[Change]:
        return self.by(lambda line: line.origin.component)

    def by_team(self) -> Sequence[Change]:
        return self.by(lambda line: line.origin.team)

    def by(self, key: Callable[[CostLine], str]) -> Sequence[Change]:
        """The groups of lines with the same ``key``, those that cost most (before or after) first."""
        before, after = self.before.by(key), self.after.by(key)
        found = [Change(name, before.get(name, _NOTHING), after.get(name, _NOTHING)) for name in {**after, **before}]
        return sorted(found, key=lambda one: (-max(one.before.desired, one.after.desired), -one.after.max, one.name))
