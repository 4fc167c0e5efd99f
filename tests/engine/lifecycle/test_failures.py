"""Operations that fail: what is skipped, what goes on, what the state keeps, and how the next run converges."""

from __future__ import annotations

import pytest

from engine.events import StepFailed
from engine.plan import Reason
from engine.run import Result
from engine.values import Secret
from tests.engine.lifecycle.harness import Engine, Out, component, provider, thing

FAILED = Result.RESOURCE_FAILED


def test_dependents_of_a_failure_are_skipped_and_the_rest_goes_on(engine: Engine) -> None:
    program = [thing("a"), thing("b", of=Out("a")), thing("c", of=Out("b")), thing("d"), thing("e", depends_on=["a"])]
    engine.cloud.faults["create a"] = "fail"
    report = engine.up(*program, expect=FAILED)
    assert report.failed == ["a"]
    assert report.skipped == ["b", "c", "e"]
    assert engine.cloud.names() == ["d"]
    engine.cloud.faults.clear()
    assert engine.up(*program).operations == ["+ a", "+ b", "+ c", "+ e"]


def test_what_is_skipped_keeps_its_state(engine: Engine) -> None:
    engine.up(thing("a", size=1), thing("b", of=Out("a"), size=1))
    engine.cloud.faults["update a"] = "fail"
    report = engine.up(thing("a", size=2), thing("b", of=Out("a"), size=2), expect=FAILED)
    assert report.state("a").inputs["size"] == 1
    assert report.state("b").inputs["size"] == 1
    engine.cloud.faults.clear()
    assert engine.up(thing("a", size=2), thing("b", of=Out("a"), size=2)).operations == ["~ a", "~ b"]


def test_children_of_a_failed_parent_are_skipped(engine: Engine) -> None:
    engine.cloud.faults["create a"] = "fail"
    report = engine.up(thing("a"), thing("b", parent="a"), expect=FAILED)
    assert report.skipped == ["b"]


def test_a_renamed_resource_that_cannot_be_made_leaves_the_old_one(engine: Engine) -> None:
    """Nothing is deleted in a run in which something failed: what is gone might have been needed."""
    engine.up(thing("a"))
    engine.cloud.faults["create b"] = "fail"
    report = engine.up(thing("b"), expect=FAILED)
    assert report.names == ["a"]
    engine.cloud.faults.clear()
    assert engine.up(thing("b")).operations == ["+ b", "- a"]


def test_inputs_that_are_refused(engine: Engine) -> None:
    report = engine.up(thing("a", bad="x"), thing("b", of=Out("a")), expect=FAILED)
    assert report.errors == ["bad: is not allowed: x"]
    assert report.skipped == ["b"]
    assert engine.cloud.calls == []


@pytest.mark.parametrize("fault", ["fail", "partial", "lost", "break"])
def test_a_failure_says_how_long_it_took(engine: Engine, fault: str) -> None:
    engine.cloud.faults["create a"] = fault
    report = engine.up(thing("a"), expect=FAILED)
    (failed,) = [event for event in report.events if isinstance(event, StepFailed)]
    assert failed.seconds > 0


def test_a_partial_creation_is_kept_and_continued(engine: Engine) -> None:
    engine.cloud.faults["create a"] = "partial"
    report = engine.up(thing("a"), thing("b", of=Out("a")), expect=FAILED)
    assert report.state("a").init_errors == ("create a: not ready", "still booting")
    assert report.skipped == ["b"]
    engine.cloud.faults.clear()
    report = engine.up(thing("a"), thing("b", of=Out("a")))
    assert report.operations == ["~ a", "+ b"]
    assert report.reason("a") is Reason.UNFINISHED
    assert report.state("a").init_errors == ()
    assert engine.cloud.names() == ["a", "b"]


def test_a_partial_creation_can_be_replaced_instead(engine: Engine) -> None:
    engine.cloud.faults["create a"] = "partial"
    engine.up(thing("a"), expect=FAILED)
    engine.cloud.faults.clear()
    report = engine.up(thing("a", replace_on_changes=("#initerror",)))
    assert report.operations == ["++ a", "± a", "-- a"]
    assert engine.cloud.names() == ["a"]


def test_a_partial_update_is_kept_and_continued(engine: Engine) -> None:
    engine.up(thing("a", size=1))
    engine.cloud.faults["update a"] = "partial"
    report = engine.up(thing("a", size=2), expect=FAILED)
    assert (report.state("a").inputs, report.state("a").outputs["size"]) == (
        {"size": 1},
        2,
    )  # it is not what 2 asks for
    engine.cloud.faults.clear()
    assert engine.up(thing("a", size=2)).operations == ["~ a"]


@pytest.mark.parametrize("key", [1, 2])
def test_a_partial_replacement_is_not_made_twice(engine: Engine, key: int) -> None:
    engine.up(thing("a", key=0))
    engine.cloud.faults["create a"] = "partial"
    report = engine.up(thing("a", key=1), expect=FAILED)
    assert report.names == ["a", "a!"]
    engine.cloud.faults.clear()
    engine.up(thing("a", key=key))
    assert engine.cloud.names() == ["a"]


@pytest.mark.parametrize("fault", ["lost", "unsent", "break"])
def test_an_uncertain_creation_is_looked_for(engine: Engine, fault: str) -> None:
    engine.cloud.faults["create a"] = fault
    report = engine.up(thing("a"), thing("b", of=Out("a")), expect=FAILED)
    assert [operation.kind for operation in report.snapshot.pending_operations] == ["creating"]
    engine.cloud.faults.clear()
    report = engine.up(thing("a"), thing("b", of=Out("a")))
    assert engine.cloud.names() == ["a", "b"]
    assert report.snapshot.pending_operations == ()
    assert engine.up(thing("a"), thing("b", of=Out("a"))).operations == []


@pytest.mark.parametrize("fault", ["lost", "unsent"])
def test_an_uncertain_update_is_looked_at(engine: Engine, fault: str) -> None:
    engine.up(thing("a", size=1))
    engine.cloud.faults["update a"] = fault
    engine.up(thing("a", size=2), expect=FAILED)
    engine.cloud.faults.clear()
    engine.up(thing("a", size=2))
    assert next(iter(engine.cloud.live.values())).inputs == {"size": 2}
    assert engine.up(thing("a", size=2)).operations == []


@pytest.mark.parametrize("fault", ["lost", "unsent"])
def test_an_uncertain_deletion_is_looked_at(engine: Engine, fault: str) -> None:
    engine.up(thing("a"))
    engine.cloud.faults["delete a"] = fault
    engine.up(expect=FAILED)
    engine.cloud.faults.clear()
    report = engine.up()
    assert report.names == []
    assert engine.cloud.live == {}


@pytest.mark.parametrize("fault", ["lost", "unsent"])
def test_an_uncertain_replacement_leaves_one(engine: Engine, fault: str) -> None:
    engine.up(thing("a", key=1), thing("b", of=Out("a")))
    engine.cloud.faults["create a"] = fault
    engine.up(thing("a", key=2), thing("b", of=Out("a")), expect=FAILED)
    engine.cloud.faults.clear()
    engine.up(thing("a", key=2), thing("b", of=Out("a")))
    assert engine.cloud.names() == ["a", "b"]
    assert engine.up(thing("a", key=2), thing("b", of=Out("a"))).operations == []


def test_a_failed_deletion_holds_what_is_needed_by_it(engine: Engine) -> None:
    engine.up(thing("a"), thing("b", of=Out("a")), thing("c"))
    engine.cloud.faults["delete b"] = "fail"
    report = engine.destroy(expect=FAILED)
    assert report.names == ["a", "b"]
    assert "a" in report.skipped
    engine.cloud.faults.clear()
    assert engine.destroy().snapshot.resources == ()


def test_a_component_of_failed_children_can_be_finished_later(engine: Engine) -> None:
    program = [component("part"), thing("a", parent="part"), thing("b", parent="part")]
    engine.cloud.faults["create a"] = "fail"
    engine.up(*program, expect=FAILED)
    engine.cloud.faults.clear()
    assert engine.up(*program).operations == ["+ a"]


def test_a_provider_that_breaks_is_named(engine: Engine) -> None:
    engine.cloud.faults["create a"] = "break"
    report = engine.up(thing("a"), expect=FAILED)
    assert "the provider broke: ZeroDivisionError" in report.errors[0]


def test_no_secret_in_the_message_of_a_failure(engine: Engine) -> None:
    engine.cloud.faults["create a"] = "fail"
    report = engine.up(thing("a", password=Secret("hunter2-secret")), expect=FAILED)
    assert "hunter2" not in str(report.errors)
    assert "[secret]" in report.errors[0]


def test_no_secret_that_only_the_state_knows_in_the_message_of_a_failure(engine: Engine) -> None:
    engine.up(thing("a", password=Secret("hunter2-secret")))
    engine.cloud.faults["delete a"] = "fail"
    report = engine.destroy(expect=FAILED)
    assert "hunter2" not in str(report.errors)


def test_no_secret_that_a_provider_made_in_a_later_message(engine: Engine) -> None:
    engine.cloud.faults["create b"] = "fail"
    report = engine.up(
        thing("a", makesPassword="abc"), thing("b", of=Out("a", "password")), expect=FAILED
    )  # fmt: skip
    assert "pw-abc" not in str(report.errors)


def test_two_resources_with_one_name(engine: Engine) -> None:
    report = engine.up(thing("a"), thing("a"), expect=Result.PROGRAM_FAILED)
    assert "Duplicate resource URN" in report.errors[0]


def test_a_failed_stack_keeps_the_outputs_that_it_could_not_compute(engine: Engine) -> None:
    engine.up(thing("a", size=1), outputs={"size": Out("a", "size"), "old": 1})
    engine.cloud.faults["update a"] = "fail"
    report = engine.up(thing("a", size=2), outputs={"size": Out("a", "size"), "new": 2}, expect=FAILED)
    root = next(state for state in report.snapshot.resources if state.type == "pulumi:pulumi:Stack")
    assert root.outputs == {"size": 1, "old": 1, "new": 2}


def test_what_is_recovered_needs_the_provider_that_made_it_not_the_one_before(engine: Engine) -> None:
    """Both are there under one URN: the old one waits to be deleted since the run in which it was replaced failed."""
    engine.up(provider("p", region="here"))
    engine.cloud.faults = {"create a": "lost"}
    engine.up(provider("p", region="there"), thing("a", provider="p"), expect=None)
    engine.cloud.faults = {"delete a": "fail"}
    report = engine.up(provider("p", region="here"), expect=None)
    assert report.names == ["p", "p!", "a"]
    engine.cloud.faults.clear()
    assert engine.up(provider("p", region="here")).names == ["p"]
    assert engine.cloud.names() == []
