"""Files that a user names: what stands there already, and is no plain file, is written to."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from cli import whole_files
from engine import saved_plan_file
from engine.state import files


def _read(path: Path, into: list[str]) -> threading.Thread:
    reading = threading.Thread(target=lambda: into.append(path.read_text()), daemon=True)
    reading.start()
    return reading


def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe, plain = tmp_path / "pipe", tmp_path / "plain"
    for write in (
        lambda: whole_files.put({plain: "plain", pipe: "text"}),
        lambda: saved_plan_file.write(pipe, "text"),
        lambda: files.give(pipe, b"text"),
    ):
        os.mkfifo(pipe)
        found: list[str] = []
        reading = _read(pipe, found)
        write()
        reading.join(10)
        assert found == ["text"]
        assert pipe.is_fifo()
        pipe.unlink()
    assert plain.read_text() == "plain"


def test_a_device_is_not_replaced() -> None:
    assert files.takes_a_stream(Path("/dev/null"))
    assert files.takes_a_stream(Path("/dev/stdout"))
    assert not files.takes_a_stream(Path("/dev/shm/report.json"))


def test_a_link_stays_and_what_it_leads_to_is_replaced_as_a_whole(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old")
    link.symlink_to(target)
    whole_files.put({link: "new"})
    assert link.is_symlink()
    assert target.read_text() == "new"
    files.give(link, b"newer")
    assert link.is_symlink()
    assert target.read_text() == "newer"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "target"]
