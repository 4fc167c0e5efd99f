"""A run that is cancelled at any of its events: it finishes what is in flight, saves, and the next run goes on."""

from __future__ import annotations

import asyncio
import copy
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from engine.refresh import Refresh
from engine.run import Result, Run
from tests.engine.lifecycle.cloud import Cloud
from tests.engine.lifecycle.harness import Engine, Out, Report, component, thing

BEFORE: Final = [component("part"), thing("a", parent="part"), thing("b", of=Out("a")), thing("gone")]
AFTER: Final = [component("part"), thing("a", size=2, parent="part"), thing("b", of=Out("a"), key=2), thing("new")]
VERBS: Final[dict[str, Callable[[Engine], Report]]] = {
    "preview": lambda engine: engine.preview(*AFTER),
    "up": lambda engine: engine.up(*AFTER, concurrent=True, parallel=4, expect=None),
    "destroy": lambda engine: engine.destroy(expect=None),
    "refresh": lambda engine: engine.refresh(),
}


class Watched:
    """Cancels whatever runs at its event number ``at``."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
        self._at = at
        self.events = 0
        for kind in (Run, Refresh):
            monkeypatch.setattr(kind, "__init__", self._wrapping(kind.__init__))

    def _wrapping(self, real: Callable[..., None]) -> Callable[..., None]:
        def made(run: Run | Refresh, *arguments: object, **named: object) -> None:
            emit = next(each for each in arguments if callable(each))

            def counting(event: object) -> None:
                emit(event)
                self.events += 1
                if self.events == self._at:
                    asyncio.get_running_loop().call_soon(run.cancel)

            real(run, *(counting if each is emit else each for each in arguments), **named)

        return made


@pytest.mark.parametrize("verb", list(VERBS))
def test_a_run_that_is_cancelled_at_any_event_leaves_nothing_open(tmp_path: Path, verb: str) -> None:
    before = Engine(tmp_path / "0", Cloud())
    before.root.mkdir()
    before.up(*BEFORE)
    before.cloud.live["gone-3"].inputs = {"drifted": True}  # so that a refresh has something to say
    cancelled = at = 0
    while True:
        at += 1
        engine = Engine(tmp_path / str(at), Cloud(live=copy.deepcopy(before.cloud.live)))
        shutil.copytree(before.root, engine.root)
        with pytest.MonkeyPatch.context() as monkeypatch:
            watched = Watched(monkeypatch, at)
            report = VERBS[verb](engine)
        if watched.events < at:
            break
        assert report.result in (Result.CANCELLED, Result.SUCCEEDED), report.errors
        cancelled += report.result is Result.CANCELLED
        _goes_on(engine, report)
    assert cancelled > 3


def _goes_on(engine: Engine, report: Report) -> None:
    """Nothing is in flight, all that exists is known, and the next run comes to what is declared."""
    assert report.snapshot.pending_operations == ()
    known = {state.id for state in report.snapshot.resources if state.id}
    assert set(engine.cloud.live) <= known
    engine.up(*AFTER)
    assert engine.cloud.names() == ["a", "b", "new"]
    assert engine.up(*AFTER).operations == []
