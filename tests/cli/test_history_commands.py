"""history and cancel, as their users meet them."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest

from engine.state.lock import StackLock
from engine.state.storage import Update
from tests.cli.standing import Standing
from tests.engine.state.stacks import small_stack


@pytest.fixture
def stack(tmp_path: Path) -> Standing:
    made = Standing(tmp_path)
    made.save(small_stack())
    return made


def test_the_history_of_a_stack(stack: Standing) -> None:
    stack.run("history", "dev").expect(0, "nothing was done")
    store = stack.store
    secret = {"shop:word": {"value": "v1:hidden", "secure": True}}
    store.add_to_history(Update("update", 1_795_682_004, 1_795_682_069, "succeeded", "First light\n\nMore",
                                {"git.author": "Ann"}, secret, {"create": 3, "same": 1}))  # fmt: skip
    store.add_to_history(
        Update("destroy", 1_795_690_000, 1_795_690_002, "failed", "", {"user": "eve"}, {}, {"delete": 1})
    )
    lines = stack.run("history", "dev").expect(0).out.splitlines()
    assert [" ".join(line.split()) for line in lines] == [
        "2 2026-11-26 10:46 UTC destroy failed 2 s -1 eve",
        "1 2026-11-26 08:33 UTC update succeeded 1 min 5 s +3 Ann",
        "First light",
    ]
    assert all(len(line) <= 80 for line in lines)
    one = stack.run("history", "dev", "--limit", "1").expect(0, "and 1 older ones").out
    assert "succeeded" not in one
    document = stack.run("history", "dev", "--output", "json").expect(0)
    assert "hidden" not in document.out
    newest, first = document.json()["updates"]
    assert (newest["number"], newest["result"], newest["seconds"], newest["changes"]) == (2, "failed", 2, {"delete": 1})
    assert (first["startTime"], first["who"]) == ("2026-11-26T08:33:24+00:00", "Ann")


def test_edits_are_in_the_history(stack: Standing) -> None:
    stack.run("state", "delete", "dev", "second", "--yes").expect(0)
    stack.run("state", "delete", "dev", "first", "--yes", "--message", "by hand").expect(0)
    (latest, first) = stack.run("history", "dev", "--output", "json").expect(0).json()["updates"]
    assert (latest["kind"], latest["message"], latest["result"]) == ("import", "by hand", "succeeded")
    assert first["message"] == "state delete second"
    assert first["who"]


def test_a_record_that_cannot_be_read(stack: Standing) -> None:
    stack.store.add_to_history(Update("update", 1, 2, "succeeded"))
    stack.store.history_folder.joinpath("dev-7.history.json").write_text("{")
    stack.run("history", "dev").expect(0, "update", "warning:", "dev-7.history.json can't be read")
    assert len(stack.run("history", "dev", "--output", "json").json()["unreadable"]) == 1


def held_by_the_cli(stack: Standing, pid: int, host: str) -> Path:
    """A lock as Pulumi's CLI writes it."""
    path = stack.store.lock_folder / "8a5b.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    stamp = "2026-11-26T08:33:38.477188+01:00"
    path.write_text(json.dumps({"pid": pid, "username": "ann", "hostname": host, "timestamp": stamp}))
    return path


def test_a_lock_is_taken_away_when_that_is_agreed_to(stack: Standing) -> None:
    stack.run("cancel", "dev").expect(0, "dev is not locked")
    path = held_by_the_cli(stack, 77, "ci-7")
    stack.run("state", "delete", "dev", "second", "--yes").expect(1, "ann@ci-7", "process 77", "bedplate cancel")
    stack.run("cancel", "dev").expect(2, "--yes")
    no = stack.ask("n\n", "cancel", "dev").expect(8, "locked by ann@ci-7, process 77, since 2026-11-26T08:33:38")
    assert "process is gone" not in no.text
    assert path.exists()
    stack.ask("y\n", "cancel", "dev").expect(0, "not locked any more")
    assert not path.exists()
    stack.run("state", "delete", "dev", "second", "--yes").expect(0)


def test_every_lock_goes_also_what_cannot_be_read(stack: Standing) -> None:
    held_by_the_cli(stack, 2**22 + 1, socket.gethostname())
    stack.store.lock_folder.joinpath("torn.json").write_text("{")
    done = stack.run("cancel", "dev", "--yes", "--output", "json").expect(0).json()
    assert (done["removed"], len(done["locks"])) == (True, 2)
    assert done["locks"][0] == {
        "path": str(stack.store.lock_folder / "8a5b.json"), "pid": 2**22 + 1, "username": "ann",
        "hostname": socket.gethostname(), "timestamp": "2026-11-26T08:33:38.477188+01:00", "command": "",
    }  # fmt: skip
    assert list(stack.store.lock_folder.glob("*")) == []


def test_who_holds_it_and_whether_that_still_runs(stack: Standing) -> None:
    held_by_the_cli(stack, 2**22 + 1, socket.gethostname())
    stack.ask("n\n", "cancel", "dev").expect(8, "that process is gone")
    stack.run("cancel", "dev", "--yes").expect(0)
    with StackLock(stack.store.lock_folder, "dev", command="bedplate up dev"):
        stack.run("cancel", "dev", "--yes").expect(0, f"process {os.getpid()} running `bedplate up dev`, since 2")
        assert list(stack.store.lock_folder.glob("*")) == []
