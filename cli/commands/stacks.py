"""preview, up, destroy, refresh."""

from __future__ import annotations

import typer

from cli.declare import command
from cli.requests import Applying, BringingUp, Previewing


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``. What they need is imported when they run, so that --help stays quick."""

    @command(app, "preview", Previewing)
    def preview(request: Previewing) -> int:
        """Show what `up` would do; needs no cloud, no credentials and no network."""
        from cli.runs import prepare

        return prepare("preview", request).run(lambda session, emit, options, _: session.preview(emit, options))

    @command(app, "up", BringingUp)
    def up(request: BringingUp) -> int:
        """Bring an environment to what the program declares."""
        from cli.runs import check_sandbox, prepare

        prepared = prepare("up", request)
        check_sandbox(prepared)
        return prepared.run(lambda session, emit, options, agree: session.up(emit, options, agree))

    @command(app, "destroy", Applying)
    def destroy(request: Applying) -> int:
        """Delete everything that an environment has."""
        from cli.runs import check_sandbox, prepare

        prepared = prepare("destroy", request)
        check_sandbox(prepared)
        return prepared.run(lambda session, emit, options, agree: session.destroy(emit, options, agree))

    @command(app, "refresh", Applying)
    def refresh(request: Applying) -> int:
        """Bring the state to what exists; nothing that exists is changed."""
        from cli.runs import check_sandbox, prepare

        prepared = prepare("refresh", request)
        check_sandbox(prepared)
        return prepared.run(lambda session, emit, options, agree: session.refresh(emit, options, agree))

    _ = (preview, up, destroy, refresh)  # registered above
