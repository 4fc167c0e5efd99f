"""sandbox up, down, status: the local AWS emulator."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from cli.declare import command
from cli.exits import ExitCode
from cli.requests import OfSandbox, Output, StartingSandbox

if TYPE_CHECKING:
    from engine.sandbox import Sandbox


def register(sandbox: typer.Typer) -> None:
    """Add the commands to the group ``sandbox``."""

    @command(sandbox, "up", StartingSandbox)
    def up(request: StartingSandbox) -> int:
        """Start the sandbox's emulator, or find the one that runs."""
        from cli.screen import Screen
        from engine import sandbox as sandboxes

        started = sandboxes.up(
            root_of(request.cwd), request.name, port=request.port, endpoint=request.endpoint, region=request.region,
            allowed_hosts=request.allowed_host,
        )  # fmt: skip
        screen = Screen(request)
        if request.output is Output.JSON:
            screen.document(described("running", started))
        else:
            _say(screen, f"sandbox {started.name} runs at {started.endpoint}", started)
        return ExitCode.OK

    @command(sandbox, "down", OfSandbox)
    def down(request: OfSandbox) -> int:
        """End the emulator and forget all that it held."""
        from cli.screen import Screen
        from cli.views.lines import Line
        from engine import sandbox as sandboxes

        ended = sandboxes.down(root_of(request.cwd), request.name)
        screen = Screen(request)
        if request.output is Output.JSON:
            screen.document(described("absent", ended))
        else:
            text = f"sandbox {request.name} is down" if ended else f"sandbox {request.name} was not up"
            screen.show([Line().add(text)])
        return ExitCode.OK

    @command(sandbox, "status", OfSandbox)
    def status(request: OfSandbox) -> int:
        """Say how the sandbox is; exits with 1 unless it runs."""
        from cli.screen import Screen
        from engine import sandbox as sandboxes

        found = sandboxes.status(root_of(request.cwd), request.name)
        screen = Screen(request)
        if request.output is Output.JSON:
            screen.document(described(found.state.value, found.sandbox) | {"detail": found.detail})
        else:
            _say(screen, f"{found.state}: {found.detail}", found.sandbox)
        return ExitCode.OK if found.state is sandboxes.SandboxState.RUNNING else ExitCode.FAILED

    _ = (up, down, status)  # registered above


def root_of(start: Path) -> Path:
    """The folder whose ``.bedplate`` holds the sandbox: the project's around ``start``. Raises ProjectError."""
    from engine.project import Project

    return Project.load(start).root


def described(state: str, sandbox: Sandbox | None) -> dict[str, Any]:
    """A sandbox as a JSON document."""
    from cli.screen import VERSION

    document: dict[str, Any] = {"version": VERSION, "state": state}
    if sandbox is not None:
        document |= {
            "name": sandbox.name, "endpoint": sandbox.endpoint, "emulator": sandbox.emulator, "pid": sandbox.pid,
            "region": sandbox.region, "accountId": sandbox.account_id, "started": sandbox.started,
            "instanceId": sandbox.instance_id, "log": str(sandbox.log_file),
        }  # fmt: skip
    return document


def _say(screen: Any, text: str, sandbox: Sandbox | None) -> None:
    from cli.views.lines import Line, Style

    lines = [Line().add(text)]
    if sandbox is not None:
        facts = [
            ("emulator", sandbox.emulator), ("region", sandbox.region), ("account", sandbox.account_id or "unknown"),
            ("process", str(sandbox.pid or "not ours")), ("log", str(sandbox.log_file)),
        ]  # fmt: skip
        lines += [Line().add(f"  {name:<10}", Style.CYAN).add(value) for name, value in facts]
    screen.show(lines)
