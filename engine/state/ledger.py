"""How a run changes a snapshot, entry by entry. Pure: the journal stores the entries, this says what they mean.

Resources are known by number: those of the base are 0 .. n-1 in their order, each one added takes the next. So are
operations. A resource that this run has registered stands before all that it has not reached yet: a program registers
what is depended on first, so the new ones are in a valid order among themselves, and what has not been reached keeps
its order and may depend on both. (The reasoning of Pulumi's ``SnapshotManager.Snap``.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from engine.state.model import Operation, ResourceState, Snapshot
from engine.state.references import drop_dangling, references, resolve_aliases


@dataclass(frozen=True, slots=True)
class Entry:
    """What happened at once: either all of it is in the journal, or nothing.

    ``add`` is a resource that was registered, ``keep`` one of the base that was registered as it stands. ``recover`` is
    one that an earlier run made and did not come to record: it joins those that have not been reached, where that run
    would have put it.
    ``refresh`` allows a removed resource to have dependents left, which then lose the reference.
    """

    begin: Operation | None = None
    end: int | None = None
    add: ResourceState | None = None
    keep: int | None = None
    recover: ResourceState | None = None
    remove: int | None = None
    amend: tuple[tuple[int, ResourceState], ...] = ()
    refresh: bool = False


class Ledger:
    """A snapshot in the course of a run."""

    def __init__(self, base: Snapshot) -> None:
        self._base = base
        self._new: dict[int, ResourceState] = {}
        self._old = dict(enumerate(base.resources))
        self._operations = dict(enumerate(base.pending_operations))
        self._next_resource = len(self._old)
        self._next_operation = len(self._operations)
        self._refreshed = False

    @property
    def operations(self) -> dict[int, Operation]:
        """What was begun and has not ended, by number."""
        return dict(self._operations)

    def is_new(self, number: int) -> bool:
        """Whether resource ``number`` was registered in this run."""
        return number in self._new

    def apply(self, entry: Entry) -> None:
        """Take ``entry`` in. Raises KeyError for a number that isn't there (any more)."""
        if entry.end is not None:
            del self._operations[entry.end]
        if entry.remove is not None:
            del self._home(entry.remove)[entry.remove]
        for number, state in entry.amend:
            self._home(number)[number] = state
        if entry.keep is not None and entry.keep not in self._new:
            self._new[entry.keep] = self._old.pop(entry.keep)
        if entry.add is not None:
            self._new[self._next_resource] = entry.add
            self._next_resource += 1
        if entry.recover is not None:
            self._old = _with(self._old, self._next_resource, entry.recover)
            self._next_resource += 1
        if entry.begin is not None:
            self._operations[self._next_operation] = entry.begin
            self._next_operation += 1
        self._refreshed |= entry.refresh

    def snapshot(self) -> Snapshot:
        resources = resolve_aliases((*self._new.values(), *self._old.values()))
        if self._refreshed:
            resources = drop_dangling(resources)
        return replace(self._base, resources=resources, pending_operations=tuple(self._operations.values()))

    def _home(self, number: int) -> dict[int, ResourceState]:
        return self._new if number in self._new else self._old


def _with(states: Mapping[int, ResourceState], number: int, recovered: ResourceState) -> dict[int, ResourceState]:
    """``states`` and ``recovered`` behind the last that it refers to: what stands for these from an earlier generation,
    and waits to be deleted, comes later, and would be taken for what it needs if it stood before it."""
    named = {urn for _, urn in references(recovered)}
    numbers = list(states)
    fits = [
        at for at, state in enumerate(states.values())
        if f"{state.urn}::{state.id}" == recovered.provider or (state.urn in named and not state.delete)
    ]  # fmt: skip
    at = fits[-1] + 1 if fits else len(numbers)
    numbers.insert(at, number)
    return {each: recovered if each == number else states[each] for each in numbers}


def merge(base: Snapshot, entries: Iterable[Entry]) -> Snapshot:
    """``base`` after ``entries``. Any prefix of a valid run's entries gives a snapshot that keeps the invariants."""
    ledger = Ledger(base)
    for entry in entries:
        ledger.apply(entry)
    return ledger.snapshot()
