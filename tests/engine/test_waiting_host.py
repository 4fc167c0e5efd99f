"""Interpreters that are started ahead: taken where they fit, ended where they don't, and never left behind."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.early import start_early
from engine import waiting_host
from engine.waiting_host import WaitingHost

PYTHON = Path(sys.executable)


@pytest.fixture(autouse=True)
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[WaitingHost]]:
    """All that a test starts, as processes that only wait."""
    hosts: list[WaitingHost] = []

    def start(python: Path, environment: dict[str, str]) -> WaitingHost:
        line, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-c", "input()"], stdin=theirs.fileno(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
        hosts.append(WaitingHost(python, environment, process, line))
        return hosts[-1]

    monkeypatch.setattr(WaitingHost, "start", start)
    yield hosts
    for host in hosts:
        host.discard()


def test_what_fits_is_taken_once(started: list[WaitingHost], tmp_path: Path) -> None:
    with waiting_host.started_ahead(PYTHON, tmp_path):
        assert waiting_host.take(PYTHON, tmp_path) is started[0]
        assert waiting_host.take(PYTHON, tmp_path) is started[1], "the first has its order by now"
    assert started[0].process.poll() is None


def test_what_does_not_fit_is_ended(started: list[WaitingHost], tmp_path: Path) -> None:
    with waiting_host.started_ahead(PYTHON, tmp_path):
        other = waiting_host.take(PYTHON, tmp_path, {"A": "b"})
    assert other is started[1]
    assert other.environment["A"] == "b"
    assert started[0].process.poll() is not None


def test_what_nobody_takes_is_ended(started: list[WaitingHost], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no"), waiting_host.started_ahead(PYTHON, tmp_path):
        raise ValueError("no")
    assert started[0].process.poll() is not None


def test_a_passphrase_is_not_handed_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "hunter2")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    environment = waiting_host.environment_of(tmp_path)
    assert "hunter2" not in environment.values()
    assert environment["PYTHONPYCACHEPREFIX"] == str(tmp_path / ".bedplate" / "cache" / "python")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["preview", "dev"], True),
        (["up", "dev", "-C", "{elsewhere}"], False),
        (["preview", "dev", "--help"], False),
        (["state", "list", "dev"], False),
        ([], False),
    ],
)
def test_it_is_guessed_whether_a_program_will_run(
    started: list[WaitingHost], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: list[str], *, expected: bool
) -> None:
    project = tmp_path / "project"
    (project / "below").mkdir(parents=True)
    (project / "Pulumi.yaml").write_text("name: p\nruntime:\n  name: python\n  options:\n    virtualenv: venv\n")
    (project / "venv" / "bin").mkdir(parents=True)
    (project / "venv" / "bin" / "python").symlink_to(sys.executable)
    monkeypatch.chdir(project / "below")
    start_early([each.format(elsewhere=tmp_path) for each in arguments])
    assert [host.python for host in started] == ([project / "venv" / "bin" / "python"] if expected else [])


def test_where_the_guess_cannot_even_be_made_the_command_goes_on(
    started: list[WaitingHost], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: p\nruntime: python\n")

    def refused(*_arguments: object, **_further: object) -> str:
        raise PermissionError(13, "Permission denied", str(tmp_path / "Pulumi.yaml"))

    monkeypatch.setattr(Path, "read_text", refused)
    start_early(["preview", "dev", "-C", str(tmp_path)])
    assert started == []


def test_one_that_is_not_needed_ends_by_itself(tmp_path: Path) -> None:
    script = [sys.executable, str(waiting_host.HOST_SCRIPT)]
    done = subprocess.run(script, input="", capture_output=True, text=True, env=dict(os.environ), check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
