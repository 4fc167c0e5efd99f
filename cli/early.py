"""What is started before the arguments are read: the interpreter of the program that most commands will run.

This is a guess. Where it is wrong (another folder, another Python, arguments that make no sense), what was started is
not used, and ends by itself.
"""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

_RUN_PROGRAMS: Final = ("preview", "up", "cost", "simulate")
_FOLDER_OPTIONS: Final = ("-C", "--cwd")


def start_early(arguments: Sequence[str]) -> None:
    """Start an interpreter if a command that runs a program was asked for, in a project that we know the Python of.

    For every command, dataclasses are made quickly from now on.
    """
    if not arguments or "--help" in arguments or "-h" in arguments:
        return
    from engine.host import lazy_dataclasses  # here, so that --help stays quick

    lazy_dataclasses.install()
    if arguments[0] not in _RUN_PROGRAMS:
        return
    folder = _folder(arguments)
    root = next((each for each in (folder, *folder.parents) if (each / "Pulumi.yaml").is_file()), None)
    if root is not None:
        start_program(root)


def start_program(root: Path) -> None:
    """Start the interpreter of the program of the project in ``root``."""
    from engine.waiting_host import start_ahead

    with suppress(OSError):  # what can't be read, the command itself tells
        start_ahead(_python(root), root)


def _folder(arguments: Sequence[str]) -> Path:
    for option, value in itertools.pairwise(arguments):
        if option in _FOLDER_OPTIONS:
            return Path(value).resolve()
    return Path(os.environ.get("BEDPLATE_CWD") or ".").resolve()


def _python(root: Path) -> Path:
    """The program's Python; reading its YAML takes longer than to start what is guessed."""
    from engine.interpreter import interpreter

    named = re.search(r"^\s+virtualenv:\s*(\S+)\s*$", (root / "Pulumi.yaml").read_text(errors="replace"), re.MULTILINE)
    return interpreter(root, named[1] if named else None)
