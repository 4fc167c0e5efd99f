"""Hooks of real programs: they are there to be called until the last deletion, and end as any program does."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from engine.events import Event, ProgramOutput, Severity
from engine.run import Options, Result
from engine.urn import name_of
from tests.engine.lifecycle.cloud import Cloud
from tests.engine.lifecycle.test_programs import Stack


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    return Stack(tmp_path)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """A stack that has come to ``hooks``. Nobody changes it."""
    stack = Stack(tmp_path_factory.mktemp("made"))
    assert stack.up("hooks").result is Result.SUCCEEDED, stack.said(Severity.ERROR)
    return stack


@pytest.fixture
def standing(made: Stack, tmp_path: Path) -> Stack:
    """A copy of ``made``."""
    shutil.copytree(made.root, tmp_path, dirs_exist_ok=True)
    return Stack(tmp_path, Cloud(dict(made.cloud.live)))


def _printed(events: Sequence[Event]) -> list[str]:
    return [event.text for event in events if isinstance(event, ProgramOutput)]


def test_hooks_of_what_is_made(made: Stack) -> None:
    printed = _printed(made.events)
    previewed = ["hook created a None", "hook created k None", "the last word"]
    assert sorted(printed[:3]) == sorted(previewed)
    assert sorted(printed[3:]) == sorted([*previewed, "anonymous a {'size': 1.0}"])
    hooks = made.state("a").resource_hooks
    assert hooks["BeforeDelete"] == ("going",)
    assert hooks["BeforeCreate"] == ("test:index:Thing_a_before_create_0",)


def test_hooks_run_until_the_last_deletion(standing: Stack) -> None:
    assert standing.up("hooks", declared="k").result is Result.SUCCEEDED, standing.said(Severity.ERROR)
    printed = _printed(standing.events)
    assert printed == ["the last word", "hook going a arn:a-1", "hook gone a arn:a-1", "the last word"]
    assert standing.cloud.names() == []


def test_a_hook_before_a_deletion_can_forbid_it(standing: Stack) -> None:
    assert standing.up("hooks", declared="k", fails="going").result is Result.RESOURCE_FAILED
    assert "before hook 'going' failed: not so" in standing.said(Severity.ERROR)
    assert standing.cloud.names() == ["a"]


def test_a_hook_after_a_deletion_fails_the_run(standing: Stack) -> None:
    assert standing.up("hooks", declared="k", fails="gone").result is Result.RESOURCE_FAILED
    assert "after hook 'gone' failed: not so" in standing.said(Severity.ERROR)
    assert standing.cloud.names() == []
    assert "a" not in {name_of(state.urn) for state in standing.session().snapshot().resources}


def test_a_program_that_dies_in_a_hook_deletes_nothing(standing: Stack) -> None:
    assert standing.up("hooks", declared="k", fails="going dies").result is Result.RESOURCE_FAILED
    assert "before hook 'going' failed" in standing.said(Severity.ERROR)
    assert standing.cloud.names() == ["a"]


def test_a_run_that_is_cancelled_does_not_wait_for_a_hook(standing: Stack) -> None:
    outcome = standing.cancelled_at("hook going", "hooks", declared="k", fails="going hangs")
    assert outcome.result is Result.CANCELLED
    assert standing.cloud.names() == ["a"]
    assert not standing.session().snapshot().pending_operations


def test_without_the_program_what_has_delete_hooks_is_not_destroyed(standing: Stack) -> None:
    outcome = asyncio.run(standing.session().destroy(standing.events.append, Options(), lambda _preview: True))
    assert outcome.result is Result.RESOURCE_FAILED
    assert "which has its delete hooks (going, gone)" in standing.said(Severity.ERROR)
    assert standing.cloud.names() == ["a"]


@pytest.mark.parametrize("asked", ["twice", "twice_for_errors"])
def test_a_name_is_one_hooks_only(stack: Stack, asked: str) -> None:
    assert stack.preview("hooks", **{asked: "yes"}).result is Result.PROGRAM_FAILED
    assert "'created' is registered already" in stack.said(Severity.ERROR) + "\n".join(_printed(stack.events))
