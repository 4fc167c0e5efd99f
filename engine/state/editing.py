"""Edits of a snapshot, without a word to any cloud: unprotect, rename, delete. Pure; the rules are Pulumi's.

(Source: Pulumi 3.260, ``pkg/cmd/pulumi/state`` and ``pkg/resource/edit``.)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from engine import urn as urns
from engine.state.errors import EditRefused
from engine.state.model import ResourceState, Snapshot
from engine.state.references import SEPARATOR, references, with_urns

SHOWN = 10  # resources that an error names


def unprotect(snapshot: Snapshot, chosen: Collection[ResourceState]) -> Snapshot:
    """``snapshot`` with ``chosen``, objects of it, no longer protected."""
    ids = {id(state) for state in chosen}
    resources = (replace(state, protect=False) if id(state) in ids else state for state in snapshot.resources)
    return replace(snapshot, resources=tuple(resources))


def rename(snapshot: Snapshot, state: ResourceState, name: str) -> Snapshot:
    """``snapshot`` with ``state``, an object of it, called ``name``; what refers to it follows.

    Raises EditRefused where the new name is none, or another resource's already.
    """
    if not name:
        raise EditRefused(f"{state.urn} needs a name that is not empty; nothing was changed")
    new = urns.join(urns.parse(state.urn)._replace(name=name))
    if new == state.urn:
        return snapshot
    if sum(one.urn == state.urn for one in snapshot.resources) > 1:
        raise EditRefused(
            f"{state.urn} is the URN of several resources, of which all but one wait to be deleted; nothing was "
            "changed\n  bring the stack up first, which deletes them"
        )
    if any(one.urn == new for one in snapshot.resources):
        raise EditRefused(f"there is a resource {new} already; nothing was changed\n  choose another name")

    def renamed(urn: str) -> str:
        return new if urn == state.urn else urn

    resources = tuple(with_urns(one, renamed) for one in snapshot.resources)
    pending = (replace(one, resource=with_urns(one.resource, renamed)) for one in snapshot.pending_operations)
    return replace(snapshot, resources=resources, pending_operations=tuple(pending))


def delete(snapshot: Snapshot, chosen: Collection[ResourceState], *, force: bool, dependents: bool) -> Snapshot:
    """``snapshot`` without ``chosen``, objects of it, and with ``dependents`` without what depends on those.

    Raises EditRefused where one is protected, unless ``force``, or is still depended on.
    """
    condemned = {id(state) for state in chosen}
    gone: set[int] = set()
    # What depends on others stands behind them, so from the end on each goes after all that depend on it.
    for state in reversed(snapshot.resources):
        if id(state) not in condemned or id(state) in gone:
            continue
        going = [state]
        if len(condemned) < len(snapshot.resources):
            going += depending([one for one in snapshot.resources if id(one) not in gone], state)
        if len(going) > 1 and not dependents:
            raise _depended_on(state, going[1:])
        _check_protection(going, force=force)
        gone.update(id(one) for one in going)
    return replace(snapshot, resources=tuple(one for one in snapshot.resources if id(one) not in gone))


def _check_protection(going: Sequence[ResourceState], *, force: bool) -> None:
    protected = next((one for one in going if one.protect), None)
    if protected is not None and not force:
        raise EditRefused(f"{protected.urn} is protected; nothing was changed\n  --force deletes it all the same")


def depending(resources: Sequence[ResourceState], state: ResourceState) -> list[ResourceState]:
    """What among ``resources`` can't be without ``state``, an object of theirs, directly or not, in their order.

    Where a replaced resource waits to be deleted, two have one URN. What refers to that URN depends on neither alone,
    but a provider is referred to by its id as well.
    """
    place = next(i for i, one in enumerate(resources) if one is state)
    kept = Counter(one.urn for one in resources[:place])
    gone = {state.urn}
    providers = {f"{state.urn}{SEPARATOR}{state.id}"}
    found: list[ResourceState] = []
    for one in resources[place + 1 :]:
        same = (one.urn, one.id) == (state.urn, state.id)
        only = any(urn in gone and not kept[urn] for _, urn in references(one))
        if not same and (only or one.provider in providers):
            found.append(one)
            gone.add(one.urn)
            providers.add(f"{one.urn}{SEPARATOR}{one.id}")
        else:
            kept[one.urn] += 1
    return found


def _depended_on(state: ResourceState, found: Sequence[ResourceState]) -> EditRefused:
    return EditRefused(
        f"{state.urn} can't be deleted, for what depends on it; nothing was changed\n"
        + "\n".join(_listed(found))
        + "\n  delete these first, or say --target-dependents to delete them, too"
    )


def _listed(found: Sequence[ResourceState]) -> Iterator[str]:
    for one in found[:SHOWN]:
        yield f"    {one.urn}"
    if len(found) > SHOWN:
        yield f"    and {len(found) - SHOWN} more"
