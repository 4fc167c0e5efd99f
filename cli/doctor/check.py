"""One finding of ``bedplate doctor``."""

from __future__ import annotations

import enum
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

_SECONDS = 10.0  # that a command has to tell its version


class State(enum.StrEnum):
    OK = "ok"
    MISSING = "missing"
    BROKEN = "broken"  # it is there, and can't be used


@dataclass(frozen=True)
class Check:
    """What was looked at and what was found. ``needed_for`` and ``how_to_get`` are phrases for the user.

    Without what is ``essential`` Bedplate itself does not work.
    """

    group: str
    name: str
    state: State
    detail: str = ""
    needed_for: str = ""
    how_to_get: str = ""
    essential: bool = False

    def document(self) -> dict[str, Any]:
        return {
            "group": self.group,
            "name": self.name,
            "state": str(self.state),
            "detail": self.detail,
            "neededFor": self.needed_for,
            "howToGet": self.how_to_get if self.state is not State.OK else "",
            "essential": self.essential,
        }


@dataclass(frozen=True)
class Place:
    """Where is looked: the ``root`` of the project (None outside of one), its ``python``, the ``environment``.

    ``online`` allows to ask the network. ``problem`` is why a project that is there can't be used.
    """

    root: Path | None
    python: Path
    environment: Mapping[str, str]
    online: bool = False
    problem: str = ""


Look: TypeAlias = Callable[[Place], Sequence[Check]]


def said(command: Sequence[str], environment: Mapping[str, str], seconds: float = _SECONDS) -> tuple[bool, str]:
    """Whether a command went well, and the first line that it wrote, or why it could not be asked."""
    try:
        done = subprocess.run(  # noqa: S603 - tools of the user's own
            list(command), capture_output=True, text=True, timeout=seconds, check=False, stdin=subprocess.DEVNULL,
            env=dict(environment),
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return False, f"it did not answer within {seconds:g} s"
    except (OSError, UnicodeDecodeError) as error:
        return False, str(error)
    text = done.stdout if done.returncode == 0 else done.stderr or done.stdout
    return done.returncode == 0, next((line.strip() for line in text.splitlines() if line.strip()), "")


def short(path: Path | str) -> str:
    """A path for the eye: below the home folder, or below here."""
    text, home, here = str(path), str(Path.home()), str(Path.cwd())
    if text.startswith(here + os.sep):
        return text[len(here) + 1 :]
    return "~" + text[len(home) :] if home != "/" and text.startswith(home + os.sep) else text
