"""Which programs make a control plane, what they are built from, and where what has been built lies.

``CACHE/KEY-GO/`` holds one build: KEY is a hash of what ``tools/`` pins, of how we build it and of the platform, GO the
version of Go. Whoever looks for the programs needs no Go: any build with the right KEY will do.
"""

from __future__ import annotations

import hashlib
import json
import platform
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from engine.sandbox.errors import SandboxError

TOOLS = Path(__file__).resolve().parents[3] / "tools"
MODULE = "control-plane"  # the Go module of ``tools/`` that pins all programs: what they share is compiled once
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class ToolSet:
    """Programs that are linked with the same flags, by name with their packages."""

    name: str
    programs: dict[str, str]
    versioned: str | None = None  # the requirement whose version is Kubernetes' own


TOOL_SETS = (
    ToolSet("etcd", {"etcd": "go.etcd.io/etcd/server/v3"}),
    ToolSet("kwok", {"kwok": "sigs.k8s.io/kwok/cmd/kwok"}),
    ToolSet(
        "kubernetes",
        {
            name: f"k8s.io/kubernetes/cmd/{name}"
            for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
        },
        versioned="k8s.io/kubernetes",
    ),
)
PROGRAMS = tuple(name for one in TOOL_SETS for name in one.programs)
FLAGS = ("-trimpath",)
LINKER_FLAGS = "-s -w"
# What the linker leaves out (-w) need not be made: a sixth of the compilers' time. The programs stay the same without
# it, so it has no part in the key.
QUICKER_FLAGS = ("-gcflags=all=-dwarf=false",)


class NotBuilt(SandboxError):
    """The native control plane has not been built, or not from what ``tools/`` pins now."""


@dataclass(frozen=True)
class Binaries:
    """The programs of one build; ``version`` is Kubernetes', such as ``1.35.4``."""

    directory: Path
    version: str

    def path(self, program: str) -> Path:
        return self.directory / program


def find(cache: Path, tools: Path = TOOLS) -> Binaries | None:
    """The newest build of what ``tools`` pins; None where there is none. Reads a few small files."""
    builds = sorted(cache.glob(f"{key(tools)}-*/{MANIFEST}"), key=lambda path: path.stat().st_mtime)
    return read(builds[-1].parent) if builds else None


def required(cache: Path, tools: Path = TOOLS) -> Binaries:
    """The same, or NotBuilt."""
    found = find(cache, tools)
    if found is None:
        other = any(cache.glob(f"*/{MANIFEST}"))
        why = "was built from other versions than tools/ pins now" if other else "has not been built"
        raise NotBuilt(f"the native control plane {why} (looked in {cache}); build it with `bedplate sandbox build`")
    return found


def read(directory: Path) -> Binaries | None:
    """A build by its manifest, which is written last; None where the build is not whole."""
    try:
        content = json.loads((directory / MANIFEST).read_text())
        whole = all((directory / program).is_file() for program in PROGRAMS)
        return Binaries(directory, content["kubernetes"]) if whole else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def key(tools: Path = TOOLS) -> str:
    """What a build depends on beside the version of Go, in 16 digits."""
    digest = hashlib.sha256(repr((TOOL_SETS, FLAGS, LINKER_FLAGS, sys.platform, platform.machine())).encode())
    for name in ("go.mod", "go.sum"):
        try:
            content = (tools / MODULE / name).read_bytes()
        except OSError as error:
            raise NotBuilt(
                f"{error.filename}: {error.strerror}; the native control plane is built from a checkout of "
                "Bedplate, which has the folder tools/; choose --kubernetes embedded where there is none"
            ) from error
        digest.update(content + b"\0")
    return digest.hexdigest()[:16]


def pinned(tools: Path, requirement: str) -> str:
    """The version of ``requirement`` that ``tools`` pins, without its ``v``."""
    text = (tools / MODULE / "go.mod").read_text()
    found = re.search(rf"^(?:require)?\s*{re.escape(requirement)} v(\S+)", text, re.MULTILINE)
    if found is None:
        raise NotBuilt(f"{tools / MODULE / 'go.mod'} does not require {requirement}")
    return found[1]
