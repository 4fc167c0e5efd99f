"""What a command says when it fails: one message without a traceback, and the exit code that goes with it."""

from __future__ import annotations

import dataclasses
import sys
import traceback
from typing import Any

from cli.exits import ExitCode, of_error
from cli.requests.manner import Manner, Output
from cli.screen import VERSION, Screen

_REPORT = """\
this is a bug of ours; please report it with
  the command that you ran, and what it writes with --debug (a traceback; it shows no secrets, but look)"""


def report(error: Exception, manner: Manner) -> ExitCode:
    """Say what went wrong, with ``--output json`` also as a document; returns the exit code."""
    screen = Screen(manner)
    if manner.debug:
        screen.tell("".join(traceback.format_exception(error)).rstrip())
    code, text = _judged(error)
    if manner.output is Output.JSON:
        screen.document(_document(error, code, text))
    screen.error(text)
    return code


def _judged(error: Exception) -> tuple[ExitCode, str]:
    code = of_error(error)
    if code is not None:
        return code, str(error)
    if isinstance(error, OSError) and error.filename:
        return ExitCode.FAILED, f"{error.filename}: {error.strerror}"
    place = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{place.filename.rpartition('/')[2]}:{place.lineno}, Python {sys.version.split()[0]}"
    return ExitCode.BUG, f"bedplate broke: {type(error).__name__}: {error} ({where})\n{_REPORT}"


def _document(error: Exception, code: ExitCode, text: str) -> dict[str, Any]:
    """``problems`` are those of a settings file, each with its path, message, advice and line."""
    problems = [dataclasses.asdict(one) for one in getattr(error, "problems", ())]
    return {"version": VERSION, "error": {"message": text, "problems": problems}, "exitCode": int(code)}
