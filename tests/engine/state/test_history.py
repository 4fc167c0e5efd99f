"""The history of a stack: ours, Pulumi's, compressed or not, in order; what can't be read hides nothing else."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from engine.state import history
from engine.state.buckets import Folder
from engine.state.errors import BadName
from engine.state.storage import Update
from tests.engine.state.stacks import small_stack, store

# As `pulumi up` 3.260 wrote it in a repository with a commit, but for names.
OF_THE_CLI = {
    "kind": "update", "startTime": 1795682004, "message": "First light\n\nMore of it.",
    "environment": {
        "exec.kind": "cli", "git.author": "Ann", "git.author.email": "ann@example.com", "git.committer": "Ben",
        "git.dirty": "true", "git.head": "5c1f2a7", "git.headName": "refs/heads/main", "pulumi.version": "v3.260.0",
        "stack.environments": "[]",
    },
    "config": {"shop:word": {"value": "v1:abc", "secure": True}}, "version": 0, "result": "succeeded",
    "endTime": 1795682069, "resourceChanges": {"create": 3, "same": 1},
}  # fmt: skip


def keep(root: Path, name: str, content: bytes) -> Path:
    path = root / ".pulumi" / "history" / "shop" / "dev" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def read(root: Path) -> tuple[list[history.Past], list[str]]:
    return history.read(Folder(root), "shop", "dev")


def test_no_history(tmp_path: Path) -> None:
    assert read(tmp_path) == ([], [])


def test_what_both_engines_did_newest_first(tmp_path: Path) -> None:
    keep(tmp_path, "dev-1000.history.json", json.dumps(OF_THE_CLI).encode())
    keep(tmp_path, "dev-1000.checkpoint.json", b"{}")
    keep(tmp_path, "dev-999.history.json.gz", gzip.compress(json.dumps(OF_THE_CLI | {"kind": "refresh"}).encode()))
    stack = store(tmp_path)
    stack.save(small_stack())
    stack.add_to_history(
        Update("destroy", 5, 9, "failed", "no more", {"user": "eve", "host": "box"}, {}, {"delete": 2})
    )
    updates, faults = read(tmp_path)
    assert faults == []
    assert [(one.number, one.kind, one.who) for one in updates] == [
        (3, "destroy", "eve@box"), (2, "update", "Ann"), (1, "refresh", "Ann"),
    ]  # fmt: skip
    newest, cli, _ = updates
    assert (newest.start, newest.end, newest.result, newest.message) == (5, 9, "failed", "no more")
    assert newest.changes == {"delete": 2}
    assert (cli.changes, cli.environment["git.head"]) == ({"create": 3, "same": 1}, "5c1f2a7")


def test_of_stacks_whose_names_begin_alike_each_has_its_own(tmp_path: Path) -> None:
    keep(tmp_path, "dev-1.history.json", json.dumps(OF_THE_CLI).encode())
    keep(tmp_path, "dev-2-3.history.json", json.dumps(OF_THE_CLI).encode())
    keep(tmp_path, "dev-2.history.json.bak", json.dumps(OF_THE_CLI).encode())
    assert len(read(tmp_path)[0]) == 1


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"startTime": "x"}', b"\x1f\x8b torn", b'{"environment": [1]}']
)
def test_a_record_that_cannot_be_read_is_told_beside_the_others(tmp_path: Path, content: bytes) -> None:
    keep(tmp_path, "dev-1.history.json", json.dumps(OF_THE_CLI).encode())
    bad = keep(tmp_path, "dev-2.history.json", content)
    updates, (fault,) = read(tmp_path)
    assert [one.number for one in updates] == [1]
    assert str(bad) in fault


def test_names_that_lead_elsewhere(tmp_path: Path) -> None:
    with pytest.raises(BadName):
        history.read(Folder(tmp_path), "..", "dev")


@pytest.mark.parametrize(
    ("environment", "who"),
    [
        ({"user": "eve"}, "eve"),
        ({"git.author": "Ann", "ci.system": "GitHub Actions"}, "Ann@GitHub Actions"),
        ({"git.committer": "Ben"}, "Ben"),
        ({"ci.system": "GitLab"}, "GitLab"),
        ({}, ""),
    ],
)
def test_who_did_it(environment: dict[str, str], who: str) -> None:
    assert history.Past("update", 0, 0, "succeeded", environment=environment, number=1).who == who
