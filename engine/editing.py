"""Editing a stack's state by hand: lock, load, change, ask, keep a backup, save, remember. No cloud hears of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol

from engine.events import Consumer, Diagnostic, Severity
from engine.project import Project
from engine.state import interchange
from engine.state.errors import EditRefused, StateError
from engine.state.invariants import problems
from engine.state.lock import by_whom
from engine.state.model import Snapshot
from engine.state.repair import Pruned, repaired
from engine.state.storage import Update
from engine.stopwatch import Stopwatch

Change = Callable[[Snapshot], Snapshot]
Agree = Callable[[Snapshot, Snapshot], bool]


class Store(Protocol):
    """Where a state is kept. ``reseals`` says that it encrypts what it saves as the stack's secrets are."""

    @property
    def reseals(self) -> bool: ...

    def as_kept(self, snapshot: Snapshot) -> Snapshot:
        """What there will be once ``snapshot`` is saved."""
        ...

    def read(self) -> Snapshot | None:
        """The state, whatever the invariants say of it; None where there is none."""
        ...

    def keep_backup(self) -> Path | None:
        """Keep what is there now; None where there is nothing."""
        ...

    def save(self, snapshot: Snapshot) -> Snapshot:
        """Put ``snapshot`` in its place."""
        ...

    def add_to_history(self, update: Update) -> None: ...


class Editable(Protocol):
    """A stack whose state can be edited: a ``KeptStack``, or what the Pulumi CLI reaches."""

    project: Project
    stack: str

    @property
    def store(self) -> Store: ...

    def locked(self, emit: Consumer) -> AbstractContextManager[None]:
        """Hold the stack, as far as can be."""
        ...

    def saved(self) -> Snapshot:
        """The state, for whoever changes it. Raises StateError where it is not valid."""
        ...

    def given(self, content: bytes, place: str) -> Snapshot:
        """The snapshot in a file in Pulumi's form, called ``place`` in errors, as it can be saved here."""
        ...

    def replacing(self) -> Store:
        """What puts another state in the place of one that can't be read."""
        ...


KIND: Final = "import"  # what Pulumi calls every change of a state that no update made


@dataclass(frozen=True)
class Edited:
    """How an edit ended: ``applied`` or not, from what to what, and where the state of before is kept.

    ``backup`` is None where nothing was applied, and where there was nothing to keep.
    """

    before: Snapshot
    after: Snapshot
    applied: bool = False
    backup: Path | None = None


def edit(session: Editable, emit: Consumer, change: Change, agree: Agree, message: str) -> Edited:
    """Put what ``change`` makes of the state in its place, unless ``agree`` (before, after) says no.

    ``message`` is what the history tells of it. A change that changes nothing asks nobody and writes nothing. Raises
    as ``StackStore.load`` and ``save`` do, LockedBy, and what ``change`` raises: then the state is as it was.
    """
    with session.locked(emit):
        return _edited(session.store, session.saved(), change, agree, message)


def _edited(store: Store, before: Snapshot, change: Change, agree: Agree, message: str) -> Edited:
    after = change(before)
    if after == before:
        return Edited(before, after)
    after = store.as_kept(after)
    if not agree(before, after):
        return Edited(before, after)
    watch = Stopwatch()
    backup = store.keep_backup()
    store.save(after)
    remember(store, message, watch)
    return Edited(before, after, applied=True, backup=backup)


def put_in(session: Editable, emit: Consumer, content: bytes, place: str, agree: Agree, message: str) -> Edited:
    """Put the state in a file in Pulumi's form, called ``place`` in errors, in the place of the stack's.

    Its secrets are sealed anew, as the stack's are. Operations that it says are pending are dropped, each with a word,
    as Pulumi does. What can't be read of what the stack has is replaced and kept. Raises as ``edit`` does, and
    ``interchange.read``.
    """
    with session.locked(emit):
        given = session.given(content, place)
        interchange.check_belongs(given, place, session.project.name, session.stack)
        store, before = _present(session, emit)
        for operation in given.pending_operations:
            text = f"{place} says that {operation.kind} {operation.resource.urn} was not seen to end; that is dropped"
            emit(Diagnostic(Severity.WARNING, text, operation.resource.urn))
        provider = before.secrets_provider if store.reseals else given.secrets_provider
        after = replace(given, pending_operations=(), manifest=before.manifest, secrets_provider=provider)
        return _edited(store, before, lambda _before: after, agree, message)


def _present(session: Editable, emit: Consumer) -> tuple[Store, Snapshot]:
    """What the stack has, as far as it can be read, and the files to put something in its place with."""
    try:
        return session.store, session.store.read() or Snapshot()
    except StateError as error:
        emit(Diagnostic(Severity.WARNING, f"the stack's own state can't be read, and is replaced: {error}"))
        return session.replacing(), Snapshot()


def repair(
    session: Editable, emit: Consumer, agree: Callable[[Snapshot, Snapshot, list[Pruned]], bool], message: str
) -> Edited:
    """Mend a state that breaks the invariants; a valid one stays as it is.

    Raises EditRefused, with the state as it was, where it would still be invalid.
    """
    with session.locked(emit):
        before = session.store.read() or Snapshot()
        broken = problems(before)
        if not broken:
            return Edited(before, before)
        found: list[Pruned] = []

        def mend(_before: Snapshot) -> Snapshot:
            mended, pruned = _mended(before, broken, session.stack)
            found.extend(pruned)
            return mended

        return _edited(session.store, before, mend, lambda one, other: agree(one, other, found), message)


def _mended(before: Snapshot, broken: list[str], stack: str) -> tuple[Snapshot, list[Pruned]]:
    try:
        after, found = repaired(before)
        left = problems(after)
    except EditRefused as error:
        after, found, left = before, [], str(error).splitlines()
    if not left:
        return after, found
    listed = "\n".join(f"  {one}" for one in left[:10])
    raise EditRefused(
        f"the state of {stack} has {len(broken)} faults and can't be mended by itself; nothing was changed:\n{listed}\n"
        f"  write it to a file with `bedplate state export {stack} --file state.json`, mend it by hand, and put it "
        f"back with `bedplate state import {stack} --file state.json`"
    )


def remember(store: Store, message: str, watch: Stopwatch) -> None:
    """Add to the history what was done by hand."""
    environment = by_whom()
    store.add_to_history(Update(KIND, watch.start, watch.end, "succeeded", message, environment))
