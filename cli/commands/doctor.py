"""doctor, setup: what of all that Bedplate can use is on this machine, and getting what is not."""

from __future__ import annotations

import typer

from cli.declare import command
from cli.exits import ExitCode
from cli.requests.machine import Examining, SettingUp
from cli.requests.manner import Output


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""

    @command(app, "doctor", Examining)
    def doctor(request: Examining) -> int:
        """Tell which engines, plugins, tools and credentials are here, and how to get what is missing."""
        from cli.doctor.examination import examined, is_fit
        from cli.screen import VERSION, Screen
        from cli.views.doctor import report

        screen = Screen(request)
        checks = examined(request.cwd, online=request.online)
        code = ExitCode.OK if is_fit(checks) else ExitCode.FAILED
        if request.output is Output.JSON:
            found = [check.document() for check in checks]
            screen.document({"version": VERSION, "command": "doctor", "checks": found, "exitCode": int(code)})
        else:
            screen.show(report(checks, screen.width))
        return code

    @command(app, "setup", SettingUp)
    def setup(request: SettingUp) -> int:
        """Install the Pulumi CLI into .bedplate/tools, and the plugins that the project's program wants."""
        from cli.doctor.installing import set_up

        return set_up(request)

    _ = (doctor, setup)  # registered above
