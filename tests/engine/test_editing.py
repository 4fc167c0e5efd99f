"""A state edited by hand: under the lock, with a backup, in the history; nothing of it where it is not agreed to."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from engine.editing import Edited, edit
from engine.events import Event
from engine.project import Project
from engine.session import Session
from engine.state.editing import unprotect
from engine.state.errors import LockedBy, StateInvalid
from engine.state.lock import StackLock
from engine.state.model import Snapshot
from engine.state.recorder import Recorder
from tests.engine.state.stacks import bucket, component, small_stack


def opened(folder: Path) -> Session:
    """The stack ``dev`` of the project ``shop``."""
    (folder / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    return Session.open(Project.load(folder), "dev", {}, environment={})


@pytest.fixture
def session(tmp_path: Path) -> Session:
    (tmp_path / "Pulumi.dev.yaml").write_text("config: {}\n")
    session = opened(tmp_path)
    session.store.save(Snapshot((*small_stack().resources, component("part", protect=True))))
    return opened(tmp_path)


def heard(_event: Event) -> None:
    """Nobody listens."""


def never(_before: Snapshot, _after: Snapshot) -> bool:
    pytest.fail("asked")


def all_free(before: Snapshot) -> Snapshot:
    return unprotect(before, before.resources)


def edited(session: Session, *, agree: bool = True) -> Edited:
    return edit(session, heard, all_free, lambda _before, _after: agree, "by hand")


def files(session: Session) -> dict[Path, bytes]:
    below = session.store.folder
    return {path: path.read_bytes() for path in below.rglob("*") if path.is_file() and path.suffix != ".flock"}


def test_an_edit_keeps_what_was_and_tells_the_history(session: Session) -> None:
    store = session.store
    before = store.path.read_bytes()
    done = edited(session)
    assert done.applied
    assert done.backup is not None
    assert done.backup.parent == store.backup_folder
    assert done.backup.read_bytes() == before
    assert not any(one.protect for one in opened(session.project.root).snapshot().resources)
    (last,) = (json.loads(path.read_text()) for path in store.history_folder.glob("*.history.json"))
    assert (last["kind"], last["message"], last["result"]) == ("import", "by hand", "succeeded")
    assert last["environment"]["user"]
    assert list(store.lock_folder.glob("*")) == []


def test_an_edit_that_changes_nothing_asks_nobody_and_writes_nothing(session: Session) -> None:
    edited(session)
    before = files(session)
    assert not edit(opened(session.project.root), heard, all_free, never, "").applied
    assert files(session) == before


def test_an_edit_that_is_not_agreed_to_writes_nothing(session: Session) -> None:
    before = files(session)
    done = edited(session, agree=False)
    assert (done.applied, done.backup) == (False, None)
    assert done.after != done.before
    written = files(session)
    assert {path: written[path] for path in before} == before
    assert [path.name for path in written.keys() - before.keys()] == []


def test_an_edit_that_would_break_the_state_is_refused(session: Session) -> None:
    before = session.store.path.read_bytes()
    with pytest.raises(StateInvalid, match="is missing"):
        edit(session, heard, lambda one: replace(one, resources=one.resources[1:]), lambda _before, _after: True, "")
    assert session.store.path.read_bytes() == before


def test_an_edit_waits_for_nobody_who_holds_the_stack(session: Session) -> None:
    store = session.store
    with (
        StackLock(store.lock_folder, store.qualified_name, command="bedplate up dev"),
        pytest.raises(LockedBy, match="bedplate up dev"),
    ):
        edited(session)


def test_what_a_died_run_has_left_is_part_of_the_state_and_of_the_backup(session: Session) -> None:
    store = session.store
    recorder = Recorder(store, session.snapshot())
    recorder.begin("creating", bucket("third")).durable.result()
    recorder.abandon()
    journal = store.journal_path.read_bytes()
    done = edited(opened(session.project.root))
    assert [one.resource for one in done.after.pending_operations] == [bucket("third")]
    assert opened(session.project.root).snapshot().pending_operations == done.after.pending_operations
    assert done.backup is not None
    assert done.backup.with_suffix(".journal.jsonl").read_bytes() == journal
    assert not store.journal_path.exists()
