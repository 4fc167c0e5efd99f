"""How every command behaves towards who has called it."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer


class Color(enum.StrEnum):
    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class Output(enum.StrEnum):
    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"  # of those commands that say so


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How a command behaves towards who has called it."""

    cwd: Annotated[
        Path, typer.Option("--cwd", "-C", help="Run as if started in this folder.", exists=True, file_okay=False)
    ] = Path()
    output: Annotated[
        Output, typer.Option("--output", help="What is written to standard output; json is one versioned document.")
    ] = Output.TEXT
    color: Annotated[Color, typer.Option("--color", help="Colours; auto heeds NO_COLOR and FORCE_COLOR.")] = Color.AUTO
    debug: Annotated[bool, typer.Option("--debug", help="Tracebacks, and messages for debugging.")] = False
