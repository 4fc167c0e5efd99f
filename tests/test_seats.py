"""Tests that go by the clock have room made for them where there are more workers than cores."""

from __future__ import annotations

import multiprocessing
from multiprocessing.synchronize import Event
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests import seats

SPAWNED = multiprocessing.get_context("spawn")


class _Seen:
    """What a worker tells: that it is there, and that it has its seat; and what it is told."""

    def __init__(self) -> None:
        self.there, self.sitting, self.leave = self.all = (SPAWNED.Event(), SPAWNED.Event(), SPAWNED.Event())


def item(folder: Path, number: int, *, clock: bool, more: int = 1) -> Any:
    """A test of worker ``number``, of which there are ``more`` than cores."""

    def basetemp(_: str) -> Path:
        return folder / f"popen-gw{number}"

    def is_marked(name: str) -> bool:
        return clock and name == "clock"

    worker = {"workerid": f"gw{number}", "workercount": seats.cores() + more}
    config = SimpleNamespace(workerinput=worker, getoption=basetemp)
    return SimpleNamespace(config=config, get_closest_marker=is_marked)


def _sit(folder: Path, number: int, clock: bool, there: Event, sitting: Event, leave: Event) -> None:
    there.set()
    with seats.taken(item(folder, number, clock=clock)):
        sitting.set()
        leave.wait(60)


@pytest.mark.parametrize(
    ("first", "second", "waits"),
    [
        ((0, True), (1, False), True),
        ((1, False), (0, True), True),
        ((0, True), (2, False), False),
    ],
)
def test_as_many_workers_wait_as_there_are_more_than_cores(
    tmp_path: Path, first: tuple[int, bool], second: tuple[int, bool], waits: bool
) -> None:
    seen = [_Seen(), _Seen()]
    workers = [
        SPAWNED.Process(target=_sit, args=(tmp_path, *one, *events.all), daemon=True)
        for one, events in zip((first, second), seen, strict=True)
    ]
    workers[0].start()
    assert seen[0].sitting.wait(60)
    workers[1].start()
    assert seen[1].there.wait(60)
    assert seen[1].sitting.wait(1.0 if waits else 60) != waits
    seen[0].leave.set()
    assert seen[1].sitting.wait(60), "it sits down when the other is done"
    seen[1].leave.set()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0


def test_where_there_is_a_core_for_each_nobody_waits(tmp_path: Path) -> None:
    seen = _Seen()
    worker = SPAWNED.Process(target=_sit, args=(tmp_path, 1, False, *seen.all), daemon=True)
    worker.start()
    assert seen.sitting.wait(60)
    with seats.taken(item(tmp_path, 0, clock=True, more=0)):
        seen.leave.set()
    worker.join(60)


def test_without_workers_there_is_nothing_to_take(tmp_path: Path) -> None:
    alone: Any = SimpleNamespace(config=SimpleNamespace())
    with seats.taken(alone):
        assert list(tmp_path.iterdir()) == []
