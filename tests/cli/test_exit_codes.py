"""Which exit code an error and a result lead to."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from cli.exits import ERROR_CODES, ExitCode, UsageError, of_error, of_result
from engine.project import ProjectError, UnknownStack
from engine.providers.base import CredentialsMissing, EndpointRefused, ProviderError
from engine.run import Result
from engine.sandbox import EndpointNotAllowed, PortInUse, SandboxMismatch
from engine.state.errors import BadName, LockedBy, StateCorrupt, StateTooNew, WrongPassphrase
from stacks.settings import Problem, SettingsError, UnknownEnvironment

LOCK = LockedBy("dev", Path("lock"), pid=1, user="a", host="b", since="now", command="up")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("x"), 2),
        (ProjectError("x"), 2),
        (UnknownStack("x"), 6),
        (SettingsError("f", [Problem("a", "b")]), 2),
        (UnknownEnvironment("x", []), 6),
        (BadName("x"), 2),
        (StateCorrupt("p", "w", "r"), 1),
        (StateTooNew("x"), 1),
        (WrongPassphrase("x"), 3),
        (LOCK, 1),
        (ProviderError("x"), 1),
        (EndpointRefused("x"), 1),
        (CredentialsMissing("x"), 3),
        (PortInUse("x"), 1),
        (SandboxMismatch("x"), 2),
        (EndpointNotAllowed("x"), 2),
        (ValueError("x"), None),
    ],
)
def test_an_error_has_its_code(error: Exception, code: int | None) -> None:
    assert of_error(error) == code


@pytest.mark.parametrize("name", sorted(ERROR_CODES))
def test_every_error_that_is_named_exists(name: str) -> None:
    module, _, class_ = name.rpartition(".")
    assert issubclass(getattr(importlib.import_module(module), class_), Exception)


@pytest.mark.parametrize(
    ("result", "code"),
    [
        (Result.SUCCEEDED, 0),
        (Result.PROGRAM_FAILED, 1),
        (Result.PLAN_VIOLATED, 1),
        (Result.UNSUPPORTED, 1),
        (Result.STATE_FAILED, 1),
        (Result.RESOURCE_FAILED, 4),
        (Result.CANCELLED, 8),
        (Result.TIMED_OUT, 9),
        (Result.BROKEN, 255),
    ],
)
def test_a_result_has_its_code(result: Result, code: int) -> None:
    assert of_result(result) == code


def test_every_result_is_in_the_table() -> None:
    assert {of_result(result) for result in Result} <= set(ExitCode)
    assert [result for result in Result if of_result(result) is ExitCode.OK] == [Result.SUCCEEDED]
