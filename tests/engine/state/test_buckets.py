"""Checkpoints in each form that Pulumi writes, and backends of each layout; what can't be read says what to do."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from engine.backend import compresses
from engine.state import format as form
from engine.state.buckets import Folder
from engine.state.errors import StateCorrupt, StateError, StateTooNew
from engine.state.model import Snapshot
from engine.state.recorder import Recorder
from engine.state.remote import RemoteStore
from engine.state.storage import StackStore, open_stack, stacks
from tests.engine.state.stacks import CASES, bucket, codec, keyring, root_state, small_stack, store


def written_by_the_cli(root: Path, ending: str = ".gz") -> Path:
    """What the CLI has with PULUMI_DIY_BACKEND_GZIP, but for the compression's own bytes."""
    path = root / ".pulumi" / "stacks" / "fixture" / f"dev.json{ending}"
    path.parent.mkdir(parents=True, exist_ok=True)
    content = (CASES / "plain.checkpoint.json").read_bytes()
    path.write_bytes(gzip.compress(content) if ending == ".gz" else content)
    return path


def fixture(root: Path, *, compressed: bool = False) -> StackStore:
    return open_stack(root, "fixture", "dev", keyring(), gzip=compressed)


def plainly() -> Snapshot:
    snapshot = form.read_checkpoint((CASES / "plain.checkpoint.json").read_bytes(), codec())
    assert snapshot is not None
    return snapshot


def test_a_compressed_checkpoint_is_read_and_stays_compressed(tmp_path: Path) -> None:
    path = written_by_the_cli(tmp_path)
    before = path.read_bytes()
    stack = fixture(tmp_path)
    assert stack.exists()
    assert stack.load() == plainly()
    assert stacks(tmp_path) == [("fixture", "dev")]
    stack.save(Snapshot((root_state(),)))
    assert json.loads(gzip.decompress(path.read_bytes()))["version"] == 3
    assert path.with_name("dev.json.gz.bak").read_bytes() == before
    assert not path.with_name("dev.json").exists()
    after = fixture(tmp_path).load()
    assert after is not None
    assert after.resources == (root_state(),)


def test_a_run_on_a_compressed_checkpoint(tmp_path: Path) -> None:
    """The journal belongs to what the checkpoint says, however that is written."""
    stack = store(tmp_path)
    stack.save(small_stack())
    path = stack.path
    path.with_name("dev.json.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    died = store(tmp_path)
    recorder = Recorder(died, died.load() or Snapshot())
    recorder.begin("creating", bucket("third")).durable.result()
    recorder.abandon()
    again = store(tmp_path)
    base = again.load()
    assert base is not None
    assert [one.resource.urn for one in base.pending_operations] == [bucket("third").urn]
    with_it = Recorder(again, base)
    with_it.recover(0, bucket("third"))
    with_it.close()
    after = store(tmp_path).load()
    assert after is not None
    assert after.pending_operations == ()
    assert bucket("third") in after.resources
    assert sorted(one.name for one in path.parent.iterdir()) == ["dev.json.gz", "dev.json.gz.bak"]


def test_who_asks_for_compression_gets_it(tmp_path: Path) -> None:
    path = written_by_the_cli(tmp_path, "")
    fixture(tmp_path, compressed=True).save(plainly())
    assert not path.exists()
    assert path.with_name("dev.json.bak").exists()
    assert fixture(tmp_path).load() is not None
    assert gzip.decompress(path.with_name("dev.json.gz").read_bytes()).startswith(b'{"version"')


@pytest.mark.parametrize("name", ["PULUMI_DIY_BACKEND_GZIP", "PULUMI_SELF_MANAGED_STATE_GZIP"])
def test_pulumis_variables_ask_for_compression(name: str) -> None:
    assert compresses({name: "true"})
    assert compresses({name: "1"})
    assert not compresses({name: "false"})
    assert not compresses({})


def test_of_two_forms_the_one_that_was_written_last_counts(tmp_path: Path) -> None:
    old, new = written_by_the_cli(tmp_path), written_by_the_cli(tmp_path, "")
    new.write_bytes((CASES / "other.checkpoint.json").read_bytes())
    os.utime(old, (1_000, 1_000))
    assert fixture(tmp_path).load() != plainly()
    os.utime(new, (500, 500))
    assert fixture(tmp_path).load() == plainly()


def test_a_torn_compressed_checkpoint_is_told_and_stays(tmp_path: Path) -> None:
    path = written_by_the_cli(tmp_path)
    whole = path.read_bytes()
    for length in (3, 10, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(StateCorrupt, match=r"dev\.json\.gz: a torn gzip file"):
            fixture(tmp_path).load()
        assert path.read_bytes() == whole[:length]
    assert fixture(tmp_path).keep_backup() is not None  # whatever it is


def test_a_checkpoint_in_zstd_says_what_to_do_where_nothing_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written_by_the_cli(tmp_path, ".zst")
    path.write_bytes(b"\x28\xb5\x2f\xfd\x00")
    monkeypatch.setattr("engine.state.zstd._MODULES", ())
    monkeypatch.setenv("PATH", "")
    with pytest.raises(StateError, match=r"program `zstd`(.|\n)*pulumi stack export \| pulumi stack import"):
        fixture(tmp_path).load()


class Decompressing:
    """What Python has from 3.14 on, as far as it is used."""

    @staticmethod
    def decompress(content: bytes) -> bytes:
        assert content.startswith(b"\x28\xb5\x2f\xfd")
        if len(content) < 9:
            raise ValueError("it ends too early")
        return (CASES / "plain.checkpoint.json").read_bytes()


def test_python_reads_a_checkpoint_in_zstd_where_it_can(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written_by_the_cli(tmp_path, ".zst")
    monkeypatch.setitem(sys.modules, "compression.zstd", Decompressing())
    path.write_bytes(b"\x28\xb5\x2f\xfd and more")
    assert fixture(tmp_path).load() == plainly()
    path.write_bytes(b"\x28\xb5\x2f\xfd")
    with pytest.raises(StateCorrupt, match="a torn zstd file: it ends too early"):
        fixture(tmp_path).load()


def test_the_zstd_program_reads_a_checkpoint_of_pulumis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python is as it was before 3.14. What is saved is plain from then on, and the old form is kept beside it."""
    monkeypatch.setattr("engine.state.zstd._MODULES", ())
    program = shutil.which("zstd")
    if program is None:
        pytest.skip("needs the `zstd` program on PATH")
    path = written_by_the_cli(tmp_path, ".zst")
    packed = subprocess.run([program, "-c"], input=path.read_bytes(), capture_output=True, check=True).stdout
    path.write_bytes(packed)
    assert fixture(tmp_path).load() == plainly()
    fixture(tmp_path).save(Snapshot((root_state(),)))
    names = sorted(one.name for one in path.parent.iterdir())
    assert names == ["dev.json", "dev.json.zst.bak"]
    path.write_bytes(packed[: len(packed) // 2])
    with pytest.raises(StateCorrupt, match="a torn zstd file"):
        fixture(tmp_path).load()


def test_a_stack_is_removed_in_every_form(tmp_path: Path) -> None:
    written_by_the_cli(tmp_path)
    fixture(tmp_path, compressed=True).save(plainly())
    fixture(tmp_path).remove()
    assert list(tmp_path.rglob("dev.json*")) == []


# Looking only


def remote(root: Path) -> RemoteStore:
    return RemoteStore(Folder(root), "fixture", "dev", codec())


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_a_backend_is_looked_at_in_place(tmp_path: Path, ending: str) -> None:
    path = written_by_the_cli(tmp_path, ending)
    before = {one: one.stat().st_mtime_ns for one in tmp_path.rglob("*")}
    assert remote(tmp_path).load() == plainly()
    assert remote(tmp_path).exists()
    assert {one: one.stat().st_mtime_ns for one in tmp_path.rglob("*")} == before
    path.unlink()
    assert remote(tmp_path).load() is None
    assert not remote(tmp_path).exists()


@pytest.mark.parametrize(
    ("name", "content", "error", "text"),
    [
        ("stacks/old.json", "{}", StateError, "pulumi state upgrade"),
        ("stacks/old.json.gz", "", StateError, "pulumi state upgrade"),
        ("meta.yaml", "version: 0", StateError, "pulumi state upgrade"),
        ("meta.yaml", "version: 2", StateTooNew, "update bedplate"),
        ("meta.yaml", "version: [", StateCorrupt, "no valid YAML"),
        ("stacks/fixture/dev.json", '{"version":9}', StateTooNew, "update bedplate"),
        ("stacks/fixture/dev.json", '{"version":3', StateCorrupt, "no valid JSON"),
        (
            "stacks/fixture/dev.json",
            '{"version":3,"checkpoint":{"latest":{"resources":[{}]}}}',
            StateCorrupt,
            "without",
        ),
    ],
)
def test_what_cannot_be_looked_at_says_what_to_do(
    tmp_path: Path, name: str, content: str, error: type[StateError], text: str
) -> None:
    path = tmp_path / ".pulumi" / name
    path.parent.mkdir(parents=True)
    path.write_text(content)
    with pytest.raises(error, match=text):
        remote(tmp_path).load()
    shutil.rmtree(tmp_path / ".pulumi")
