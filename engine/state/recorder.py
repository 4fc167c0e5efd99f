"""What the engine tells of a run as it goes, so that nothing it did can be forgotten.

    recorder = Recorder(store, base)              under the stack's lock
    operation, durable = recorder.begin("creating", goal_state)
    await asyncio.wrap_future(durable)            only now may the provider be called
    recorder.finish(operation, new=state)         whatever came of it
    snapshot = recorder.close()                   folds all of it into the checkpoint

Resources are told apart by identity: ``old`` must be an object of ``base`` or one that was handed over before. Nothing
is written before the first change, so a run that changes nothing leaves every file as it is. One thread calls; the
journal has its own.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from concurrent.futures import Future
from typing import NamedTuple

from engine.state import journal
from engine.state.errors import StateError
from engine.state.ledger import Entry, Ledger
from engine.state.model import Operation, OperationKind, ResourceState, SecretsProvider, Snapshot
from engine.state.properties import Json
from engine.state.storage import StackStore


class Begun(NamedTuple):
    """An operation's number, for ``finish``, and when it may start."""

    number: int
    durable: Future[None]


class Recorder:
    """Records one run on top of ``base``. Each method returns when its entry will be durable; an error of the disk is
    raised by that future and by ``close``."""

    def __init__(self, store: StackStore, base: Snapshot) -> None:
        """``base`` is what ``store.load()`` gave, or another snapshot, which is then saved first."""
        self._store = store
        self._base = base
        self._ledger = Ledger(base)
        self._numbers = {id(state): number for number, state in enumerate(base.resources)}
        self._handed_over = list(base.resources)  # keeps the identities above from being used again
        self._next_resource = len(base.resources)
        self._next_operation = len(base.pending_operations)
        self._writer: journal.Writer | None = None
        self._kept: list[Json] = []
        self._known_provider: SecretsProvider | None = None
        self._closed = False
        self._fingerprint = store.settle(base)

    @property
    def pending(self) -> dict[int, Operation]:
        """What has begun and not ended, by number; at first what earlier runs have left."""
        return self._ledger.operations

    def begin(self, kind: OperationKind, state: ResourceState) -> Begun:
        """An operation is about to start; ``state`` is what it sets out with."""
        durable = self._record(Entry(begin=Operation(state, kind)))
        self._next_operation += 1
        return Begun(self._next_operation - 1, durable)

    def finish(
        self,
        operation: int,
        *,
        new: ResourceState | None = None,
        old: ResourceState | None = None,
        amended: Sequence[tuple[ResourceState, ResourceState]] = (),
    ) -> Future[None]:
        """``operation`` has ended: ``new`` exists now, ``old`` doesn't any more, and of each pair in ``amended`` the
        first became the second where it stands. All three empty: it failed and changed nothing.

        A replacement by create-before-delete gives ``new`` and amends the old one to ``delete=True``; the first half of
        delete-before-replace amends it to ``pending_replacement=True``, and the second half gives both.
        """
        return self._change(new=new, old=old, amended=amended, end=operation)

    def recover(
        self,
        operation: int,
        found: ResourceState,
        *,
        amended: Sequence[tuple[ResourceState, ResourceState]] = (),
    ) -> Future[None]:
        """``operation`` of an earlier run, seen in ``pending``, had made ``found`` and died before it could say so.

        To be called before the program runs: ``found`` joins the base, behind what it depends on, and the program
        registers it from there as usual. (With ``finish`` it would stand before the stack itself.)
        """
        return self._change(found=found, amended=amended, end=operation)

    def put(self, new: ResourceState, old: ResourceState | None = None) -> Future[None]:
        """``new`` was registered and needed no operation; it takes the place of ``old``, if there was one.

        Of what was registered before in this run the place in the order stays, since others may depend on it by now.
        """
        if old is not None and new == old:
            number = self._number(old)
            self._adopt(new, number)
            return self._record(Entry(keep=number))
        return self._change(new=new, old=old)

    def amend(self, old: ResourceState, new: ResourceState) -> Future[None]:
        """``old`` became ``new`` where it stands: its outputs were registered, it was marked for deletion ..."""
        return self._change(amended=((old, new),))

    def drop(self, old: ResourceState, *, refresh: bool = False) -> Future[None]:
        """``old`` is no longer part of the stack. With ``refresh`` others may refer to it; the references go too."""
        return self._change(old=old, refresh=refresh)

    def snapshot(self) -> Snapshot:
        """The stack as it stands now, not checked and with the base's manifest."""
        return self._ledger.snapshot()

    def close(self) -> Snapshot:
        """Fold the run into the checkpoint and return it as saved, or the base where nothing changed.

        Raises StateInvalid or StateError; the journal then stays, and the next ``load`` takes it in.
        """
        self._closed = True
        if self._writer is None:
            return self._base
        # What the journal could not take, the checkpoint may; if that fails too, its error is the one to see.
        with contextlib.suppress(StateError):
            self._writer.close()
        return self._store.save(self._ledger.snapshot())

    def abandon(self) -> None:
        """Stop at once and leave the journal to the next run. For a second Ctrl-C."""
        self._closed = True
        if self._writer is not None:
            self._writer.close()

    def _change(
        self,
        *,
        new: ResourceState | None = None,
        found: ResourceState | None = None,
        old: ResourceState | None = None,
        amended: Sequence[tuple[ResourceState, ResourceState]] = (),
        end: int | None = None,
        refresh: bool = False,
    ) -> Future[None]:
        if new is not None and old is not None and self._ledger.is_new(self._number(old)):
            amended, new, old = (*amended, (old, new)), None, None
        numbers = tuple((self._number(before), after) for before, after in amended)
        removed = None if old is None else self._number(old)
        entry = Entry(add=new, recover=found, remove=removed, amend=numbers, end=end, refresh=refresh)
        durable = self._record(entry)
        for number, after in numbers:
            self._adopt(after, number)
        for state in (new, found):
            if state is not None:
                self._adopt(state, self._next_resource)
                self._next_resource += 1
        return durable

    def _record(self, entry: Entry) -> Future[None]:
        if self._closed:
            raise StateError(f"the run on stack {self._store.stack} is closed")
        line = self._line(entry)  # first, since what can't be written must not be in the ledger either
        self._ledger.apply(entry)
        if entry.keep is not None:
            return self._keep(line)
        if self._writer is None:
            self._writer = journal.Writer(self._store.journal_path, self._fingerprint)
            for kept in self._kept:
                self._writer.note(kept)
        return self._writer.append(line)

    def _keep(self, line: Json) -> Future[None]:
        """A resource that stays as it is only has its place in the order to lose: nobody waits for that."""
        if self._writer is None:
            self._kept.append(line)
        else:
            self._writer.note(line)
        done: Future[None] = Future()
        done.set_result(None)
        return done

    def _line(self, entry: Entry) -> Json:
        line = journal.encode_entry(entry, self._store.codec, self._known_provider)
        self._known_provider = self._store.codec.provider
        return line

    def _number(self, state: ResourceState) -> int:
        try:
            return self._numbers[id(state)]
        except KeyError:
            raise LookupError(f"{state.urn}: this object is neither of the base nor was it handed over") from None

    def _adopt(self, state: ResourceState, number: int) -> None:
        self._handed_over.append(state)
        self._numbers[id(state)] = number
