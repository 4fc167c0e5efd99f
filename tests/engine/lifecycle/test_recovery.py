"""Looking for what an interrupted run had begun: a provider that is told of resources hears of this one, too."""

from __future__ import annotations

import asyncio
from pathlib import Path

from engine.provider_registry import ProviderRegistry
from engine.providers.base import Provider, ResourceOptions, TakesMarks
from engine.recovery import recover
from engine.state.model import Snapshot
from engine.state.recorder import Recorder
from tests.engine.lifecycle.cloud import Cloud, CloudProvider
from tests.engine.lifecycle.harness import Engine, thing


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
