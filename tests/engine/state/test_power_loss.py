"""The power goes off at any moment of a stack's life: what is left can be read, and forgets nothing that exists."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.state.errors import StateError
from engine.state.invariants import problems
from engine.state.lock import StackLock, read_holder
from engine.state.model import ResourceState, Snapshot
from engine.state.recorder import Recorder
from engine.state.storage import Update
from tests.engine.state.power import Disk, Promise, recorded
from tests.engine.state.stacks import bucket, component, provider_state, root_state, store

WAIT = 10


class Life:
    """Three runs on one stack, the second of which dies; the disk is promised what the engine acts upon."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self.root = disk.root

    def live(self) -> None:
        self._first()
        self._second()
        self._third()

    def _first(self) -> None:
        recorder = self._opened()
        with self._locked():
            for state in (root_state(), provider_state()):
                recorder.put(state)
            for name in ("first", "second"):
                self._create(recorder, bucket(name))
            self._closed(recorder)

    def _second(self) -> None:
        recorder = self._opened()
        base = recorder.snapshot().resources
        for state in base[:2]:
            recorder.put(state, state)
        changed = bucket("first", inputs={"size": 2})
        number, durable = recorder.begin("updating", changed)
        durable.result(WAIT)
        recorder.finish(number, new=changed, old=base[2]).result(WAIT)
        self._create(recorder, component("third"))
        number, durable = recorder.begin("deleting", base[3])
        durable.result(WAIT)
        self._disk.promise("- second")  # from now on it may be gone
        recorder.finish(number, old=base[3]).result(WAIT)
        _, durable = recorder.begin("creating", bucket("fourth"))
        durable.result(WAIT)
        self._disk.promise("? fourth")
        recorder.abandon()

    def _third(self) -> None:
        recorder = self._opened()
        for number, operation in recorder.pending.items():
            recorder.recover(number, operation.resource).result(WAIT)
        self._disk.promise("+ fourth")
        self._closed(recorder)

    def _opened(self) -> Recorder:
        stack = store(self.root)
        return Recorder(stack, stack.load() or Snapshot())

    def _create(self, recorder: Recorder, state: ResourceState) -> None:
        name = state.urn.rpartition("::")[2]
        number, durable = recorder.begin("creating", state)
        durable.result(WAIT)
        self._disk.promise(f"? {name}")  # from now on it may be there
        recorder.finish(number, new=state).result(WAIT)
        self._disk.promise(f"+ {name}")

    def _closed(self, recorder: Recorder) -> None:
        recorder.close()
        store(self.root).add_to_history(Update("update", 1, 2, "succeeded"))

    def _locked(self) -> StackLock:
        return StackLock(store(self.root).lock_folder, "shop/dev", command="up")


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Disk:
    with recorded(tmp_path_factory.mktemp("state")) as disk:
        Life(disk).live()
    return disk


def moments(disk: Disk, part: str = "") -> Iterator[tuple[dict[str, bytes], dict[str, str]]]:
    """All that may be left of the files with ``part`` in their path, each once, and what was promised by then."""
    promised: dict[str, str] = {}
    seen: set[object] = set()
    for moment, event in enumerate(disk.events):
        if isinstance(event, Promise):
            mark, name = event.what.split()
            promised[name] = mark
        for left in disk.remains(moment):
            kept = {name: content for name, content in left.items() if part in name and not name.endswith(".tmp")}
            key = (frozenset(kept.items()), frozenset(promised.items()))
            if key not in seen:
                seen.add(key)
                yield kept, dict(promised)


class Left:
    """A folder that is made to hold what is left, one time after the other."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._there: dict[str, bytes] = {}

    def put(self, left: dict[str, bytes]) -> None:
        for name in self._there.keys() - left.keys():
            (self.root / name).unlink()
        for name, content in left.items():
            if self._there.get(name) != content:
                (self.root / name).parent.mkdir(parents=True, exist_ok=True)
                (self.root / name).write_bytes(content)
        self._there = dict(left)


def test_whatever_is_left_can_be_read_and_forgets_nothing(disk: Disk, tmp_path: Path) -> None:
    states, folder = 0, Left(tmp_path)
    for left, promised in moments(disk, ".pulumi/stacks/"):
        states += 1
        folder.put(left)
        snapshot = store(tmp_path).load() or Snapshot()
        assert problems(snapshot) == []
        there = {state.urn.rpartition("::")[2] for state in snapshot.resources}
        pending = {one.resource.urn.rpartition("::")[2] for one in snapshot.pending_operations}
        for name, mark in promised.items():
            if mark == "+":
                assert name in there, (left, promised)
            elif mark == "?":
                assert name in there | pending, (left, promised)
    assert states > 1000


def test_what_is_left_can_be_gone_on_from(disk: Disk, tmp_path: Path) -> None:
    """One moment of many, since each is a whole run: the next run takes over and closes."""
    for number, (left, _) in enumerate(moments(disk, ".pulumi/")):
        if number % 97:
            continue
        root = tmp_path / str(number)
        Left(root).put(left)
        stack = store(root)
        before = stack.load() or Snapshot()
        recorder = Recorder(stack, before)
        for operation in list(recorder.pending):
            recorder.finish(operation)
        for state in before.resources:
            recorder.put(state, state)
        recorder.put(component("new", parent=""))
        closed = recorder.close()
        assert store(root).load() == closed


def test_no_lock_is_left_that_cannot_be_read(disk: Disk, tmp_path: Path) -> None:
    """An unreadable lock has to be removed by hand."""
    folder = Left(tmp_path)
    for left, _ in moments(disk, ".pulumi/locks/"):
        folder.put(left)
        for path in store(tmp_path).lock_folder.glob("*"):
            assert read_holder(path) is not None


@pytest.mark.parametrize("folder", ["history", "backups"])
def test_histories_and_backups_are_whole_or_absent(disk: Disk, folder: str) -> None:
    whole = next(disk.remains(len(disk.events) - 1))
    for left, _ in moments(disk, f".pulumi/{folder}/"):
        for name, content in left.items():
            assert content == whole[name]


def test_the_model_finds_a_rename_that_came_before_its_content(tmp_path: Path) -> None:
    """What the tests above are worth: a checkpoint that is written without fsync is found to be lost."""
    with recorded(tmp_path / "state") as disk, pytest.MonkeyPatch.context() as broken:
        (tmp_path / "state").mkdir()
        broken.setattr("engine.state.files.os.fsync", _forgotten)
        store(disk.root).save(Snapshot((root_state(),)))
    folder = Left(tmp_path / "left")
    with pytest.raises(StateError):
        for left, _ in moments(disk, ".pulumi/stacks/"):
            folder.put(left)
            store(folder.root).load()


def _forgotten(_file: int) -> None:
    """An fsync that is not done."""
