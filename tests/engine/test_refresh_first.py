"""``--refresh``: a run that compares the state with what exists first, and plans on what it finds."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.events import RunEnded, RunStarted, StepDone
from engine.plan import Op
from engine.providers.base import ProviderError
from engine.run import Outcome, Result
from engine.urn import STACK_TYPE, name_of
from tests.engine.lifecycle.cloud import CloudProvider, Live
from tests.engine.opened import Opened

TWO = "thing('a', size=1)\nthing('b')\n"


@pytest.fixture
def opened(tmp_path: Path) -> Opened:
    made = Opened(tmp_path)
    made.write(TWO)
    assert made.up().result is Result.SUCCEEDED
    return made


def live(opened: Opened, name: str) -> Live:
    return next(one for one in opened.cloud.live.values() if one.name == name)


def lose(opened: Opened, name: str) -> None:
    opened.cloud.live = {id_: one for id_, one in opened.cloud.live.items() if one.name != name}


def changes(outcome: Outcome) -> list[str]:
    return [f"{step.op} {name_of(step.urn)}" for step in outcome.plan.steps if step.op is not Op.SAME]


def drift(outcome: Outcome) -> list[str]:
    return [f"{step.op} {name_of(step.urn)}" for step in outcome.plan.drift]


def size(opened: Opened) -> object:
    return next(one.inputs["size"] for one in opened.session().snapshot().resources if name_of(one.urn) == "a")


def test_a_plan_on_what_exists(opened: Opened) -> None:
    live(opened, "a").inputs = {"size": 5}
    lose(opened, "b")
    before = opened.files()
    assert changes(opened.preview()) == []
    outcome = opened.preview(refresh=True)
    assert sorted(drift(outcome)) == ["delete b", "update a"]
    assert sorted(changes(outcome)) == ["create b", "update a"]
    assert opened.files() == before


def test_the_refresh_is_the_beginning_of_the_run(opened: Opened) -> None:
    """As in Pulumi's events: one prelude, each resource with the operation ``refresh``, one summary."""
    opened.preview(refresh=True)
    assert sum(isinstance(event, RunStarted) for event in opened.events) == 1
    assert sum(isinstance(event, RunEnded) for event in opened.events) == 1
    done = [event.step for event in opened.events if isinstance(event, StepDone) and event.step.type != STACK_TYPE]
    assert [step.op for step in done] == [Op.REFRESH] * 3 + [Op.SAME] * 3


def test_an_up_brings_back_what_the_program_says(opened: Opened) -> None:
    live(opened, "a").inputs = {"size": 5}
    lose(opened, "b")
    outcome = opened.up(refresh=True)
    assert outcome.result is Result.SUCCEEDED
    assert sorted(changes(outcome)) == ["create b", "update a"]
    assert sorted(drift(outcome)) == ["delete b", "update a"]
    assert live(opened, "a").inputs == {"size": 1}
    assert changes(opened.preview(refresh=True)) == []


def test_what_is_not_agreed_to_leaves_every_file_as_it_is(opened: Opened) -> None:
    live(opened, "a").inputs = {"size": 5}
    before = opened.files()
    assert opened.up(refresh=True, agree=False).result is Result.CANCELLED
    assert opened.files() == before


def test_what_the_program_agrees_with_is_written_down(opened: Opened) -> None:
    live(opened, "a").inputs = {"size": 2}
    opened.write("thing('a', size=2)\nthing('b')\n")
    outcome = opened.up(refresh=True)
    assert (changes(outcome), drift(outcome)) == ([], ["update a"])
    assert size(opened) == 2
    assert [call.verb for call in opened.cloud.calls].count("update") == 0


def test_a_destruction_leaves_out_what_is_gone(opened: Opened) -> None:
    lose(opened, "b")
    outcome = opened.destroy(refresh=True)
    assert sorted(changes(outcome)) == ["delete a", "delete default", "delete shop-dev"]
    assert [str(call) for call in opened.cloud.calls if call.verb == "delete"] == ["delete a"]
    assert opened.session().snapshot().resources == ()


def test_what_cannot_be_compared_stops_everything(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*arguments: object) -> None:
        raise ProviderError("nobody answers")

    opened.write("thing('a', size=2)\nthing('b')\n")
    before = opened.files()
    monkeypatch.setattr(CloudProvider, "read", failing)
    assert opened.up(refresh=True).result is Result.RESOURCE_FAILED
    assert opened.destroy(refresh=True).result is Result.RESOURCE_FAILED
    assert "nobody answers" in opened.said
    assert opened.files() == before


def test_a_cancellation_during_the_comparison(opened: Opened) -> None:
    session = opened.session()
    opened.on_event = lambda event: session.cancel() if isinstance(event, RunStarted) else None
    assert opened.up(session, refresh=True).result is Result.CANCELLED
    assert [call.verb for call in opened.cloud.calls] == ["create", "create"]
