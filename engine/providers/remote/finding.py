"""Where a package's plugin executable is: named in Pulumi.yaml, on PATH, in Pulumi's plugin folder.

The order, and which version is taken, are those of the Pulumi CLI: the one that the program asks for and no other, or
the newest release where it asks for none.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from engine.providers.base import ProviderError
from engine.providers.remote import versions

if TYPE_CHECKING:
    from engine.provider_registry import Wanted

_FOLDER: Final = re.compile(r"(?P<kind>[a-z]+)-(?P<name>[a-zA-Z0-9-][a-zA-Z0-9-_.]*[a-zA-Z0-9])-v(?P<version>.*)")
_BEING_INSTALLED: Final = re.compile(r"\.tmp[0-9]+$")


@dataclass(frozen=True)
class Plugin:
    """A plugin that is installed in ``folder``; a ``version`` of "" is not known."""

    name: str
    version: str
    folder: Path
    kind: str = "resource"

    @property
    def executable(self) -> Path:
        return self.folder / file_name(self.name)


@dataclass(frozen=True)
class Surroundings:
    """Where plugins run: the project's ``name``, the ``folder`` and ``python`` of its program, the ``environment``.

    ``named`` are the plugins that Pulumi.yaml names.
    """

    name: str
    folder: Path
    python: Path
    environment: Mapping[str, str]
    named: Sequence[Plugin] = ()


def file_name(package: str) -> str:
    return f"pulumi-resource-{package}"


def pulumi_home(environment: Mapping[str, str]) -> Path:
    """Pulumi's own folder: PULUMI_HOME, else .pulumi in the home folder."""
    given = environment.get("PULUMI_HOME")
    return Path(given) if given else Path(environment.get("HOME") or Path.home()) / ".pulumi"


def installed(environment: Mapping[str, str]) -> list[Plugin]:
    """The plugins in Pulumi's plugin folder, of all kinds, by name and version; none that is half there."""
    folder = pulumi_home(environment) / "plugins"
    found: list[Plugin] = []
    for path in folder.iterdir() if folder.is_dir() else ():
        match = _FOLDER.fullmatch(path.name)
        if match is None or _BEING_INSTALLED.search(path.name) or not path.is_dir():
            continue
        half_there = path.with_name(f"{path.name}.partial").exists()
        if versions.key(match["version"]) is not None and not half_there:
            found.append(Plugin(match["name"], match["version"], path, match["kind"]))
    return sorted(found, key=lambda one: (one.kind, one.name, versions.key(one.version) or ((), False, ())))


def named_in_project(content: Mapping[str, Any], root: Path) -> list[Plugin]:
    """The providers that ``plugins.providers`` of Pulumi.yaml names."""
    section = content.get("plugins")
    providers = section.get("providers") if isinstance(section, dict) else None
    return [
        Plugin(str(one.get("name")), str(one.get("version") or ""), root / str(one.get("path")))
        for one in (providers if isinstance(providers, list) else ())
        if isinstance(one, dict) and one.get("name") and one.get("path")
    ]


def executable(wanted: Wanted, environment: Mapping[str, str], named: Sequence[Plugin]) -> Path | None:
    """The executable that ``wanted`` means, or None. Raises ProviderError where what is named has none."""
    for plugin in named:
        fits = not (wanted.version and plugin.version) or versions.same(plugin.version, wanted.version)
        if plugin.name == wanted.package and fits:
            return _runnable(plugin, "which Pulumi.yaml names")
    if not environment.get("PULUMI_IGNORE_AMBIENT_PLUGINS"):
        on_path = shutil.which(file_name(wanted.package), path=environment.get("PATH", os.defpath))
        if on_path is not None:
            return Path(on_path)
    plugin = _best(wanted, [one for one in installed(environment) if one.kind == "resource"])
    return None if plugin is None else _runnable(plugin, "which is installed")


def _best(wanted: Wanted, plugins: Sequence[Plugin]) -> Plugin | None:
    fitting = [one for one in plugins if one.name == wanted.package]
    if wanted.version:
        fitting = [one for one in fitting if versions.same(one.version, wanted.version)]
    stable = [one for one in fitting if versions.is_stable(one.version)]
    return (stable or fitting or [None])[-1]


def _runnable(plugin: Plugin, what: str) -> Path:
    path = plugin.executable
    if path.is_file() and os.access(path, os.X_OK):
        return path
    if (plugin.folder / "PulumiPlugin.yaml").is_file():
        raise ProviderError(
            f"the plugin {plugin.name} in {plugin.folder}, {what}, is a program in a language of its own: the embedded "
            "engine runs executables only; use the Pulumi CLI for this program, or attach the provider by "
            "PULUMI_DEBUG_PROVIDERS"
        )
    raise ProviderError(f"the plugin {plugin.name}, {what}, has no executable: expected {path}")


def how_to_get(package: str, version: str, environment: Mapping[str, str]) -> str:
    """What to do so that there is a plugin of ``package``, and which others there are."""
    others = [one.version for one in installed(environment) if (one.kind, one.name) == ("resource", package)]
    there = f"; installed, but not asked for: {', '.join(others)}" if others else ""
    command = f"pulumi plugin install resource {package}" + (f" v{version.removeprefix('v')}" if version else "")
    return f"`{command}` installs its plugin (or put {file_name(package)} on PATH){there}"
