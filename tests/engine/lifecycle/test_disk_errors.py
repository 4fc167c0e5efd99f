"""A disk that fails at any one of its calls, or from it on: full, broken, or a network file system's that is gone.

Whatever comes of a run, it says what is wrong with which file, and the next one knows of all that exists.
"""

from __future__ import annotations

import copy
import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from engine.run import Result
from engine.state.errors import StateError
from tests.engine.lifecycle.cloud import Cloud
from tests.engine.lifecycle.harness import Engine, Out, Report, thing

_CALLS: Final = ("open", "write", "fsync", "fdopen", "replace", "link", "mkdir", "unlink")
_WRITES: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT
ERRORS: Final = (errno.ENOSPC, errno.EIO, errno.ESTALE)
BEFORE: Final = [thing("a"), thing("b", of=Out("a")), thing("gone")]
AFTER: Final = [thing("a", size=2), thing("b", of=Out("a"), key=2), thing("new")]


class BadDisk:
    """Fails the call number ``at`` that changes something, and with ``stays`` all that come after it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, error: int, at: int, *, stays: bool) -> None:
        self._error, self._at, self._stays = error, at, stays
        self.calls = 0
        for name in _CALLS:
            monkeypatch.setattr(os, name, self._failing(name, getattr(os, name)))

    @property
    def has_failed(self) -> bool:
        return self.calls >= self._at

    def _failing(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            if name == "open" and not arguments[1] & _WRITES:
                return real(*arguments, **named)
            if (name == "write" and arguments[0] <= 2) or (name == "unlink" and self._error == errno.ENOSPC):
                return real(*arguments, **named)
            self.calls += 1
            if self.calls == self._at or (self._stays and self.calls > self._at):
                if name == "fdopen":
                    os.close(arguments[0])
                path = arguments[:1] if isinstance(arguments[0], str | os.PathLike) else ()
                raise OSError(self._error, os.strerror(self._error), *map(str, path))
            return real(*arguments, **named)

        return call


def _names(engine: Engine) -> list[tuple[str, object]]:
    return sorted((live.name, live.inputs.get("size", 0)) for live in engine.cloud.live.values())


@pytest.mark.parametrize("stays", [False, True], ids=["once", "from then on"])
def test_a_disk_that_fails_at_any_call_forgets_nothing(tmp_path: Path, stays: bool) -> None:
    before = Engine(tmp_path / "0", Cloud())
    before.root.mkdir()
    before.up(*BEFORE)
    at = 0
    while True:
        at += 1
        engine = Engine(tmp_path / str(at), Cloud(live=copy.deepcopy(before.cloud.live)))
        shutil.copytree(before.root, engine.root)
        if not _failed_at(engine, ERRORS[at % len(ERRORS)], at, stays=stays):
            break
        engine.up(*AFTER)
        assert _names(engine) == [("a", 2), ("b", 0), ("new", 0)]
    assert at > 20


def _failed_at(engine: Engine, error: int, at: int, *, stays: bool) -> bool:
    """Bring the stack to ``AFTER`` on a disk that fails; whether it came that far."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        disk = BadDisk(monkeypatch, error, at, stays=stays)
        said = _said(lambda: engine.up(*AFTER, expect=None))
    if disk.has_failed and said:
        assert os.strerror(error) in said, said
        assert str(engine.root) in said, said
    return disk.has_failed


def _said(up: Callable[[], Report]) -> str:
    """What a run says of its failure; nothing where it succeeded."""
    try:
        report = up()
    except (StateError, OSError) as error:
        return str(error)
    assert report.result in (Result.SUCCEEDED, Result.STATE_FAILED), report.errors
    return "\n".join(report.errors)
