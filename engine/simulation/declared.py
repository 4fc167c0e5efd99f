"""What a plan leaves standing, for whoever looks for some types in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from engine import urn as urns
from engine.plan import DELETIONS, Plan
from engine.state.model import ResourceState
from engine.values import UNKNOWN, Properties, Value, reveal, transform


@dataclass(frozen=True)
class Declared:
    """The resources of a plan as they will be, by URN, in the order of the plan."""

    states: Mapping[str, ResourceState]

    @classmethod
    def by(cls, plan: Plan) -> Declared:
        """Everything that ``plan`` does not delete."""
        kept = [step for step in plan.steps if step.op not in DELETIONS]
        return cls({step.urn: step.state for step in kept})

    def of_type(self, *types: str) -> Iterator[ResourceState]:
        return (state for state in self.states.values() if state.type in types)

    def of_package(self, package: str) -> Iterator[ResourceState]:
        """The resources of a package, its providers and what was only read left out."""
        return (state for state in self.states.values() if urns.package_of(state.type) == package and state.custom)

    def referred(self, state: ResourceState, path: str, type_: str) -> list[ResourceState]:
        """The resources of ``type_`` that the property ``path`` of ``state`` depends on, itself or through others.

        An id is unknown until its resource exists; the dependency is known before.
        """
        found: dict[str, ResourceState] = {}
        waiting = list(state.property_dependencies.get(path, ()))
        seen: set[str] = set()
        while waiting:
            urn = waiting.pop(0)
            one = self.states.get(urn)
            if one is None or urn in seen:
                continue
            seen.add(urn)
            if one.type == type_:
                found[urn] = one
            elif not one.custom:  # a component's outputs stand for its children's
                waiting += [child.urn for child in self.states.values() if child.parent == urn]
        return list(found.values())


def known(value: Value) -> Value:
    """``value`` without secrets' marks; what is unknown is None."""
    return transform(reveal(value), lambda leaf: None if leaf is UNKNOWN else leaf)


def inputs(state: ResourceState) -> Properties:
    """A resource's inputs, secrets opened, what is unknown left as None."""
    return known(state.inputs)
