"""A disk that loses its power: what was done to the files of a folder, and what may be left of it at any moment.

POSIX promises less than most file systems keep: what was written is there for sure only after the file's fsync, and a
name (new, moved or removed) only after the fsync of its folder. Until then each may be lost by itself, in any order,
and of the last write any first or last part may be there, with zeros where the rest would be.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

Change = Callable[["Tree"], object]


@dataclass
class Tree:
    """Folders and files: names lead to numbers, numbers to contents."""

    folders: set[str] = field(default_factory=set[str])
    names: dict[str, int] = field(default_factory=dict[str, int])

    def move(self, old: str, new: str, file: int) -> None:
        self.names.pop(old, None)
        self.names[new] = file


@dataclass(frozen=True)
class Name:
    """Something done to a name in the folder that it ``needs``: durable with that folder."""

    needs: str
    change: Change


@dataclass(frozen=True)
class Write:
    """Bytes put into a file: durable with that file. ``content`` is None where the file ends at ``at`` from now on."""

    file: int
    at: int
    content: bytes | None

    @property
    def needs(self) -> int:
        return self.file


@dataclass(frozen=True)
class Sync:
    """An fsync of a file, by its number, or of a folder, by its name."""

    of: int | str


@dataclass(frozen=True)
class Promise:
    """What the engine took for durable from now on."""

    what: str


@dataclass
class Disk:
    """What happened below ``root``, in order. Files that are called ``.tmp`` are nobody's until they are renamed."""

    root: Path
    events: list[Name | Write | Sync | Promise] = field(default_factory=list[Name | Write | Sync | Promise])

    def promise(self, what: str) -> None:
        self.events.append(Promise(what))

    # What may be left

    def remains(self, end: int) -> Iterator[dict[str, bytes]]:
        """What may be found by name after the power went off behind event ``end``: all, nothing, each but one, torn."""
        events = self.events[: end + 1]
        pending = [each for each in self._pending(events) if not isinstance(each, Write)]
        unwritten = [each for each in self._pending(events) if isinstance(each, Write)]
        for lost_data in ([], unwritten) if unwritten else ([],):
            for lost_names in ([], pending, *([each] for each in pending)):
                yield self._found(events, [*lost_data, *lost_names])
        last = events[-1]
        if isinstance(last, Write) and last.content:
            yield from self._torn(events, last, last.content)

    def _torn(self, events: list[Any], last: Write, content: bytes) -> Iterator[dict[str, bytes]]:
        whole, before = self._found(events, []), self._found(events, [last])
        names = [name for name in whole if whole[name] != before[name] and not name.endswith(".tmp")]
        for length in range(len(content)) if names else ():
            for tail in (b"", b"\0" * (len(content) - length)) if length % 32 == 0 else (b"",):
                torn = before[names[0]][: last.at] + content[:length] + tail
                yield whole | dict.fromkeys(names, torn)
        for length in range(1, len(content), 32) if names else ():  # a block came before the one in front of it
            holed = before[names[0]][: last.at] + b"\0" * length + content[length:]
            yield whole | dict.fromkeys(names, holed)

    def _pending(self, events: list[Any]) -> Iterator[Name | Write]:
        synced: set[int | str] = set()
        for event in reversed(events):
            if isinstance(event, Sync):
                synced.add(event.of)
            elif isinstance(event, Name | Write) and event.needs not in synced:
                yield event

    @staticmethod
    def _found(events: list[Any], lost: list[Any]) -> dict[str, bytes]:
        tree, contents = Tree(), dict[int, bytearray]()
        for event in events:
            if any(event is each for each in lost):
                continue
            if isinstance(event, Name):
                event.change(tree)
            elif isinstance(event, Write):
                content = contents.setdefault(event.file, bytearray())
                if event.content is None:
                    del content[event.at :]
                else:
                    content.extend(b"\0" * (event.at - len(content)))
                    content[event.at : event.at + len(event.content)] = event.content
        return {
            name: bytes(contents.get(file, b"")) for name, file in tree.names.items()
            if all(str(folder) in tree.folders for folder in Path(name).parents if str(folder) != ".")
        }  # fmt: skip


class _Recorder:
    """Stands in for the functions of ``os`` by which files change."""

    def __init__(self, disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
        self._disk = disk
        self._files: dict[int, int] = {}  # open files, by descriptor
        self._folders: dict[int, str] = {}
        self._numbers: dict[str, int] = {}  # files, by name
        self._lock = threading.RLock()
        self._real = {name: getattr(os, name) for name in ("open", "close", "write", "fsync", "fdopen", "stat")}
        for name in ("open", "close", "write", "fsync", "fdopen"):
            monkeypatch.setattr(os, name, getattr(self, name))
        for name in ("mkdir", "rmdir", "unlink", "rename", "replace", "link"):
            monkeypatch.setattr(os, name, self._of_names(name, getattr(os, name)))

    def _name(self, path: Any) -> str | None:
        whole = Path(os.fspath(path)) if isinstance(path, str | os.PathLike) else None
        return str(whole.relative_to(self._disk.root)) if whole and whole.is_relative_to(self._disk.root) else None

    def _happened(self, name: str, change: Change) -> None:
        self._disk.events.append(Name(str(Path(name).parent), change))

    def open(self, path: Any, flags: int, *further: Any, **named: Any) -> int:
        with self._lock:
            name = self._name(path)
            is_new = name is not None and not Path(path).exists()
            file = self._real["open"](path, flags, *further, **named)
            self._files.pop(file, None)  # a stream closes its file without telling
            self._folders.pop(file, None)
            if name is not None and Path(path).is_dir():
                self._folders[file] = name
            elif name is not None:
                number = (
                    self._numbers.setdefault(name, len(self._disk.events)) if not is_new else len(self._disk.events)
                )
                self._numbers[name] = self._files[file] = number
                if is_new:
                    self._happened(name, lambda tree: tree.names.__setitem__(name, number))
            return file

    def close(self, file: int) -> None:
        self._files.pop(file, None)
        self._folders.pop(file, None)
        self._real["close"](file)

    def write(self, file: int, content: Any) -> int:
        with self._lock:
            written = self._real["write"](file, content)
            if file in self._files:  # all that is written so is appended
                at = os.fstat(file).st_size - written
                self._disk.events.append(Write(self._files[file], at, bytes(content[:written])))
            return written

    def fsync(self, file: int) -> None:
        with self._lock:
            if file in self._files or file in self._folders:
                self._disk.events.append(Sync(self._files.get(file, self._folders.get(file, ""))))

    def fdopen(self, file: int, mode: str) -> Any:
        stream: Any = self._real["fdopen"](file, mode)
        return _Stream(stream, self._disk, self._files[file]) if file in self._files else stream

    def _of_names(self, verb: str, real: Callable[..., None]) -> Callable[..., None]:
        def act(path: Any, *further: Any, **named: Any) -> None:
            with self._lock:
                real(path, *further, **named)
                names = [name for each in (path, *further) if (name := self._name(each)) is not None]
                if names:
                    self._record(verb, *names)

        return act

    def _record(self, verb: str, name: str, new: str = "") -> None:
        if verb in ("mkdir", "rmdir"):
            change: Change = lambda tree: (tree.folders.add if verb == "mkdir" else tree.folders.discard)(name)  # noqa: E731
            self._happened(name, change)
            return
        number = self._numbers[name]
        if verb == "unlink":
            del self._numbers[name]
            self._happened(name, lambda tree: tree.names.pop(name, None))
        elif verb == "link":
            self._numbers[new] = number
            self._happened(new, lambda tree: tree.names.__setitem__(new, number))
        else:
            del self._numbers[name]
            self._numbers[new] = number
            self._happened(new, lambda tree: tree.move(name, new, number))


class _Stream:
    """A file opened with ``fdopen``, whose writes are told."""

    def __init__(self, stream: Any, disk: Disk, number: int) -> None:
        self._stream, self._disk, self._number = stream, disk, number

    def write(self, content: bytes) -> int:
        self._disk.events.append(Write(self._number, self._stream.tell(), bytes(content)))
        return self._stream.write(content)

    def truncate(self) -> int:
        self._disk.events.append(Write(self._number, self._stream.tell(), None))
        return self._stream.truncate()

    def __enter__(self) -> _Stream:
        return self

    def __exit__(self, *exception: object) -> None:
        self._stream.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def recorded(root: Path) -> Generator[Disk]:
    """Record what happens below ``root``, an empty folder; no fsync is done. Nothing may have escaped."""
    disk = Disk(root)
    with pytest.MonkeyPatch.context() as monkeypatch:
        _Recorder(disk, monkeypatch)
        yield disk
    there = {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    assert next(disk.remains(len(disk.events) - 1)) == there, "something was done to the files that was not seen"
