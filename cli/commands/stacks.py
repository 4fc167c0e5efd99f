"""preview, up, destroy, refresh."""

from __future__ import annotations

import typer

from cli.declare import command
from cli.requests.manner import Output
from cli.requests.runs import BringingUp, Destroying, Previewing, Refreshing


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``. What they need is imported when they run, so that --help stays quick."""

    @command(app, "preview", Previewing)
    def preview(request: Previewing) -> int:
        """Show what `up` would do; needs no cloud, no credentials and no network, but for --refresh."""
        from cli.runs import check_sandbox, prepare

        prepared = prepare("preview", request)
        if request.refresh:
            check_sandbox(prepared)
        return prepared.run(lambda session, emit, options, _: session.preview(emit, options))

    @command(app, "up", BringingUp)
    def up(request: BringingUp) -> int:
        """Bring an environment to what the program declares."""
        from cli.runs import bring_up

        return bring_up(request)

    @command(app, "destroy", Destroying)
    def destroy(request: Destroying) -> int:
        """Delete everything that an environment has."""
        from cli.runs import check_sandbox, prepare

        prepared = prepare("destroy", request)
        check_sandbox(prepared)
        if request.preview_only:
            return prepared.run(lambda session, emit, options, _: session.preview_destroy(emit, options))
        return prepared.run(lambda session, emit, options, agree: session.destroy(emit, options, agree))

    @command(app, "refresh", Refreshing, (Output.TEXT, Output.JSON, Output.MARKDOWN))
    def refresh(request: Refreshing) -> int:
        """Bring the state to what exists; nothing that exists is changed."""
        from cli.runs import check_sandbox, prepare

        prepared = prepare("refresh", request)
        check_sandbox(prepared)
        if request.preview_only:
            return prepared.run(lambda session, emit, options, _: session.preview_refresh(emit, options))
        return prepared.run(lambda session, emit, options, agree: session.refresh(emit, options, agree))

    _ = (preview, up, destroy, refresh)  # registered above
