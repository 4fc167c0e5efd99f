"""What can be asked of what edits a stack's configuration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from cli.requests.stack import OfStack


@dataclass(frozen=True, kw_only=True)
class Configuring(OfStack):
    """A command about one key of a stack's configuration."""

    key: Annotated[
        str | None,
        typer.Argument(metavar="KEY", help="Such as aws:region; without a namespace, the project's own.",
                       show_default=False),
    ] = None  # fmt: skip
    path: Annotated[
        bool,
        typer.Option("--path", help="KEY leads into a group or a list: bedplate:cluster.node_pools.gpu.max_size."),
    ] = False


@dataclass(frozen=True, kw_only=True)
class Setting(Configuring):
    value: Annotated[
        str | None,
        typer.Argument(metavar="VALUE", help="The value; without one it is asked for, or read from standard input.",
                       show_default=False),
    ] = None  # fmt: skip
    secret: Annotated[bool, typer.Option("--secret", help="Encrypt it with the passphrase.")] = False
    plaintext: Annotated[bool, typer.Option("--plaintext", help="Keep it in clear, also where it was encrypted.")] = (
        False
    )
