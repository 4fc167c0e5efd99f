"""config show, schema, set, rm: an environment's settings as they count, their JSON schema, and its file edited."""

from __future__ import annotations

import typer

from cli.declare import command
from cli.environments import known, meant
from cli.exits import ExitCode
from cli.requests.configuration import Configuring, Setting
from cli.requests.manner import Manner, Output
from cli.requests.stack import OfStack


def register(config: typer.Typer) -> None:
    """Add the commands to the group ``config``."""

    @command(config, "show", OfStack)
    def show(request: OfStack) -> int:
        """Show an environment's settings, defaults included."""
        from cli.screen import VERSION, Screen
        from cli.views.lines import Line
        from cli.views.values import block
        from engine.project import Project
        from stacks.settings import load

        project = Project.load(request.cwd)
        environment = meant(request.environment, request.stack, known(request.cwd))
        settings = load(environment, project.config_folder).model_dump(mode="json")
        screen = Screen(request)
        if request.output is Output.JSON:
            screen.document({"version": VERSION, "environment": environment, "settings": settings})
        else:
            screen.show(Line().add(one) for one in block(settings, full=True))
        return ExitCode.OK

    @command(config, "schema", Manner)
    def schema(request: Manner) -> int:
        """Write the JSON schema of the settings files; editors complete and check them with it."""
        from cli.screen import Screen
        from stacks.settings import json_schema

        Screen(request).document(json_schema())
        return ExitCode.OK

    @command(config, "set", Setting)
    def set_(request: Setting) -> int:
        """Set a value of an environment's configuration, in its file; with --secret, encrypted."""
        from cli.config_edits import set_value

        return set_value(request)

    @command(config, "rm", Configuring)
    def remove(request: Configuring) -> int:
        """Take a value out of an environment's configuration."""
        from cli.config_edits import remove_value

        return remove_value(request)

    _ = (show, schema, set_, remove)  # registered above
