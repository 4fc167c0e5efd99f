"""Which sandbox a command means, and what in a stack only that sandbox can manage."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cli.exits import CommandError, ExitCode
from engine import urn as urns
from engine.providers.remote.attached import attached
from engine.sandbox import DEFAULT_NAME, Sandbox, SandboxState, find, names, status
from engine.sandbox.providers import PACKAGES
from engine.stack_config import mapping_in

if TYPE_CHECKING:
    from engine.project import Project
    from engine.state.model import ResourceState


def declared_kubernetes(project: Project, stack: str) -> str | None:
    """The version of Kubernetes in the platform's settings (``cluster.kubernetes_version``), if its API is known.

    None where they don't say it. What is wrong with them, the program says.
    """
    from engine.kubernetes import versions

    path = project.stack_file(stack)
    config = mapping_in(path).get("config") if path.is_file() else None
    cluster = config.get(f"{project.name}:cluster") if isinstance(config, dict) else None
    version = cluster.get("kubernetes_version") if isinstance(cluster, dict) else None
    return version if version in versions() else None


def running(root: Path, name: str = DEFAULT_NAME) -> Sandbox | None:
    """The project's sandbox of that name, when it has been brought up and lives."""
    return find(root, name)


def asked_for(root: Path, name: str) -> Sandbox | None:
    """The sandbox that a command names. Raises where there is none: only the default one need not run."""
    sandbox = running(root, name)
    if sandbox is None and name != DEFAULT_NAME:
        raise missing(root, name)
    return sandbox


def option(name: str, flag: str = "--sandbox") -> str:
    """What is added to a command that is to concern the sandbox ``name``."""
    return "" if name == DEFAULT_NAME else f" {flag} {name}"


def needs_sandbox(resources: Iterable[ResourceState]) -> bool:
    """Whether managing ``resources`` takes an emulator; what the user has attached a provider for does not."""
    packages = set(PACKAGES).difference(attached(os.environ))
    return any(one.custom and urns.package_of(one.type) in packages for one in resources)


def is_stale(root: Path, stack: str, sandbox: Sandbox | None) -> bool:
    """Whether the stack's state was made in an emulator that is gone: an emulator keeps everything in memory."""
    return sandbox is not None and _record(root, stack).is_file() and not _former(root, stack).is_in(sandbox)


def elsewhere(root: Path, stack: str, name: str) -> str | None:
    """The sandbox, another than ``name``, that the stack was brought up in and that has run without a break since."""
    if not _record(root, stack).is_file():
        return None
    former = _former(root, stack)
    there, here = running(root, former.name), running(root, name)
    if former.name == name or there is None or not former.is_in(there) or (here and former.is_in(here)):
        return None
    return former.name


def is_elsewhere(stack: str, there: str, here: str) -> CommandError:
    """The error for a stack that is up in the sandbox ``there``, where the command is about ``here``."""
    return CommandError(
        f"stack {stack} is up in sandbox {there!r}, which runs, and not in {here!r}; nothing was changed\n"
        f"  say `--sandbox {there}`, or take it down there first: `bedplate destroy {stack} --sandbox {there}`",
        ExitCode.FAILED,
    )


def gone_servers(root: Path, stack: str, sandbox: Sandbox | None) -> frozenset[str]:
    """The Kubernetes API server that the stack was brought up in, where its sandbox has ended since."""
    if sandbox is None or not is_stale(root, stack, sandbox):
        return frozenset()
    now = sandbox.kubernetes.server if sandbox.kubernetes else ""  # the next one may listen where that did
    return frozenset({_former(root, stack).server} - {"", now})


def remember(root: Path, stack: str, sandbox: Sandbox) -> None:
    """Note which emulator the stack is in, and which Kubernetes API server."""
    path = _record(root, stack)
    path.parent.mkdir(parents=True, exist_ok=True)
    server = sandbox.kubernetes.server if sandbox.kubernetes else ""
    path.write_text(f"{sandbox.instance_id or ''}\n{server}\n{sandbox.name}\n")


def stacks_in(root: Path, sandbox: Sandbox) -> list[str]:
    """The stacks that were brought up in the emulator that ``sandbox`` is now; what they had may be gone since."""
    stacks = (path.name for path in _records(root).glob("*"))
    return sorted(stack for stack in stacks if _former(root, stack).is_in(sandbox))


@dataclass(frozen=True)
class _Former:
    """Where a stack was brought up last: in which run of which emulator, with which Kubernetes API server."""

    instance: str | None  # None: of an emulator that isn't ours
    server: str
    name: str

    def is_in(self, sandbox: Sandbox) -> bool:
        same = self.instance == sandbox.instance_id
        return same and (self.instance is not None or self.name == sandbox.name)


def _former(root: Path, stack: str) -> _Former:
    instance, server, name = [*_record(root, stack).read_text().split("\n"), "", ""][:3]
    return _Former(instance.strip() or None, server.strip(), name.strip() or DEFAULT_NAME)


def _record(root: Path, stack: str) -> Path:
    return _records(root) / stack


def _records(root: Path) -> Path:
    return root / ".bedplate" / "emulators"


def missing(root: Path, name: str = DEFAULT_NAME) -> CommandError:
    """The error for what needs the sandbox ``name``, where that does not run."""
    found = status(root, name)
    real = ""
    dead = [part.name for part in found.parts if part.state is SandboxState.DEAD]
    if "aws" in dead and found.sandbox is not None:
        ended = f"process {found.sandbox.pid}" if found.sandbox.pid else "LocalStack"
        what = f"the sandbox's {ended} has ended, and what it held is gone"
    elif dead:
        what = f"the sandbox's Kubernetes half is gone: {found.detail}"
    elif found.state is SandboxState.ABSENT and name != DEFAULT_NAME:
        what = f"there is no sandbox {name!r}, only: {', '.join(names(root)) or 'none'}"
    elif found.state is SandboxState.ABSENT:
        what = "no sandbox is running, and the embedded engine changes nothing but sandboxes"
        get = "" if shutil.which("pulumi") else ", which `bedplate setup` installs"
        real = f"\n  for the real environment say `--engine pulumi`: that is the Pulumi CLI{get}"
    else:
        what = f"the sandbox does not answer: {found.detail}"
    start = f"start one with `bedplate sandbox up{option(name, '--name')}`"
    return CommandError(f"{what}\n  {start}{real}", ExitCode.FAILED)
