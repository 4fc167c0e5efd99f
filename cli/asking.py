"""Asking before anything is done: whether somebody can be asked, and what he says."""

from __future__ import annotations

import select
import sys
from typing import Final, Protocol

from cli.exits import UsageError
from cli.requests.manner import Output
from cli.screen import Screen

LOOK: Final = 0.2  # seconds between two looks for signals


class Asking(Protocol):
    """A request that asks before it does anything."""

    @property
    def yes(self) -> bool: ...

    @property
    def non_interactive(self) -> bool: ...

    @property
    def output(self) -> Output: ...


def check_can_agree(request: Asking, screen: Screen, command: str) -> None:
    """Raise UsageError where somebody would have to be asked and can't be."""
    may_ask = screen.terminal.interactive and not request.non_interactive and request.output is Output.TEXT
    if not request.yes and not may_ask:
        raise UsageError(
            f"`bedplate {command}` would have to ask, and nobody is there to answer; pass --yes to go ahead"
        )


def agreed(request: Asking, screen: Screen, question: str) -> bool:
    """Whether --yes was said, or somebody says so now."""
    return request.yes or answer(screen, f"{question} [y]es, [n]o: ") in ("y", "yes")


def answer(screen: Screen, question: str) -> str:
    """What somebody says, in small letters; "" for who goes away."""
    try:
        return typed(screen, question).strip().lower()
    except EOFError:
        screen.tell("")
        return ""


def typed(screen: Screen, question: str) -> str:
    """The line that somebody types, as it is. Raises EOFError where he goes away."""
    screen.err.write(question)
    screen.err.flush()
    # A signal that comes just before `input` reads would wait for the next key; between two looks it is heard.
    while not select.select([sys.stdin], [], [], LOOK)[0]:
        pass
    return input()
