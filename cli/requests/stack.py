"""What a command about one environment can be asked: which one, by which engine, in which sandbox."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer

from cli.environments import complete
from cli.requests.manner import Manner

DEFAULT_SANDBOX: Final = (
    "default"  # as engine.sandbox has it, which is not imported here: `--help` must not load the engine
)


class Engine(enum.StrEnum):
    AUTO = "auto"
    EMBEDDED = "embedded"
    PULUMI = "pulumi"


@dataclass(frozen=True, kw_only=True)
class OfStack(Manner):
    """A command about one environment."""

    environment: Annotated[
        str | None,
        typer.Argument(metavar="ENV", help="The environment, such as dev or prod.", autocompletion=complete,
                       show_default=False),
    ] = None  # fmt: skip
    stack: Annotated[
        str | None,
        typer.Option("--stack", "-s", help="Another way to say ENV.", autocompletion=complete, show_default=False),
    ] = None
    engine: Annotated[
        Engine,
        typer.Option("--engine", help="Which engine runs it: the Pulumi CLI, or the embedded one, which changes "
                     "sandboxes only. auto: the CLI for what is in no sandbox, where it is installed."),
    ] = Engine.AUTO  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class InSandbox(OfStack):
    """A command about an environment that is, or will be, in a sandbox."""

    sandbox: Annotated[str, typer.Option("--sandbox", metavar="NAME", help="In which sandbox the environment is.")] = (
        DEFAULT_SANDBOX
    )


@dataclass(frozen=True, kw_only=True)
class OfProgram(InSandbox):
    """A command that runs an environment's program."""

    program_timeout: Annotated[
        float,
        typer.Option("--program-timeout", min=0, metavar="SECONDS",
                     help="How long the program may ask for nothing; 0 for ever."),
    ] = 600.0  # fmt: skip
    event_log: Annotated[
        Path | None,
        typer.Option("--event-log", metavar="FILE", dir_okay=False, show_default=False,
                     help="Write the engine's events there, a line of JSON each."),
    ] = None  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Showing(InSandbox):
    """A command that shows values of a stack, among which may be secrets."""

    show_secrets: Annotated[bool, typer.Option("--show-secrets", help="Show secret values in clear.")] = False


@dataclass(frozen=True, kw_only=True)
class ShowingOne(Showing):
    urn: Annotated[
        str | None,
        typer.Argument(metavar="[URN]", help="The resource: its URN or its name. Default: all.", show_default=False),
    ] = None  # fmt: skip
