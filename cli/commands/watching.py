"""watch: a sandbox follows its program as that is saved."""

from __future__ import annotations

import typer

from cli.declare import command
from cli.requests.runs import Watching


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""

    @command(app, "watch", Watching)
    def watch(request: Watching) -> int:
        """Bring a sandbox to what the program declares, again each time that a file of it is saved."""
        from cli.watch import run

        return run(request)

    _ = watch  # registered above
