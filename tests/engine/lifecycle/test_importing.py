"""``bedplate import``: what exists is taken over, and only that."""

from __future__ import annotations

from dataclasses import replace

from engine.importing.wanted import Wanted
from engine.plan import Op
from engine.run import Result
from engine.values import Properties, Secret
from tests.engine.lifecycle.harness import ROOT, Engine, component, thing, urn

THING = "test:index:Thing"


def made(engine: Engine, name: str, **inputs: object) -> str:
    """The id of a thing that somebody else has made."""
    given: Properties = dict(inputs)
    return engine.cloud.make(urn(name), THING, given, "")


def test_what_exists_is_in_the_state_as_it_was_read_and_protected(engine: Engine) -> None:
    id_ = made(engine, "a", size=3)
    report = engine.take_over(Wanted(THING, "a", id_))
    assert report.result is Result.SUCCEEDED
    state = report.state("a")
    assert (state.id, state.inputs, state.parent, state.protect) == (id_, {"size": 3}, ROOT, True)
    assert state.outputs == {"size": 3, "arn": f"arn:{id_}", "version": 1}
    assert state.import_id == ""
    assert state.created is not None
    assert [call.verb for call in engine.cloud.calls] == ["read", "read"]


def test_a_program_that_says_the_same_changes_nothing(engine: Engine) -> None:
    id_ = made(engine, "a", size=3)
    engine.take_over(Wanted(THING, "a", id_))
    assert not engine.preview(thing("a", size=3, protect=True)).plan.has_changes


def test_what_the_stack_has_stays(engine: Engine) -> None:
    engine.up(thing("old", size=1))
    id_ = made(engine, "a")
    report = engine.take_over(Wanted(THING, "a", id_, protect=False))
    assert report.names == ["old", "a"]
    assert report.state("a").provider == report.state("old").provider
    assert not report.state("a").protect


def test_the_default_provider_is_the_one_that_the_program_will_ask_for(engine: Engine) -> None:
    id_ = made(engine, "a")
    report = engine.take_over(Wanted(THING, "a", id_), version="7.51.1")
    assert "::default_7_51_1::" in report.state("a").provider


def test_a_preview_takes_nothing_over(engine: Engine) -> None:
    report = engine.take_over(Wanted(THING, "a", made(engine, "a")), apply=False)
    assert [step.op for step in report.plan.steps][-1] is Op.IMPORT
    assert engine.store().load() is None
    assert [one.wanted.name for one in engine.declared] == ["a"]


def test_what_does_not_exist_is_said_and_nothing_is_taken_over(engine: Engine) -> None:
    report = engine.take_over(Wanted(THING, "a", made(engine, "a")), Wanted(THING, "b", "nobody"))
    assert report.result is Result.RESOURCE_FAILED
    assert report.errors == ["test:index:Thing 'nobody' does not exist; check the id that was given"]
    assert engine.store().load() is None


def test_a_name_that_the_stack_has_already_is_refused(engine: Engine) -> None:
    engine.up(thing("a"))
    report = engine.take_over(Wanted(THING, "a", made(engine, "another")))
    assert report.result is Result.RESOURCE_FAILED
    assert report.errors == ["the stack has 'a' already as 'a-1'; import under another name"]


def test_what_is_in_the_state_already_is_no_change_and_still_declared(engine: Engine) -> None:
    id_ = made(engine, "a", size=3)
    engine.take_over(Wanted(THING, "a", id_))
    report = engine.take_over(Wanted(THING, "a", id_))
    assert not report.plan.has_changes
    assert [(one.wanted.name, one.says) for one in engine.declared] == [("a", {"size": 3})]


def test_children_stand_behind_their_parents_whatever_the_order(engine: Engine) -> None:
    part = urn("part", "shop:index:Part")
    child = Wanted(THING, "child", made(engine, "child"), parent=part)
    report = engine.take_over(child, Wanted("shop:index:Part", "part", component=True))
    assert report.names == ["part", "child"]
    assert report.state("child").parent == part
    plan = engine.preview(component("part"), thing("child", parent="part", protect=True)).plan
    assert not [step for step in plan.steps if step.op in (Op.CREATE, Op.DELETE, Op.REPLACE)]


def test_a_parent_that_is_not_there_is_said(engine: Engine) -> None:
    parent = urn("nobody", "shop:index:Part")
    report = engine.take_over(Wanted(THING, "a", made(engine, "a"), parent=parent))
    assert report.errors == [
        f"its parent {parent} is not in the stack; import it too, or name one that is in the stack"
    ]


def test_what_is_below_a_failure_is_left_alone(engine: Engine) -> None:
    missing, child = Wanted(THING, "a", "nobody"), made(engine, "child")
    below = Wanted(THING, "child", child, parent=urn("a"))
    report = engine.take_over(missing, below)
    assert (report.failed, report.skipped) == (["a"], ["child"])


def test_a_provider_of_the_file_is_made_and_used(engine: Engine) -> None:
    type_ = "pulumi:providers:test"
    there = Wanted(THING, "a", made(engine, "a"), provider=urn("west", type_, parent=""))
    report = engine.take_over(there, Wanted(type_, "west", inputs={"region": "west"}))
    assert report.state("west").inputs == {"region": "west"}
    assert report.state("a").provider == f"{report.state('west').urn}::{report.state('west').id}"
    assert {call.region for call in engine.cloud.calls} == {"west"}


def test_a_provider_that_is_nowhere_is_said(engine: Engine) -> None:
    there = Wanted(THING, "a", made(engine, "a"), provider=urn("west", "pulumi:providers:test", parent=""))
    (error,) = engine.take_over(there).errors
    assert "pulumi:providers:test::west is not in the stack" in error


def test_a_type_that_nobody_knows_is_said(engine: Engine) -> None:
    (error,) = engine.take_over(Wanted("test:index:Thingy", "a", "a-1")).errors
    assert error == "no provider of the package 'test' is known here, nor is its SDK pulumi_test installed"


def test_only_the_properties_that_were_asked_for_are_taken(engine: Engine) -> None:
    id_ = made(engine, "a", size=3, color="red")
    state = engine.take_over(Wanted(THING, "a", id_, properties=("color",))).state("a")
    assert state.inputs == {"color": "red"}
    assert state.outputs["size"] == 3


def test_what_cannot_be_read_is_taken_from_the_file(engine: Engine) -> None:
    id_ = made(engine, "a", size=3)
    supplied: Properties = {"size": 4, "password": Secret("geheim")}
    state = engine.take_over(Wanted(THING, "a", id_, inputs=supplied)).state("a")
    assert state.inputs == {"size": 3, "password": Secret("geheim")}


def test_with_outputs_the_provider_is_not_asked(engine: Engine) -> None:
    wanted = Wanted(THING, "a", "elsewhere", inputs={"size": 3}, outputs={"arn": "arn:elsewhere"})
    state = engine.take_over(wanted).state("a")
    assert (state.id, state.inputs, state.outputs) == ("elsewhere", {"size": 3}, {"arn": "arn:elsewhere"})
    assert engine.cloud.calls == []


def test_inputs_that_the_provider_would_not_take_are_a_warning(engine: Engine) -> None:
    report = engine.take_over(Wanted(THING, "a", made(engine, "a", bad="x")))
    assert report.result is Result.SUCCEEDED
    assert report.warnings == [
        "bad: is not allowed: x (a fault of the provider); the code has to be mended after it is pasted"
    ]


def test_a_read_that_fails_leaves_what_was_read_before(engine: Engine) -> None:
    engine.up(thing("old"))
    wanted = Wanted(THING, "a", made(engine, "a"))
    assert engine.take_over(wanted).result is Result.SUCCEEDED
    engine.cloud.live.clear()
    report = engine.take_over(wanted, replace(wanted, name="b"))
    assert report.result is Result.RESOURCE_FAILED
    assert [state.urn for state in (engine.store().load() or report.snapshot).resources][-1] == urn("a")


def test_a_cancelled_import_records_what_it_has_read_and_starts_no_more(engine: Engine) -> None:
    names = ["a", "b", "c"]
    wanted = [Wanted(THING, name, made(engine, name)) for name in names]
    assert engine.take_over(*wanted, apply=False).result is Result.SUCCEEDED
    report = engine.take_over(*wanted, cancel_after="a")
    assert report.result is Result.CANCELLED
    assert report.names == ["a"]
    assert engine.take_over(*wanted).names == names
