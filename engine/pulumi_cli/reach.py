"""Whether the Pulumi CLI could preview a stack as things are here: asked before it is used where nobody named it.

What needs no process is looked at first, so that a machine on which nobody has ever logged in is told apart at once.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import unquote, urlparse

from engine.backend import shown
from engine.project import FILE_NAMES, Project
from engine.providers.remote.attached import VARIABLE
from engine.providers.remote.finding import file_name, pulumi_home
from engine.pulumi_cli.command import NAME, VARIABLES
from engine.pulumi_cli.errors import of_output
from engine.stack_config import mapping_in
from engine.state.errors import WrongPassphrase
from engine.state.secrets import PASSPHRASE, passphrase_from

PATIENCE: Final = 10.0  # seconds that a backend has for its answer


class Plugin(NamedTuple):
    name: str
    version: str


def obstacle(project: Project, stack: str, environment: Mapping[str, str] | None = None) -> str:
    """Why the CLI could not preview ``stack``, in a few words; "" where it could."""
    environment = os.environ if environment is None else environment
    url = backend_url(project, environment)
    if not url:
        return "it is not logged in to any backend"
    folder = backend_folder(url)
    if folder is not None and not folder.is_dir():
        return f"its backend {shown(url)} is not there"
    missing = [plugin for plugin in required(project) if not installed(plugin, environment)]
    if missing:
        return f"its plugin {missing[0].name} {missing[0].version} is not installed"
    return _unanswered(project, stack, environment)


def _unanswered(project: Project, stack: str, environment: Mapping[str, str]) -> str:
    """Why the backend does not give the stack, "" where it does."""
    try:
        asked = subprocess.run(  # noqa: S603
            [NAME, "stack", "export", "--stack", stack, "--non-interactive"],
            cwd=project.root, env={**environment, **VARIABLES}, stdin=subprocess.DEVNULL, capture_output=True,
            timeout=PATIENCE, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"its backend has not answered within {PATIENCE:g} s"
    except OSError as error:
        return f"it cannot be run: {error.strerror}"
    if asked.returncode:
        error = of_output(asked.stderr.decode(errors="replace"), stack)
        return str(error).splitlines()[0].removeprefix(f"{NAME}: ")
    return "" if _can_be_opened(asked.stdout, environment) else "no passphrase is set for the stack's secrets"


def _can_be_opened(exported: bytes, environment: Mapping[str, str]) -> bool:
    """Whether a passphrase is at hand where one is needed; the CLI begins nothing without."""
    try:
        provider = json.loads(exported)["deployment"]["secrets_providers"]["type"]
        return provider != PASSPHRASE or passphrase_from(environment) is not None
    except (ValueError, KeyError, TypeError):
        return True  # nothing is encrypted
    except WrongPassphrase:
        return False


# The backend


def backend_url(project: Project, environment: Mapping[str, str]) -> str:
    """Which backend the CLI would use, "" where nobody has chosen one. (Source: ``workspace.GetCurrentCloudURL``.)"""
    if environment.get("PULUMI_BACKEND_URL"):
        return environment["PULUMI_BACKEND_URL"]
    path = next((project.root / name for name in FILE_NAMES if (project.root / name).is_file()), None)
    backend = mapping_in(path).get("backend") if path is not None else None
    if isinstance(backend, dict) and isinstance(backend.get("url"), str) and backend["url"]:
        return backend["url"]
    kept = _json(pulumi_home(environment) / "credentials.json").get("current")
    if isinstance(kept, str) and kept:
        return kept
    return "https://api.pulumi.com" if environment.get("PULUMI_ACCESS_TOKEN") else ""


def backend_folder(url: str) -> Path | None:
    """The folder that a backend is, None for one that is none."""
    parsed = urlparse(url)
    return Path(unquote(parsed.netloc + parsed.path)).expanduser() if parsed.scheme == "file" else None


def _json(path: Path) -> Mapping[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


# Plugins


def required(project: Project) -> Iterator[Plugin]:
    """The provider plugins that the CLI wants before it runs the program: those of the packages in its Python.

    (Source: ``pulumi-language-python``, which looks for the same files.) What a program in another language needs,
    only its own host can tell.
    """
    if project.runtime != "python":
        return
    for path in sorted(project.python.parent.parent.glob("lib/python*/site-packages/*/pulumi-plugin.json")):
        told = _json(path)
        if told.get("resource") is True and isinstance(told.get("name"), str):
            yield Plugin(told["name"], str(told.get("version") or ""))


def installed(plugin: Plugin, environment: Mapping[str, str]) -> bool:
    """Whether the plugin lies in the CLI's folder, is on PATH, or runs somewhere to be attached to."""
    attached = {entry.partition(":")[0] for entry in environment.get(VARIABLE, "").split(",")}
    if plugin.name in attached:
        return True
    folder = pulumi_home(environment) / "plugins" / f"resource-{plugin.name}-v{plugin.version.removeprefix('v')}"
    executable = file_name(plugin.name)
    on_path = (Path(place) / executable for place in environment.get("PATH", "").split(os.pathsep) if place)
    return folder.is_dir() or any(path.is_file() for path in on_path)
