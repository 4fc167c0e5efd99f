"""What can be asked of this machine: sandboxes on it, what is installed."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Annotated

import typer

from cli.environments import complete
from cli.requests.manner import Manner
from cli.requests.stack import DEFAULT_SANDBOX


class Kubernetes(enum.StrEnum):
    """As engine.sandbox.Flavor has them, which is not imported here: `--help` must not load the engine."""

    EMBEDDED = "embedded"
    NATIVE = "native"
    KIND = "kind"


@dataclass(frozen=True, kw_only=True)
class OfSandbox(Manner):
    """A command about a sandbox."""

    name: Annotated[str, typer.Option("--name", "--sandbox", metavar="NAME", help="Which sandbox.")] = DEFAULT_SANDBOX


@dataclass(frozen=True, kw_only=True)
class StartingSandbox(OfSandbox):
    environment: Annotated[
        str | None,
        typer.Argument(metavar="[ENV]", autocompletion=complete, show_default=False,
                       help="Bring this environment up in it, too, as `up ENV --skip-preview` does."),
    ] = None  # fmt: skip
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Where to listen; 0 for any free port.")] = 0
    endpoint: Annotated[
        str | None, typer.Option("--endpoint", metavar="URL", help="Use this emulator instead.", show_default=False)
    ] = None
    region: Annotated[str | None, typer.Option("--region", help="Region of the sandbox.", show_default="us-east-1")] = (
        None
    )
    allowed_host: Annotated[
        tuple[str, ...],
        typer.Option("--allowed-host", metavar="HOST", help="An emulator's host that isn't on loopback. Repeatable."),
    ] = ()  # fmt: skip
    kubernetes: Annotated[
        Kubernetes | None,
        typer.Option("--kubernetes", help="Where the Kubernetes API comes from.",
                     show_default="the best that this machine has: kind, else native, else embedded"),
    ] = None  # fmt: skip
    kubernetes_port: Annotated[
        int,
        typer.Option(
            "--kubernetes-port", min=0, max=65535, help="Where the Kubernetes API listens; 0 for any free port."
        ),
    ] = 0


@dataclass(frozen=True, kw_only=True)
class BuildingNative(Manner):
    """A command that builds the native control plane."""


@dataclass(frozen=True, kw_only=True)
class Examining(Manner):
    """A command that looks at the machine."""

    online: Annotated[bool, typer.Option("--online", help="Ask the network, too: AWS and the CLI's backend.")] = False


@dataclass(frozen=True, kw_only=True)
class SettingUp(Manner):
    """A command that installs the Pulumi CLI and plugins."""
