"""Files: Pulumi's layout, readable by the user alone, whole or as before; bad ones refused, kept and explained."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, tzinfo
from pathlib import Path

import pytest

from engine.state import files, storage
from engine.state.errors import BadName, StateCorrupt, StateError, StateInvalid, StateTooNew
from engine.state.model import Snapshot
from engine.state.recorder import Recorder
from engine.state.secrets import Keyring
from engine.state.storage import Update, open_stack, stacks
from engine.values import Secret
from tests.engine.state.stacks import CASES, PASSPHRASE, component, keyring, root_state, small_stack, store

UPDATE = Update("update", 1_700_000_000, 1_700_000_009, "succeeded", config={"a:b": "c"}, changes={"create": 4})


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    assert store(tmp_path).load() is None
    saved = store(tmp_path).save(small_stack())
    assert saved.resources == small_stack().resources
    assert store(tmp_path).load() == saved


def test_opening_and_loading_touch_nothing(tmp_path: Path) -> None:
    stack = store(tmp_path)
    stack.load()
    assert not stack.exists()
    assert list(tmp_path.iterdir()) == []


def test_the_layout_is_pulumis(tmp_path: Path) -> None:
    stack = store(tmp_path)
    stack.save(small_stack())
    stack.save(small_stack())
    stack.add_to_history(UPDATE)
    found = {str(path.relative_to(tmp_path / ".pulumi")) for path in tmp_path.rglob("*") if path.is_file()}
    fixed = {"meta.yaml", "stacks/shop/dev.json", "stacks/shop/dev.json.bak"}
    assert fixed < found
    (history,) = stack.history_folder.glob("dev-*.history.json")
    (checkpoint,) = stack.history_folder.glob("dev-*.checkpoint.json")
    (backup,) = stack.backup_folder.glob("dev.*.json")
    assert len(found) == len(fixed) + 3
    assert json.loads(history.read_text())["resourceChanges"] == {"create": 4}
    assert checkpoint.read_bytes() == backup.read_bytes() == stack.path.read_bytes()
    assert (tmp_path / ".pulumi" / "meta.yaml").read_text() == "version: 1\n"
    assert stacks(tmp_path) == [("shop", "dev")]


def test_files_are_the_users_alone(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        stack = store(tmp_path)
        stack.save(small_stack())
        stack.save(small_stack())
        stack.add_to_history(UPDATE)
    finally:
        os.umask(old)
    for path in (tmp_path / ".pulumi").rglob("*"):
        expected = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == expected, path


def test_a_copy_keeps_what_it_was_when_the_next_state_comes(tmp_path: Path) -> None:
    stack = store(tmp_path)
    stack.save(small_stack())
    stack.add_to_history(UPDATE)
    (backup,) = stack.backup_folder.glob("dev.*.json")
    before = backup.read_bytes()
    stack.save(Snapshot((root_state(),)))
    assert backup.read_bytes() == before == stack.previous_path.read_bytes()
    assert stack.path.read_bytes() != before


def test_copies_without_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(source: Path, target: Path) -> None:
        raise PermissionError

    monkeypatch.setattr(files.os, "link", link)
    test_the_layout_is_pulumis(tmp_path)
    test_files_are_the_users_alone(tmp_path / "again")


@pytest.mark.parametrize("name", ["", "..", ".", "a/b", "../x", "a\\b", "a b", "ü", "a\0b", "x" * 101, "a\n"])
def test_names_that_could_lead_elsewhere(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadName, match="stack name"):
        open_stack(tmp_path, "shop", name)
    with pytest.raises(BadName, match="project name"):
        open_stack(tmp_path, name, "dev")


@pytest.mark.parametrize("name", ["dev", "feature-12_x.y", "a..b"])
def test_names_that_pulumi_takes(tmp_path: Path, name: str) -> None:
    assert open_stack(tmp_path, "shop", name).path.parent == tmp_path / ".pulumi" / "stacks" / "shop"


def test_an_invalid_state_is_not_saved(tmp_path: Path) -> None:
    stack = store(tmp_path)
    stack.save(small_stack())
    before = stack.path.read_bytes()
    with pytest.raises(StateInvalid, match="its parent"):
        stack.save(Snapshot((component("orphan"),)))
    assert stack.path.read_bytes() == before


def test_an_invalid_state_is_not_used(tmp_path: Path) -> None:
    stack = store(tmp_path)
    stack.save(small_stack())
    stack.path.write_text(stack.path.read_text().replace('"id":"8e4c"', '"id":"other"'))
    with pytest.raises(StateInvalid, match="refusing to use"):
        stack.load()


@pytest.mark.parametrize("fault", ["write", "fsync", "rename"])
def test_a_failed_write_leaves_the_old_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    stack = store(tmp_path)
    saved = stack.save(small_stack())

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        if fault == "write":
            broken.setattr(files.os, "fdopen", fail)
        elif fault == "fsync":
            broken.setattr(files.os, "fsync", fail)
        else:
            broken.setattr(Path, "replace", fail)
        with pytest.raises(StateError, match="No space"):
            stack.save(Snapshot((root_state(),)))
    assert store(tmp_path).load() == saved
    if fault != "write":  # there nothing is left to clean up with
        assert list(tmp_path.rglob("*.tmp")) == []


def test_who_looks_while_a_run_saves_sees_the_state_of_before_or_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = store(tmp_path)
    stack.save(small_stack())
    stale = stack.path.read_bytes()
    saved = stack.save(Snapshot((root_state(),)))
    recorder = Recorder(stack, saved)
    recorder.begin("creating", root_state()).durable.result()  # a new journal, which goes with the new checkpoint
    looking = store(tmp_path)
    read = looking.content
    contents = iter([stale])
    monkeypatch.setattr(looking, "content", lambda: next(contents, None) or read())
    seen = looking.load()
    assert seen is not None and seen.resources == saved.resources
    recorder.abandon()


def test_what_died_runs_left_is_cleared(tmp_path: Path) -> None:
    stack = store(tmp_path)
    stack.save(small_stack())
    leftover = stack.path.with_name(".dev.json.abc.tmp")
    leftover.write_text("half")
    stack.save(small_stack())
    assert not leftover.exists()
    assert stacks(tmp_path) == [("shop", "dev")]


def test_a_state_torn_at_any_byte_is_refused_and_kept(tmp_path: Path) -> None:
    stack = store(tmp_path)
    stack.save(Snapshot((root_state(),)))
    content = stack.path.read_bytes()
    for length in range(len(content)):
        stack.path.write_bytes(content[:length])
        with pytest.raises(StateCorrupt):
            store(tmp_path).load()
        assert stack.path.read_bytes() == content[:length]


def test_a_corrupt_state_names_the_newest_good_copy(tmp_path: Path) -> None:
    stack = store(tmp_path)
    stack.save(small_stack())
    stack.add_to_history(UPDATE)
    stack.path.write_text("{")
    (backup,) = stack.backup_folder.glob("*")
    with pytest.raises(StateCorrupt, match="line 1, column 2") as caught:
        stack.load()
    assert str(backup) in str(caught.value)
    stack.previous_path.write_text("also broken")
    backup.unlink()
    with pytest.raises(StateCorrupt, match="no good copy"):
        stack.load()


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("stacks/shop/dev.json", '{"version":9}', StateTooNew),
        ("stacks/shop/dev.json.gz", "x", StateError),
        ("stacks/shop/dev.json.zst", "x", StateError),
        ("stacks/old.json", "{}", StateError),
        ("meta.yaml", "version: 2", StateTooNew),
        ("meta.yaml", "version: [", StateCorrupt),
        ("meta.yaml", "{}", StateCorrupt),
    ],
)
def test_what_this_engine_does_not_know_is_refused(
    tmp_path: Path, name: str, content: str, error: type[StateError]
) -> None:
    path = tmp_path / ".pulumi" / name
    path.parent.mkdir(parents=True)
    path.write_text(content)
    for use in (lambda: store(tmp_path).load(), lambda: store(tmp_path).settle(Snapshot())):
        with pytest.raises(error) as caught:
            use()
        assert "\n  " in str(caught.value)  # what to do about it
    assert path.read_text() == content


def test_the_engine_begins_with_what_is_there_even_when_not_asked(tmp_path: Path) -> None:
    """A base that was not loaded must not be taken for the stack."""
    store(tmp_path).save(small_stack())
    stack = store(tmp_path)
    stack.settle(Snapshot())
    assert stack.load() == store(tmp_path).load()
    assert (stack.load() or small_stack()).resources == ()
    assert len(json.loads(stack.previous_path.read_text())["checkpoint"]["latest"]["resources"]) == 4


def test_a_stack_made_and_removed(tmp_path: Path) -> None:
    stack = store(tmp_path)
    stack.create()
    assert stack.exists()
    assert stack.load() is None
    stack.save(small_stack())
    stack.create()
    assert stack.load() is not None
    stack.add_to_history(UPDATE)
    stack.remove()
    assert not stack.exists()
    assert list(tmp_path.rglob("dev*")) == []


def test_a_secret_is_in_no_file(tmp_path: Path) -> None:
    stack = store(tmp_path)
    hidden = component("part", inputs={"password": Secret("hunter2"), "deep": [{"x": Secret({"y": "hunter2"})}]})
    saved = stack.save(Snapshot((root_state(), hidden)))
    stack.add_to_history(UPDATE)
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or b"hunter2" not in path.read_bytes()
    assert store(tmp_path).load() == saved
    again = store(tmp_path)
    again.save(again.load() or Snapshot())
    assert resources(again.path) == resources(again.previous_path)


def resources(path: Path) -> object:
    return json.loads(path.read_text())["checkpoint"]["latest"]["resources"]


@pytest.fixture
def pulumi(tmp_path: Path) -> Callable[..., str]:
    if shutil.which("pulumi") is None:
        pytest.skip("needs the `pulumi` command on PATH")
    project = tmp_path / "project"
    project.mkdir()
    (project / "Pulumi.yaml").write_text("name: shop\nruntime: yaml\n")

    def call(*arguments: str) -> str:
        environment = os.environ | {
            "PULUMI_BACKEND_URL": f"file://{tmp_path}",
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "PULUMI_SKIP_UPDATE_CHECK": "1",
            "PULUMI_HOME": str(tmp_path / "home"),
        }
        done = subprocess.run(
            ["pulumi", *arguments], cwd=project, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return call


@pytest.mark.pulumi
def test_pulumis_cli_reads_and_writes_what_we_do(tmp_path: Path, pulumi: Callable[..., str]) -> None:
    stack = store(tmp_path)
    hidden = component("part", outputs={"password": Secret("hunter2")})
    stack.save(Snapshot((root_state(outputs={"password": Secret("hunter2")}), hidden)))
    stack.add_to_history(UPDATE)
    assert json.loads(pulumi("stack", "output", "--json", "--show-secrets", "-s", "dev")) == {"password": "hunter2"}
    assert json.loads(pulumi("stack", "history", "--json", "-s", "dev"))[0]["result"] == "succeeded"
    pulumi("state", "protect", "--yes", "-s", "dev", hidden.urn)
    snapshot = store(tmp_path).load()
    assert snapshot is not None
    assert snapshot.resources[1] == replace(hidden, protect=True)
    pulumi("stack", "export", "-s", "dev", "--file", str(tmp_path / "export.json"))
    pulumi("stack", "import", "-s", "dev", "--file", str(tmp_path / "export.json"))


def test_a_state_of_the_cli_in_its_place(tmp_path: Path) -> None:
    path = tmp_path / ".pulumi" / "stacks" / "fixture" / "dev.json"
    path.parent.mkdir(parents=True)
    shutil.copy(CASES / "pending.checkpoint.json", path)
    stack = open_stack(tmp_path, "fixture", "dev", keyring())
    snapshot = stack.load()
    assert snapshot is not None
    stack.save(snapshot)
    before, after = (json.loads(file.read_text())["checkpoint"]["latest"] for file in (stack.previous_path, path))
    assert after.pop("manifest")["version"] == "bedplate"
    assert before.pop("manifest")["version"] == "v3.260.0"
    assert before == after
    with pytest.raises(StateError, match="need a passphrase"):
        open_stack(tmp_path, "fixture", "dev", Keyring("dev")).load()


@pytest.mark.parametrize(("microsecond", "written"), [(717530, "08.71753Z"), (0, "08Z"), (1, "08.000001Z")])
def test_times_are_written_as_go_writes_them(monkeypatch: pytest.MonkeyPatch, microsecond: int, written: str) -> None:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime(2026, 11, 26, 9, 52, 8, microsecond, tz)

    monkeypatch.setattr(storage, "datetime", Clock)
    assert storage.now() == f"2026-11-26T09:52:{written}"
