"""``--target`` and ``--exclude``: what is not meant stays as it is, and what cannot be done without it is refused."""

from __future__ import annotations

import pytest

from engine.plan import Op, Reason
from engine.run import Result
from tests.engine.lifecycle.harness import Engine, Out, component, provider, thing


def test_only_what_is_targeted_changes(engine: Engine) -> None:
    engine.up(thing("a", size=1), thing("b", size=1))
    report = engine.up(thing("a", size=2), thing("b", size=2), thing("c"), targets=["a"])
    assert report.operations == ["~ a"]
    assert report.state("b").inputs == {"size": 1}
    assert report.names == ["a", "b"]


def test_what_is_excluded_stays(engine: Engine) -> None:
    engine.up(thing("a", size=1), thing("b", size=1))
    report = engine.up(thing("a", size=2), thing("b", size=2), thing("c"), exclude=["a", "c"])
    assert report.operations == ["~ b"]


def test_deletions_of_what_is_not_targeted_wait(engine: Engine) -> None:
    engine.up(thing("a"), thing("b"))
    report = engine.up(targets=["a"])
    assert report.operations == ["- a"]
    assert report.names == ["b"]


def test_the_components_and_providers_of_what_is_targeted(engine: Engine) -> None:
    program = [provider("p", region="here"), component("part"), thing("a", parent="part", provider="p")]
    engine.up(*program)
    changed = [provider("p", region="here", more=1), component("part"), thing("a", size=2, parent="part", provider="p")]
    assert engine.up(*changed, targets=["a"]).operations == ["~ p", "~ a"]


def test_a_target_that_needs_what_is_not_created_is_refused(engine: Engine) -> None:
    """As Pulumi 3.260 does: "will be created but was not specified in --target list" fails the run."""
    report = engine.up(thing("a"), thing("b", of=Out("a")), targets=["b"], expect=Result.RESOURCE_FAILED)
    assert "a" in report.errors[0]
    assert "target" in report.errors[0]
    assert engine.cloud.calls == []


def test_what_needs_something_new_that_is_excluded_is_refused(engine: Engine) -> None:
    """Pulumi 3.260 makes it, and leaves a state that it refuses to use: with a dependency that is not there."""
    program = [thing("z"), thing("a"), thing("b", depends_on=["a"])]
    report = engine.up(*program, exclude=["a"], expect=Result.RESOURCE_FAILED)
    assert "exclude this one, too" in report.errors[0]
    assert engine.cloud.calls == []
    assert engine.up(*program, exclude=["a", "b"]).names == ["z"]


def test_every_new_resource_that_is_missing_is_named_once(engine: Engine) -> None:
    program = [thing("a"), thing("b"), thing("c", depends_on=["a", "b"]), thing("d", depends_on=["a"])]
    report = engine.up(*program, targets=["c", "d"], expect=Result.RESOURCE_FAILED)
    assert [error.split(",")[0].split("::")[-1] for error in report.errors] == ["a", "b"]
    assert sorted(report.operations) == ["+ c", "+ d"]


def test_what_is_needed_and_not_created_fails_an_apply_without_a_plan(engine: Engine) -> None:
    report = engine.up(
        thing("a"), thing("b", of=Out("a")), targets=["b"], planned=False, expect=Result.RESOURCE_FAILED
    )  # fmt: skip
    assert report.skipped == ["b"]
    assert engine.cloud.calls == []


def test_what_is_left_out_is_told_and_counted_and_costs_nothing(engine: Engine) -> None:
    report = engine.preview(thing("a"), thing("b"), targets=["a"])
    (left_out,) = [step for step in report.steps if step.left_out]
    assert (left_out.reason, left_out.op) == (Reason.NOT_TARGETED, Op.SAME)


def test_what_needs_what_is_not_created_and_is_not_targeted_either_waits(engine: Engine) -> None:
    report = engine.up(thing("a"), thing("b", of=Out("a")), thing("c"), targets=["c"])
    assert report.operations == ["+ c"]
    assert report.names == ["c"]


def test_a_target_whose_dependent_would_dangle_is_not_deleted(engine: Engine) -> None:
    """As Pulumi 3.260 does without --target-dependents."""
    engine.up(thing("a"), thing("b", of=Out("a")))
    report = engine.destroy(targets=["a"], expect=Result.RESOURCE_FAILED)
    assert "b" in report.errors[0]
    assert engine.cloud.names() == ["a", "b"]
    assert engine.destroy(targets=["a", "b"]).operations == ["- b", "- a"]


def test_a_target_whose_child_would_dangle_is_not_deleted(engine: Engine) -> None:
    engine.up(component("part"), thing("a", parent="part"))
    report = engine.destroy(targets=["part"], expect=Result.RESOURCE_FAILED)
    assert report.names == ["part", "a"]


def test_excluding_keeps_what_the_excluded_one_needs(engine: Engine) -> None:
    engine.up(
        component("part"), provider("p"), thing("a", parent="part", provider="p"), thing("b", of=Out("a")), thing("c")
    )
    report = engine.destroy(exclude=["b"])
    assert report.operations == ["- c"]
    assert report.names == ["part", "p", "a", "b"]


def test_what_is_not_targeted_keeps_what_it_needed_although_nobody_declares_that(engine: Engine) -> None:
    """The state stays in order: b's old dependency a is not registered any more, and stands before b all the same."""
    engine.up(thing("a"), thing("b", of=Out("a")), thing("c", size=1))
    report = engine.up(thing("b"), thing("c", size=2), targets=["c"])
    assert report.operations == ["~ c"]
    assert report.names == ["a", "b", "c"]


def test_what_is_not_targeted_keeps_its_old_provider(engine: Engine) -> None:
    engine.up(provider("p", region="here"), thing("b", provider="p"), thing("c", size=1))
    report = engine.up(provider("q", region="here"), thing("b", provider="q"), thing("c", size=2), targets=["c"])
    assert "::p::" in report.state("b").provider


@pytest.mark.parametrize("pattern", ["**::a", "urn:pulumi:dev::shop::test:index:Thing::a", "a"])
def test_ways_to_name_a_target(engine: Engine, pattern: str) -> None:
    assert engine.up(thing("a"), thing("b"), targets=[pattern]).operations == ["+ a"]


def test_a_replacement_among_targets(engine: Engine) -> None:
    engine.up(thing("a", key=1), thing("b", of=Out("a")))
    report = engine.up(thing("a", key=2), thing("b", of=Out("a")), targets=["a", "b"])
    assert report.operations == ["++ a", "± a", "~ b", "-- a"]


def test_what_is_excluded_is_not_deleted_along_with_what_must_go_first(engine: Engine) -> None:
    engine.up(thing("a", type="Named", key=1), thing("b", key=Out("a")))
    program = thing("a", type="Named", key=2), thing("b", key=Out("a"))
    report = engine.up(*program, exclude=["b"], expect=Result.RESOURCE_FAILED)
    assert "would go along and is excluded" in report.errors[0]
    assert engine.cloud.names() == ["a", "b"]
    assert engine.up(*program, exclude=["a", "b"]).operations == []
