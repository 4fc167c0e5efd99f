"""The Go toolchain of this machine: its version, what it would have to compile, and a build whose progress is told."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.sandbox.errors import SandboxError

NICE = "10"  # a build is no hurry beside what someone waits for
KEPT_LINES = 30  # of what Go said
_SWITCHES = (1, 21)  # since this version Go gets the toolchain that a module asks for
_UNREACHABLE = re.compile(
    r"dial tcp|no such host|i/o timeout|connection (refused|reset)|proxyconnect|TLS handshake|network is unreachable"
    r"|: (5\d\d|403|407) [A-Z]|server misbehaving"
)
_FULL = "no space left on device"

Step = Callable[[int, str], None]


class GoFailed(SandboxError):
    """Go is missing or too old, or it could not get or compile something."""


@dataclass(frozen=True)
class Go:
    """Go as it was found on PATH; the user's GOFLAGS, GOPROXY, GOCACHE and GOMODCACHE stay in force."""

    path: str

    @classmethod
    def found(cls) -> Go:
        path = shutil.which("go")
        if path is None:
            raise GoFailed(
                "the native control plane is built with Go, and there is no `go` on PATH; install it "
                "(https://go.dev/dl, or your system's package), or do without: --kubernetes embedded"
            )
        return cls(path)

    def version(self, module: Path) -> str:
        """That of the toolchain which Go takes for ``module``: ``go1.26.8``. Raises GoFailed when it is too old."""
        needed = _needed(module)
        installed = self._said(["env", "GOVERSION"], Path("/"))
        if _numbers(installed) >= _numbers(needed):
            return installed
        if _numbers(installed)[:2] >= _SWITCHES and self._said(["env", "GOTOOLCHAIN"], Path("/")) != "local":
            return self._said(["env", "GOVERSION"], module)  # Go gets the newer one, through its proxy
        raise GoFailed(
            f"{self.path} is {installed}, and {module / 'go.mod'} needs go{needed} or newer; install a newer Go "
            "(https://go.dev/dl), or do without: --kubernetes embedded"
        )

    def stale(self, module: Path, flags: Sequence[str], packages: Sequence[str], downloaded: Step) -> int:
        """How many packages have to be compiled. Gets the modules that are missing; each is told to ``downloaded``."""
        template = "{{if .Stale}}stale{{end}}"
        arguments = ["list", "-deps", *flags, "-f", template, *packages]
        lines = self._run(arguments, module, "go: downloading ", downloaded)
        return sum(line == "stale" for line in lines)

    def build(self, module: Path, flags: Sequence[str], packages: Sequence[str], compiled: Step) -> None:
        """Compile; each package is told to ``compiled`` as it begins."""
        self._run(["build", "-v", *flags, *packages], module, "", compiled)

    def _said(self, arguments: Sequence[str], folder: Path) -> str:
        done = subprocess.run(  # noqa: S603  # go, with arguments of ours
            [self.path, *arguments], cwd=folder, env=_environment(), capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise _failure(arguments, done.stderr.splitlines())
        return done.stdout.strip()

    def _run(self, arguments: Sequence[str], folder: Path, prefix: str, step: Step) -> list[str]:
        """Run Go and return what it says; lines that begin with ``prefix`` are steps, counted from 1."""
        nice = shutil.which("nice")
        command = [*([nice, "-n", NICE] if nice else []), self.path, *arguments]
        said: deque[str] = deque(maxlen=KEPT_LINES)
        count = 0
        with subprocess.Popen(  # noqa: S603  # go, with arguments of ours
            command, cwd=folder, env=_environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace",
        ) as running:  # fmt: skip
            assert running.stdout is not None
            try:
                output: list[str] = []
                for line in running.stdout:
                    text = line.rstrip()
                    output.append(text)
                    said.append(text)
                    if _is_step(text, prefix):
                        count += 1
                        step(count, text.removeprefix(prefix))
            except BaseException:
                running.send_signal(signal.SIGINT)  # on this Go removes what is half-written, and its compilers end
                raise
        if running.returncode != 0:
            raise _failure(arguments, list(said))
        return output


def _is_step(line: str, prefix: str) -> bool:
    """A package's name is a line of its own, without a space or a colon; a message has either."""
    return line.startswith(prefix) if prefix else bool(line) and not re.search(r"[\s:]", line)


def _environment() -> dict[str, str]:
    # The compiler and the linker collect their garbage less often, which is a tenth of their time; below the limit.
    collecting = {"GOGC": "400", "GOMEMLIMIT": "2GiB"}
    # cgo would need a C compiler, and make the programs depend on this machine's C library.
    return {**collecting, **os.environ, "CGO_ENABLED": "0", "GOWORK": "off"}


def _needed(module: Path) -> str:
    found = re.search(r"^go (\S+)$", (module / "go.mod").read_text(), re.MULTILINE)
    return found[1] if found else "1.21"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])


def _failure(arguments: Sequence[str], said: Sequence[str]) -> GoFailed:
    text = "\n".join(said)
    if _FULL in text:
        advice = (
            "the disk is full: a build from nothing needs about 6 GiB for Go's caches (`go env GOCACHE GOMODCACHE`)"
        )
    elif _UNREACHABLE.search(text):
        proxy = os.environ.get("GOPROXY", "https://proxy.golang.org,direct")
        advice = (
            f"Go can't reach its module proxy (GOPROXY={proxy}); look at the network, or set GOPROXY to one you reach"
        )
    else:
        advice = "Go failed"
    shown = "\n  ".join(said[-10:])
    return GoFailed(f"{advice}; `go {arguments[0]}` said:\n  {shown}")
