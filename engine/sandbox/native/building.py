"""Builds the control plane's programs from the Go module that ``tools/`` holds: once, whole or not at all."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from engine.sandbox.errors import SandboxBusy
from engine.sandbox.native import binaries
from engine.sandbox.native.binaries import FLAGS, LINKER_FLAGS, MODULE, QUICKER_FLAGS, TOOL_SETS, Binaries, ToolSet
from engine.sandbox.native.go import Go

KEPT = 2  # builds: this one, and that of the branch that was checked out before
WAIT = 1200.0  # seconds for a build that another command makes
POLL = 0.5


@dataclass(frozen=True)
class Progress:
    """How far one tool set is: ``done`` of ``total`` modules or packages, of which ``at`` is the last."""

    tool_set: str
    what: str  # "modules" or "packages"
    done: int
    total: int
    at: str = ""


@dataclass(frozen=True)
class Built:
    """``fresh``: it was built now, in ``seconds``."""

    binaries: Binaries
    fresh: bool
    seconds: float


Report = Callable[[Progress], None]


def build(cache: Path, tools: Path = binaries.TOOLS, *, report: Report = lambda _: None) -> Built:
    """Build what ``tools`` pins into ``cache``, unless it is there. Raises NotBuilt, GoFailed, SandboxBusy.

    Interrupted at any moment it leaves nothing that looks like a build; what it leaves is removed by the next.
    """
    started = time.monotonic()
    go = Go.found()
    name = f"{binaries.key(tools)}-{go.version(tools / MODULE)}"
    former = binaries.read(cache / name)
    if former:
        return Built(former, fresh=False, seconds=time.monotonic() - started)
    cache.mkdir(parents=True, exist_ok=True)
    with locked(cache):
        former = binaries.read(cache / name)  # by the command that we waited for
        if former:
            return Built(former, fresh=False, seconds=time.monotonic() - started)
        _remove_leftovers(cache)
        scratch = Path(tempfile.mkdtemp(prefix=".building-", dir=cache))
        try:
            for one in TOOL_SETS:
                _build_set(go, tools, one, scratch, report)
            _publish(scratch, cache / name, _manifest(tools, go))
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        _remove_old(cache)
    made = binaries.required(cache, tools)
    return Built(made, fresh=True, seconds=time.monotonic() - started)


def _build_set(go: Go, tools: Path, one: ToolSet, target: Path, report: Report) -> None:
    module = tools / MODULE
    packages = list(one.programs.values())
    modules = _modules(module)

    def downloaded(count: int, name: str) -> None:
        report(Progress(one.name, "modules", min(count, modules), modules, name))

    report(Progress(one.name, "modules", 0, modules))
    flags = [*FLAGS, *QUICKER_FLAGS, f"-ldflags={_linker_flags(tools, one)}"]
    total = go.stale(module, flags, packages, downloaded)

    def compiled(count: int, name: str) -> None:
        report(Progress(one.name, "packages", min(count, total), total, name))

    report(Progress(one.name, "packages", 0, total))
    # Several programs go into a folder under their packages' names; a single one may be named otherwise.
    output = target if len(packages) > 1 else target / next(iter(one.programs))
    go.build(module, [*flags, "-o", str(output)], packages, compiled)


def _modules(module: Path) -> int:
    """How many modules' contents a build may need: go.sum has two lines for each of those, one for all others."""
    lines = (module / "go.sum").read_text().splitlines()
    return sum(1 for line in lines if not line.split()[1].endswith("/go.mod"))


def _linker_flags(tools: Path, one: ToolSet) -> str:
    if one.versioned is None:
        return LINKER_FLAGS
    version = binaries.pinned(tools, one.versioned)
    major, minor = version.split(".")[:2]
    # Without these the programs say v0.0.0-master, which clients refuse to parse.
    values = {
        "gitVersion": f"v{version}", "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean",
        "gitCommit": "unknown", "buildDate": "1970-01-01T00:00:00Z",
    }  # fmt: skip
    assigned = [f"-X k8s.io/component-base/version.{key}={value}" for key, value in values.items()]
    return " ".join([LINKER_FLAGS, *assigned])


def _manifest(tools: Path, go: Go) -> dict[str, str]:
    kubernetes = next(one for one in TOOL_SETS if one.versioned)
    assert kubernetes.versioned is not None
    return {
        "kubernetes": binaries.pinned(tools, kubernetes.versioned),
        "go": go.version(tools / MODULE),
    }


def _publish(scratch: Path, target: Path, manifest: dict[str, str]) -> None:
    (scratch / binaries.MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")
    scratch.chmod(0o755)
    shutil.rmtree(target, ignore_errors=True)  # an earlier one that lost a file
    scratch.rename(target)


def _remove_leftovers(cache: Path) -> None:
    for scratch in cache.glob(".building-*"):
        shutil.rmtree(scratch, ignore_errors=True)


def _remove_old(cache: Path) -> None:
    builds = sorted(cache.glob(f"*/{binaries.MANIFEST}"), key=lambda path: path.stat().st_mtime, reverse=True)
    for manifest in builds[KEPT:]:
        shutil.rmtree(manifest.parent, ignore_errors=True)


@contextmanager
def locked(cache: Path) -> Generator[None]:
    """One build at a time. The lock dies with its holder; its file stays."""
    descriptor = os.open(cache / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    deadline = time.monotonic() + WAIT
    try:
        while not _taken(descriptor):
            if time.monotonic() > deadline:
                raise SandboxBusy(
                    f"another command has been building in {cache} for {WAIT:.0f} s; wait for it, or end it"
                )
            time.sleep(POLL)
        yield
    finally:
        os.close(descriptor)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
