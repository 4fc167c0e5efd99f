"""Any small program, edited and failing at random: nothing is forgotten, nothing leaks, all ends as declared."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.run import Result
from tests.engine.lifecycle.harness import Engine, Out, Report, Resource, component, provider, thing

NAMES = [f"r{number}" for number in range(6)]
FAULTS = st.tuples(
    st.sampled_from(["create", "update"]), st.sampled_from(["fail", "partial", "lost", "unsent", "break"])
)
DELETION_FAULTS = st.tuples(st.just("delete"), st.sampled_from(["fail", "lost", "unsent", "break"]))


@st.composite
def programs(draw: st.DrawFn) -> list[Resource]:
    """Some of ``NAMES`` in their order, each taking from those before it."""
    declared: list[Resource] = [provider("p", region=draw(st.sampled_from(["here", "there"])))]
    for name in NAMES:
        kind = draw(st.sampled_from(["absent", "Thing", "Thing", "Thing", "Named", "component"]))
        if kind != "absent":
            declared.append(_declared(draw, name, kind, [each for each in declared if each.name != "p"]))
    return declared


def _declared(draw: st.DrawFn, name: str, kind: str, before: Sequence[Resource]) -> Resource:
    custom = [each.name for each in before if each.custom]
    components = [each.name for each in before if not each.custom]
    options: dict[str, Any] = (
        {"parent": draw(st.sampled_from(components))} if components and draw(st.booleans()) else {}
    )
    if before:
        options["depends_on"] = draw(st.lists(st.sampled_from([each.name for each in before]), max_size=1))
    if kind == "component":
        return component(name, **options)
    inputs: dict[str, Any] = {"size": draw(st.integers(0, 1)), "key": draw(st.integers(0, 1))}
    if custom:
        inputs |= draw(st.sampled_from([{}, {"of": Out(draw(st.sampled_from(custom)))}]))
        inputs |= draw(st.sampled_from([{}, {"key": Out(draw(st.sampled_from(custom)))}]))
        home = draw(st.sampled_from(custom))
        if draw(st.booleans()):
            options["deleted_with"] = home
            inputs["lives_in"] = Out(home)
        options |= draw(st.sampled_from([{}, {"replace_with": [draw(st.sampled_from(custom))]}]))
    options["provider"] = draw(st.sampled_from(["", "p"]))
    options["delete_before_replace"] = draw(st.sampled_from([None, True, False]))
    return thing(name, type=kind, **inputs, **options)


def _holds(engine: Engine, report: Report) -> set[str]:
    """Everything that exists is in the state and the other way round, but for what waits to be looked for.

    As Pulumi has it, one is let pass. What goes with something is dropped before that is deleted, or marked as gone if
    it is to be made again: where the deletion fails it is forgotten, and returned here.
    """
    resources, live = report.snapshot.resources, engine.cloud.live
    uncertain = {operation.resource.urn for operation in report.snapshot.pending_operations}
    known = {each.id for each in resources if each.type.startswith("test:") and not each.pending_replacement}
    doubtful = set(uncertain)
    for each in resources:  # what goes with something stands after it
        if each.pending_replacement or each.deleted_with in doubtful:
            doubtful.add(each.urn)
    kept = [each for each in resources if not each.delete and each.urn not in doubtful]
    sure = {each.id for each in kept if each.type.startswith("test:")}
    forgotten = {id_ for id_, each in live.items() if id_ not in known and each.urn not in uncertain}
    dependent = {id_ for id_ in forgotten if str(live[id_].inputs.get("lives_in")).removeprefix("arn:") in live}
    assert forgotten - dependent == set(), "not in the state, but there"
    assert sure - set(live) == set(), "in the state, but not there"
    return dependent


def _matches(engine: Engine, program: Sequence[Resource], forgotten: set[str]) -> None:
    declared = {each.name: each for each in program if each.custom and each.type.startswith("test:")}
    live = [each for id_, each in engine.cloud.live.items() if id_ not in forgotten]
    assert sorted(each.name for each in live) == sorted(declared)
    for each in live:
        assert each.inputs["size"] == declared[each.name].inputs["size"]


@st.composite
def faults(draw: st.DrawFn) -> dict[str, str]:
    """How some operations go wrong, by their names."""
    drawn = draw(st.dictionaries(st.sampled_from(NAMES), st.one_of(FAULTS, DELETION_FAULTS), min_size=2, max_size=5))
    return {f"{verb} {name}": fault for name, (verb, fault) in drawn.items()}


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(st.tuples(programs(), faults()), min_size=1, max_size=3), faults())
def test_every_run_keeps_the_books_and_the_last_one_converges(
    runs: list[tuple[list[Resource], dict[str, str]]], on_the_way_down: dict[str, str]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(Path(folder))
        engine.cloud.lenient = True  # deleting before replacing leaves references dangling for a while
        forgotten: set[str] = set()
        for program, faults_ in runs:
            engine.cloud.faults = faults_
            report = engine.up(*program, expect=None, concurrent=True, parallel=4)
            assert report.result in (Result.SUCCEEDED, Result.RESOURCE_FAILED), report.errors
            forgotten |= _holds(engine, report)
        engine.cloud.faults = {}
        program = runs[-1][0]
        engine.up(*program, concurrent=True, parallel=4)
        _matches(engine, program, forgotten)
        assert engine.up(*program, concurrent=True, parallel=4).operations == []
        engine.cloud.faults = on_the_way_down
        forgotten |= _holds(engine, engine.destroy(expect=None))
        engine.cloud.faults = {}
        engine.destroy()
        assert set(engine.cloud.live) <= forgotten
