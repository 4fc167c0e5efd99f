"""What can be asked of an import."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from cli.requests.runs import Applying, PreviewOnly


@dataclass(frozen=True, kw_only=True)
class Importing(Applying):
    """A command that takes over what exists already."""

    type: Annotated[
        str | None,
        typer.Argument(metavar="TYPE", help="The resource's type, such as aws:s3/bucket:Bucket.", show_default=False),
    ] = None
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="What the program calls it.", show_default=False)
    ] = None
    id: Annotated[
        str | None,
        typer.Argument(metavar="ID", help="What its provider knows it by, such as a bucket's name.",
                       show_default=False),
    ] = None  # fmt: skip
    file: Annotated[
        Path | None,
        typer.Option("--file", "-f", metavar="FILE", dir_okay=False, exists=True, show_default=False,
                     help="Import what this file names, in the form of `pulumi import --file`."),
    ] = None  # fmt: skip
    parent: Annotated[
        str, typer.Option("--parent", metavar="NAME=URN", help="Its parent, and what the code calls that.",
                          show_default=False),
    ] = ""  # fmt: skip
    provider: Annotated[
        str, typer.Option("--provider", metavar="NAME=URN", help="Its provider, and what the code calls that.",
                          show_default=False),
    ] = ""  # fmt: skip
    protect: Annotated[
        bool, typer.Option("--protect/--no-protect", help="Whether the resource can't be deleted until it is let go.")
    ] = True
    properties: Annotated[
        tuple[str, ...],
        typer.Option("--properties", metavar="NAME,...", help="Take these inputs only. Repeatable."),
    ] = ()
    generate_code: Annotated[
        bool, typer.Option("--generate-code/--no-generate-code", help="Whether to write the code to paste.")
    ] = True
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", dir_okay=False, show_default=False,
                     help="Write the code there instead of to standard output."),
    ] = None  # fmt: skip
    preview_only: PreviewOnly = False
