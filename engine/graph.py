"""Who depends on whom among the resources of a snapshot, by their places in it.

A snapshot is ordered: what is depended on stands first. A dependency means the nearest earlier resource of its URN, so
that two generations of one resource (a replaced one waits to be deleted) are kept apart, and no cycle is possible.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from engine.provider_registry import split_reference
from engine.state.model import ResourceState


def named_dependencies(state: ResourceState, *, parents: bool = True, providers: bool = True) -> Iterator[str]:
    """The URNs that must exist for ``state`` to exist, repeats included."""
    if parents and state.parent:
        yield state.parent
    if providers and state.provider:
        yield split_reference(state.provider)[0]
    yield from state.dependencies
    for urns in state.property_dependencies.values():
        yield from urns
    if state.deleted_with:
        yield state.deleted_with
    yield from state.replace_with


def fates(resources: Iterable[ResourceState]) -> dict[int, int]:
    """With which state each goes that names one as ``deleted_with``, both by their identities.

    That is the nearest earlier one of its URN: when what has been replaced is deleted, what has replaced it stays.
    """
    latest: dict[str, int] = {}
    found: dict[int, int] = {}
    for state in resources:
        if state.deleted_with in latest:
            found[id(state)] = latest[state.deleted_with]
        latest[state.urn] = id(state)
    return found


class DependencyGraph:
    """The graph over ``resources``; ``parents`` says whether a child depends on its parent."""

    def __init__(self, resources: Sequence[ResourceState], *, parents: bool = True) -> None:
        self.resources = resources
        self._needs: list[set[int]] = []
        self._needed_by: list[set[int]] = [set() for _ in resources]
        latest: dict[str, int] = {}
        for place, state in enumerate(resources):
            needs = {latest[urn] for urn in named_dependencies(state, parents=parents) if urn in latest}
            self._needs.append(needs)
            for other in needs:
                self._needed_by[other].add(place)
            latest[state.urn] = place

    def needs(self, place: int) -> set[int]:
        """Places of what the resource at ``place`` depends on directly."""
        return self._needs[place]

    def needed_by(self, place: int) -> set[int]:
        """Places of what depends on the resource at ``place`` directly."""
        return self._needed_by[place]

    def dependents(self, place: int) -> list[int]:
        """All that depends on the resource at ``place``, directly or not, in the snapshot's order."""
        return sorted(self._closure(place, self._needed_by))

    def requirements(self, place: int) -> set[int]:
        """All that the resource at ``place`` depends on, directly or not."""
        return self._closure(place, self._needs)

    @staticmethod
    def _closure(place: int, edges: Sequence[set[int]]) -> set[int]:
        reached: set[int] = set()
        frontier = [place]
        while frontier:
            for other in edges[frontier.pop()]:
                if other not in reached:
                    reached.add(other)
                    frontier.append(other)
        return reached
