"""Timing whole commands: wall seconds and the memory of all their processes together."""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SAMPLE_SECONDS: Final = 0.05


@dataclass(frozen=True)
class Measured:
    """Medians over the runs: seconds of wall time, MiB of resident memory of the command and all its descendants.

    What had not ended after ``limited`` seconds was ended.
    """

    seconds: float
    mebibytes: float
    limited: float | None = None

    @property
    def cut_off(self) -> bool:
        return self.limited is not None and self.seconds >= self.limited


class CommandFailed(Exception):
    """A command that is to be measured has failed."""


def measure(
    command: Sequence[str],
    *,
    folder: Path,
    runs: int,
    environment: Mapping[str, str] | None = None,
    before: Callable[[], None] = lambda: None,
) -> Measured:
    """Run ``command`` once to warm up and ``runs`` times counted; ``before`` each run, outside the time.

    A single run has no warm-up: it is asked for where one takes long, and so has little to be warmed.
    """
    warm_ups = 1 if runs > 1 else 0
    results: list[tuple[float, float]] = []
    for _ in range(warm_ups + runs):
        before()
        results.append(_once(command, folder, {**os.environ, **(environment or {})}))
    counted = results[warm_ups:]
    return Measured(statistics.median(each[0] for each in counted), statistics.median(each[1] for each in counted))


def once(
    command: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str] | None = None,
    limit: float | None = None,
) -> Measured:
    """Run ``command`` a single time: for what takes minutes. After ``limit`` seconds it is ended: it takes longer."""
    return Measured(*_once(command, folder, {**os.environ, **(environment or {})}, limit), limited=limit)


def _once(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], limit: float | None = None
) -> tuple[float, float]:
    started = time.perf_counter()
    process = subprocess.Popen(
        list(command), cwd=folder, env=dict(environment), text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    peak = _Peak(process.pid)
    try:
        output, _ = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        return time.perf_counter() - started, peak.mebibytes
    finally:
        peak.stop()
        if process.poll() is None:  # too slow, or we are interrupted: nothing of it may be left
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    elapsed = time.perf_counter() - started
    if process.returncode != 0:
        raise CommandFailed(f"{' '.join(command)} exited with {process.returncode}:\n{output[-3000:]}")
    return elapsed, peak.mebibytes


class _Peak:
    """Watches the memory of a process and its descendants until told to stop (Linux; elsewhere it stays 0)."""

    def __init__(self, pid: int) -> None:
        self.mebibytes = 0.0
        self._pid = pid
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(SAMPLE_SECONDS):
            self.mebibytes = max(self.mebibytes, sum(map(_resident, _family(self._pid))) / 2**20)


def _family(pid: int) -> list[int]:
    """A process and all its descendants."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except (OSError, IndexError, ValueError):  # it ended meanwhile
            continue
        children.setdefault(parent, []).append(int(stat.parent.name))
    family, frontier = [pid], [pid]
    while frontier:
        found = children.get(frontier.pop(), [])
        family += found
        frontier += found
    return family


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):  # it ended meanwhile
        return 0
