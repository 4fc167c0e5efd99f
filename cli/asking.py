"""Asking before anything is done to a state."""

from __future__ import annotations

from cli.exits import UsageError
from cli.requests.manner import Output
from cli.requests.state import Agreeing
from cli.screen import Screen


def check_can_agree(request: Agreeing, screen: Screen, command: str) -> None:
    """Raise UsageError where somebody would have to be asked and can't be."""
    may_ask = screen.terminal.interactive and not request.non_interactive and request.output is Output.TEXT
    if not request.yes and not may_ask:
        raise UsageError(
            f"`bedplate {command}` would have to ask, and nobody is there to answer; pass --yes to go ahead"
        )


def agreed(request: Agreeing, screen: Screen, question: str) -> bool:
    """Whether --yes was said, or somebody says so now."""
    if request.yes:
        return True
    screen.err.write(f"{question} [y]es, [n]o: ")
    screen.err.flush()
    try:
        return input().strip().lower() in ("y", "yes")
    except EOFError:
        screen.tell("")
        return False
