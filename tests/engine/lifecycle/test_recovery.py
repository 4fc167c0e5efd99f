"""Looking for what an interrupted run had begun, and what the state says of it then."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from engine.provider_registry import ProviderRegistry
from engine.providers.base import Provider, ResourceOptions, TakesMarks
from engine.recovery import recover
from engine.run import Result
from engine.running import operation_token
from engine.state.model import Snapshot
from engine.state.recorder import Recorder
from tests.engine.lifecycle.cloud import Cloud, CloudProvider
from tests.engine.lifecycle.harness import Engine, Out, thing, urn


class Told(CloudProvider, TakesMarks):
    """Notes what it is told of each resource."""

    def __init__(self, cloud: Cloud, told: list[tuple[str, ...]]) -> None:
        super().__init__(cloud)
        self._told = told

    def about(self, options: ResourceOptions) -> Provider:
        self._told.append(tuple(options.ignore_changes))
        return self


def test_a_provider_that_has_to_know_a_resources_options_is_told_them(tmp_path: Path) -> None:
    engine = Engine(tmp_path)
    engine.up(thing("a", size=1, colour="red", ignore_changes=("colour",)))
    engine.cloud.faults["update a"] = "lost"
    engine.up(thing("a", size=2, colour="red", ignore_changes=("colour",)), expect=None)
    base = engine.store().load() or Snapshot()
    assert [operation.kind for operation in base.pending_operations] == ["updating"]
    told: list[tuple[str, ...]] = []
    recorder = Recorder(engine.store(), base)
    registry = ProviderRegistry({"test": lambda: Told(engine.cloud, told)})
    asyncio.run(recover(recorder, base, registry, lambda _event: None))
    assert recorder.close().pending_operations == ()
    assert told == [("colour",)]


def test_two_operations_that_were_begun_on_one_resource_are_both_ended(engine: Engine) -> None:
    known = engine.up(thing("a"))
    recorder = Recorder(engine.store(), known.snapshot)
    for _ in range(2):
        recorder.begin("deleting", known.state("a"))
    recorder.close()
    engine.cloud.remove("a-1")
    assert engine.up(thing("a")).operations == ["+ a"]
    assert engine.cloud.names() == ["a"]


def test_two_that_were_created_for_one_resource_are_both_found_and_one_stays(engine: Engine) -> None:
    known = engine.up(thing("b"))
    recorder = Recorder(engine.store(), known.snapshot)
    for attempt in ("2026-01-01T00:00:00.000000Z", "2026-01-02T00:00:00.000000Z"):
        begun = replace(known.state("b"), urn=urn("a"), id="", created=attempt)
        recorder.begin("creating", begun)
        engine.cloud.make(begun.urn, begun.type, {}, operation_token(begun))
    recorder.close()
    assert engine.up(thing("b"), thing("a")).operations == ["-- a"]
    assert engine.cloud.names() == ["a", "b"]


def test_what_may_have_left_what_it_is_deleted_with_is_deleted_itself(engine: Engine) -> None:
    engine.up(thing("a"), thing("b", lives_in=Out("a"), deleted_with="a"))
    engine.cloud.faults["update b"] = "lost"
    engine.up(thing("a"), thing("b"), expect=Result.RESOURCE_FAILED)
    engine.cloud.faults.clear()
    engine.up()
    assert engine.cloud.names() == []
