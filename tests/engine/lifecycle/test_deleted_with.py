"""What goes with something that is deleted to make way for another's replacement: it is gone, and made again."""

from __future__ import annotations

import pytest

from engine.plan import Reason
from engine.run import Result
from tests.engine.lifecycle.harness import Engine, Out, Resource, thing


@pytest.fixture
def engine(engine: Engine) -> Engine:
    """``b`` makes way for ``a``; ``c`` lives in ``b``, and ``d`` in ``c``."""
    engine.cloud.lenient = True  # what goes before its replacement leaves references dangling for a while
    engine.up(thing("a"), thing("b", replace_with=["a"]), *living_in_b())
    return engine


def living_in_b() -> list[Resource]:
    return [
        thing("c", lives_in=Out("b"), deleted_with="b"),
        thing("d", lives_in=Out("c"), deleted_with="c"),
    ]


REPLACED = thing("a", key=1, delete_before_replace=True)


def test_it_is_made_again_along_with_where_it_lived(engine: Engine) -> None:
    engine.up(REPLACED, thing("b", replace_with=["a"]), *living_in_b())
    assert engine.cloud.names() == ["a", "b", "c", "d"]
    assert engine.up(REPLACED, thing("b", replace_with=["a"]), *living_in_b()).operations == []


@pytest.mark.parametrize("fault", ["fail", "partial"])
def test_what_a_run_does_not_make_again_the_next_one_does(engine: Engine, fault: str) -> None:
    engine.cloud.faults = {"create b": fault}
    program = [REPLACED, thing("b"), *living_in_b()]
    report = engine.up(*program, expect=Result.RESOURCE_FAILED)
    assert report.state("c").pending_replacement and report.state("d").pending_replacement
    engine.cloud.faults = {}
    engine.up(*program)
    assert engine.cloud.names() == ["a", "b", "c", "d"]
    assert engine.up(*program).operations == []


def test_what_does_not_go_with_it_any_more_is_made_again_at_once(engine: Engine) -> None:
    """The former home went first, so that there was nothing to be moved, whether a change was declared or not."""
    report = engine.up(REPLACED, thing("c"), thing("d", size=2))
    assert [operation for operation in report.operations if operation[-1] in "cd"] == ["± c", "++ c", "± d", "++ d"]
    assert report.reason("c") is Reason.DELETED_WITH
    assert engine.cloud.names() == ["a", "c", "d"]
    assert engine.up(REPLACED, thing("c"), thing("d", size=2)).operations == []


def test_what_was_moved_before_stays(engine: Engine) -> None:
    program = [thing("c"), thing("d", lives_in=Out("c"), deleted_with="c"), REPLACED]
    report = engine.up(*program)
    assert [operation for operation in report.operations if operation[-1] in "cd"] == ["~ c"]
    assert engine.cloud.names() == ["a", "c", "d"]
    assert engine.up(*program).operations == []


@pytest.mark.parametrize("fault", ["lost", "unsent", "partial", "break"])
def test_what_may_have_been_moved_before_is_not_said_to_be_gone(engine: Engine, fault: str) -> None:
    engine.cloud.faults = {"update c": fault}
    report = engine.up(thing("c"), REPLACED, expect=Result.RESOURCE_FAILED)
    assert not report.state("c").pending_replacement
    engine.cloud.faults = {}
    engine.up(thing("c"), REPLACED)
    assert engine.cloud.names() == ["a", "c"]


def test_what_was_not_moved_for_a_failure_is_made_again(engine: Engine) -> None:
    engine.cloud.faults = {"update c": "fail"}
    engine.up(thing("c"), REPLACED, expect=Result.RESOURCE_FAILED)
    engine.cloud.faults = {}
    engine.up(thing("c"), REPLACED)
    assert engine.cloud.names() == ["a", "c"]


def test_what_is_declared_no_more_is_only_forgotten(engine: Engine) -> None:
    engine.cloud.faults = {"create a": "fail"}
    engine.up(REPLACED, expect=Result.RESOURCE_FAILED)
    engine.cloud.faults = {}
    before = len(engine.cloud.calls)
    engine.up(REPLACED)
    assert [str(call) for call in engine.cloud.calls[before:]] == ["create a"]
    assert engine.cloud.names() == ["a"]


@pytest.mark.parametrize("fault", ["lost", "unsent"])
def test_a_deletion_without_an_answer_is_looked_for_with_all_that_it_takes_along(engine: Engine, fault: str) -> None:
    engine.cloud.faults = {"delete b": fault}
    engine.up(REPLACED, expect=Result.RESOURCE_FAILED)
    engine.cloud.faults = {}
    program = [REPLACED, thing("c"), thing("d")]
    engine.up(*program)
    assert engine.cloud.names() == ["a", "c", "d"]
    assert engine.up(*program).operations == []
