"""Moving resources from one stack's snapshot to another's. Pure; the rules are Pulumi's.

What is moved takes its children along. Providers are copied, since others may need them, unless the other stack has the
same already. A dependency between what moves and what stays is cut on both sides, and told. (Source: Pulumi 3.260,
``pkg/cmd/pulumi/state/state_move.go``.)
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from engine import urn as urns
from engine.state.errors import EditRefused
from engine.state.model import ResourceState, Snapshot
from engine.state.references import SEPARATOR, map_references, references, split_provider


class Place(NamedTuple):
    """A stack that something can be moved to."""

    project: str
    stack: str


@dataclass(frozen=True, slots=True)
class Cut:
    """A dependency that a move cuts: ``urn`` has ``dependency`` as its ``what``."""

    urn: str
    what: str
    dependency: str


@dataclass(frozen=True)
class Moved:
    """Both snapshots after a move, the URNs that went, and the dependencies that were cut on either side."""

    source: Snapshot
    destination: Snapshot
    urns: Sequence[str]
    cut_here: Sequence[Cut]
    cut_there: Sequence[Cut]


def move(
    source: Snapshot, destination: Snapshot, chosen: Collection[ResourceState], to: Place, *, parents: bool = False
) -> Moved:
    """Move ``chosen``, objects of ``source``, and what is below them; with ``parents`` also what is above.

    Raises EditRefused where that can't be, with the reason.
    """
    going = _going(source.resources, chosen, parents=parents)
    _check(source, going)
    moving = [one for one in source.resources if one.urn in going]
    staying = [one for one in source.resources if one.urn not in going]
    left, cut_here = _without(staying, going)
    arrival = _Arrival(list(destination.resources), to, {one.urn for one in staying})
    arrival.take_providers(staying, {one.provider for one in moving})
    arrival.take(moving)
    resources = tuple(arrival.resources)
    return Moved(
        replace(source, resources=tuple(left), extensions=_needed(left, source.extensions)),
        replace(destination, resources=resources, extensions=_needed(
            resources, {**source.extensions, **destination.extensions}
        )),
        [one.urn for one in moving],
        cut_here,
        arrival.cut,
    )  # fmt: skip


def _going(resources: Sequence[ResourceState], chosen: Collection[ResourceState], *, parents: bool) -> set[str]:
    """The URNs of what moves. The stack itself stays, and its providers do; those below what moves go along."""
    provider = next((one.urn for one in chosen if urns.is_provider_type(one.type)), None)
    if provider is not None:
        raise EditRefused(
            f"{provider} is a provider, and those can't be moved; nothing was changed\n"
            "  name resources: their providers are copied along"
        )
    going = {one.urn for one in chosen}
    if parents:
        by_urn = {one.urn: one for one in resources}
        for one in chosen:
            above = by_urn.get(one.parent)
            while above is not None and above.type != urns.STACK_TYPE:
                going.add(above.urn)
                above = by_urn.get(above.parent)
    roots = {one.urn for one in resources if one.type == urns.STACK_TYPE}
    for one in resources:  # parents stand before their children
        if one.parent in going and not (one.parent in roots and urns.is_provider_type(one.type)):
            going.add(one.urn)
    return going - roots


def _check(source: Snapshot, going: Collection[str]) -> None:
    """Raise EditRefused where what stays can't do without what goes, or nobody knows yet what there is."""
    # What an interrupted run was at is looked for by the next one, in the stack that it was interrupted in.
    for operation in source.pending_operations:
        if operation.resource.urn in going or operation.resource.parent in going:
            raise EditRefused(
                f"an earlier run was interrupted while {operation.kind} {operation.resource.urn}; nothing was changed\n"
                "  `bedplate up` looks for it; move the resources then"
            )
    for state in source.resources:
        if state.urn not in going and state.provider and split_provider(state.provider)[0] in going:
            raise EditRefused(
                f"{state.urn} stays, and its provider {state.provider} is below what moves; nothing was changed\n"
                "  move both, or have the program give it another provider"
            )


def _without(states: Sequence[ResourceState], gone: Collection[str]) -> tuple[list[ResourceState], list[Cut]]:
    """``states`` without their references to ``gone``, and what was cut; a parent is for the caller to see to."""
    cut: list[Cut] = []
    kept: list[ResourceState] = []
    for state in states:
        broken = [Cut(state.urn, what, urn) for what, urn in references(state) if what != "parent" and urn in gone]
        cut += broken
        kept.append(_cut_off(state, gone) if broken else state)
    return kept, cut


def _cut_off(state: ResourceState, gone: Collection[str]) -> ResourceState:
    cut = map_references(state, lambda urn: "" if urn in gone else urn)
    kept = {key: urns_ for key, urns_ in cut.property_dependencies.items() if urns_}
    return replace(cut, parent=state.parent, property_dependencies=kept)


@dataclass
class _Arrival:
    """The other stack's resources, as more and more arrive. ``staying`` are the URNs of what stays behind."""

    resources: list[ResourceState]
    to: Place
    staying: Collection[str]
    cut: list[Cut] = field(default_factory=list[Cut])

    def __post_init__(self) -> None:
        found = next((one for one in self.resources if one.type == urns.STACK_TYPE and not one.parent), None)
        if found is None:
            name = f"{self.to.project}-{self.to.stack}"
            root = ResourceState(
                urns.make(self.to.stack, self.to.project, None, urns.STACK_TYPE, name), urns.STACK_TYPE
            )
            self.resources.insert(0, root)
            found = root
        self._root = found.urn
        self._there = {one.urn: one for one in self.resources}
        self._renamed: dict[str, str] = {}
        self._providers: dict[str, str] = {}

    def take_providers(self, staying: Sequence[ResourceState], wanted: Collection[str]) -> None:
        """Copy the providers that ``wanted`` refers to, but for those that are there already."""
        for state in staying:
            reference = f"{state.urn}{SEPARATOR}{state.id}"
            if reference not in wanted:
                continue
            copy = self._moved(state)
            there = self._there.get(copy.urn)
            if there is not None and there.id != copy.id and there.inputs != copy.inputs:
                raise EditRefused(
                    f"the other stack has another provider {copy.urn}; nothing was changed\n"
                    "  give one of the two another name with `bedplate state rename`"
                )
            self._providers[reference] = f"{copy.urn}{SEPARATOR}{(there or copy).id}"
            if there is None:
                self.resources.append(copy)

    def take(self, moving: Sequence[ResourceState]) -> None:
        for state in moving:
            moved = self._moved(state)
            if moved.urn in self._there:
                raise EditRefused(
                    f"there is a resource {moved.urn} in the other stack already; nothing was changed\n"
                    "  give one of the two another name with `bedplate state rename`; if a move was interrupted, "
                    "take it out here with `bedplate state delete`"
                )
            self._renamed[state.urn] = moved.urn
            self.resources.append(moved)

    def _moved(self, state: ResourceState) -> ResourceState:
        """``state`` as it is called there, below the stack where its parent stays behind."""
        (kept,), cut = _without([state], self.staying)
        self.cut += cut
        parent = self._renamed.get(state.parent, self._root)
        renamed = map_references(kept, self._name)
        parts = urns.parse(state.urn)
        urn = urns.make(self.to.stack, self.to.project, parent, parts.type, parts.name)
        view_of = self._name(state.view_of) if state.view_of else ""
        return replace(renamed, urn=urn, parent=parent, provider=self._provider(state.provider), view_of=view_of)

    def _name(self, urn: str) -> str:
        if urn in self._renamed:
            return self._renamed[urn]
        return urns.join(urns.parse(urn)._replace(stack=self.to.stack, project=self.to.project))

    def _provider(self, reference: str) -> str:
        if not reference or reference in self._providers:
            return self._providers.get(reference, "")
        urn, id_ = split_provider(reference)
        return f"{self._name(urn)}{SEPARATOR}{id_}"


def _needed(resources: Sequence[ResourceState], extensions: Mapping[str, object]) -> dict[str, object]:
    """Of ``extensions`` those that ``resources`` refer to."""
    wanted = {one.extension_ref for one in resources}
    return {name: one for name, one in extensions.items() if name in wanted}


def cuts(moved: Moved) -> Iterator[str]:
    """A line for each dependency that the move has cut."""
    for one in moved.cut_here:
        yield f"{one.urn}, which stays, loses its {one.what} {one.dependency}"
    for one in moved.cut_there:
        yield f"{one.urn}, which goes, loses its {one.what} {one.dependency}"
