"""What can be asked of what edits a state, and looks back at what was done to it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from cli.requests.stack import OfStack

Urns = Annotated[
    tuple[str, ...],
    typer.Argument(metavar="[URN]...", help="The resources: their URNs, or names that only one has.",
                   show_default=False),
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Agreeing(OfStack):
    """A command that asks before it does anything."""

    yes: Annotated[bool, typer.Option("--yes", "-y", help="Go ahead without asking.")] = False
    non_interactive: Annotated[bool, typer.Option("--non-interactive", help="Ask nothing.")] = False


@dataclass(frozen=True, kw_only=True)
class Editing(Agreeing):
    """A command that edits a stack's state."""

    message: Annotated[
        str, typer.Option("--message", "-m", help="Said of this edit in the history.", show_default=False)
    ] = ""


@dataclass(frozen=True, kw_only=True)
class Cancelling(Agreeing):
    """A command that breaks a lock."""


@dataclass(frozen=True, kw_only=True)
class LookingBack(OfStack):
    limit: Annotated[int, typer.Option("--limit", min=0, help="How many updates are shown; 0 for all.")] = 20


@dataclass(frozen=True, kw_only=True)
class Renaming(Editing):
    urn: Annotated[
        str | None,
        typer.Argument(metavar="URN", help="The resource: its URN, or its name if only one has it.",
                       show_default=False),
    ] = None  # fmt: skip
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Its new name.", show_default=False)] = None


@dataclass(frozen=True, kw_only=True)
class Unprotecting(Editing):
    urn: Urns = ()
    all: Annotated[bool, typer.Option("--all", help="All resources.")] = False


@dataclass(frozen=True, kw_only=True)
class Deleting(Editing):
    urn: Urns = ()
    all: Annotated[bool, typer.Option("--all", help="All resources.")] = False
    force: Annotated[bool, typer.Option("--force", help="Protected ones, too.")] = False
    target_dependents: Annotated[bool, typer.Option("--target-dependents", help="What depends on them, too.")] = False


@dataclass(frozen=True, kw_only=True)
class Moving(Editing):
    urn: Urns = ()
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="STACK", show_default=False,
                     help="Where to: an environment, or PROJECT/STACK of another project with the same backend."),
    ] = None  # fmt: skip
    include_parents: Annotated[
        bool, typer.Option("--include-parents", help="What the resources are below of, too.")
    ] = False


@dataclass(frozen=True, kw_only=True)
class Repairing(Editing):
    """A command that mends a state."""


@dataclass(frozen=True, kw_only=True)
class Importing(Editing):
    file: Annotated[
        Path | None,
        typer.Option("--file", "-f", metavar="FILE", dir_okay=False, allow_dash=True, show_default="standard input",
                     help="What `state export` or `pulumi stack export` wrote, or a kept checkpoint."),
    ] = None  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Exporting(OfStack):
    file: Annotated[
        Path | None,
        typer.Option("--file", "-f", metavar="FILE", dir_okay=False, allow_dash=True, show_default="standard output",
                     help="Where to write it."),
    ] = None  # fmt: skip
    show_secrets: Annotated[
        bool, typer.Option("--show-secrets", help="Secret values in clear, for whoever has another key.")
    ] = False
