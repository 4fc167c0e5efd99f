"""A clock that is set, forwards and backwards, between runs and within them: what has happened stays in its order."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, tzinfo
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

import engine.state.lock
import engine.state.storage
from engine.run import Result
from engine.state.buckets import Folder
from engine.state.errors import LockedBy, StateCorrupt
from engine.state.history import read
from engine.state.lock import StackLock
from engine.state.model import Snapshot
from engine.state.storage import Update
from engine.stopwatch import Stopwatch
from tests.engine.lifecycle.harness import Engine, thing
from tests.engine.opened import Opened
from tests.engine.state.stacks import component, root_state, store

YEAR = 365 * 24 * 3600.0


class Clock:
    """The machine's clock, which goes wrong by what ``wrong`` says at each look; monotonic time goes on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.wrong: Callable[[], float] = lambda: 0.0
        real = time.time

        def now() -> float:
            return real() + self.wrong()

        class Shifted(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> Any:
                return datetime.fromtimestamp(now(), tz)

        monkeypatch.setattr(time, "time", now)
        monkeypatch.setattr(time, "time_ns", lambda: int(now() * 1e9))
        for module in (engine.state.lock, engine.state.storage):
            monkeypatch.setattr(module, "datetime", Shifted)

    def set(self, seconds: float) -> None:
        self.wrong = lambda: seconds

    def jump(self, *seconds: float) -> None:
        """Another time at each look."""
        jumps = cycle(seconds)
        self.wrong = lambda: next(jumps)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_the_history_has_the_order_of_what_happened(tmp_path: Path, clock: Clock) -> None:
    stack = store(tmp_path)
    for number, wrong in enumerate((0, YEAR, -YEAR, 0, -YEAR, -YEAR)):
        clock.set(wrong)
        stack.save(Snapshot((root_state(outputs={"number": number}),)))
        stack.add_to_history(Update(f"update-{number}", 1, 2, "succeeded"))
    updates, faults = read(Folder(tmp_path), "shop", "dev")
    assert faults == []
    assert [one.kind for one in updates] == [f"update-{number}" for number in (5, 4, 3, 2, 1, 0)]


def test_the_newest_copy_is_the_one_that_was_made_last(tmp_path: Path, clock: Clock) -> None:
    stack = store(tmp_path)
    kept: list[Path | None] = []
    for wrong in (YEAR, -YEAR):
        clock.set(wrong)
        stack.save(Snapshot((root_state(outputs={"wrong": wrong}), component("part"))))
        kept.append(stack.keep_backup())
    stack.path.write_text("{")
    stack.previous_path.unlink()
    with pytest.raises(StateCorrupt) as caught:
        store(tmp_path).load()
    assert str(kept[1]) in str(caught.value)


def test_two_updates_in_one_moment_are_two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: 1_700_000_000_000_000_000)
    stack = store(tmp_path)
    for _ in range(3):
        stack.add_to_history(Update("update", 1, 2, "succeeded"))
    assert len(list(stack.history_folder.glob("*.history.json"))) == 3


def test_how_long_something_took_is_no_matter_of_the_clock(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter([100.0, 107.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(ticks))
    watch = Stopwatch(_ticks=time.monotonic())
    clock.set(-YEAR)
    assert watch.end - watch.start == 7


def test_a_lock_does_not_grow_old(tmp_path: Path, clock: Clock) -> None:
    """Whether its process lives decides, not its age."""
    with StackLock(tmp_path / "locks", "dev"):
        for wrong in (YEAR, -YEAR):
            clock.set(wrong)
            with pytest.raises(LockedBy), StackLock(tmp_path / "locks", "dev"):
                pass


def test_a_run_whose_clock_jumps_at_every_look(tmp_path: Path, clock: Clock) -> None:
    """What was lost is found again by the time that it was begun at, and names that are made up stay different."""
    clock.jump(0, YEAR, -YEAR)
    engine = Engine(tmp_path)
    program = [thing(name, autoname=True) for name in "abcdef"]
    engine.cloud.faults["create c"] = "lost"
    engine.up(*program, expect=Result.RESOURCE_FAILED, concurrent=True, parallel=4)
    engine.cloud.faults.clear()
    engine.up(*program, concurrent=True, parallel=4)
    assert engine.cloud.names() == list("abcdef")
    assert len({live.inputs["name"] for live in engine.cloud.live.values()}) == 6
    assert engine.up(*program).operations == []


def test_a_program_is_not_given_up_for_a_clock_that_was_set(tmp_path: Path, clock: Clock) -> None:
    clock.jump(0, YEAR, -YEAR)
    opened = Opened(tmp_path)
    opened.write("thing('a')\n")
    assert opened.up().result is Result.SUCCEEDED, opened.said
    (update,) = read(Folder(tmp_path / ".bedplate" / "state"), "shop", "dev")[0]
    assert 0 <= update.end - update.start < 60
