"""Ctrl-C and SIGTERM in the middle of a run: once it finishes what is in flight, twice it stops."""

from __future__ import annotations

import os
import pty
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.integration.commands import BEDPLATE, LIMIT, Workplace
from tests.integration.conftest import in_sandbox
from tests.integration.emulated import Emulated
from tests.integration.inventory import inventory

PROGRAM = Path(__file__).parent / "programs" / "many"
FULL = 29  # distinct things that the program makes, by the inventory


@pytest.fixture
def work(tmp_path: Path, emulated: Emulated) -> Iterator[Workplace]:
    folder = tmp_path / "many"
    shutil.copytree(PROGRAM, folder, ignore=shutil.ignore_patterns(".bedplate"))
    yield from in_sandbox(Workplace(folder), emulated)


@dataclass
class Terminal:
    """A run under a pseudo terminal (or pipes), whose output is read as it comes."""

    process: subprocess.Popen[bytes]
    reading: int
    text: str = ""
    _news: threading.Condition = field(default_factory=threading.Condition)

    @classmethod
    def start(cls, work: Workplace, *arguments: str, terminal: bool) -> Terminal:
        reading, writing = pty.openpty() if terminal else os.pipe()
        process = subprocess.Popen(
            [str(BEDPLATE), *arguments], cwd=work.folder, env=work.environment(TERM="xterm", CI=""),
            stdin=writing if terminal else subprocess.DEVNULL, stdout=writing, stderr=writing, start_new_session=True,
        )  # fmt: skip
        os.close(writing)
        made = cls(process, reading)
        threading.Thread(target=made._read, daemon=True).start()
        return made

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self.reading, 65536)
            except OSError:  # how a pseudo terminal says that its other side is closed
                data = b""
            with self._news:
                self.text += data.decode(errors="replace")
                self._news.notify_all()
            if not data:
                return

    def wait_for(self, text: str) -> None:
        with self._news:
            assert self._news.wait_for(lambda: text in self.text, LIMIT), f"{text!r} never came in:\n{self.text}"

    def end(self) -> int:
        return self.process.wait(LIMIT)


def hold_at(emulated: Emulated, number: int) -> tuple[threading.Event, threading.Event]:
    """Hold up the change with that number; the events: it has arrived, it may go on."""
    arrived, released = threading.Event(), threading.Event()

    def hold(change: int) -> None:
        if change == number:
            arrived.set()
            assert released.wait(LIMIT)

    emulated.before = hold
    return arrived, released


def check_converges(work: Workplace, emulated: Emulated, *said: str) -> None:
    emulated.before = None
    work.run("up", "dev", "--yes").expect(0, *said)
    found = inventory(emulated.client)
    assert sum(found.values()) == FULL, found
    work.run("preview", "dev", "--expect-no-changes").expect(0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "terminal", "option"),
    [(signal.SIGINT, True, "--yes"), (signal.SIGTERM, False, "--yes"), (signal.SIGINT, True, "--skip-preview")],
    ids=["Ctrl-C", "SIGTERM", "at once"],
)
def test_once_what_is_in_flight_is_finished_and_saved(
    work: Workplace, emulated: Emulated, number: signal.Signals, terminal: bool, option: str
) -> None:
    arrived, released = hold_at(emulated, 12)
    run = Terminal.start(work, "up", "dev", option, terminal=terminal)
    try:
        assert arrived.wait(LIMIT), run.text
        run.process.send_signal(number)
        run.wait_for("Ctrl-C again stops at once")
    finally:
        released.set()
    assert run.end() == 8, run.text
    assert "Traceback" not in run.text
    assert "cancelled" in run.text
    made = sum(inventory(emulated.client).values())
    assert 0 < made < FULL
    emulated.before = None
    next_run = work.run("destroy", "dev", "--yes").expect(0)
    assert "interrupted" not in next_run.text, "nothing is left in flight"
    assert inventory(emulated.client) == {}


@pytest.mark.slow
def test_twice_it_stops_at_once_and_nothing_is_lost(work: Workplace, emulated: Emulated) -> None:
    arrived, released = hold_at(emulated, 12)
    run = Terminal.start(work, "up", "dev", "--yes", terminal=True)
    try:
        assert arrived.wait(LIMIT), run.text
        run.process.send_signal(signal.SIGINT)
        run.wait_for("Ctrl-C again stops at once")
        run.process.send_signal(signal.SIGINT)
        assert run.end() == 8, run.text  # while the request is still held up
    finally:
        released.set()
    assert "Traceback" not in run.text
    check_converges(work, emulated, "interrupted")
