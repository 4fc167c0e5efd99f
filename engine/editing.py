"""Editing a stack's state by hand: lock, load, change, ask, keep a backup, save, remember. No cloud hears of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine.events import Consumer
from engine.session import Session
from engine.state.lock import current_user
from engine.state.model import Snapshot
from engine.state.storage import StackStore, Update

Change = Callable[[Snapshot], Snapshot]
Agree = Callable[[Snapshot, Snapshot], bool]

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


def edit(session: Session, emit: Consumer, change: Change, agree: Agree, message: str) -> Edited:
    """Put what ``change`` makes of the state in its place, unless ``agree`` (before, after) says no.

    ``message`` is what the history tells of it. A change that changes nothing asks nobody and writes nothing. Raises
    as ``StackStore.load`` and ``save`` do, LockedBy, and what ``change`` raises: then the state is as it was.
    """
    with session.locked(emit):
        before = session.snapshot()
        after = change(before)
        if after == before:
            return Edited(before, after)
        if not agree(before, after):
            return Edited(before, after)
        started = int(time.time())
        backup = put(session.store, after)
        remember(session.store, message, started)
        return Edited(before, after, applied=True, backup=backup)


def put(store: StackStore, after: Snapshot) -> Path | None:
    """Save ``after`` in the place of what ``store`` has; where that is kept. For who holds the stack's lock."""
    backup = store.keep_backup()
    store.save(after)
    return backup


def remember(store: StackStore, message: str, started: int) -> None:
    """Add to the history what was done by hand."""
    environment = {"user": current_user()}
    store.add_to_history(Update(KIND, started, int(time.time()), "succeeded", message, environment))
