"""Finding a resource's prior state under the names that it had before.

Source: Pulumi's documentation of the ``aliases`` option; a child inherits the alias that its parent was found under.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from engine import urn as urns
from engine.goals import Alias, Goal
from engine.state.model import ResourceState


class AliasError(Exception):
    """Two resources lay claim to one prior state."""


class PriorStates:
    """The resources of the last run, each of which one registration may claim, by its URN or by an alias."""

    def __init__(self, stack: str, project: str, olds: Mapping[str, ResourceState]) -> None:
        self._stack = stack
        self._project = project
        self._olds = olds
        self._claimed: dict[str, str] = {}  # prior URN -> the URN that took it over by an alias
        self._alias_of: dict[str, str] = {}  # URN -> the prior URN under which it was found

    def claim(self, urn: str, goal: Goal, seen: frozenset[str] | set[str]) -> ResourceState | None:
        """The prior state of ``goal``, or None. ``seen`` are the URNs registered in this run so far."""
        if urn in self._claimed:
            raise AliasError(
                f"{urn} was already taken over by {self._claimed[urn]}, which lists it as an alias; "
                "remove the alias or rename one of the two"
            )
        for candidate in (urn, *self._candidates(urn, goal)):
            old = self._olds.get(candidate)
            if old is None:
                continue
            if candidate != urn:
                self._take_over(candidate, urn, seen)
            return old
        return None

    def claimed(self, prior: str) -> str | None:
        """The URN that took over the prior URN ``prior`` by an alias, if any did."""
        return self._claimed.get(prior)

    def _take_over(self, prior: str, urn: str, seen: frozenset[str] | set[str]) -> None:
        holder = prior if prior in seen else self._claimed.get(prior)
        if holder is not None:
            raise AliasError(
                f"{urn} has {prior} as an alias, but {holder} is that resource already; remove one of the two"
            )
        self._claimed[prior] = urn
        self._alias_of[urn] = prior

    def _candidates(self, urn: str, goal: Goal) -> Iterator[str]:
        if not goal.aliases and goal.parent not in self._alias_of:
            return
        own = [self._collapse(alias, goal) for alias in goal.aliases]
        yield from own
        parent = self._alias_of.get(goal.parent)
        if parent is None:
            return
        parent_name = urns.name_of(goal.parent)
        yield self._inherited(parent, parent_name, goal.type, goal.name)
        for alias in own:
            parts = urns.parse(alias)
            yield self._inherited(parent, parent_name, parts.type, parts.name)

    def _collapse(self, alias: Alias, goal: Goal) -> str:
        if alias.urn:
            return alias.urn
        parent = self._alias_of.get(alias.parent, alias.parent) or goal.parent
        if alias.no_parent:
            parent = ""
        return urns.make(
            alias.stack or self._stack, alias.project or self._project, parent, alias.type or goal.type,
            alias.name or goal.name,
        )  # fmt: skip

    def _inherited(self, parent_alias: str, parent_name: str, type_: str, name: str) -> str:
        """A child's name below an aliased parent; one built as ``PARENT-detail`` follows the parent's old name."""
        if name.startswith(parent_name):
            name = urns.name_of(parent_alias) + name[len(parent_name) :]
        return urns.make(self._stack, self._project, parent_alias, type_, name)


def aliases_of(urn_list: Sequence[str]) -> tuple[Alias, ...]:
    """Whole URNs as aliases."""
    return tuple(Alias(urn=urn) for urn in urn_list)
