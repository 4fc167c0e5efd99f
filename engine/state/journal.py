"""The journal beside a checkpoint: what a run has done since, a line per entry, durable before it counts.

A line is the CRC-32 of its JSON in eight hex digits, a mark, the JSON. The mark is ``+`` where all lines before it were
durable when it was written, else a space. The first line names the checkpoint that the entries start from, by SHA-256
of its bytes; ``folded`` names the one that they end in, written just before it takes the place of the first.
So after a crash at any point it is clear whether the entries are in the checkpoint already:

    checkpoint is the base     replay the entries
    checkpoint is the folded   they are in it; the journal is a leftover
    neither                    something else has changed the checkpoint: refuse, keep both

A torn last line never counted and is ignored, as is all behind a hole (zeros, where a block did not reach the disk
before one behind it) unless a later ``+`` says that it had been there. Any other damaged line is an error.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
import zlib
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from engine.state import format as form
from engine.state import properties
from engine.state.errors import FormatError, StateCorrupt, StateError, StateTooNew
from engine.state.files import sync_folder
from engine.state.ledger import Entry
from engine.state.model import SecretsProvider
from engine.state.properties import Json
from engine.state.secrets import SecretCodec

_F = TypeVar("_F", Future[None], None)

VERSION: Final = 2  # 1 had no marks
CRC_DIGITS: Final = 8
DURABLE: Final = b"+"
REPAIR: Final = (
    "the journal holds what a run did after that checkpoint; put the checkpoint back that it belongs to (see "
    ".pulumi/backups), or remove the journal if the resources in it are known or gone"
)


def fingerprint(checkpoint: bytes) -> str:
    """By which a journal knows its checkpoint; "" for none (the stack has not been deployed yet)."""
    return hashlib.sha256(checkpoint).hexdigest() if checkpoint else ""


@dataclass(frozen=True, slots=True)
class Journal:
    """A journal as read: where it starts and ends (``folded`` is None before its end), and what happened between."""

    base: str
    folded: str | None
    entries: tuple[Entry, ...]


class Reader:
    """Reads one journal; secrets are opened through the codec of the checkpoint it belongs to."""

    def __init__(self, path: Path, codec: SecretCodec) -> None:
        self._path = path
        self._codec = codec

    def header(self) -> Journal | None:
        """Base and end without the entries, which need the passphrase; None when there is no journal or it is empty."""
        return self._read(entries=False)

    def journal(self) -> Journal | None:
        """The journal, None when there is none. Raises StateCorrupt, StateTooNew and what secrets raise."""
        return self._read(entries=True)

    def _read(self, *, entries: bool) -> Journal | None:
        lines = self._lines()
        if not lines:
            return None
        base = self._start(lines[0])
        folded: str | None = None
        read: list[Entry] = []
        for number, line in enumerate(lines[1:], 2):
            if "folded" in line:
                folded = line["folded"]
            elif entries:
                read.append(self._entry(number, line))
        return Journal(base, folded, tuple(read))

    def _lines(self) -> list[dict[str, Json]]:
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return []
        return [json.loads(line[CRC_DIGITS + 1 :]) for line in _whole_lines(self._path, content)]

    def _start(self, line: dict[str, Json]) -> str:
        version = line.get("journal")
        if not isinstance(version, int) or "base" not in line:
            raise StateCorrupt(self._path, "line 1 is not a journal's first line", REPAIR)
        if version > VERSION:
            raise StateTooNew(f"{self._path}: a journal of version {version}; this engine reads up to {VERSION}")
        return str(line["base"])

    def _entry(self, number: int, line: dict[str, Json]) -> Entry:
        try:
            return decode_entry(line, self._codec)
        except (FormatError, KeyError, TypeError, ValueError) as error:
            raise StateCorrupt(self._path, f"line {number}: {error}", REPAIR) from error


def encode_entry(entry: Entry, codec: SecretCodec, known: SecretsProvider | None) -> dict[str, Json]:
    """``entry`` as JSON. ``known`` is the encryption that a reader knows of; another one is written along."""
    encoded: dict[str, Json] = {}
    if entry.begin is not None:
        encoded["begin"] = form.encode_operation(entry.begin, codec)
    if entry.end is not None:
        encoded["end"] = entry.end
    if entry.add is not None:
        encoded["add"] = form.encode_resource(entry.add, codec)
    if entry.keep is not None:
        encoded["keep"] = entry.keep
    if entry.recover is not None:
        encoded["recover"] = form.encode_resource(entry.recover, codec)
    if entry.remove is not None:
        encoded["remove"] = entry.remove
    if entry.amend:
        encoded["amend"] = [[number, form.encode_resource(state, codec)] for number, state in entry.amend]
    if entry.refresh:
        encoded["refresh"] = True
    if codec.provider is not None and codec.provider != known:
        encoded["secrets_providers"] = form.encode_provider(codec.provider)
    return encoded


def decode_entry(encoded: dict[str, Json], codec: SecretCodec) -> Entry:
    if "secrets_providers" in encoded:
        codec.use(form.decode_provider(encoded["secrets_providers"], "secrets_providers"))
    begin, add, recover = encoded.get("begin"), encoded.get("add"), encoded.get("recover")
    return Entry(
        begin=None if begin is None else form.decode_operation(begin, "begin", codec),
        end=encoded.get("end"),
        add=None if add is None else form.decode_resource(add, "add", codec),
        keep=encoded.get("keep"),
        recover=None if recover is None else form.decode_resource(recover, "recover", codec),
        remove=encoded.get("remove"),
        amend=tuple((n, form.decode_resource(state, "amend", codec)) for n, state in encoded.get("amend", ())),
        refresh=bool(encoded.get("refresh")),
    )


def mark_folded(path: Path, fingerprint: str) -> None:
    """Say in the journal at ``path`` that the checkpoint with ``fingerprint`` holds all of it. Drops a torn last line.

    To be called before that checkpoint takes its place. Does nothing where there is no journal.
    """
    try:
        file = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return
    with os.fdopen(file, "r+b") as stream:
        content = stream.read()
        end = sum(len(line) + 1 for line in _whole_lines(path, content))
        present = min(end, len(content))  # one less than ``end`` where only the line's end was torn off
        stream.seek(present)
        stream.truncate()
        stream.write(b"\n" * (end - present) + _close_line({"folded": fingerprint}))
        stream.flush()
        os.fsync(stream.fileno())


def _whole_lines(path: Path, content: bytes) -> list[bytes]:
    """The lines of a journal up to what never became durable. Raises StateCorrupt for what did and is damaged."""
    lines = content.split(b"\n")
    if not lines[-1]:
        lines.pop()
    end = next((at for at, line in enumerate(lines) if not _is_whole(line)), len(lines))
    if end < len(lines):
        _, is_hole, after = lines[end].rpartition(b"\0")  # it may have swallowed the end of its line
        behind = [after, *lines[end + 1 :]] if is_hole else lines[end + 1 :]
        never_durable = is_hole and _has_marks(lines) and not any(map(_follows_durable, behind))
        if behind and not (never_durable or behind == [b""]):
            raise StateCorrupt(path, f"line {end + 1} is damaged", REPAIR)
    return lines[:end]


def _close_line(value: Json) -> bytes:
    body = properties.dumps(value).encode()
    return b"%08x %s\n" % (zlib.crc32(body), body)


def _is_whole(line: bytes) -> bool:
    marked = line[CRC_DIGITS : CRC_DIGITS + 1] in (b" ", DURABLE)
    return marked and line[:CRC_DIGITS] == b"%08x" % zlib.crc32(line[CRC_DIGITS + 1 :])


def _follows_durable(line: bytes) -> bool:
    return _is_whole(line) and line[CRC_DIGITS : CRC_DIGITS + 1] == DURABLE


def _has_marks(lines: list[bytes]) -> bool:
    """Whether this journal has marks: its first line then has one. (Where that is a hole, nothing was begun.)"""
    return not _is_whole(lines[0]) or _follows_durable(lines[0])


class Writer:
    """Appends lines from any thread; its own thread writes them, and one fsync serves all that wait for one.

    ``append`` gives a future that resolves when the line, and all before it, can't be lost any more. When a write fails
    (disk full), that future and all later ones fail with StateError and nothing more is written.
    """

    def __init__(self, path: Path, base: str) -> None:
        """Start a journal at ``path``, which must not exist, for the checkpoint with the fingerprint ``base``."""
        self._path = path
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        self._condition = threading.Condition()
        self._queue: list[tuple[bytes, Future[None] | None]] = []
        self._closing = False
        self._durable = True  # all that was written
        self._failure: StateError | None = None
        self._thread = threading.Thread(target=self._run, name=f"journal {path.name}", daemon=True)
        self._enqueue({"journal": VERSION, "base": base}, Future())
        self._thread.start()

    def append(self, line: Json) -> Future[None]:
        """Write ``line``; the future resolves when it is durable."""
        return self._enqueue(line, Future())

    def note(self, line: Json) -> None:
        """Write ``line`` without hurry: it becomes durable with the next one that must be, or on close."""
        self._enqueue(line, None)

    def close(self) -> None:
        """Write what is left and stop. Raises StateError when something could not be written."""
        last: Future[None] = Future()
        with self._condition:
            if self._closing:
                return
            self._closing = True
            self._queue.append((b"", last))
            self._condition.notify()
        self._thread.join()
        os.close(self._file)
        last.result()

    def _enqueue(self, line: Json, future: _F) -> _F:
        content = _close_line(line)
        with self._condition:
            if self._closing:
                raise StateError(f"{self._path}: the journal is closed")
            self._queue.append((content, future))
            self._condition.notify()
        return future

    def _run(self) -> None:
        sync_folder(self._path.parent)
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._queue)
                batch, self._queue = self._queue, []
                last = self._closing
            self._write(batch)
            if last:
                return

    def _write(self, batch: list[tuple[bytes, Future[None] | None]]) -> None:
        waiting = [future for _, future in batch if future is not None]
        if self._failure is None:
            try:
                content = b"".join(line for line, _ in batch)
                if self._durable and content:
                    content = content[:CRC_DIGITS] + DURABLE + content[CRC_DIGITS + 1 :]
                self._durable = False
                _write_all(self._file, content)
                if waiting:
                    os.fsync(self._file)
                    self._durable = True
            except OSError as error:
                self._failure = StateError(f"{self._path}: can't write the journal: {error.strerror}")
        for future in waiting:
            if not future.set_running_or_notify_cancel():
                continue
            if self._failure is None:
                future.set_result(None)
            else:
                future.set_exception(self._failure)


def _write_all(file: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(file, view) :]
