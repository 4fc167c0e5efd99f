"""What resources refer to: other resources' URNs, and how these follow when a resource is renamed or vanishes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from engine import urn as urns
from engine.state.model import ResourceState

SEPARATOR: Final = "::"


def split_provider(reference: str) -> tuple[str, str]:
    """URN and id of a provider reference ``URN::ID``. Raises ValueError when it is none."""
    urn, separator, id_ = reference.rpartition(SEPARATOR)
    if not separator or not id_:
        raise ValueError(f"not a provider reference: {reference!r} (expected URN::ID)")
    urns.parse(urn)
    return urn, id_


def references(state: ResourceState) -> Iterator[tuple[str, str]]:
    """Everything but the provider that must stand before ``state``: what it is to it, and its URN."""
    if state.parent:
        yield "parent", state.parent
    for urn in state.dependencies:
        if urn:
            yield "dependency", urn
    for key, dependencies in state.property_dependencies.items():
        for urn in dependencies:
            if urn:
                yield f"dependency of property {key!r}", urn
    if state.deleted_with:
        yield "deleted_with", state.deleted_with
    for urn in state.replace_with:
        if urn:
            yield "replace_with", urn


def resolve_aliases(resources: Sequence[ResourceState]) -> tuple[ResourceState, ...]:
    """``resources`` with each reference to an alias replaced by the URN that its resource has now, and no aliases.

    A resource whose parent was renamed, and that has not been registered under its new name yet, is renamed with it.
    An alias that is another resource's URN is left alone: references to it mean that resource.
    """
    if not any(state.aliases for state in resources):
        return tuple(resources)
    taken = {state.urn for state in resources if not state.delete}
    renamed: dict[str, str] = {}
    for state in resources:
        for alias in state.aliases:
            if alias not in taken:
                renamed.setdefault(alias, state.urn)
        parent = renamed.get(state.parent)
        if parent:
            parts = urns.parse(state.urn)
            renamed.setdefault(state.urn, urns.make(parts.stack, parts.project, parent, parts.type, parts.name))
    return tuple(_rename(state, renamed) for state in resources)


def _rename(state: ResourceState, renamed: dict[str, str]) -> ResourceState:
    return replace(with_urns(state, lambda urn: renamed.get(urn, urn)), aliases=())


def with_urns(state: ResourceState, name: Callable[[str], str]) -> ResourceState:
    """``state`` with ``name`` applied to its URN and to each that it refers to, its provider's too."""
    provider = state.provider
    if provider:
        urn, id_ = split_provider(provider)
        provider = f"{name(urn)}{SEPARATOR}{id_}"
    view_of = name(state.view_of) if state.view_of else ""
    return replace(map_references(state, name), urn=name(state.urn), provider=provider, view_of=view_of)


def map_references(state: ResourceState, name: Callable[[str], str]) -> ResourceState:
    """``state`` with ``name`` applied to each URN that it refers to, but for its provider's; "" takes one out."""

    def named(urns_: Sequence[str]) -> tuple[str, ...]:
        return tuple(new for urn in urns_ if (new := name(urn)) or not urn)

    return replace(
        state,
        parent=name(state.parent) if state.parent else "",
        dependencies=named(state.dependencies),
        property_dependencies={key: named(urns_) for key, urns_ in state.property_dependencies.items()},
        deleted_with=name(state.deleted_with) if state.deleted_with else "",
        replace_with=named(state.replace_with),
    )


def drop_dangling(resources: Sequence[ResourceState]) -> tuple[ResourceState, ...]:
    """``resources`` without references to what isn't there; a child of what is gone loses its parent.

    For a refresh, which may find a resource gone that others depend on. URNs stay as they are.
    """
    seen: set[str] = set()
    mended: list[ResourceState] = []
    for state in resources:
        dangles = any(urn not in seen for _, urn in references(state))
        mended.append(map_references(state, lambda urn: urn if urn in seen else "") if dangles else state)
        seen.add(state.urn)
    return tuple(mended)
