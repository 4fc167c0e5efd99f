"""The engines: ours with the packages that it is made of; the Pulumi CLI with its language host, backend, plugins."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Final

from cli.doctor.check import Check, Place, State, said, short
from engine.providers.base import ProviderError
from engine.providers.remote import attached, finding, versions

_OURS: Final = "Embedded engine"
_CLI: Final = "Pulumi CLI"
_PLUGINS: Final = "Plugins"
_OLDEST: Final = (3, 11)
_REAL: Final = "--engine pulumi: real AWS accounts"
_PACKAGES: Final = ("pulumi", "pulumi-aws", "pulumi-kubernetes", "pulumi-policy", "grpcio", "boto3", "moto")
_MESSAGES: Final = {  # of the protocol, with a field that we could not do without
    "provider_pb2.ConfigureRequest": "args", "resource_pb2.RegisterResourceRequest": "object",
    "analyzer_pb2.AnalyzeRequest": "properties",
}  # fmt: skip
_PATIENCE: Final = 1.0  # seconds, for a port of this machine


def ours(place: Place) -> Sequence[Check]:
    """What the embedded engine is made of."""
    return [_python(place), *_packages(), _protocol(), _folder(place)]


def _python(place: Place) -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    fits = sys.version_info[:2] >= _OLDEST
    where = short(sys.executable)
    program = "" if place.python == Path(sys.executable) else f"; the program's: {short(place.python)}"
    return Check(
        _OURS, "Python", State.OK if fits else State.BROKEN, f"{version}, {where}{program}", "everything",
        "Python 3.11 or newer", essential=True,
    )  # fmt: skip


def _packages() -> Iterator[Check]:
    for name in _PACKAGES:
        try:
            yield Check(_OURS, name, State.OK, metadata.version(name), essential=True)
        except metadata.PackageNotFoundError:
            yield Check(_OURS, name, State.MISSING, "", "everything", "`uv sync`, or `make .venv/.synced`", True)


def _protocol() -> Check:
    from engine import protocol

    lacking: list[str] = []
    for message, field in _MESSAGES.items():
        module, _, name = message.partition(".")
        try:
            if field not in getattr(getattr(protocol, module), name).DESCRIPTOR.fields_by_name:
                lacking.append(f"{name}.{field}")
        except (ImportError, AttributeError) as error:
            lacking.append(f"{name} ({error})")
    detail = f"lacks {', '.join(lacking)}" if lacking else "the SDK has all messages"
    return Check(
        _OURS, "protocol", State.BROKEN if lacking else State.OK, detail, "talking to programs, packs and providers",
        "the version of `pulumi` that uv.lock names: `uv sync`", essential=True,
    )  # fmt: skip


def _folder(place: Place) -> Check:
    if place.problem:
        use, how = "commands about an environment", "put right what it says, or name another folder with -C DIR"
        return Check(_OURS, "project", State.BROKEN, place.problem, use, how)
    if place.root is None:
        return Check(
            _OURS, "project", State.MISSING, "no Pulumi.yaml here or above", "commands about an environment",
            "go to a project, or name its folder with -C DIR",
        )  # fmt: skip
    folder = place.root / ".bedplate"
    there = folder if folder.is_dir() else place.root
    writable = os.access(there, os.W_OK)
    detail = short(place.root) if writable else f"{short(there)} can't be written to"
    return Check(
        _OURS, "project", State.OK if writable else State.BROKEN, detail, "state, caches and sandboxes",
        f"the right to write to {short(there)}", essential=True,
    )  # fmt: skip


# The Pulumi CLI


def pulumi(place: Place) -> Sequence[Check]:
    """The command, what it needs beside it, and where it keeps state."""
    path = shutil.which("pulumi", path=place.environment.get("PATH"))
    return [_command(place, path), _language_host(place, path), _uv(place), *_backend(place, path)]


def _command(place: Place, path: str | None) -> Check:
    how = "`bedplate setup`, or https://www.pulumi.com/docs/install/"
    if path is None:
        return Check(_CLI, "pulumi", State.MISSING, "not on PATH", _REAL, how)
    well, text = said([path, "version"], {**place.environment, "PULUMI_SKIP_UPDATE_CHECK": "true"})
    if not well:
        return Check(_CLI, "pulumi", State.BROKEN, f"{short(path)}: {text}", _REAL, how)
    sdk, cli = versions.key(metadata.version("pulumi")), versions.key(text)
    old = sdk is not None and cli is not None and cli[0][:2] < sdk[0][:2]
    note = f"; the SDK is {metadata.version('pulumi')}, newer: it may ask for what this one lacks" if old else ""
    return Check(_CLI, "pulumi", State.OK, f"{text}, {short(path)}{note}", _REAL, how)


def _language_host(place: Place, pulumi: str | None) -> Check:
    name, path = "pulumi-language-python", place.environment.get("PATH", "")
    beside = str(Path(pulumi).resolve().parent) if pulumi else ""
    found = shutil.which(name, path=os.pathsep.join(filter(None, (path, beside))))
    return Check(
        _CLI, "language host", State.OK if found else State.MISSING, short(found) if found else f"no {name} on PATH",
        "the CLI to run Python programs", "it comes with the CLI: keep them in one folder",
    )  # fmt: skip


def _uv(place: Place) -> Check:
    path = shutil.which("uv", path=place.environment.get("PATH"))
    how = "https://docs.astral.sh/uv/"
    if path is None:
        return Check(_CLI, "uv", State.MISSING, "not on PATH", "the CLI where Pulumi.yaml says `toolchain: uv`", how)
    well, text = said([path, "--version"], place.environment)
    state = State.OK if well else State.BROKEN
    return Check(_CLI, "uv", state, f"{text}, {short(path)}", "the CLI where Pulumi.yaml says `toolchain: uv`", how)


def _backend(place: Place, pulumi: str | None) -> Iterator[Check]:
    if place.root is None:
        return
    from engine.backend import shown
    from engine.project import Project
    from engine.pulumi_cli import reach

    url = reach.backend_url(Project.load(place.root), place.environment)
    how = "`pulumi login URL`, or set PULUMI_BACKEND_URL"
    if not url:
        yield Check(_CLI, "backend", State.MISSING, "nobody has logged in", "the CLI's state", how)
    elif place.online and pulumi is not None:
        well, text = said([pulumi, "whoami", "--non-interactive"], place.environment, 30.0)
        yield Check(
            _CLI, "backend", State.OK if well else State.BROKEN, f"{shown(url)}: {text}", "the CLI's state", how
        )
    else:
        yield Check(_CLI, "backend", State.OK, f"{shown(url)} (not asked; --online does)", "the CLI's state", how)


# Plugins


def plugins(place: Place) -> Sequence[Check]:
    """Providers that run elsewhere: attached, those that the program's packages want, others that are installed."""
    there = [one for one in finding.installed(place.environment) if one.kind == "resource"]
    wanted = list(_wanted(place, there))
    names = {check.name for check in wanted}
    others = [
        Check(_PLUGINS, f"{one.name} {one.version}", State.OK, short(one.folder), "programs that use it")
        for one in there if f"{one.name} {one.version}" not in names
    ]  # fmt: skip
    return [*_attached(place), *wanted, *others]


def _attached(place: Place) -> Iterator[Check]:
    how = "start it, or unset PULUMI_DEBUG_PROVIDERS"
    try:
        ports = attached.attached(place.environment)
    except ProviderError as error:
        yield Check(_PLUGINS, "attached", State.BROKEN, str(error), "both engines", how)
        return
    for package, port in ports.items():
        answers = _listens(port)
        detail = f"at port {port}" if answers else f"nobody listens at port {port}"
        yield Check(
            _PLUGINS, f"{package} (attached)", State.OK if answers else State.BROKEN, detail, "both engines", how
        )


def _listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE):
            return True
    except OSError:
        return False


def _wanted(place: Place, there: Sequence[finding.Plugin]) -> Iterator[Check]:
    if place.root is None:
        return
    from engine.project import Project
    from engine.pulumi_cli import reach

    for plugin in reach.required(Project.load(place.root)):
        version = plugin.version.removeprefix("v")
        own = plugin.name in ("aws", "kubernetes")
        use = "--engine pulumi (sandboxes have our own)" if own else "programs that use it"
        how = f"`bedplate setup`, or `pulumi plugin install resource {plugin.name} {version}`"
        here = next((one for one in there if one.name == plugin.name and versions.same(one.version, version)), None)
        on_path = shutil.which(finding.file_name(plugin.name), path=place.environment.get("PATH"))
        found = short(on_path) if on_path else short(here.folder) if here else ""
        state = State.OK if found else State.MISSING
        yield Check(_PLUGINS, f"{plugin.name} {version}", state, found or "not installed", use, how)
