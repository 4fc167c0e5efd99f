"""One run at a time: of many that start at once one wins, the living are respected, the dead are not."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.state.errors import LockedBy
from engine.state.lock import StackLock, is_gone, locks, read_holder
from tests.engine.state.stacks import store

CONTENDER = """
import sys
from pathlib import Path
from engine.state.errors import LockedBy
from engine.state.lock import StackLock

lock = StackLock(Path(sys.argv[1]), "dev", command="contender")
sys.stdin.readline()
try:
    lock.__enter__()
except LockedBy:
    print("lost", flush=True)
else:
    print("won", flush=True)
sys.stdin.readline()
lock.release()
"""


def contender(folder: Path) -> subprocess.Popen[str]:
    """A process that takes the lock when it is sent a line, says whether it won, and waits for another line."""
    return subprocess.Popen(
        [sys.executable, "-c", CONTENDER, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )


def say(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def hear(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return store(tmp_path).lock_folder


def only_lock(folder: Path) -> Path:
    (path,) = folder.glob("*")
    return path


def rewrite(path: Path, **fields: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def test_the_file_is_pulumis(folder: Path) -> None:
    with StackLock(folder, "dev", command="bedplate up dev"):
        path = only_lock(folder)
        assert path.suffix == ".json"
        assert path.stat().st_mode & 0o777 == 0o600
        content = json.loads(path.read_text())
        assert (content["pid"], content["hostname"]) == (os.getpid(), socket.gethostname())
        assert content["username"]
        assert content["timestamp"].endswith("Z")
    assert list(folder.glob("*")) == []


def test_it_is_given_back_after_an_error(folder: Path) -> None:
    with pytest.raises(KeyboardInterrupt), StackLock(folder, "dev"):
        raise KeyboardInterrupt
    with StackLock(folder, "dev") as lock:
        assert lock.notes == []


def test_the_second_is_told_who_holds_it(folder: Path) -> None:
    with (
        StackLock(folder, "dev", command="bedplate up dev"),
        pytest.raises(LockedBy) as caught,
        StackLock(folder, "dev"),
    ):
        pass
    assert caught.value.pid == os.getpid()
    for part in ("dev", str(os.getpid()), socket.gethostname(), "bedplate up dev", caught.value.since):
        assert part in str(caught.value)
    assert str(caught.value.path) in str(caught.value)


def test_of_many_at_once_exactly_one_wins(folder: Path) -> None:
    contenders = [contender(folder) for _ in range(6)]
    try:
        for process in contenders:
            say(process)
        assert sorted(hear(process) for process in contenders) == ["lost"] * 5 + ["won"]
    finally:
        for process in contenders:
            process.communicate("\n")
    with StackLock(folder, "dev"):
        pass


def test_looking_and_writing_are_one_step(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two that both look before either writes would both step back, and nobody would win."""
    in_step = threading.Barrier(2)
    original = StackLock.check

    def together() -> None:
        with contextlib.suppress(threading.BrokenBarrierError):
            in_step.wait(timeout=0.3)  # runs out once, since only one of them gets this far, and never waits again

    def check(self: StackLock) -> None:
        together()
        original(self)
        together()

    monkeypatch.setattr(StackLock, "check", check)
    won: list[StackLock] = []

    def contend() -> None:
        with contextlib.suppress(LockedBy):
            won.append(StackLock(folder, "dev").__enter__())

    threads = [threading.Thread(target=contend) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    won[0].release()


def test_a_killed_holder_is_taken_over_with_a_note(folder: Path) -> None:
    holder = contender(folder)
    say(holder)
    assert hear(holder) == "won"
    holder.kill()
    holder.communicate()
    with StackLock(folder, "dev") as lock:
        (note,) = lock.notes
        assert str(holder.pid) in note
        assert len(list(folder.glob("*"))) == 1


def test_a_killed_holder_that_nobody_waited_for_is_dead_too(folder: Path) -> None:
    holder = contender(folder)
    say(holder)
    assert hear(holder) == "won"
    holder.kill()
    os.waitid(os.P_PID, holder.pid, os.WEXITED | os.WNOWAIT)  # dead now, and still a zombie
    with StackLock(folder, "dev") as lock:
        assert len(lock.notes) == 1
    holder.communicate()


def written(folder: Path, **changes: Any) -> Path:
    """The lock of a living process, this one, with ``changes``."""
    with StackLock(folder, "dev"):
        path = only_lock(folder)
        content = path.read_text()
    path.write_text(content)
    rewrite(path, **changes)
    return path


@pytest.mark.parametrize(
    ("changes", "gone"),
    [
        ({}, False),
        ({"started": "1"}, True),  # the process id is another process's now
        ({"boot": "before"}, True),  # the machine was started anew
        ({"hostname": "elsewhere", "pid": 2**22 + 1}, False),
        ({"machine": "another of that name", "boot": "its own"}, False),
        ({"namespace": "pid:[1]", "pid": 2**22 + 1}, False),  # another container's process
        ({"pid": 2**22 + 1}, True),
    ],
)
def test_who_is_gone(folder: Path, changes: dict[str, Any], gone: bool) -> None:
    holder = read_holder(written(folder, **changes))
    assert holder is not None
    if "boot" in changes and gone and not Path("/etc/machine-id").exists():
        pytest.skip("this machine has no id, so another one of its name can't be told from it")
    assert is_gone(holder) is gone


@pytest.mark.parametrize("gone", [False, True])
def test_a_lock_of_pulumis_cli(folder: Path, gone: bool) -> None:
    folder.mkdir(parents=True)
    content = {
        "pid": 2**22 + 1 if gone else os.getpid(),
        "username": "ann",
        "hostname": socket.gethostname(),
        "timestamp": "2026-11-22T18:15:27Z",
    }
    (folder / "8a5b.json").write_text(json.dumps(content))
    (folder / "8a5b.json.attrs").write_text('{"user.content_type":"application/json"}')  # its storage library's
    if gone:
        with StackLock(folder, "dev") as lock:
            (note,) = lock.notes
            assert "ann" in note
        assert list(folder.glob("*")) == []
        return
    with pytest.raises(LockedBy, match="ann@") as caught, StackLock(folder, "dev"):
        pass
    assert caught.value.command == ""


def test_a_lock_that_comes_while_ours_is_written_wins(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pulumi's CLI looks, writes and looks again; between our two looks its file may appear."""
    original: Callable[[Path, Path], Path] = Path.replace

    def race(self: Path, target: Path) -> Path:
        content = {"pid": 1, "username": "ann", "hostname": "elsewhere", "timestamp": "now"}
        (folder / "theirs.json").write_text(json.dumps(content))
        return original(self, target)

    monkeypatch.setattr(Path, "replace", race)
    with pytest.raises(LockedBy, match="ann@elsewhere"), StackLock(folder, "dev"):
        pass
    assert [path.name for path in folder.glob("*")] == ["theirs.json"]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": "x"}'])
def test_a_lock_that_cannot_be_read_is_a_lock(folder: Path, content: str) -> None:
    folder.mkdir(parents=True)
    (folder / "broken.json").write_text(content)
    with pytest.raises(LockedBy, match=r"broken\.json"), StackLock(folder, "dev"):
        pass


def test_other_stacks_are_free(folder: Path) -> None:
    with StackLock(folder, "dev"), StackLock(folder.with_name("prod"), "prod"):
        assert len(list(folder.parent.glob("*/*.json"))) == 2


# A network file system


def without(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def refused(*_arguments: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refused)
    monkeypatch.setattr(os, "link", refused)


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_file_system_without_locks_and_links(folder: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    without(monkeypatch, number)
    with StackLock(folder, "dev", command="bedplate up dev"):
        assert len(list(folder.glob("*"))) == 1
        with pytest.raises(LockedBy, match="bedplate up dev"), StackLock(folder, "dev"):
            pass
    assert list(folder.glob("*")) == []


def test_a_lock_that_fails_for_another_reason_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, errno.EIO)
    with pytest.raises(OSError, match="Input/output error"), StackLock(folder, "dev"):
        pass
    assert list(folder.glob("*")) == []


def test_without_locks_two_at_once_never_both_win(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each looks before the other has written, so only the second look can tell them."""
    without(monkeypatch, errno.ENOLCK)
    written = threading.Barrier(2)
    original = StackLock.check

    def check(self: StackLock) -> None:
        looked_before = self._path.exists()  # pyright: ignore[reportPrivateUsage] - which of the two looks it is
        if looked_before:
            written.wait(timeout=30)
        original(self)
        if not looked_before:
            written.wait(timeout=30)

    monkeypatch.setattr(StackLock, "check", check)
    lost: list[LockedBy] = []

    def contend() -> None:
        try:
            StackLock(folder, "dev").__enter__()
        except LockedBy as error:
            lost.append(error)

    threads = [threading.Thread(target=contend) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert lost


def test_a_lock_that_another_machine_has_just_removed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir(parents=True)
    (folder / "theirs.json").write_text("{}")

    def stale(self: Path) -> bytes:
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE), str(self))

    monkeypatch.setattr(Path, "read_bytes", stale)
    with StackLock(folder, "dev"):
        pass


def test_what_lies_beside_a_lock_is_none(folder: Path) -> None:
    """The CLI's storage library removes a file before what it keeps beside it."""
    folder.mkdir(parents=True)
    (folder / "8a5b.json.attrs").write_text('{"user.content_type":"application/json"}')
    assert locks(folder) == []
    with StackLock(folder, "dev") as lock:
        assert lock.notes == []
        assert len(locks(folder)) == 1
