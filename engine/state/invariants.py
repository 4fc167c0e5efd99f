"""What every snapshot must satisfy. Checked before each save and after each load.

1. URNs parse, are not empty and end in the resource's own type, but for what waits to be deleted: that takes the URN of
   what has replaced it, of another type even. A component has no id.
2. A live custom resource has an id, and a provider can be referred to.
3. What a resource refers to (parent, dependencies, deleted_with, replace_with) stands before it.
4. So does its provider, with that id, unless the resource waits to be made again: then its provider may be gone.
5. At most one resource of a URN isn't waiting to be deleted.

(Source: ``Snapshot.VerifyIntegrity`` in Pulumi 3.260, but for the type and the id of a custom resource, which it does
not ask for.)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from engine import urn as urns
from engine.state.model import ResourceState, Snapshot
from engine.state.references import references, split_provider

UNKNOWN_ID: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"  # in a provider reference: not known yet


def problems(snapshot: Snapshot) -> list[str]:
    """What is wrong with ``snapshot``, a line each; empty when nothing is. Linear in its size."""
    found: list[str] = []
    later = {state.urn: i for i, state in enumerate(snapshot.resources)}
    seen: set[str] = set()
    live: set[str] = set()
    providers: set[str] = set()
    for i, state in enumerate(snapshot.resources):
        place = f"resources[{i}] {state.urn or '(no URN)'}"
        found.extend(f"{place}: {problem}" for problem in _of_itself(state))
        found.extend(f"{place}: {problem}" for problem in _of_references(state, seen, later))
        found.extend(f"{place}: {problem}" for problem in _of_provider(state, providers))
        if not state.delete:
            if state.urn in live:
                found.append(f"{place}: there is another resource of this URN that isn't waiting to be deleted")
            live.add(state.urn)
        if urns.is_provider_type(state.type):
            providers.add(f"{state.urn}::{state.id or UNKNOWN_ID}")
        seen.add(state.urn)
    found.extend(_of_snippets(snapshot.snippets))
    return found


def _of_itself(state: ResourceState) -> Iterator[str]:
    if not state.urn:
        yield "it has no URN"
        return
    if not state.type:
        yield "it has no type"
    try:
        type_ = urns.parse(state.urn).type
    except ValueError as error:
        yield str(error)
        return
    if state.type and type_ != state.type and not state.delete:
        yield f"its URN says {type_!r} and its type {state.type!r}"
    if state.id and not state.custom:
        yield f"it is a component and has the id {state.id!r}"
    if state.custom and not state.id:
        yield "it has no id"


def _of_references(state: ResourceState, seen: set[str], later: dict[str, int]) -> Iterator[str]:
    for what, urn in references(state):
        if urn not in seen:
            how = "comes after it" if urn in later else "is missing"
            yield f"its {what} {urn} {how}"


def _of_provider(state: ResourceState, providers: set[str]) -> Iterator[str]:
    if not state.provider:
        return
    try:
        split_provider(state.provider)
    except ValueError as error:
        yield str(error)
        return
    if state.provider not in providers and not state.pending_replacement:
        yield f"its provider {state.provider} is missing or comes after it"


def _of_snippets(snippets: Sequence[object]) -> Iterator[str]:
    seen: set[object] = set()
    for i, snippet in enumerate(snippets):
        uuid = snippet.get("uuid") if isinstance(snippet, dict) else None
        if not uuid or uuid in seen:
            yield f"snippets[{i}]: its uuid {uuid!r} is missing or not its own"
        seen.add(uuid)
