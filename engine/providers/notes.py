"""What a provider tells the user about an operation that went well: a warning of the server, a part left out.

A provider calls ``note`` while it works; whoever called the provider takes the notes and shows them as warnings on the
resource. Each call has its own: the list hangs on the context of the thread that carries out the operation.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

_taken: ContextVar[list[str] | None] = ContextVar("notes of the operation in progress", default=None)


def note(message: str) -> None:
    """Tell the user ``message``; the same message counts once. Where nobody takes notes it is dropped."""
    notes = _taken.get()
    if notes is not None and message not in notes:
        notes.append(message)


@contextmanager
def taking_notes() -> Generator[list[str]]:
    """Collect what providers note within, in this thread."""
    notes: list[str] = []
    token = _taken.set(notes)
    try:
        yield notes
    finally:
        _taken.reset(token)
