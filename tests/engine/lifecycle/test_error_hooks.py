"""Hooks for errors, of real programs: what failed is tried again where they want it, and where that is safe."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.events import ProgramOutput, Severity
from engine.run import Outcome, Result
from tests.engine.lifecycle.test_programs import Stack


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    return Stack(tmp_path)


def _up(stack: Stack, fault: str, *, size: int = 1, **config: str) -> Outcome:
    stack.events.clear()
    operation, _, how = fault.partition(": ")
    stack.cloud.faults = {operation: how}
    return stack.up("error_hooks", **config, **({"size": str(size)} if size else {}))


def _attempts(stack: Stack, operation: str) -> int:
    return [str(call) for call in stack.cloud.calls].count(f"{operation} a")


def _hooks(stack: Stack) -> list[str]:
    return [event.text for event in stack.events if isinstance(event, ProgramOutput) and event.text.startswith("hook")]


def test_what_fails_is_tried_again_until_it_succeeds(stack: Stack) -> None:
    assert _up(stack, "create a: fail fail ok").result is Result.SUCCEEDED
    assert [line.rpartition(" given")[0] for line in _hooks(stack)] == [
        "hook create a 1 create a: refused,", "hook create a 2 create a: refused,",
    ]  # fmt: skip
    assert "create is tried again, as a hook wants (1 of 100): create a: refused" in stack.said(Severity.WARNING)
    assert stack.state("a").resource_hooks == {"OnError": ("retry",)}
    assert _up(stack, "update a: fail ok", size=2).result is Result.SUCCEEDED
    assert _up(stack, "delete a: fail ok", size=0).result is Result.SUCCEEDED
    assert [_attempts(stack, operation) for operation in ("create", "update", "delete")] == [3, 2, 2]
    assert stack.cloud.names() == []


def test_what_no_hook_wants_is_not_tried_again(stack: Stack) -> None:
    assert _up(stack, "create a: fail ok", hook="declines").result is Result.RESOURCE_FAILED
    assert _attempts(stack, "create") == 1


def test_what_never_succeeds_is_given_up_at_last(stack: Stack) -> None:
    assert _up(stack, "create a: fail").result is Result.RESOURCE_FAILED
    assert "create is not tried again: it was tried 100 times" in stack.said(Severity.WARNING)
    assert _attempts(stack, "create") == 100
    assert not stack.session().snapshot().pending_operations


@pytest.mark.parametrize("fault", ["partial", "lost", "unsent", "break"])
def test_what_may_exist_is_not_made_a_second_time(stack: Stack, fault: str) -> None:
    assert _up(stack, f"create a: {fault} ok").result is Result.RESOURCE_FAILED
    assert len(_hooks(stack)) == 1
    assert "create is not tried again, though a hook wants it" in stack.said(Severity.WARNING)
    assert _up(stack, "").result is Result.SUCCEEDED
    assert stack.cloud.names() == ["a"]


def test_an_update_that_may_have_been_made_is_made_again(stack: Stack) -> None:
    assert _up(stack, "").result is Result.SUCCEEDED
    assert _up(stack, "update a: partial lost ok", size=2).result is Result.SUCCEEDED
    assert stack.state("a").init_errors == ()
    assert not stack.session().snapshot().pending_operations


@pytest.mark.parametrize(
    ("hook", "said"), [("fails", "error hook 'retry' failed: not so"), ("dies", "error hook 'retry' failed: ")]
)
def test_both_are_told_where_a_hook_fails_too(stack: Stack, hook: str, said: str) -> None:
    assert _up(stack, "create a: fail ok", hook=hook).result in (Result.RESOURCE_FAILED, Result.PROGRAM_FAILED)
    assert said in stack.said(Severity.ERROR)
    assert "create a: refused" in stack.said(Severity.ERROR)
    assert _attempts(stack, "create") == 1


def test_a_run_that_is_cancelled_does_not_wait_for_a_hook(stack: Stack) -> None:
    stack.cloud.faults = {"create a": "fail"}
    assert stack.cancelled_at("hook", "error_hooks", size="1", hook="hangs").result is Result.CANCELLED
    assert _attempts(stack, "create") == 1
    assert not stack.session().snapshot().pending_operations
