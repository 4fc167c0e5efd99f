"""Installing the Pulumi CLI for a project, and the plugins that its program wants: all of it or nothing."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.error import URLError

from cli.exits import CommandError, ExitCode
from cli.requests.machine import SettingUp
from cli.requests.manner import Output
from cli.screen import VERSION, Screen
from engine.project import Project
from engine.providers.remote.finding import pulumi_home
from engine.pulumi_cli import reach, tools

SCRIPT: Final = "https://get.pulumi.com/install.sh"
_PATIENCE: Final = 30.0  # seconds without a byte
_INSTEAD: Final = (
    "  nothing was installed. Allow this machine that URL, or install the CLI another way\n"
    "  (https://www.pulumi.com/docs/install/) and put the folder with its binaries on PATH;\n"
    "  sandboxes and the embedded engine's previews need none of it"
)


def set_up(request: SettingUp) -> int:
    """Raises CommandError where something can't be got; then nothing half-installed is left."""
    screen = Screen(request)
    project = Project.load(request.cwd)
    path = tools.pulumi_command(project.root)
    installed: list[str] = []
    if path is None:
        screen.tell(f"installing the Pulumi CLI into {tools.FOLDER}")
        install_cli(project.root / tools.FOLDER)
        tools.put_on_path(project.root)
        path = tools.pulumi_command(project.root)
        installed.append("pulumi")
    if path is None:
        raise CommandError(
            f"{tools.FOLDER} is there and has no `pulumi` that can be run\n  remove that folder and set up again",
            ExitCode.FAILED,
        )
    missing = [one for one in reach.required(project) if not reach.installed(one, os.environ)]
    for plugin in missing:
        screen.tell(f"installing the plugin {plugin.name} {plugin.version}")
        _install_plugin(path, plugin, project.root)
        installed.append(f"{plugin.name} {plugin.version}")
    if request.output is Output.JSON:
        screen.document({"version": VERSION, "command": "setup", "pulumi": path, "installed": installed, "exitCode": 0})
    else:
        screen.tell(f"installed: {', '.join(installed)}" if installed else f"everything is there already: {path}")
    return ExitCode.OK


def install_cli(target: Path) -> None:
    """Install the CLI of the SDK's version into ``target``. It is put there whole, once all of it has come."""
    from pulumi.automation import PulumiCommand  # here: it takes a second to import

    target.parent.mkdir(parents=True, exist_ok=True)
    with _beside(target) as folder, _patience():
        try:
            PulumiCommand.install(root=str(folder))
        except URLError as error:
            reason = getattr(error, "reason", None) or error
            text = f"{SCRIPT} could not be fetched: {reason}"
            raise CommandError(f"{text}\n{_INSTEAD}", ExitCode.FAILED) from error
        except subprocess.CalledProcessError as error:
            told = _last_lines(error.output)
            raise CommandError(f"{SCRIPT} failed:{told}\n{_INSTEAD}", ExitCode.FAILED) from error
        except OSError as error:
            raise CommandError(
                f"the Pulumi CLI could not be installed: {error}\n{_INSTEAD}", ExitCode.FAILED
            ) from error
        with contextlib.suppress(OSError):  # another setup was quicker, and what it has put there is as good
            folder.rename(target)


@contextmanager
def _beside(target: Path) -> Generator[Path]:
    """A folder beside ``target`` that is gone afterwards, whatever happens, unless it was renamed."""
    folder = Path(tempfile.mkdtemp(prefix=f"{target.name}.part-", dir=target.parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _patience() -> Generator[None]:
    """The SDK's download has no limit of its own."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_PATIENCE)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _install_plugin(pulumi: str, plugin: reach.Plugin, root: Path) -> None:
    """The CLI itself leaves nothing half-installed."""
    version = plugin.version.removeprefix("v")
    command: Sequence[str] = [pulumi, "plugin", "install", "resource", plugin.name, *([version] if version else [])]
    done = subprocess.run(  # noqa: S603 - the CLI that was found, or that we have just installed
        command, cwd=root, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
        env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"},
    )  # fmt: skip
    if done.returncode:
        told = _last_lines(done.stderr or done.stdout)
        raise CommandError(
            f"the plugin {plugin.name} {version} could not be installed:{told}\n"
            f"  allow this machine what is named there, or copy its folder resource-{plugin.name}-v{version} into "
            f"{pulumi_home(os.environ) / 'plugins'} from a machine that has it",
            ExitCode.FAILED,
        )


def _last_lines(text: str | bytes | None) -> str:
    plain = text.decode(errors="replace") if isinstance(text, bytes) else text or ""
    return "".join(f"\n  {line.rstrip()}" for line in plain.splitlines()[-8:] if line.strip())
