"""import: what exists already is taken over, and the code that declares it is written."""

from __future__ import annotations

import typer

from cli.declare import command
from cli.requests.importing import Importing


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""

    @command(app, "import", Importing)
    def import_(request: Importing) -> int:
        """Take over resources that exist already, and write the code that declares them."""
        from cli.imports import run

        return run(request)

    _ = import_  # registered above
