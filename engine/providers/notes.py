"""What a provider tells the user about an operation: what it waits for, and once it went well, a warning.

A provider calls ``note`` while it works; whoever called the provider takes the notes and shows them as warnings on the
resource. ``waits`` is told at once, and forgotten. Each call has its own: they hang on the context of the thread that
carries out the operation.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar

_taken: ContextVar[list[str] | None] = ContextVar("notes of the operation in progress", default=None)
_told: ContextVar[Callable[[str], None] | None] = ContextVar("who hears what it waits for", default=None)


def note(message: str) -> None:
    """Tell the user ``message``; the same message counts once. Where nobody takes notes it is dropped."""
    notes = _taken.get()
    if notes is not None and message not in notes:
        notes.append(message)


def waits(reason: str) -> None:
    """Tell the user what the operation waits for. Where nobody listens it is dropped."""
    tell = _told.get()
    if tell is not None:
        tell(reason)


@contextmanager
def taking_notes(tell: Callable[[str], None] | None = None) -> Generator[list[str]]:
    """Collect what providers note within, in this thread, which also calls ``tell`` with what they wait for."""
    notes: list[str] = []
    taken, told = _taken.set(notes), _told.set(tell)
    try:
        yield notes
    finally:
        _taken.reset(taken)
        _told.reset(told)
