"""Prometheus and Alertmanager as processes of a test, on loopback ports that the system chooses.

They end with the test, also where it is interrupted or killed. What they wrote is printed then, which pytest shows of
tests that failed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import pytest

from tests.conftest import REPOSITORY

DEBIAN: Final = REPOSITORY / ".bedplate" / "tools" / "debian" / "usr" / "bin"
START_SECONDS: Final = 30.0  # where other tests have the machine's cores; alone it is half a second
LOG_LINES: Final = 60
_NAMES: Final = {"alertmanager": ("alertmanager", "prometheus-alertmanager")}
_LISTENING: Final = re.compile(r'msg="Listening on" address=127\.0\.0\.1:(\d+)')
_Seen = TypeVar("_Seen")


def located(name: str) -> Path | None:
    """``prometheus``, ``promtool``, ``alertmanager`` or ``amtool``: on PATH, or where tools/debian.py puts it."""
    for each in _NAMES.get(name, (name,)):
        found = shutil.which(each) or shutil.which(each, path=DEBIAN)
        if found:
            return Path(found)
    return None


def find_server(name: str) -> Path:
    """The same; where it is not there, the test that asks is skipped."""
    found = located(name)
    if found is None:
        pytest.skip(f"there is no {name}, neither on PATH nor in {DEBIAN}: `python3 tools/debian.py` gets it (Debian)")
    return found


def run_tool(name: str, *arguments: str | Path, given: str = "") -> subprocess.CompletedProcess[str]:
    """Run promtool or amtool to its end; ``given`` is its input."""
    command = [str(find_server(name)), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False, input=given)


def until(what: str, look: Callable[[], _Seen | None], *, seconds: float = 20.0, log: Path | None = None) -> _Seen:
    """What ``look`` gives once that is neither None nor empty; AssertionError at the deadline, with the log's end."""
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        if seen:
            return seen
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds:g} s\n{_tail(log) if log else ''}")
        time.sleep(0.1)


@dataclass(frozen=True)
class Server:
    """A server that runs; ``url`` has no slash at its end."""

    url: str
    pid: int
    log: Path

    def get(self, path: str, **parameters: str | Sequence[str]) -> Any:
        """The JSON of a GET request. Raises urllib.error.HTTPError."""
        query = urllib.parse.urlencode(parameters, doseq=True)
        with urllib.request.urlopen(f"{self.url}{path}?{query}", timeout=30) as answer:
            return json.load(answer)

    def post(self, path: str) -> None:
        """Such as ``/-/reload``. Raises urllib.error.HTTPError, whose body says why."""
        with urllib.request.urlopen(urllib.request.Request(f"{self.url}{path}", method="POST"), timeout=30):
            pass

    def written(self) -> str:
        return self.log.read_text(errors="replace")


@dataclass(frozen=True)
class Prometheus(Server):
    """A Prometheus; series and values as its API gives them."""

    def query(self, expression: str, time: float | None = None) -> list[dict[str, Any]]:
        """The series that an expression gives now, or at ``time``, in seconds since 1970."""
        at = {} if time is None else {"time": str(time)}
        return self.get("/api/v1/query", query=expression, **at)["data"]["result"]

    def value(self, expression: str) -> float | None:
        """The only series' value; None while there is no series."""
        found = self.query(expression)
        assert len(found) < 2, f"{expression}: {len(found)} series"
        return float(found[0]["value"][1]) if found else None

    def alerts(self, state: str = "firing") -> list[dict[str, Any]]:
        """The alerts that are in ``state``, as Prometheus has them before Alertmanager gets them."""
        return [each for each in self.get("/api/v1/alerts")["data"]["alerts"] if each["state"] == state]

    def targets(self) -> list[dict[str, Any]]:
        return self.get("/api/v1/targets", state="active")["data"]["activeTargets"]


@contextmanager
def prometheus(config: Path, data: Path, *flags: str) -> Generator[Prometheus]:
    """Run Prometheus with the configuration ``config`` and its database in the folder ``data``."""
    options = [f"--config.file={config}", f"--storage.tsdb.path={data / 'tsdb'}", "--web.enable-lifecycle", *flags]
    with _running("prometheus", options, data) as server:
        yield Prometheus(server.url, server.pid, server.log)


@contextmanager
def alertmanager(config: Path, data: Path, *flags: str) -> Generator[Server]:
    """Run Alertmanager alone, that is without peers, with its silences and its log of notifications below ``data``."""
    options = [
        f"--config.file={config}",
        f"--storage.path={data / 'alertmanager'}",
        "--cluster.listen-address=",
        *flags,
    ]
    with _running("alertmanager", options, data) as server:
        yield server


@contextmanager
def _running(name: str, options: Sequence[str], data: Path) -> Generator[Server]:
    program = find_server(name)
    data.mkdir(parents=True, exist_ok=True)
    log = data / f"{name}.log"
    # It ends when this process does, however that ends: no fixture runs after `kill -9`.
    guard = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
    command = [*guard, str(program), "--web.listen-address=127.0.0.1:0", *options]
    root = program.resolve().parents[2]  # Debian's Alertmanager of ours looks for its templates from there
    with log.open("w") as output:
        process = subprocess.Popen(
            command, cwd=root, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            start_new_session=True, env={**os.environ, "GOMAXPROCS": "2"},
        )  # fmt: skip
    try:
        yield Server(_ready(name, process, log), process.pid, log)
    finally:
        _end(process)
        print(f"--- {name}, exit code {process.returncode}, {log}:\n{_tail(log)}")


def _ready(name: str, process: subprocess.Popen[bytes], log: Path) -> str:
    """The address of a server that is ready; it writes its port to its log."""

    def look() -> str | None:
        if process.poll() is not None:
            raise AssertionError(f"{name} ended with {process.returncode}:\n{_tail(log)}")
        listening = _LISTENING.search(log.read_text(errors="replace"))
        url = f"http://127.0.0.1:{listening[1]}" if listening else None
        return url if url and _answers(f"{url}/-/ready") else None

    return until(f"{name} is ready", look, seconds=START_SECONDS, log=log)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except OSError:  # HTTPError, while it replays its log, is one
        return False


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _tail(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()
    return "\n".join(line for line in lines[-LOG_LINES:] if " level=debug " not in line)
