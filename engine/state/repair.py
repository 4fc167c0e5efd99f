"""Mending a snapshot that breaks the invariants: put in order, references to what is not there taken out. Pure.

What can't be mended this way (a cycle, a provider that is missing, a URN twice) stays as it is, for the invariants to
tell. (Source: ``Snapshot.Repair`` in Pulumi 3.260.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from engine import urn as urns
from engine.state.errors import EditRefused
from engine.state.model import ResourceState, Snapshot
from engine.state.references import SEPARATOR, map_references, references, split_provider


@dataclass(frozen=True, slots=True)
class Pruned:
    """What a resource has lost: references to what is not there, each as what it was to it and the URN.

    ``new_urn`` differs from ``urn`` where a parent of it is gone: a URN names the types of its parents.
    """

    urn: str
    new_urn: str
    lost: tuple[tuple[str, str], ...]


def repaired(snapshot: Snapshot) -> tuple[Snapshot, list[Pruned]]:
    """``snapshot`` in order and without dangling references. Raises EditRefused where it has no order."""
    resources, found = _pruned(_in_order(snapshot.resources))
    return replace(snapshot, resources=resources), found


def _in_order(resources: Sequence[ResourceState]) -> list[ResourceState]:
    """What is depended on first; otherwise as they stand."""
    look_up = _by_urn(resources)
    done: set[int] = set()
    order: list[ResourceState] = []
    for start in resources:
        path: dict[int, tuple[ResourceState, Iterator[ResourceState]]] = {}
        if id(start) not in done:
            path[id(start)] = (start, iter(look_up(start)))
        while path:  # not by recursion: a chain of dependencies may be as long as the stack
            state, rest = next(reversed(path.values()))
            following = next((one for one in rest if id(one) not in done), None)
            if following is None:
                path.popitem()
                done.add(id(state))
                order.append(state)
            elif id(following) in path:
                raise EditRefused(_cycle([one.urn for one, _ in path.values()], following.urn))
            else:
                path[id(following)] = (following, iter(look_up(following)))
    return order


def _by_urn(resources: Sequence[ResourceState]) -> Callable[[ResourceState], list[ResourceState]]:
    """What a resource refers to. Of two with one URN, what waits to be deleted means the one that does so, too."""
    old = {one.urn: one for one in resources if one.delete}
    live = {one.urn: one for one in resources if not one.delete}

    def look_up(state: ResourceState) -> list[ResourceState]:
        first, second = (old, live) if state.delete else (live, old)
        wanted = [urn for _, urn in references(state)]
        if state.provider:
            wanted.append(_provider_urn(state))
        found = (first.get(urn) or second.get(urn) for urn in wanted)
        return [one for one in found if one is not None]

    return look_up


def _provider_urn(state: ResourceState) -> str:
    try:
        return split_provider(state.provider)[0]
    except ValueError as error:
        raise EditRefused(f"{state.urn}: {error}") from error


def _cycle(path: Sequence[str], again: str) -> str:
    inside = [*path[path.index(again) :], again]
    return "resources depend on each other in a circle:\n" + "\n".join(f"    {urn}" for urn in inside)


def _pruned(resources: Sequence[ResourceState]) -> tuple[tuple[ResourceState, ...], list[Pruned]]:
    now: dict[str, str] = {}  # each URN that has been seen, and what it is called from now on
    mended: list[ResourceState] = []
    found: list[Pruned] = []
    for state in resources:
        lost = tuple((what, urn) for what, urn in references(state) if urn not in now)
        new = _mended(state, now)
        if lost or new.urn != state.urn:
            found.append(Pruned(state.urn, new.urn, lost))
        now[state.urn] = new.urn
        mended.append(new)
    return tuple(mended), found


def _mended(state: ResourceState, now: Mapping[str, str]) -> ResourceState:
    """``state`` with its references to what is in ``now`` alone; a provider's stays, since nothing can be without."""
    kept = map_references(state, lambda urn: now.get(urn, ""))
    provider = state.provider
    if provider:
        urn, id_ = split_provider(provider)
        provider = f"{now.get(urn, urn)}{SEPARATOR}{id_}"
    return replace(
        kept,
        urn=state.urn if kept.parent == state.parent else _below(kept.parent, state.urn),
        provider=provider,
        property_dependencies={
            key: urns_
            for key, urns_ in kept.property_dependencies.items()
            if urns_ or not state.property_dependencies[key]
        },
        view_of=now.get(state.view_of, state.view_of),
    )


def _below(parent: str, urn: str) -> str:
    parts = urns.parse(urn)
    return urns.make(parts.stack, parts.project, parent or None, parts.type, parts.name)
