"""dashboards list, preview, export: what Grafana will show of an environment; needs no server and no cloud."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from cli.declare import command
from cli.environments import known, meant
from cli.exits import CommandError, ExitCode, UsageError
from cli.requests.manner import Output
from cli.requests.stack import OfStack
from cli.requests.views import ExportingDashboards, PreviewingDashboards
from cli.whole_files import write

if TYPE_CHECKING:
    from stacks.dashboards import Board
    from stacks.settings import PlatformSettings

_STANDARD_OUTPUT: Final = "-"
_FOLDER: Final = ".bedplate/dashboards"


def register(group: typer.Typer) -> None:
    """Add the commands to the group ``dashboards``."""

    @command(group, "list", OfStack)
    def list_(request: OfStack) -> int:
        """List an environment's dashboards, by folder."""
        from cli.screen import Screen
        from cli.views.dashboards import listing

        screen = Screen(request)
        environment, _, _, boards = _declared(request)
        if request.output is Output.JSON:
            screen.document(listing.document(environment, boards))
        else:
            screen.show(listing.render(boards, width=screen.width))
        return ExitCode.OK

    @command(group, "preview", PreviewingDashboards)
    def preview(request: PreviewingDashboards) -> int:
        """Draw every dashboard with invented data, as one page that needs no network and no scripts."""
        from cli.screen import Screen
        from cli.views.dashboards import listing
        from cli.views.dashboards.page import page
        from stacks.dashboards import pictured

        screen = Screen(request)
        to_output = str(request.file) == _STANDARD_OUTPUT
        if to_output and request.output is Output.JSON:
            raise UsageError("--file - and --output json would both write to standard output; give one of them")
        environment, root, settings, boards = _declared(request)
        text = page(pictured(boards, settings, environment), environment)
        if to_output:
            screen.out.write(text)
            screen.out.flush()
            return ExitCode.OK
        path = request.file or root / _FOLDER / f"{environment}.html"
        write({path: text})
        if request.output is Output.JSON:
            screen.document({**listing.document(environment, boards), "file": str(path)})
        else:
            screen.tell(f"{len(boards)} dashboards, drawn from invented data:")
            screen.out.write(f"{path}\n")
            screen.out.flush()
        return ExitCode.OK

    @command(group, "export", ExportingDashboards)
    def export(request: ExportingDashboards) -> int:
        """Write every dashboard as the JSON file that Grafana reads, in a folder for each of Grafana's folders."""
        from cli.screen import Screen
        from cli.views.dashboards import listing
        from stacks.dashboards import files

        if request.folder is None:
            raise UsageError("say where the files go, as in `bedplate dashboards export dev --to FOLDER`")
        screen = Screen(request)
        environment, _, _, boards = _declared(request)
        found = {request.folder / name: text for name, text in files(boards).items()}
        write(found)
        if request.output is Output.JSON:
            screen.document({**listing.document(environment, boards), "files": [str(path) for path in found]})
        else:
            screen.tell(f"{len(found)} dashboards written to {request.folder}")
        return ExitCode.OK

    _ = (list_, preview, export)  # registered above


def _declared(request: OfStack) -> tuple[str, Path, PlatformSettings, Sequence[Board]]:
    """The environment that is meant, its project's folder, its settings and its dashboards."""
    from engine.project import Project
    from stacks.dashboards import dashboards
    from stacks.settings import load

    project = Project.load(request.cwd)
    environment = meant(request.environment, request.stack, known(request.cwd))
    settings = load(environment, project.config_folder)
    boards = dashboards(settings, environment)
    if not boards:
        why = f"{environment} has no dashboards: monitoring is off (bedplate:monitoring.enabled)"
        raise CommandError(why, ExitCode.FAILED)
    return environment, project.root, settings, boards
