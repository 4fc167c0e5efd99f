"""Creating, changing, keeping and deleting: what each resource of a program comes to, and in which order."""

from __future__ import annotations

from engine.events import Diagnostic
from engine.plan import Reason
from engine.run import Result
from engine.values import UNKNOWN
from tests.engine.lifecycle.harness import Engine, Out, component, thing


def test_what_is_new_is_created_once(engine: Engine) -> None:
    program = [thing("a"), thing("b", of=Out("a"))]
    assert engine.up(*program).operations == ["+ a", "+ b"]
    second = engine.up(*program)
    assert second.operations == []
    assert second.all_operations == ["= a", "= b"]
    assert engine.cloud.names() == ["a", "b"]


def test_a_change_is_made_in_place_and_reaches_only_what_it_changes(engine: Engine) -> None:
    engine.up(thing("a", size=1), thing("b", of=Out("a")))
    report = engine.up(thing("a", size=2), thing("b", of=Out("a")))
    assert report.operations == ["~ a"]
    assert report.reason("a") is Reason.CHANGED
    assert report.state("a").outputs["version"] == 2


def test_what_is_not_declared_any_more_goes_dependents_first(engine: Engine) -> None:
    engine.up(thing("a"), thing("b", of=Out("a")), thing("c", of=Out("b")))
    assert engine.up().operations == ["- c", "- b", "- a"]
    assert engine.cloud.live == {}


def test_a_preview_shows_the_same_steps_and_changes_nothing(engine: Engine) -> None:
    engine.up(thing("a", key=1), thing("gone"))
    preview = engine.preview(thing("a", key=2), thing("b", of=Out("a")))
    assert preview.operations == ["++ a", "± a", "+ b", "- gone", "-- a"]
    assert engine.cloud.names() == ["a", "gone"]


def test_unknowns_show_in_a_preview_and_never_fail_it(engine: Engine) -> None:
    preview = engine.preview(thing("a"), thing("b", of=Out("a"), nested={"list": [Out("a")]}), outputs={"x": Out("b")})
    step = next(step for step in preview.steps if step.urn.endswith("::b"))
    assert step.new is not None
    assert step.new.inputs["of"] is UNKNOWN
    assert step.new.inputs["nested"] == {"list": [UNKNOWN]}
    assert preview.plan.outputs_after["x"] is UNKNOWN


def test_components_hold_their_children(engine: Engine) -> None:
    engine.up(component("part"), thing("a", parent="part"))
    assert engine.up(thing("b")).operations == ["+ b", "- a", "- part"]


def test_what_a_provider_notes_is_a_warning_on_the_resource(engine: Engine) -> None:
    program = [thing("a", noted="it is old"), thing("b")]
    assert engine.preview(*program).warnings == ["it is old"]
    report = engine.up(*program)
    assert report.warnings == ["it is old"]
    assert report.failed == []
    assert engine.up(*program).warnings == []  # nothing is done to it, so there is nothing to say
    assert engine.up(thing("a", noted="it is older"), thing("b")).warnings == ["it is older"]


def test_what_a_provider_waits_for_is_told_at_once_and_forgotten(engine: Engine) -> None:
    report = engine.up(thing("a", waitsFor="its replicas"), thing("b"))
    told = [event for event in report.events if isinstance(event, Diagnostic)]
    assert [(event.message, event.ephemeral) for event in told] == [("its replicas", True)]
    assert told[0].urn.endswith("::a")
    assert report.warnings == []


def test_what_a_provider_notes_before_it_fails_is_said_too(engine: Engine) -> None:
    engine.cloud.faults["create a"] = "fail"
    report = engine.up(thing("a", noted="it is old"), expect=Result.RESOURCE_FAILED)
    assert report.warnings == ["it is old"]
    assert report.failed == ["a"]
