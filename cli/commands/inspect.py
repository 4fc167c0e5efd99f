"""outputs, state list, state show: what is known of a stack, without touching it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from cli.declare import command
from cli.exits import CommandError, ExitCode
from cli.requests.manner import Output
from cli.requests.stack import Showing, ShowingOne

if TYPE_CHECKING:
    from engine.stack_session import StackSession


def register(app: typer.Typer, state: typer.Typer) -> None:
    """Add the commands to ``app`` and to its group ``state``."""

    @command(app, "outputs", Showing)
    def outputs(request: Showing) -> int:
        """Show a stack's outputs."""
        from cli.opening import open_session
        from cli.screen import Screen
        from cli.views import documents, report

        screen, session = Screen(request), open_session(request)
        _check_open(session, request)
        values = session.outputs()
        if request.output is Output.JSON:
            screen.document(documents.outputs(session.stack, values, reveal=request.show_secrets))
        elif values:
            screen.show(report.table(values, width=screen.width, reveal=request.show_secrets))
        else:
            screen.tell(f"{session.stack} has no outputs; `bedplate up {session.stack}` brings it up")
        return 0

    @command(state, "list", Showing)
    def list_(request: Showing) -> int:
        """List the resources in a stack's state."""
        from cli.opening import open_session
        from cli.screen import VERSION, Screen
        from cli.views import documents
        from cli.views import state as views

        screen, session = Screen(request), open_session(request)
        _check_open(session, request)
        snapshot = session.snapshot()
        if request.output is Output.JSON:
            found = [documents.resource(one, reveal=request.show_secrets) for one in snapshot.resources]
            screen.document({"version": VERSION, "stack": session.stack, "resources": found})
        else:
            screen.show(views.listing(snapshot.resources, snapshot.pending_operations, width=screen.width))
        return 0

    @command(state, "show", ShowingOne)
    def show(request: ShowingOne) -> int:
        """Show one resource of a stack's state in full (or all of them)."""
        from cli.named import all_of
        from cli.opening import open_session
        from cli.screen import VERSION, Screen
        from cli.views import documents
        from cli.views import state as views
        from cli.views.lines import Line

        screen, session = Screen(request), open_session(request)
        _check_open(session, request)
        resources = session.snapshot().resources
        found = resources if request.urn is None else all_of(resources, request.urn, session.stack)
        if request.output is Output.JSON:
            shown = [documents.resource(one, reveal=request.show_secrets) for one in found]
            screen.document({"version": VERSION, "stack": session.stack, "resources": shown})
        else:
            for one in found:
                screen.show([*views.details(one, reveal=request.show_secrets), Line()])
        return 0

    _ = (outputs, list_, show)  # registered above


def _check_open(session: StackSession, request: Showing) -> None:
    """Raise where secrets are to be shown that nobody here can open."""
    sealed = session.snapshot().sealed if request.show_secrets else 0
    if sealed:
        text = f"{sealed} secret values of {session.stack} can't be opened here, where --show-secrets asks for them"
        raise CommandError(f"{text}\n  set PULUMI_CONFIG_PASSPHRASE, or ask the Pulumi CLI", ExitCode.CREDENTIALS)
