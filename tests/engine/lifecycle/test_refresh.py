"""What a refresh takes for drift, what it writes down and what it reads, as Pulumi 3.260 does.

Its ``RefreshStep`` has the provider compare what exists with the state's inputs, so that drift is what the next ``up``
would change back; outputs that moved by themselves are written down and counted as unchanged.
"""

from __future__ import annotations

from typing import Any

import pytest

from engine.plan import Op
from engine.providers.base import DiffKind, PartialFailure
from engine.run import Result
from engine.values import Properties
from tests.engine.lifecycle.cloud import CloudProvider, Live
from tests.engine.lifecycle.harness import Engine, Out, Report, component, get, provider, thing


def live(engine: Engine, name: str) -> Live:
    return next(one for one in engine.cloud.live.values() if one.name == name)


def remove(engine: Engine, name: str) -> None:
    engine.cloud.live = {id_: one for id_, one in engine.cloud.live.items() if one.name != name}


def read(report: Report) -> list[str]:
    return [operation.split()[1] for operation in report.all_operations]


def test_drift_is_what_an_up_would_change_back(engine: Engine) -> None:
    engine.up(thing("a", size=1), thing("b", size=1))
    live(engine, "a").inputs = {"size": 5, "more": True}
    report = engine.refresh()
    assert report.operations == ["~ a"]
    (step,) = [step for step in report.plan.steps if step.op is Op.UPDATE]
    assert step.detailed == {"more": DiffKind.ADD, "size": DiffKind.UPDATE}
    assert report.state("a").inputs == {"size": 5, "more": True}


def test_outputs_that_move_by_themselves_are_written_down_and_no_drift(engine: Engine) -> None:
    engine.up(thing("a", size=1))
    before = engine.store().load()
    assert before is not None
    live(engine, "a").version = 7
    report = engine.refresh()
    assert report.operations == []
    assert report.plan.state_only_changes
    assert report.state("a").outputs["version"] == 7
    assert report.state("a").modified != next(one for one in before.resources if one.urn.endswith("::a")).modified


def test_what_is_ignored_is_no_drift(engine: Engine) -> None:
    """A provider of Pulumi's is told what is ignored when it compares; ours is not, so the engine leaves it out."""
    engine.up(thing("a", size=1, ignore_changes=("size",)))
    live(engine, "a").inputs = {"size": 5}
    report = engine.refresh()
    assert report.operations == []
    assert report.state("a").inputs == {"size": 5}


def test_a_path_that_is_none_keeps_no_other_from_being_ignored(engine: Engine) -> None:
    engine.up(thing("a", size=1, ignore_changes=("tags[", "size")))
    live(engine, "a").inputs = {"size": 5}
    assert engine.refresh().operations == []


def test_what_is_gone_leaves_the_state_and_the_references_to_it_too(engine: Engine) -> None:
    engine.up(thing("a"), thing("b", of=Out("a")))
    remove(engine, "a")
    report = engine.refresh()
    assert report.operations == ["- a"]
    assert report.names == ["b"]
    assert report.state("b").dependencies == ()


def test_of_what_is_only_read_the_outputs_count(engine: Engine) -> None:
    engine.up(thing("a", size=1))
    (id_,) = engine.cloud.live
    engine.up(thing("a", size=1), get("mine", id_))
    live(engine, "a").version = 7
    assert engine.refresh().operations == ["~ mine"]


def test_everything_is_counted_and_only_what_exists_is_read(engine: Engine) -> None:
    engine.up(component("part"), provider("p"), thing("a", parent="part", provider="p"))
    engine.cloud.calls.clear()
    report = engine.refresh()
    assert sorted(read(report)) == ["a", "p", "part"]
    assert report.outcome.counts == {Op.SAME: 4}
    assert [str(call) for call in engine.cloud.calls] == ["read a"]


def test_what_was_not_ready_is_so_until_its_provider_reads_it_well(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.cloud.faults["create a"] = "partial"
    assert engine.up(thing("a"), expect=None).result is Result.RESOURCE_FAILED
    engine.cloud.faults.clear()

    def unready(*arguments: Any) -> None:
        outputs: Properties = {"arn": "arn:a-1", "version": 1}
        raise PartialFailure("a-1", outputs, ["still booting"], {})

    with monkeypatch.context() as patched:
        patched.setattr(CloudProvider, "read", unready)
        report = engine.refresh()
    assert report.state("a").init_errors == ("still booting",)
    assert report.warnings == ["it exists and is not ready: still booting"]
    assert engine.refresh().state("a").init_errors == ()


def test_what_was_not_ready_stays_so_where_its_provider_does_not_look(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Our Kubernetes provider: an `up` after the refresh goes on waiting."""
    engine.cloud.faults["create a"] = "partial"
    engine.up(thing("a"), expect=None)
    engine.cloud.faults.clear()
    monkeypatch.setattr("engine.refresh.BlindToReadiness", CloudProvider)
    assert engine.refresh().state("a").init_errors == ("create a: not ready", "still booting")
    assert engine.up(thing("a")).operations == ["~ a"]


@pytest.mark.parametrize("blind", [False, True])
def test_what_is_found_ready_is_recovered_as_ready_unless_its_provider_does_not_look(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, *, blind: bool
) -> None:
    engine.cloud.faults["create a"] = "partial"
    engine.up(thing("a", size=1), expect=None)
    engine.cloud.faults = {"update a": "lost"}
    engine.up(thing("a", size=1), expect=None)
    engine.cloud.faults.clear()
    if blind:
        monkeypatch.setattr("engine.recovery.BlindToReadiness", CloudProvider)
    assert engine.up(thing("a", size=1)).operations == (["~ a"] if blind else [])
    assert engine.store().load() is not None


def test_what_is_not_ready_is_recovered_as_such(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    engine.up(thing("a", size=1))
    engine.cloud.faults["update a"] = "lost"
    engine.up(thing("a", size=2), expect=None)
    engine.cloud.faults.clear()

    def unready(*arguments: Any) -> None:
        outputs: Properties = {"arn": "arn:a-1", "size": 2, "version": 2}
        raise PartialFailure("a-1", outputs, ["still booting"], {"size": 2})

    with monkeypatch.context() as patched:
        patched.setattr(CloudProvider, "read", unready)
        report = engine.up(thing("a", size=2))
    assert report.operations == ["~ a"]
    assert report.state("a").init_errors == ()


CHAIN = (component("part"), thing("a", parent="part"), thing("b", of=Out("a")), thing("c", of=Out("b")), thing("d"))


@pytest.mark.parametrize(
    ("options", "meant"),
    [
        ({"targets": ["a"]}, ["a"]),
        ({"targets": ["a"], "target_dependents": True}, ["a", "b", "c"]),
        ({"targets": ["part"], "target_dependents": True}, ["a", "b", "c", "part"]),
        ({"exclude": ["b"]}, ["a", "c", "d", "part"]),
        ({"exclude": ["b"], "exclude_dependents": True}, ["a", "d", "part"]),
        ({"targets": ["nobody"]}, []),
    ],
)
def test_which_are_compared(engine: Engine, options: dict[str, Any], meant: list[str]) -> None:
    engine.up(*CHAIN)
    assert sorted(read(engine.refresh(**options))) == meant
