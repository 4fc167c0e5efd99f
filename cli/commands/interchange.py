"""state export, state import: a stack's state as a file in Pulumi's form."""

from __future__ import annotations

import sys

import typer

from cli.declare import command
from cli.exits import CommandError, ExitCode, UsageError
from cli.requests.manner import Output
from cli.requests.state import Exporting, Importing

STANDARD = "-"


def register(group: typer.Typer) -> None:
    """Add the commands to the group ``state``."""

    @command(group, "export", Exporting)
    def export(request: Exporting) -> int:
        """Write the state as `pulumi stack export` does; secrets stay encrypted, and nobody needs to open them."""
        from cli.screen import VERSION, Screen
        from cli.state_edits import open_stack
        from engine.state import files

        screen, session = Screen(request), open_stack(request)
        text = session.exported(reveal=request.show_secrets)
        if request.file is None or str(request.file) == STANDARD:
            screen.out.write(text)
            screen.out.flush()
            return ExitCode.OK
        files.give(request.file, text.encode())  # for the user's eyes alone, as the state is
        if request.output is Output.JSON:
            screen.document({"version": VERSION, "stack": session.stack, "file": str(request.file)})
        else:
            screen.tell(f"the state of {session.stack} is in {request.file}")
        return ExitCode.OK

    @command(group, "import", Importing)
    def import_(request: Importing) -> int:
        """Put a state in the place of the stack's: what either engine has exported, or a kept checkpoint."""
        from cli.state_edits import prepare
        from engine.editing import put_in

        content, place = _given(request)
        prepared = prepare("state import", request)
        edited = put_in(
            prepared.session, prepared.heard, content, place, prepared.agree, prepared.message("--file", place)
        )
        return prepared.report(edited)

    _ = (export, import_)  # registered above


def _given(request: Importing) -> tuple[bytes, str]:
    """What is to be imported, and how it is called."""
    if request.file is None or str(request.file) == STANDARD:
        if sys.stdin.isatty():
            raise UsageError("say what to import, as in `bedplate state import dev --file state.json`, or pipe it in")
        if not request.yes:
            raise UsageError("what is imported comes by standard input, so nobody can answer there; pass --yes")
        return sys.stdin.buffer.read(), "standard input"
    try:
        return request.file.read_bytes(), str(request.file)
    except OSError as error:
        raise CommandError(f"{request.file}: {error.strerror}", ExitCode.USAGE) from error
