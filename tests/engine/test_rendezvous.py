"""The socket between engine and program: for this user only, and gone after the run, also after one that was killed."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.rendezvous import FOLDER, LOOPBACK, monitor_address


@pytest.fixture
def root() -> Iterator[Path]:
    # A test's own folder has a path that is too long for a socket.
    with tempfile.TemporaryDirectory(prefix="bp") as folder:
        yield Path(folder)


def test_the_folder_is_private_and_goes_with_the_run(root: Path) -> None:
    with monitor_address(root) as address:
        socket = Path(address.removeprefix("unix:"))
        assert socket.parent.parent == root / FOLDER
        assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
    assert list((root / FOLDER).iterdir()) == []


def test_two_runs_do_not_meet(root: Path) -> None:
    with monitor_address(root) as one, monitor_address(root) as other:
        assert one != other


def test_where_the_path_is_too_long_loopback_is_used(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100)
    with monitor_address(deep) as address:
        assert address == LOOPBACK
    assert not deep.exists()


def test_what_a_killed_run_left_is_removed_and_a_living_ones_is_kept(root: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    dead = root / FOLDER / f"{int(ended.stdout)}-0000"
    living = root / FOLDER / f"{os.getppid()}-0000"
    for folder in (dead, living):
        folder.mkdir(parents=True)
    with monitor_address(root):
        assert not dead.exists()
        assert living.exists()
