"""The CLI's events become ours: from logs that it wrote, and from ones that no CLI has written yet."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from engine import urn as urns
from engine.events import (
    Diagnostic,
    Event,
    OutputsRegistered,
    Passed,
    ProgramOutput,
    RunEnded,
    RunStarted,
    Severity,
    StepDone,
    StepFailed,
    StepStarted,
)
from engine.plan import Op, Reason
from engine.providers.base import DiffKind
from engine.pulumi_cli.findings import Findings
from engine.pulumi_cli.states import Known, goals_in
from engine.pulumi_cli.translation import Translation
from engine.state.model import ResourceState, Snapshot
from engine.values import UNKNOWN, Secret

RECORDED: Final = Path(__file__).parents[2] / "cases" / "pulumi_cli"
THING: Final = "urn:pulumi:dev::demo::test:index:Thing::"


class Heard:
    """A translation, and what it has emitted."""

    def __init__(self, base: Snapshot | None = None, **how: Any) -> None:
        self.events: list[Event] = []
        how = {"preview": True} | how
        self.translation = Translation(self.events.append, Known(base or Snapshot()), Findings(), **how)

    def play(self, name: str) -> Heard:
        for line in (RECORDED / f"{name}.ndjson").read_text().splitlines():
            self.translation.take(json.loads(line))
        return self

    def take(self, **event: Any) -> Heard:
        self.translation.take({"sequence": 1, "timestamp": 1, **event})
        return self

    def plan(self, goals: Mapping[str, Any] | None = None) -> list[str]:
        steps = self.translation.plan({}, goals or {}).steps
        return [f"{step.op} {urns.name_of(step.urn)}" for step in steps if not urns.is_provider_type(step.type)]

    def of(self, *kinds: type[Event]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kinds)]


def test_a_preview_becomes_a_plan() -> None:
    heard = Heard().play("preview-replace")
    assert heard.plan() == [
        "same demo-dev", "create-replacement a", "replace a", "delete-replaced d", "delete-replaced c", "replace c",
        "create-replacement c", "update b", "replace d", "create-replacement d", "delete gone", "delete-replaced a",
    ]  # fmt: skip
    plan = heard.translation.plan({}, {})
    steps = {(step.op, urns.name_of(step.urn)): step for step in plan.steps}
    replaced = steps[Op.REPLACE, "a"]
    assert (replaced.reason, replaced.replace_keys) == (Reason.IMMUTABLE, ("key",))
    assert replaced.detailed == {"key": DiffKind.UPDATE_REPLACE}
    assert steps[Op.REPLACE, "d"].reason is Reason.REPLACED_DEPENDENCY
    assert steps[Op.DELETE, "gone"].reason is Reason.NOT_DECLARED
    updated = steps[Op.UPDATE, "b"]
    assert updated.detailed.keys() == {"of", "size", "tags.x"}
    assert updated.old is not None and updated.old.id == "b-5"
    assert updated.new is not None and updated.new.outputs["of"] is UNKNOWN
    secret = steps[Op.REPLACE, "c"].state.inputs["pw"]
    assert secret == Secret("[secret]")
    assert (plan.outputs_before, plan.outputs_after) == ({"a": "arn:a-2"}, {"a": UNKNOWN})
    assert heard.translation.counts == {Op.DELETE: 1, Op.REPLACE: 3, Op.SAME: 1, Op.UPDATE: 1}


@pytest.mark.parametrize("log", [path.stem for path in sorted(RECORDED.glob("*.ndjson"))])
def test_every_step_that_begins_ends_once(log: str) -> None:
    heard = Heard(refreshing=log.startswith("refresh")).play(log)
    heard.translation.end("succeeded", 1.0)
    begun = [event.step.urn for event in heard.of(StepStarted)]
    ended = [event.step.urn for event in heard.of(StepDone, StepFailed)]
    assert isinstance(heard.events[0], RunStarted) and isinstance(heard.events[-1], RunEnded)
    assert begun and sorted(begun) == sorted(ended)
    assert heard.of(Passed) == []


def test_a_failed_resource_is_told_with_its_reason_and_without_what_the_interpreter_says_of_its_end() -> None:
    heard = Heard(preview=False).play("up-fails")
    (failed,) = heard.of(StepFailed)
    assert failed.step.urn == f"{THING}b"
    assert failed.message.startswith("update b: refused")
    assert [one.message for one in heard.of(Diagnostic)] == [failed.message]
    assert heard.of(ProgramOutput) == []
    assert heard.translation.plan({"a": "before"}, {}).outputs_after == {"a": "arn:a-6"}


def test_a_program_that_fails_is_told_by_its_traceback() -> None:
    heard = Heard().play("program-fails")
    (error,) = heard.of(Diagnostic)
    assert error.severity is Severity.ERROR and "program failed" in error.message
    assert heard.translation.errors == 1


@pytest.mark.parametrize("log", ["refresh-preview", "refresh"])
def test_a_refresh_finds_what_has_drifted_and_what_is_gone(log: str) -> None:
    heard = Heard(refreshing=True).play(log)
    plan = heard.translation.plan({}, {})
    found = {urns.name_of(step.urn): (step.op, step.reason) for step in plan.steps}
    assert found == {
        "a": (Op.SAME, Reason.UNCHANGED), "b": (Op.UPDATE, Reason.DRIFTED), "c": (Op.SAME, Reason.UNCHANGED),
        "d": (Op.SAME, Reason.UNCHANGED), "gone": (Op.DELETE, Reason.GONE),
    }  # fmt: skip


def test_a_refresh_before_a_preview_is_told_apart_from_what_is_planned() -> None:
    heard = Heard().play("preview-refresh-first")
    plan = heard.translation.plan({}, {})
    drift = {urns.name_of(step.urn): (step.op, step.reason) for step in plan.drift}
    assert drift == {
        "a": (Op.SAME, Reason.UNCHANGED), "b": (Op.UPDATE, Reason.DRIFTED), "c": (Op.SAME, Reason.UNCHANGED),
        "d": (Op.SAME, Reason.UNCHANGED), "gone": (Op.DELETE, Reason.GONE),
    }  # fmt: skip
    assert heard.plan()[:2] == ["same demo-dev", "delete-replaced d"]
    assert "update b" in heard.plan() and "delete b" not in heard.plan()
    assert plan.outputs_after == {"a": UNKNOWN}


def test_a_destroy_says_so_of_each_resource() -> None:
    heard = Heard(destroying=True).play("destroy-preview")
    plan = heard.translation.plan({}, {})
    assert {step.reason for step in plan.steps} == {Reason.DESTROYED}
    assert plan.outputs_before == plan.outputs_after == {"a": "arn:a-9"}


def test_outputs_that_come_later_are_registered_and_components_without_any_end_with_the_run() -> None:
    state = {"type": "demo:a:C", "urn": "urn:pulumi:dev::demo::demo:a:C::c", "inputs": {}, "outputs": {}}
    step = {"op": "create", "urn": state["urn"], "type": state["type"], "old": None, "new": state}
    heard = Heard(preview=False).take(resourcePreEvent={"metadata": step})
    assert heard.of(StepDone) == []
    heard.take(summaryEvent={"result": "succeeded"})
    assert len(heard.of(StepDone)) == 1
    heard = Heard().take(resourcePreEvent={"metadata": step}).take(resOutputsEvent={"metadata": step})
    later = {**step, "new": {**state, "outputs": {"x": 1}}}
    (registered,) = heard.take(resOutputsEvent={"metadata": later}).of(OutputsRegistered)
    assert registered.step.new.outputs == {"x": 1}


def test_what_nobody_knows_yet_is_kept_and_breaks_nothing() -> None:
    urn = f"{THING}x"
    state = {"urn": urn, "type": "test:index:Thing", "custom": True, "id": "1", "newer": 1, "outputs": {"o": {
        "4dabf18193072939515e22adb298388d": "from the future"}, "p": 1}, "inputs": None}  # fmt: skip
    step = {"op": "transmogrify", "urn": urn, "type": "t", "old": None, "new": state, "detailedDiff": {
        "a": {"diffKind": "sideways"}, "b": None}}  # fmt: skip
    heard = Heard().take(quantumEvent={"spin": "up"}).take(resourcePreEvent={"metadata": step})
    heard.take(resOutputsEvent={"metadata": step}).take(resourcePreEvent={"metadata": None}).take(resOutputsEvent=7)
    heard.take(resourcePreEvent={"metadata": {"op": "create", "old": None, "new": None}})
    heard.take(diagnosticEvent={"severity": "grave", "message": "hm"}, progressEvent={"type": "plugin-download"})
    heard.take(summaryEvent={"resourceChanges": {"transmogrify": 1, "": 2, "x": None}, "PolicyPacks": None})
    (found,) = heard.translation.plan({}, {}).steps
    assert str(found.op) == "transmogrify" and found.op is Op("transmogrify")
    assert found.detailed == {"a": DiffKind.UPDATE, "b": DiffKind.UPDATE}
    assert found.state.outputs["p"] == 1 and found.state.inputs == {}
    assert [event.payload for event in heard.of(Passed)] == [
        {"quantumEvent": {"spin": "up"}}, {"resOutputsEvent": 7}, {"progressEvent": {"type": "plugin-download"}},
    ]  # fmt: skip
    assert heard.translation.counts == {Op("transmogrify"): 1, Op("unknown"): 2}


def test_messages_for_debugging_are_for_those_who_ask() -> None:
    message = {"message": "beginning rpc\n", "severity": "debug", "prefix": "debug: "}
    assert Heard().take(diagnosticEvent=message).events == []
    (said,) = Heard(debug=True).take(diagnosticEvent=message).events
    assert said == Diagnostic(Severity.DEBUG, "beginning rpc")


def test_what_a_program_prints_is_told_apart_from_what_it_logs() -> None:
    heard = Heard()
    heard.take(diagnosticEvent={"message": "printed\n\n", "severity": "info"})
    heard.take(diagnosticEvent={"message": "logged\n", "severity": "info"})
    heard.take(diagnosticEvent={"message": "to stderr\n\n", "severity": "info#err"})
    assert heard.events == [
        ProgramOutput("printed"), Diagnostic(Severity.INFO, "logged"), ProgramOutput("to stderr", stderr=True),
    ]  # fmt: skip


def test_what_events_leave_out_comes_from_the_state_and_from_the_saved_plan(tmp_path: Path) -> None:
    known = ResourceState(f"{THING}b", "test:index:Thing", True, "b-5", dependencies=(f"{THING}a",), created="long ago")
    heard = Heard(Snapshot((known,))).play("preview-replace")
    path = tmp_path / "plan.json"
    goal = {"dependencies": [f"{THING}a", f"{THING}z"], "propertyDependencies": {"of": [f"{THING}a"]}}
    path.write_text(json.dumps({"resourcePlans": {f"{THING}b": {"goal": goal}}}))
    plan = heard.translation.plan({}, goals_in(path))
    step = next(step for step in plan.steps if step.urn == f"{THING}b")
    assert step.old is not None and (step.old.dependencies, step.old.created) == ((f"{THING}a",), "long ago")
    assert step.new is not None and step.new.dependencies == (f"{THING}a", f"{THING}z")
    assert step.new.property_dependencies == {"of": (f"{THING}a",)}


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"resourcePlans": {"a": 1}}', '{"resourcePlans": {"a": {}}}'])
def test_a_plan_that_cannot_be_read_is_none(tmp_path: Path, content: str) -> None:
    path = tmp_path / "plan.json"
    path.write_text(content)
    assert goals_in(path) == {}
    assert goals_in(tmp_path / "absent") == {}
