"""What runs at the same time, what waits, and how a run that is cancelled ends. Events, not clocks, hold operations."""

from __future__ import annotations

import asyncio

import pytest

from engine.run import Result
from engine.urn import STACK_TYPE
from tests.engine.lifecycle.harness import (
    ROOT_NAME,
    Engine,
    Out,
    Registrar,
    Resource,
    component,
    declaring,
    options_of,
    thing,
    urn,
)


def _begun(engine: Engine, *operations: str) -> None:
    for operation in operations:
        assert engine.cloud.begun[operation].wait(30), f"{operation} does not begin"


def test_independent_operations_run_at_the_same_time(engine: Engine) -> None:
    async def scenario() -> None:
        gates = [engine.cloud.hold("create a"), engine.cloud.hold("create b"), engine.cloud.hold("create c")]
        body = declaring([thing("a"), thing("b"), thing("c")], {}, concurrent=True)
        run = asyncio.create_task(engine.apply(body, options_of(parallel=16), planned=False))
        await asyncio.to_thread(_begun, engine, "create a", "create b", "create c")
        for gate in gates:
            gate.set()
        assert (await run).result is Result.SUCCEEDED

    asyncio.run(scenario())
    assert engine.cloud.most_running == 3


@pytest.mark.parametrize("parallel", [1, 2])
def test_no_more_operations_at_a_time_than_parallel_allows(engine: Engine, parallel: int) -> None:
    names = [f"r{number}" for number in range(8)]

    async def scenario() -> None:
        gates = [engine.cloud.hold(f"create {name}") for name in names]
        body = declaring([*map(thing, names)], {}, concurrent=True)
        run = asyncio.create_task(engine.apply(body, options_of(parallel=parallel), planned=False))
        await asyncio.to_thread(_begun, engine, *[f"create {name}" for name in names[:parallel]])
        for _ in range(500):  # everything that could go on has gone on
            await asyncio.sleep(0)
        assert engine.running is not None
        begun = [step for step in engine.running.deployment.executor.steps if step.type.startswith("test:")]
        assert len(begun) == parallel
        for gate in gates:
            gate.set()
        assert (await run).result is Result.SUCCEEDED

    asyncio.run(scenario())
    assert engine.cloud.most_running <= parallel
    assert len(engine.cloud.names()) == 8


def test_a_dependent_waits_for_what_it_needs(engine: Engine) -> None:
    async def scenario() -> None:
        gate = engine.cloud.hold("create a")
        other = engine.cloud.hold("create c")
        body = declaring([thing("a"), thing("b", depends_on=["a"]), thing("c")], {}, concurrent=True)
        run = asyncio.create_task(engine.apply(body, options_of(parallel=16), planned=False))
        await asyncio.to_thread(_begun, engine, "create a", "create c")
        assert [str(call) for call in engine.cloud.calls if call.name == "b"] == []
        gate.set()
        other.set()
        await run

    asyncio.run(scenario())
    calls = [str(call) for call in engine.cloud.calls]
    assert calls.index("create b") > calls.index("create a")


def test_independent_deletions_run_at_the_same_time_and_dependents_first(engine: Engine) -> None:
    engine.up(component("part"), thing("a"), thing("b", of=Out("a")), thing("c", of=Out("a")))

    async def scenario() -> None:
        gates = [engine.cloud.hold("delete b"), engine.cloud.hold("delete c")]
        run = asyncio.create_task(engine.apply(declaring([], {}, concurrent=True), options_of(parallel=16)))
        await asyncio.to_thread(_begun, engine, "delete b", "delete c")
        assert "delete a" not in [str(call) for call in engine.cloud.calls]
        for gate in gates:
            gate.set()
        await run

    asyncio.run(scenario())
    assert engine.cloud.live == {}


def test_what_the_preview_left_where_it_is_stays_though_the_program_comes_to_it_later(engine: Engine) -> None:
    engine.cloud.lenient = True
    engine.up(thing("a", key=1), thing("b", replace_with=["a"]), thing("c", key=Out("a")))
    a, b, c = thing("a", key=2, delete_before_replace=True), thing("b", size=2), thing("c", key=Out("a"))

    async def body(registrar: Registrar) -> None:
        await registrar.start(Resource(ROOT_NAME, type=STACK_TYPE))
        for each in [b, a, c] if registrar.deployment.preview else [a, b, c]:
            await registrar.start(each)

    report = engine.run(body)
    assert report.operations == ["-- c", "-- a", "± a", "++ a", "~ b", "± c", "++ c"]
    assert engine.cloud.names() == ["a", "b", "c"]


@pytest.mark.parametrize("fault", ["", "fail"])
def test_what_is_just_being_deleted_to_make_way_for_another_is_waited_for(engine: Engine, fault: str) -> None:
    """The program comes to ``b``, which needs ``a`` no more, while ``b`` is deleted before ``a`` is replaced."""
    engine.cloud.lenient = True  # b refers to a for a while
    engine.up(thing("a", key=1), thing("c"), thing("b", key=Out("a")))
    engine.cloud.faults["delete b"] = fault
    program = [thing("a", key=2, delete_before_replace=True), thing("d"), thing("b", key="arn:a-1", of=Out("d"))]

    async def scenario() -> None:
        deleting, creating = engine.cloud.hold("delete b"), engine.cloud.hold("create d")
        body = declaring([*program, thing("c")], {}, concurrent=True)
        run = asyncio.create_task(engine.apply(body, options_of(parallel=16), planned=False))
        await asyncio.to_thread(_begun, engine, "delete b", "create d")
        creating.set()
        assert engine.running is not None
        while not engine.running.deployment.declares(urn("b")):
            await asyncio.sleep(0.001)
        for _ in range(100):  # whatever it does without waiting, it does now
            await asyncio.sleep(0.001)
        assert "update b" not in [str(call) for call in engine.cloud.calls]
        deleting.set()
        await run

    asyncio.run(scenario())
    engine.cloud.gates.clear()
    engine.cloud.faults.clear()
    engine.up(*program, thing("c"))
    assert engine.cloud.names() == ["a", "b", "c", "d"]
    assert engine.up(*program, thing("c")).operations == []


def test_a_cancelled_run_finishes_what_is_in_flight_and_starts_nothing(engine: Engine) -> None:
    program = [thing("a"), thing("b", of=Out("a")), thing("c")]

    async def scenario() -> None:
        gates = [engine.cloud.hold("create a"), engine.cloud.hold("create c")]
        body = declaring(program, {}, concurrent=True)
        run = asyncio.create_task(engine.apply(body, options_of(parallel=16), planned=False))
        await asyncio.to_thread(_begun, engine, "create a", "create c")
        assert engine.running is not None
        engine.running.cancel()
        for gate in gates:
            gate.set()
        report = await run
        assert report.result is Result.CANCELLED
        assert sorted(report.names) == ["a", "c"]
        assert report.snapshot.pending_operations == ()

    asyncio.run(scenario())
    engine.cloud.gates.clear()
    assert engine.cloud.names() == ["a", "c"]
    assert engine.up(*program).operations == ["+ b"]


def test_a_run_that_is_cancelled_while_it_deletes(engine: Engine) -> None:
    engine.up(thing("a"), thing("b", of=Out("a")))

    async def scenario() -> None:
        gate = engine.cloud.hold("delete b")
        run = asyncio.create_task(engine.apply(declaring([], {}, concurrent=True), options_of()))
        await asyncio.to_thread(_begun, engine, "delete b")
        assert engine.running is not None
        engine.running.cancel()
        gate.set()
        report = await run
        assert report.result is Result.CANCELLED
        assert report.names == ["a"]

    asyncio.run(scenario())
    engine.cloud.gates.clear()
    assert engine.up().operations == ["- a"]
