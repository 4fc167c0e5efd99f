"""What a command says when it fails: one message without a traceback, and the exit code that goes with it."""

from __future__ import annotations

import sys
import traceback

from cli.exits import ExitCode, of_error
from cli.requests import Manner
from cli.screen import Screen

_REPORT = """\
this is a bug of ours; please report it with
  the command that you ran, and what it writes with --debug (a traceback; it shows no secrets, but look)"""


def report(error: Exception, manner: Manner) -> ExitCode:
    """Say what went wrong; returns the exit code."""
    screen = Screen(manner)
    if manner.debug:
        screen.tell("".join(traceback.format_exception(error)).rstrip())
    code = of_error(error)
    if code is not None:
        screen.error(str(error))
        return code
    if isinstance(error, OSError) and error.filename:
        screen.error(f"{error.filename}: {error.strerror}")
        return ExitCode.FAILED
    place = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{place.filename.rpartition('/')[2]}:{place.lineno}, Python {sys.version.split()[0]}"
    screen.error(f"bedplate broke: {type(error).__name__}: {error} ({where})\n{_REPORT}")
    return ExitCode.BUG
