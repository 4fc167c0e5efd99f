"""Any small program, whose engine is killed before or after any call to the cloud: nothing is forgotten, all converges.

A kill leaves the files as they are at that moment, half-written lines and all; so a run goes on from a copy of them and
of what exists. ``tests/integration/test_kill.py`` kills real processes, at fewer moments.
"""

from __future__ import annotations

import copy
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.run import Result
from engine.values import Properties
from tests.engine.lifecycle.cloud import Call, Cloud, Live
from tests.engine.lifecycle.harness import Engine, Report, Resource
from tests.engine.lifecycle.test_convergence import programs

MOMENTS = st.tuples(st.integers(1, 9), st.booleans())
EXAMPLES = 1000 if "--exhaustive" in sys.argv else 40


class Watched(Cloud):
    """A cloud that calls ``kill`` at its call number ``at``, before or after it has been carried out."""

    kill: Callable[[], None] | None = None
    at = 0
    before = False

    def enter(self, call: Call) -> str:
        with self.lock:
            self.at -= 1
            self._perhaps(before=True)
        return super().enter(call)

    def make(self, urn: str, type_: str, inputs: Properties, token: str) -> str:
        with self.lock:
            made = super().make(urn, type_, inputs, token)
            self._perhaps(before=False)
            return made

    def change(self, id_: str, inputs: Properties) -> Live:
        with self.lock:
            changed = super().change(id_, inputs)
            self._perhaps(before=False)
            return changed

    def remove(self, id_: str) -> None:
        with self.lock:
            super().remove(id_)
            self._perhaps(before=False)

    def _perhaps(self, *, before: bool) -> None:
        if self.kill is not None and self.at <= 0 and before is self.before:
            self.kill()
            self.kill = None


class Killed:
    """A stack whose runs are killed; each goes on in the folder that the one before it left."""

    def __init__(self, folder: Path) -> None:
        self.cloud = Watched(lenient=True)  # what is deleted before it is replaced leaves references dangling
        self._folder = folder
        self._copies = 0
        self.engine = Engine(folder / "0", self.cloud)
        self.engine.root.mkdir()

    def killed_at(self, moment: tuple[int, bool], run: Callable[[], Report]) -> None:
        """Do ``run``, of which only what happened until ``moment`` counts, where it came that far."""
        self.cloud.at, self.cloud.before = moment
        left: list[dict[str, Live]] = []

        def kill() -> None:
            left.append(copy.deepcopy(self.cloud.live))
            self._copies += 1
            shutil.copytree(self.engine.root, self._folder / str(self._copies))

        self.cloud.kill = kill
        report = run()
        assert report.result is Result.SUCCEEDED, report.errors
        self.cloud.kill = None
        for live in left:
            self.cloud.live = live
            self.engine = Engine(self._folder / str(self._copies), self.cloud)

    def known(self) -> list[tuple[str, object]]:
        """Names and sizes of what exists, all of which is in the state.

        But for what is deleted with something that a killed run did not come to delete: as Pulumi has it, which forgets
        the one before it deletes the other. (``test_convergence`` makes the same exception.)
        """
        saved = self.engine.store().load()
        assert saved is not None
        ids = {state.id for state in saved.resources}
        live = self.cloud.live
        forgotten = {id_: each for id_, each in live.items() if id_ not in ids}
        assert all(str(each.inputs.get("lives_in")).removeprefix("arn:") in live for each in forgotten.values())
        return [(each.name, each.inputs["size"]) for id_, each in live.items() if id_ in ids]


def _sizes(program: Sequence[Resource]) -> list[tuple[str, object]]:
    return [(each.name, each.inputs["size"]) for each in program if each.type.startswith("test:")]


@settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(programs(), programs(), st.lists(MOMENTS, min_size=1, max_size=3), st.sampled_from(["up", "destroy"]))
def test_an_engine_that_is_killed_at_any_call_forgets_nothing(
    first: list[Resource], second: list[Resource], moments: list[tuple[int, bool]], verb: str
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        stack = Killed(Path(folder))

        def up(*program: Resource) -> Report:
            return stack.engine.up(*program, concurrent=True, parallel=4, expect=None)

        stack.killed_at(moments[0], lambda: up(*first))
        for moment in moments[1:]:
            stack.killed_at(moment, (lambda: up(*second)) if verb == "up" else stack.engine.destroy)
        assert up(*second).result is Result.SUCCEEDED
        assert sorted(stack.known()) == sorted(_sizes(second))
        assert up(*second).operations == []
        stack.engine.destroy()
        assert stack.cloud.live == {}
