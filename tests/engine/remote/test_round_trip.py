"""A provider that is attached to is as good as one of ours: the same steps, the same state, the same words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from engine import urn as urns
from engine.run import Result
from engine.state.model import ResourceState
from engine.values import Secret
from tests.engine.lifecycle.cloud import Cloud
from tests.engine.lifecycle.harness import (
    Engine,
    Out,
    Report,
    Resource,
    component,
    get,
    old_names,
    provider,
    thing,
)
from tests.engine.remote.serving import attached, of_cloud

Story = Callable[[Engine], Iterator[Report]]


def everyday(engine: Engine) -> Iterator[Report]:
    first = [thing("a", size=1, tags={"x": "1"}), thing("b", of=Out("a"), autoname=True), component("c")]
    yield engine.preview(*first)
    yield engine.up(*first)
    yield engine.up(*first)
    yield engine.up(thing("a", size=2, tags={"x": "1", "y": "2"}), thing("b", of=Out("a"), autoname=True))
    yield engine.refresh()
    yield engine.destroy()


def replacements(engine: Engine) -> Iterator[Report]:
    first = [thing("a", key=1), thing("b", type="Named", key=1, of=Out("a")), thing("c", key=Out("b"))]
    yield engine.up(*first)
    changed = [thing("a", key=2), thing("b", type="Named", key=2, of=Out("a")), thing("c", key=Out("b"))]
    yield engine.preview(*changed)
    yield engine.up(*changed)
    yield engine.up(replace(changed[0], name="z"), options_of(thing("z2"), old_names("c")))


def options_of(resource: Resource, aliases: Sequence[Any]) -> Resource:
    return replace(resource, options={"aliases": tuple(aliases)})


def secrets(engine: Engine) -> Iterator[Report]:
    hidden = Secret("hunter2")
    first = [
        thing("a", password=hidden, nested={"deep": hidden, "open": 1}, listed=[1, hidden]),
        thing("b", makesPassword="x", additional_secret_outputs=("size",), size=3),
    ]
    yield engine.preview(*first)
    yield engine.up(*first)
    yield engine.up(thing("a", password=Secret("other"), nested={"deep": hidden, "open": 1}, listed=[1]))


def options(engine: Engine) -> Iterator[Report]:
    yield engine.up(thing("a", size=1, key="k"), thing("b", size=1))
    yield engine.up(
        thing("a", size=2, key="l", ignore_changes=("key",)), thing("b", size=2, replace_on_changes=("size",))
    )
    yield engine.up(thing("a", size=2, key="l", ignore_changes=("*",), protect=True), thing("b", size=2))
    yield engine.up(expect=None)


def own_providers(engine: Engine) -> Iterator[Report]:
    yield engine.up(provider("east", region="east", token=Secret("t")), thing("a", provider="east", size=1))
    yield engine.up(provider("east", region="east", token=Secret("u")), thing("a", provider="east", size=1))
    yield engine.preview(provider("east", region="west"), thing("a", provider="east", size=1))
    yield engine.up(provider("east", region="west"), thing("a", provider="east", size=1))
    yield engine.preview(provider("east", region="nowhere"), thing("a", provider="east", size=1))


def failures(engine: Engine) -> Iterator[Report]:
    engine.cloud.faults["create a"] = "partial"
    engine.cloud.faults["create b"] = "fail"
    declared = [thing("a", size=1), thing("b"), thing("c", of=Out("b")), thing("d")]
    yield engine.up(*declared, expect=Result.RESOURCE_FAILED)
    engine.cloud.faults.clear()
    yield engine.up(*declared)
    engine.cloud.faults["update a"] = "partial"
    yield engine.up(thing("a", size=2), *declared[1:], expect=Result.RESOURCE_FAILED)
    yield engine.preview(thing("e", bad="value"))


def reading(engine: Engine) -> Iterator[Report]:
    yield engine.up(thing("a", size=1))
    (id_,) = engine.cloud.live
    yield engine.up(thing("a", size=1), get("again", id_))
    yield engine.up(thing("a", size=1), thing("b", size=1, import_id=id_, retain_on_delete=True))
    yield engine.up(thing("a", size=1), get("none", "nobody"), expect=Result.RESOURCE_FAILED)


STORIES: Sequence[Story] = (everyday, replacements, secrets, options, own_providers, failures, reading)


@dataclass
class Seen:
    """What a story looked like: of each run its result, steps, words and resources; then what the cloud was asked."""

    runs: list[Any] = field(default_factory=list[Any])
    calls: list[str] = field(default_factory=list[str])


def seen(story: Story, engine: Engine) -> Seen:
    found = Seen()
    for report in story(engine):
        steps = [(str(step.op), step.urn, dict(step.detailed), sorted(step.replace_keys)) for step in report.steps]
        states = [_lasting(state) for state in report.snapshot.resources]
        found.runs.append((report.result, steps, report.errors, report.warnings, states))
    found.calls = [f"{call} {call.region}" for call in engine.cloud.calls]
    return found


def _lasting(state: ResourceState) -> ResourceState:
    """``state`` without what each run draws anew."""
    anew = {"id": "", "provider": ""} if urns.is_provider_type(state.type) else {"provider": ""}
    inputs, outputs = ({k: v for k, v in each.items() if k != "name"} for each in (state.inputs, state.outputs))
    return replace(state, **anew, created=None, modified=None, inputs=inputs, outputs=outputs)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_an_attached_provider_is_as_good_as_our_own(story: Story, tmp_path: Path) -> None:
    cloud = Cloud()
    own = seen(story, Engine(tmp_path / "own", in_process=False))
    with attached(tmp_path, of_cloud(cloud)) as there:
        remote = seen(story, Engine(tmp_path / "remote", cloud, elsewhere=there))
    assert len(remote.runs) == len(own.runs)
    for mine, other in zip(own.runs, remote.runs, strict=True):
        assert other == mine
    assert remote.calls == own.calls
