"""Replacements: what goes along, in which order, and what is left when one of them fails."""

from __future__ import annotations

import pytest

from engine.plan import Reason
from engine.run import Result
from tests.engine.lifecycle.harness import Engine, Out, Resource, component, sequences, thing


def test_create_before_delete_with_a_dependent_that_is_updated(engine: Engine) -> None:
    engine.up(thing("a", key=1), thing("b", of=Out("a")))
    report = engine.up(thing("a", key=2), thing("b", of=Out("a")))
    assert report.operations == ["++ a", "± a", "~ b", "-- a"]
    assert report.reason("b") is Reason.CHANGED
    assert [str(call) for call in engine.cloud.calls[2:]] == ["create a", "update b", "delete a"]


def test_a_chain_of_replacements_is_deleted_from_its_end(engine: Engine) -> None:
    program = [thing("b", key=Out("a")), thing("c", key=Out("b"))]
    engine.up(thing("a", key=1), *program)
    report = engine.up(thing("a", key=2), *program)
    assert report.operations == ["++ a", "± a", "++ b", "± b", "++ c", "± c", "-- c", "-- b", "-- a"]
    assert report.steps[0].replace_keys == ("key",)
    assert engine.cloud.names() == ["a", "b", "c"]


def test_delete_before_replace_takes_dependents_that_must_be_replaced(engine: Engine) -> None:
    """``c`` takes only what can change in place from ``a``, and so stays; ``b`` and what needs it go first."""
    engine.cloud.lenient = True  # c refers to a while a is away, as it does in Pulumi
    program = [thing("b", key=Out("a")), thing("c", of=Out("a")), thing("d", key=Out("b"))]
    engine.up(thing("a", key=1, delete_before_replace=True), *program)
    report = engine.up(thing("a", key=2, delete_before_replace=True), *program)
    assert report.operations == ["-- d", "-- b", "-- a", "± a", "++ a", "± b", "++ b", "~ c", "± d", "++ d"]
    assert report.reason("b") is Reason.REPLACED_DEPENDENCY
    assert report.names == ["a", "b", "c", "d"]


def test_a_provider_that_wants_deletion_first_is_heard(engine: Engine) -> None:
    engine.up(thing("a", type="Named", key=1))
    assert engine.up(thing("a", type="Named", key=2)).operations == ["-- a", "± a", "++ a"]


def test_the_program_overrules_the_provider_about_the_order(engine: Engine) -> None:
    engine.up(thing("a", type="Named", key=1))
    report = engine.up(thing("a", type="Named", key=2, delete_before_replace=False))
    assert report.operations == ["++ a", "± a", "-- a"]


def test_depends_on_alone_makes_nobody_go_along(engine: Engine) -> None:
    program = thing("b", depends_on=["a"])
    engine.up(thing("a", type="Named", key=1), program)
    assert engine.up(thing("a", type="Named", key=2), program).operations == ["-- a", "± a", "++ a"]


def test_replace_on_changes_makes_a_replacement_of_an_update(engine: Engine) -> None:
    engine.up(thing("a", tags={"team": "x"}))
    report = engine.up(thing("a", tags={"team": "y"}, replace_on_changes=("tags.*",)))
    assert report.operations == ["++ a", "± a", "-- a"]
    assert report.reason("a") is Reason.REPLACED
    assert report.steps[1].reason is Reason.REPLACE_ON_CHANGES
    assert report.steps[1].detailed == {"tags.team": "update-replace"}


def test_replace_on_changes_leaves_other_properties_alone(engine: Engine) -> None:
    engine.up(thing("a", tags={"team": "x"}, size=1))
    assert engine.up(thing("a", tags={"team": "x"}, size=2, replace_on_changes=("tags",))).operations == ["~ a"]


@pytest.mark.parametrize("declared", [True, False])
def test_what_was_replaced_and_its_replacement_go_along_once_each(engine: Engine, declared: bool) -> None:
    """An earlier run has replaced ``b`` and did not come to delete the old one, which is bound to ``a`` no more."""

    def b(key: int) -> Resource:
        return thing("b", key=key, replace_with=["a"])

    engine.up(thing("a", key=1), b(1))
    engine.cloud.faults["create c"] = "fail"
    report = engine.up(thing("a", key=1), b(2), thing("c"), expect=Result.RESOURCE_FAILED)
    assert sorted(report.names) == ["a", "b", "b!"]
    engine.cloud.faults.clear()
    report = engine.up(thing("a", key=2, delete_before_replace=True), *([b(2)] if declared else []))
    deletions = [operation for operation in report.operations if operation.startswith("-- ")]
    assert deletions == ["-- b", "-- a", "-- b"]
    assert engine.cloud.names() == report.names == (["a", "b"] if declared else ["a"])


@pytest.mark.parametrize("delete_before_replace", [False, True])
def test_replace_with_and_a_trigger(engine: Engine, delete_before_replace: bool) -> None:
    def declared(trigger: int) -> tuple[Resource, ...]:
        return (
            thing("a", replacement_trigger=trigger, delete_before_replace=delete_before_replace),
            thing("b", replace_with=["a"]),
        )

    engine.up(*declared(1))
    report = engine.up(*declared(2))
    creations = [operation for operation in report.operations if operation.startswith("++")]
    assert creations == ["++ a", "++ b"]
    assert engine.cloud.names() == ["a", "b"]
    assert engine.up(*declared(2)).operations == []


def test_a_protected_resource_is_not_replaced(engine: Engine) -> None:
    engine.up(thing("a", key=1, protect=True))
    report = engine.up(thing("a", key=2, protect=True), expect=Result.RESOURCE_FAILED)
    assert "protect" in report.errors[0]
    assert engine.cloud.calls[1:] == []


def test_a_resource_that_loses_its_protection_is_replaced_at_once(engine: Engine) -> None:
    engine.up(thing("a", key=1, protect=True))
    assert engine.up(thing("a", key=2)).operations == ["++ a", "± a", "-- a"]


def test_a_protected_dependent_stops_a_deletion_before_replacement(engine: Engine) -> None:
    program = thing("b", key=Out("a"), protect=True)
    engine.up(thing("a", type="Named", key=1), program)
    report = engine.up(thing("a", type="Named", key=2), program, expect=Result.RESOURCE_FAILED)
    assert "protected" in report.errors[0]
    assert len(engine.cloud.calls) == 2


def test_a_component_is_never_replaced(engine: Engine) -> None:
    engine.up(component("part", key=1), thing("a", parent="part"))
    assert engine.up(component("part", key=2), thing("a", parent="part")).operations == ["~ part"]


def test_the_old_one_survives_until_its_dependent_lets_go(engine: Engine) -> None:
    """b fails after a was replaced: the old a stays, marked, and goes when b could be changed."""
    engine.up(thing("a", key=1), thing("b", of=Out("a")))
    engine.cloud.faults["update b"] = "fail"
    report = engine.up(thing("a", key=2), thing("b", of=Out("a")), expect=Result.RESOURCE_FAILED)
    assert report.names == ["a", "a!", "b"]
    assert engine.cloud.names() == ["a", "a", "b"]
    engine.cloud.faults.clear()
    report = engine.up(thing("a", key=2), thing("b", of=Out("a")))
    assert report.operations == ["~ b", "-- a"]
    assert engine.cloud.names() == ["a", "b"]


def test_a_replacement_that_cannot_be_created_leaves_the_old_one(engine: Engine) -> None:
    engine.up(thing("a", key=1))
    engine.cloud.faults["create a"] = "fail"
    report = engine.up(thing("a", key=2), expect=Result.RESOURCE_FAILED)
    assert report.names == ["a"]
    engine.cloud.faults.clear()
    assert engine.up(thing("a", key=2)).operations == ["++ a", "± a", "-- a"]


def test_a_replacement_that_fails_after_the_deletion_is_taken_up_again(engine: Engine) -> None:
    engine.up(thing("a", type="Named", key=1), thing("b", key=Out("a")))
    engine.cloud.faults["create a"] = "fail"
    program = [thing("a", type="Named", key=2), thing("b", key=Out("a"))]
    report = engine.up(*program, expect=Result.RESOURCE_FAILED)
    assert report.names == ["a?", "b?"]
    assert engine.cloud.live == {}
    engine.cloud.faults.clear()
    report = engine.up(*program)
    assert report.operations == ["± a", "++ a", "± b", "++ b"]
    assert report.names == ["a", "b"]
    assert engine.up(*program).operations == []


def test_an_interrupted_replacement_that_is_not_declared_any_more_is_forgotten(engine: Engine) -> None:
    engine.up(thing("a", type="Named", key=1))
    engine.cloud.faults["create a"] = "fail"
    engine.up(thing("a", type="Named", key=2), expect=Result.RESOURCE_FAILED)
    report = engine.up()
    assert report.operations == ["-± a"]
    assert report.names == []
    assert [str(call) for call in engine.cloud.calls] == ["create a", "delete a", "create a"]


def test_a_replaced_one_whose_deletion_failed_is_deleted_by_the_next_run(engine: Engine) -> None:
    engine.up(thing("a", key=1))
    engine.cloud.faults["delete a"] = "fail"
    report = engine.up(thing("a", key=2), expect=Result.RESOURCE_FAILED)
    assert report.names == ["a", "a!"]
    engine.cloud.faults.clear()
    report = engine.up(thing("a", key=2))
    assert report.operations == ["-- a"]
    assert report.names == ["a"]


def test_replaced_twice_while_the_first_waits_for_its_deletion(engine: Engine) -> None:
    engine.up(thing("a", key=1))
    engine.cloud.faults["delete a"] = "fail"
    engine.up(thing("a", key=2), expect=Result.RESOURCE_FAILED)
    report = engine.up(thing("a", key=3), expect=Result.RESOURCE_FAILED)
    assert report.names == ["a", "a!", "a!"]
    engine.cloud.faults.clear()
    report = engine.up(thing("a", key=3))
    assert report.operations == ["-- a", "-- a"]
    assert engine.cloud.names() == ["a"]


def test_a_dependent_created_in_the_same_run_does_not_hold_up_the_replacement(engine: Engine) -> None:
    engine.up(thing("a", type="Named", key=1))
    report = engine.up(thing("a", type="Named", key=2), thing("b", key=Out("a")))
    assert report.operations == ["-- a", "± a", "++ a", "+ b"]


def test_concurrent_registrations_of_a_cascade(engine: Engine) -> None:
    program = [thing("b", key=Out("a")), thing("c", key=Out("b")), thing("d", key=Out("a"), other=Out("c"))]
    engine.up(thing("a", type="Named", key=1), *program, concurrent=True, parallel=8)
    report = engine.up(thing("a", type="Named", key=2), *program, concurrent=True, parallel=8)
    assert sequences(report.operations, "-- d", "-- c", "-- b", "-- a", "++ a", "++ b", "++ c", "++ d")
    assert engine.cloud.names() == ["a", "b", "c", "d"]
    assert engine.up(thing("a", type="Named", key=2), *program).operations == []


@pytest.mark.parametrize("fault", ["fail", "lost"])
def test_what_cannot_be_deleted_early_is_left_alone_for_the_rest_of_the_run(engine: Engine, fault: str) -> None:
    engine.up(thing("a", type="Named", key=1), thing("b", replace_with=["a"]))
    engine.cloud.faults["delete b"] = fault
    program = [thing("a", type="Named", key=2), thing("b", key=2, delete_before_replace=True)]
    report = engine.up(*program, thing("c", of=Out("b")), expect=Result.RESOURCE_FAILED)
    assert report.operations == ["-- b"]
    assert report.skipped == ["c"]
    engine.cloud.faults.clear()
    engine.up(*program)
    assert engine.cloud.names() == ["a", "b"]


def test_what_cannot_be_deleted_early_keeps_all_that_it_needs(engine: Engine) -> None:
    dependent = thing("c", of=Out("b"), replace_with=["a", "b"])
    engine.up(thing("a", type="Named", key=1), thing("b", type="Named", key=1), dependent)
    engine.cloud.faults["delete c"] = "fail"
    program = [thing("a", type="Named", key=2), thing("b", type="Named", key=2), dependent]
    assert engine.up(*program, expect=Result.RESOURCE_FAILED).operations == ["-- c"]
    assert engine.cloud.names() == ["a", "b", "c"]


def test_what_was_replaced_goes_along_as_planned_though_its_replacement_is_not_declared(engine: Engine) -> None:
    engine.up(thing("a", type="Named", key=1), thing("b", key=Out("a")))
    engine.cloud.faults["delete b"] = "fail"
    engine.up(thing("b", key=1), expect=Result.RESOURCE_FAILED)
    engine.cloud.faults.clear()
    engine.up(thing("a", type="Named", key=2))
    assert engine.cloud.names() == ["a"]
