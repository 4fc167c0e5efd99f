"""A run recorded: what the next load sees after each entry, and that nothing acknowledged is ever lost."""

from __future__ import annotations

import errno
import threading
import zlib
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import pytest

from engine import urn
from engine.state import journal
from engine.state.errors import StateCorrupt, StateError, StateInvalid, StateTooNew, WrongPassphrase
from engine.state.ledger import Entry, merge
from engine.state.model import Operation, Snapshot
from engine.state.recorder import Recorder
from engine.state.storage import open_stack
from engine.values import Secret
from tests.engine.state.stacks import bucket, component, keyring, root_state, small_stack, store

WAIT = 30  # seconds until a test gives up on a future


def deployed(root: Path) -> Snapshot:
    return store(root).save(small_stack())


def loaded(root: Path) -> Snapshot:
    snapshot = store(root).load()
    assert snapshot is not None
    return snapshot


def second_run(root: Path) -> Recorder:
    """A recorder on the deployed small stack, all of which the program has registered again."""
    deployed(root)
    stack = store(root)
    base = stack.load()
    assert base is not None
    recorder = Recorder(stack, base)
    for state in base.resources:
        recorder.put(state, state)
    return recorder


def test_a_first_run(tmp_path: Path) -> None:
    stack = store(tmp_path)
    assert stack.load() is None
    recorder = Recorder(stack, Snapshot())
    recorder.put(root_state()).result(WAIT)
    operation, durable = recorder.begin("creating", component("part"))
    durable.result(WAIT)
    assert [pending.resource.urn for pending in loaded(tmp_path).pending_operations] == [component("part").urn]
    recorder.finish(operation, new=component("part", outputs={"x": 1})).result(WAIT)
    assert loaded(tmp_path).pending_operations == ()
    saved = recorder.close()
    assert saved.resources == (root_state(), component("part", outputs={"x": 1}))
    assert loaded(tmp_path) == saved
    assert not stack.journal_path.exists()


def test_each_entry_is_seen_by_the_next_load(tmp_path: Path) -> None:
    deployed(tmp_path)
    stack = store(tmp_path)
    base = stack.load()
    assert base is not None
    recorder = Recorder(stack, base)
    for state in base.resources[:3]:
        recorder.put(state, state)
    operation, durable = recorder.begin("updating", base.resources[3])
    durable.result(WAIT)
    assert loaded(tmp_path).pending_operations == (Operation(base.resources[3], "updating"),)
    changed = replace(base.resources[3], inputs={"acl": "private"})
    recorder.finish(operation, new=changed, old=base.resources[3]).result(WAIT)
    final = replace(changed, outputs={"arn": "x"})
    recorder.amend(changed, final).result(WAIT)
    assert loaded(tmp_path).resources == (*base.resources[:3], final)
    assert recorder.snapshot().resources == loaded(tmp_path).resources


def test_a_replacement_recorded(tmp_path: Path) -> None:
    deployed(tmp_path)
    stack = store(tmp_path)
    base = stack.load()
    assert base is not None
    recorder = Recorder(stack, base)
    for state in base.resources[:3]:
        recorder.put(state, state)
    old = base.resources[3]
    waiting = replace(old, delete=True)
    creating, _ = recorder.begin("creating", old)
    recorder.finish(creating, new=replace(old, id="second-2"), amended=[(old, waiting)]).result(WAIT)
    assert [state.id for state in loaded(tmp_path).resources[3:]] == ["second-2", "second-1"]
    deleting, _ = recorder.begin("deleting", waiting)
    recorder.finish(deleting, old=waiting)
    assert [state.id for state in recorder.close().resources[3:]] == ["second-2"]


def test_a_failed_operation_changes_nothing(tmp_path: Path) -> None:
    base = deployed(tmp_path)
    stack = store(tmp_path)
    recorder = Recorder(stack, stack.load() or Snapshot())
    operation, _ = recorder.begin("creating", component("never"))
    recorder.finish(operation)
    assert recorder.close().resources == base.resources


def test_a_run_that_changes_nothing_touches_no_file(tmp_path: Path) -> None:
    deployed(tmp_path)
    stack = store(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    base = stack.load()
    assert base is not None
    recorder = Recorder(stack, base)
    for state in base.resources:
        assert recorder.put(replace(state), state).done()
    assert recorder.close() is base
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_what_a_died_run_left_is_ended_by_the_next(tmp_path: Path) -> None:
    died = second_run(tmp_path)
    died.begin("creating", component("lost")).durable.result(WAIT)
    died.abandon()
    assert store(tmp_path).interrupted()

    stack = store(tmp_path)
    base = stack.load()
    assert base is not None
    recorder = Recorder(stack, base)
    assert not stack.journal_path.exists()  # taken in by the checkpoint
    ((number, operation),) = recorder.pending.items()
    assert operation.resource == component("lost")
    found = component("lost", outputs={"found": True})
    recorder.recover(number, found).result(WAIT)
    root, *rest = base.resources
    assert loaded(tmp_path).resources == (root, found, *rest)  # behind the last that it refers to
    for state in (*base.resources, found):
        recorder.put(state, state)
    saved = recorder.close()
    assert saved.resources == (*base.resources, found)
    assert saved.pending_operations == ()


def test_a_replacement_that_a_died_run_had_made(tmp_path: Path) -> None:
    died = second_run(tmp_path)
    died.begin("creating", bucket("first", id="")).durable.result(WAIT)
    died.abandon()
    stack = store(tmp_path)
    base = stack.load()
    assert base is not None
    recorder = Recorder(stack, base)
    (number,) = recorder.pending
    old, found = base.resources[2], bucket("first", id="first-2")
    recorder.recover(number, found, amended=[(old, replace(old, delete=True))])
    saved = recorder.close()
    assert [(state.id, state.delete) for state in saved.resources[2:]] == [
        ("first-2", False),
        ("first-1", True),
        ("second-1", False),
    ]


def test_registering_twice_keeps_the_place(tmp_path: Path) -> None:
    deployed(tmp_path)
    recorder = Recorder(stack := store(tmp_path), base := stack.load() or Snapshot())
    for state in base.resources:
        recorder.put(state, state)
    imported = replace(base.resources[2], outputs={"arn": "new"})
    recorder.put(imported, base.resources[2]).result(WAIT)
    assert [urn.name_of(state.urn) for state in recorder.close().resources] == [
        "shop-dev",
        "default",
        "first",
        "second",
    ]


def test_a_stranger_is_refused(tmp_path: Path) -> None:
    deployed(tmp_path)
    recorder = Recorder(stack := store(tmp_path), stack.load() or Snapshot())
    with pytest.raises(LookupError, match="first"):
        recorder.drop(bucket("first"))


def test_nothing_is_recorded_after_the_end(tmp_path: Path) -> None:
    recorder = Recorder(store(tmp_path), Snapshot())
    recorder.close()
    with pytest.raises(StateError, match="closed"):
        recorder.put(root_state())


def test_secrets_are_encrypted_in_the_journal_too(tmp_path: Path) -> None:
    stack = store(tmp_path)
    recorder = Recorder(stack, Snapshot())
    recorder.put(root_state()).result(WAIT)
    part = component("part", inputs={"password": Secret("hunter2")})
    recorder.begin("creating", part).durable.result(WAIT)
    assert "hunter2" not in stack.journal_path.read_text()
    assert loaded(tmp_path).pending_operations[0].resource == part
    with pytest.raises(WrongPassphrase):
        open_stack(tmp_path, "shop", "dev", keyring("wrong")).load()
    sealed = stack.journal_path.read_text().partition('"ciphertext":"')[2].partition('"')[0]
    recorder.close()
    assert sealed in stack.path.read_text()  # encrypted once


def test_a_secret_without_a_passphrase_is_neither_written_nor_counted(tmp_path: Path) -> None:
    recorder = Recorder(open_stack(tmp_path, "shop", "dev", keyring(None)), Snapshot())
    recorder.put(root_state()).result(WAIT)
    with pytest.raises(WrongPassphrase):
        recorder.begin("creating", component("part", inputs={"password": Secret("hunter2")}))
    assert recorder.pending == {}
    number, _ = recorder.begin("creating", component("other"))
    assert list(recorder.pending) == [number]
    recorder.finish(number)
    assert recorder.close().resources == (root_state(),)


def test_a_journal_torn_at_any_byte_loses_no_whole_entry(tmp_path: Path) -> None:
    recorder = second_run(tmp_path)
    stack = store(tmp_path)
    base = recorder.snapshot()
    part = component("part")
    entries = [
        *(Entry(keep=number) for number in range(4)),
        Entry(begin=Operation(part, "creating")),
        Entry(add=part, end=0),
        Entry(remove=3),
    ]
    recorder.begin("creating", part)
    recorder.finish(0, new=part)
    recorder.drop(base.resources[3])
    recorder.abandon()
    content = stack.journal_path.read_bytes()
    ends = [position for position, byte in enumerate(content) if byte == ord("\n")]
    for length in range(len(content) + 1):
        stack.journal_path.write_bytes(content[:length])
        whole = sum(end <= length for end in ends) - 1  # without the header; the last newline may be missing
        expected = merge(base, entries[: max(whole, 0)])
        seen = loaded(tmp_path)
        assert (seen.resources, seen.pending_operations) == (expected.resources, expected.pending_operations)


@pytest.mark.parametrize(("cut", "survives"), [(1, True), (5, False)])
def test_a_torn_journal_can_be_gone_on_from(tmp_path: Path, cut: int, survives: bool) -> None:
    recorder = second_run(tmp_path)
    stack = store(tmp_path)
    recorder.put(component("part"))
    recorder.put(component("torn"))
    recorder.abandon()
    content = stack.journal_path.read_bytes()
    stack.journal_path.write_bytes(content[:-cut])
    stack = store(tmp_path)
    saved = stack.save(stack.load() or Snapshot())
    assert component("part") in saved.resources
    assert (component("torn") in saved.resources) is survives
    assert loaded(tmp_path) == saved


@pytest.mark.parametrize("cut", [0, 1, 5])
def test_folding_a_torn_journal_survives_a_crash_before_the_checkpoint(tmp_path: Path, cut: int) -> None:
    recorder = second_run(tmp_path)
    stack = store(tmp_path)
    recorder.put(component("part"))
    recorder.abandon()
    content = stack.journal_path.read_bytes()
    stack.journal_path.write_bytes(content[: len(content) - cut])
    expected = loaded(tmp_path)
    journal.mark_folded(stack.journal_path, "the next checkpoint, which was never written")
    assert loaded(tmp_path) == expected


def test_a_crash_after_the_checkpoint_leaves_a_journal_that_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = second_run(tmp_path)
    stack = store(tmp_path)
    recorder.put(component("part")).result(WAIT)

    def killed(path: Path) -> None:
        raise KeyboardInterrupt(path)

    with monkeypatch.context() as crash:
        crash.setattr("engine.state.files.remove", killed)
        with pytest.raises(KeyboardInterrupt):
            recorder.close()
    assert stack.journal_path.exists()
    assert not store(tmp_path).interrupted()
    assert loaded(tmp_path).resources.count(component("part")) == 1
    again = Recorder(stack := store(tmp_path), stack.load() or Snapshot())
    assert not stack.journal_path.exists()
    again.close()


def test_a_damaged_line_in_the_middle_is_refused_and_kept(tmp_path: Path) -> None:
    stack = store(tmp_path)
    recorder = Recorder(stack, Snapshot())
    recorder.put(root_state())
    recorder.put(component("part"))
    recorder.abandon()
    lines = stack.journal_path.read_bytes().splitlines(keepends=True)
    damaged = lines[0] + lines[1].replace(b"shop", b"shap", 1) + lines[2]
    stack.journal_path.write_bytes(damaged)
    with pytest.raises(StateCorrupt, match="line 2"):
        store(tmp_path).load()
    assert stack.journal_path.read_bytes() == damaged


@pytest.mark.parametrize("swallowed", [0, 1], ids=["a line", "a line and its end"])
@pytest.mark.parametrize(
    ("hole", "marks", "read"),
    [
        (1, b"++ ", 1),  # the last two were written at once: the first of them did not reach the disk
        (0, b"+  ", 0),  # so were all three
        (1, b"+++", None),  # the second had been durable when the third was written
        (1, b"   ", None),  # a journal of version 1, which does not say
    ],
)
def test_a_hole_counts_as_torn_where_it_was_not_durable_yet(
    tmp_path: Path, hole: int, marks: bytes, read: int | None, swallowed: int
) -> None:
    stack = store(tmp_path)
    recorder = Recorder(stack, Snapshot())
    recorder.put(root_state())
    recorder.put(component("part"))
    recorder.abandon()
    lines = stack.journal_path.read_bytes().splitlines(keepends=True)
    lines = [line[:8] + marks[at : at + 1] + line[9:] for at, line in enumerate(lines)]
    size = len(lines[hole]) - 1 + swallowed
    lines[hole] = b"\0" * size + lines[hole][size:]
    stack.journal_path.write_bytes(b"".join(lines))
    if read is None:
        with pytest.raises(StateCorrupt, match=f"line {hole + 1} is damaged"):
            store(tmp_path).load()
        return
    found = store(tmp_path).load()
    assert len(found.resources if found else ()) == max(read - 1, 0)


def test_each_batch_says_that_the_one_before_is_durable(tmp_path: Path) -> None:
    stack = store(tmp_path)
    recorder = Recorder(stack, Snapshot())
    recorder.put(root_state()).result(WAIT)
    recorder.put(component("part")).result(WAIT)
    recorder.abandon()
    marks = [line[8:9] for line in stack.journal_path.read_bytes().splitlines()]
    assert marks[0] == marks[-1] == journal.DURABLE


def test_a_journal_of_another_checkpoint_is_refused(tmp_path: Path) -> None:
    recorder = second_run(tmp_path)
    stack = store(tmp_path)
    recorder.put(component("part"))
    recorder.abandon()
    stack.path.write_text(stack.path.read_text() + " ")
    with pytest.raises(StateCorrupt, match="does not belong"):
        store(tmp_path).load()
    assert stack.journal_path.exists()


def test_a_newer_journal_is_refused(tmp_path: Path) -> None:
    stack = store(tmp_path)
    stack.journal_path.parent.mkdir(parents=True)
    body = b'{"journal":%d,"base":""}' % (journal.VERSION + 1)
    stack.journal_path.write_bytes(b"%08x %s\n" % (zlib.crc32(body), body))
    with pytest.raises(StateTooNew, match=f"version {journal.VERSION + 1}"):
        stack.load()


def test_an_invalid_end_keeps_checkpoint_and_journal(tmp_path: Path) -> None:
    deployed(tmp_path)
    stack = store(tmp_path)
    base = stack.load()
    assert base is not None
    before = stack.path.read_bytes()
    recorder = Recorder(stack, base)
    recorder.drop(base.resources[2])  # the second bucket still depends on it
    with pytest.raises(StateInvalid, match="first is missing"):
        recorder.close()
    assert stack.path.read_bytes() == before
    assert stack.journal_path.exists()


def test_a_full_disk_fails_what_waits_and_the_checkpoint_still_takes_all_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: int, content: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    recorder = Recorder(store(tmp_path), Snapshot())
    recorder.put(root_state()).result(WAIT)
    with monkeypatch.context() as broken:
        broken.setattr(journal, "_write_all", full)
        operation, durable = recorder.begin("creating", component("part"))
        with pytest.raises(StateError, match="No space left"):
            durable.result(WAIT)
    with pytest.raises(StateError, match="No space left"):
        recorder.finish(operation, new=component("part")).result(WAIT)
    assert component("part") in recorder.close().resources
    assert component("part") in loaded(tmp_path).resources


def test_many_entries_share_an_fsync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go = threading.Event(), threading.Event()
    synced: list[int] = []

    def fsync(file: int) -> None:
        synced.append(file)
        begun.set()
        assert go.wait(WAIT)

    recorder = Recorder(store(tmp_path), Snapshot())
    recorder.put(root_state()).result(WAIT)
    monkeypatch.setattr(journal.os, "fsync", fsync)
    waiting: list[Future[None]] = [recorder.put(component("first"))]
    assert begun.wait(WAIT)
    waiting += [recorder.put(component(f"part-{number}")) for number in range(100)]
    assert not any(future.done() for future in waiting)
    go.set()
    for future in waiting:
        future.result(WAIT)
    assert len(synced) <= 3


def test_a_cancelled_wait_harms_nobody_else(tmp_path: Path) -> None:
    recorder = Recorder(store(tmp_path), Snapshot())
    for number in range(50):
        recorder.put(component(f"part-{number}", parent="")).cancel()
    recorder.put(component("last", parent="")).result(WAIT)
    recorder.close()
