"""Moving resources between two stacks of one backend: both locked, both with a backup, nothing forgotten on the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from engine.editing import Edited, remember
from engine.events import Consumer
from engine.kept_stack import KeptStack, held
from engine.project import ProjectError
from engine.state.errors import EditRefused, StateError
from engine.state.model import Snapshot
from engine.state.moving import Moved, Place
from engine.state.secrets import Keyring
from engine.state.storage import ORGANIZATION, StackStore, open_stack
from engine.stopwatch import Stopwatch


@dataclass(frozen=True)
class MovedAway:
    """How a move between two stacks ended; each side as an edit of its own."""

    moved: Moved
    source: Edited
    destination: Edited


def other_stack(session: KeptStack, name: str) -> Place:
    """The stack that ``STACK``, ``PROJECT/STACK`` or ``organization/PROJECT/STACK`` means. Raises EditRefused."""
    *before, stack = name.removeprefix(f"{ORGANIZATION}/").split("/")
    to = Place("/".join(before) or session.project.name, stack)
    if to == (session.project.name, session.stack):
        raise EditRefused(f"{name} is the stack that the resources are in already; nothing was changed")
    return to


def move(
    session: KeptStack, emit: Consumer, to: Place, change: Callable[[Snapshot, Snapshot], Moved],
    agree: Callable[[Moved], bool], message: str,
) -> MovedAway:  # fmt: skip
    """Move resources to the stack ``to`` of the same backend: both are locked, and each keeps a backup.

    The other stack is saved first: whatever happens, nothing is forgotten. Raises as ``edit`` does.
    """
    with session.locked(emit):
        there = _destination(session, to)
        with held(there, emit):
            before, before_there = session.saved(), there.load() or Snapshot()
            moved = change(before, before_there)
            here, over_there = Edited(before, moved.source), Edited(before_there, moved.destination)
            if not agree(moved):
                return MovedAway(moved, here, over_there)
            watch = Stopwatch()
            kept_there = there.keep_backup()
            kept_here = session.store.keep_backup()
            there.save(moved.destination)
            _save_source(session.store, there, moved, before_there)
            for store in (there, session.store):
                remember(store, message, watch)
            return MovedAway(
                moved,
                replace(here, applied=True, backup=kept_here),
                replace(over_there, applied=True, backup=kept_there),
            )


def _save_source(store: StackStore, there: StackStore, moved: Moved, before_there: Snapshot) -> None:
    try:
        store.save(moved.source)
    except StateError as error:
        try:
            there.save(before_there)
        except StateError as second:
            raise StateError(
                f"{error}\n  and {there.qualified_name} can't be put back: {second}\n"
                f"  the resources are in both stacks now: take them out of one with `bedplate state delete`"
            ) from error
        raise


def _destination(session: KeptStack, to: Place) -> StackStore:
    """The other stack's files. Raises UnknownStack or ProjectError where it is not known."""
    same = to.project == session.project.name
    # A configuration's salt proves the passphrase of its user, never one that is kept beside the state.
    salt = session.project.salt(to.stack) if same and session.keyring.passphrase is not None else ""
    store = open_stack(session.store.root, to.project, to.stack, Keyring(to.stack, session.sealing.passphrase, salt))
    if not store.exists():
        if not same:
            raise ProjectError(
                f"there is no stack {to.project}/{to.stack} in {session.store.root}\n"
                f"  bring it up first, or make it with `pulumi stack init {store.qualified_name}`"
            )
        session.project.require(to.stack)
    return store
