"""What a sandbox is, and where its files lie: ``ROOT/.bedplate/sandbox/NAME/``."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from pathlib import Path

from engine.sandbox.errors import SandboxError

DEFAULT_NAME = "default"
DEFAULT_REGION = "us-east-1"
LOCALSTACK = "localstack"  # as a sandbox's emulator
_OUR_LOCALSTACK = "localstack-in-docker"  # a file in the sandbox's folder
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")


def cache_of(root: Path) -> Path:
    """The folder of the native control plane's builds in the project at ``root``."""
    return root.absolute() / ".bedplate" / "cache" / "native"


@dataclass(frozen=True)
class SandboxFiles:
    """The files of one sandbox. The lock lies beside the directory, so that the directory can go while it is held."""

    root: Path
    name: str

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise SandboxError(
                f"sandbox name {self.name!r}: expected 1 to 40 lower-case letters, digits and inner hyphens; "
                "choose another name"
            )

    @property
    def base(self) -> Path:
        return self.root.absolute() / ".bedplate" / "sandbox"

    @property
    def directory(self) -> Path:
        return self.base / self.name

    @property
    def lock(self) -> Path:
        return self.base / f".{self.name}.lock"

    @property
    def record(self) -> Path:
        return self.directory / "sandbox.json"

    @property
    def log(self) -> Path:
        return self.directory / "emulator.log"

    @property
    def passphrase(self) -> Path:
        return self.directory / "passphrase"

    @property
    def kubeconfig(self) -> Path:
        return self.directory / "kubeconfig"

    @property
    def kubernetes(self) -> Path:
        """What the processes of the Kubernetes half need and leave: certificates, configuration, etcd's data, logs."""
        return self.directory / "kubernetes"

    @property
    def docker(self) -> Path:
        """Exists while the sandbox has, or may have, something in Docker."""
        return self.directory / "in-docker"


def mark_localstack(directory: Path) -> None:
    """Note that the sandbox in ``directory`` has started its LocalStack itself."""
    (directory / _OUR_LOCALSTACK).touch(mode=0o600)


def is_our_localstack(sandbox: Sandbox) -> bool:
    """Whether the sandbox's emulator is a LocalStack that it started in Docker."""
    return sandbox.emulator == LOCALSTACK and (sandbox.directory / _OUR_LOCALSTACK).exists()


class Flavor(enum.StrEnum):
    """Where a sandbox's Kubernetes API comes from."""

    EMBEDDED = "embedded"  # in the emulator's process: objects without anything that acts on them
    NATIVE = "native"  # a real control plane of processes on this machine, with simulated nodes
    KIND = "kind"  # a cluster of containers


@dataclass(frozen=True)
class Process:
    """A process that belongs to a sandbox. ``started`` tells it from another that got its number later."""

    name: str
    pid: int
    started: str | None


@dataclass(frozen=True)
class KubernetesApi:
    """A sandbox's Kubernetes half. ``kubeconfig`` leads kubectl to ``server`` and is its owner's alone (mode 0600).

    ``version`` is ``1.35`` or ``1.35.4``. ``processes`` are those that run on this machine: the native control plane,
    or what plays beside kind.
    """

    flavor: Flavor
    server: str
    kubeconfig: Path
    version: str
    processes: tuple[Process, ...] = ()


@dataclass(frozen=True)
class Sandbox:
    """A sandbox that has been brought up.

    ``instance_id`` names this run of the emulator: state that was made with another belongs to an emulator that is
    gone, since an emulator keeps everything in memory. ``pid`` is None where an existing endpoint is used; so are
    ``instance_id`` and ``account_id`` where that endpoint isn't ours. ``started`` is ISO 8601 in UTC.
    """

    name: str
    directory: Path
    endpoint: str
    emulator: str
    pid: int | None
    started: str
    instance_id: str | None
    account_id: str | None
    region: str
    passphrase_file: Path
    log_file: Path
    allowed_hosts: tuple[str, ...] = ()
    kubernetes: KubernetesApi | None = None

    @property
    def can_be_told(self) -> bool:
        """Whether the emulator is ours, whoever started it, and so can be told of a Kubernetes API."""
        return self.instance_id is not None and self.emulator != LOCALSTACK

    @property
    def managed(self) -> bool:
        """Whether ``up`` started the emulator, and ``down`` ends it."""
        return self.pid is not None

    def passphrase(self) -> str:
        """The random passphrase that the state of this sandbox's stacks is encrypted with."""
        return self.passphrase_file.read_text().strip()


class SandboxState(enum.StrEnum):
    RUNNING = "running"
    UNRESPONSIVE = "unresponsive"  # its process lives, or its endpoint is configured, but does not answer as itself
    DEAD = "dead"  # it was brought up, and its process has ended
    ABSENT = "absent"


@dataclass(frozen=True)
class PartStatus:
    """How one half is: ``name`` is ``aws`` or ``kubernetes``."""

    name: str
    state: SandboxState
    detail: str


@dataclass(frozen=True)
class SandboxStatus:
    """``state`` and ``detail`` are those of the half that is worst. ``sandbox`` is None only when it is ABSENT."""

    state: SandboxState
    sandbox: Sandbox | None
    detail: str
    parts: tuple[PartStatus, ...] = ()
