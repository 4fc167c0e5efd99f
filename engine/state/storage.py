"""Where state lies: the layout of Pulumi's file backend below a folder, so that its CLI finds ours and we find its.

    .pulumi/meta.yaml                                        version: 1
    .pulumi/stacks/PROJECT/STACK.json                        the checkpoint, or STACK.json.gz
    .pulumi/stacks/PROJECT/STACK.json.bak                    the one before
    .pulumi/stacks/PROJECT/STACK.journal.jsonl               what a run has done since (ours; Pulumi's CLI ignores it)
    .pulumi/history/PROJECT/STACK/STACK-NANOSECONDS.{history,checkpoint}.json
    .pulumi/backups/PROJECT/STACK/STACK.NANOSECONDS.json
    .pulumi/locks/organization/PROJECT/STACK/UUID.json       see ``lock``

(Source: Pulumi 3.260, ``pkg/backend/diy``.)
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from engine.state import buckets, files, journal, properties
from engine.state import format as form
from engine.state.errors import (
    BadName,
    FormatError,
    StateCorrupt,
    StateError,
    StateInvalid,
    StateTooNew,
    WrongPassphrase,
)
from engine.state.invariants import problems
from engine.state.ledger import merge
from engine.state.model import Manifest, Snapshot
from engine.state.sealed import LeftSealed
from engine.state.secrets import Keyring, SecretCodec

ORGANIZATION: Final = "organization"  # what Pulumi's file backend calls every organization
_FORMS: Final = tuple(f".json{ending}" for ending in buckets.ENDINGS)
_MOMENT: Final = re.compile(r"[-.](\d+)\.")
NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,100}")


def valid_name(what: str, name: str) -> str:
    """``name``, when Pulumi would take it and it can be a file's. Raises BadName; ``what`` is "stack" or "project"."""
    if not NAME.fullmatch(name) or set(name) == {"."}:
        raise BadName(f"{what} name {name!r}: expected 1 to 100 letters, digits, hyphens, underscores and periods")
    return name


@dataclass(frozen=True)
class Update:
    """An update for the stack's history. Times are seconds since 1970; ``result`` is succeeded, failed or in-progress.

    ``config`` is the configuration as its file has it, secrets encrypted.
    """

    kind: str
    start: int
    end: int
    result: str
    message: str = ""
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    config: Mapping[str, Any] = field(default_factory=dict[str, Any])
    changes: Mapping[str, int] = field(default_factory=dict[str, int])

    def encode(self) -> dict[str, Any]:
        encoded: dict[str, Any] = {
            "kind": self.kind,
            "startTime": self.start,
            "message": self.message,
            "environment": dict(self.environment),
            "config": dict(self.config),
            "version": 0,
            "result": self.result,
            "endTime": self.end,
        }
        return encoded | ({"resourceChanges": dict(self.changes)} if self.changes else {})


class StackStore:
    """One stack's files. Reading needs no lock; whoever writes holds the stack's lock."""

    def __init__(
        self, root: Path, project: str, stack: str, keyring: Keyring, *, writer: str = "bedplate", gzip: bool = False
    ) -> None:
        """``writer`` is what a checkpoint's manifest names as its maker. Raises BadName.

        With ``gzip`` the checkpoint is compressed when it is written; else it stays as it was found.
        """
        self.project = valid_name("project", project)
        self.stack = valid_name("stack", stack)
        self.qualified_name = f"{ORGANIZATION}/{project}/{stack}"
        self.root = root
        self._writer = writer
        self._gzip = gzip
        self._folder = buckets.Folder(root)
        self.folder = root / ".pulumi"
        self.path = self.folder / "stacks" / project / f"{stack}.json"
        self.previous_path = self.path.with_name(f"{stack}.json.bak")
        self.journal_path = self.path.with_name(f"{stack}.journal.jsonl")
        self.history_folder = self.folder / "history" / project / stack
        self.backup_folder = self.folder / "backups" / project / stack
        self.lock_folder = self.folder / "locks" / ORGANIZATION / project / stack
        self.codec = SecretCodec(keyring)
        self._loaded = False
        self._current: Snapshot | None = None

    @property
    def reseals(self) -> bool:
        return True

    def as_kept(self, snapshot: Snapshot) -> Snapshot:
        return snapshot

    def exists(self) -> bool:
        """Whether the stack was made, deployed or not."""
        return self._stored() is not None or self.journal_path.exists()

    def with_keyring(self, keyring: Keyring) -> StackStore:
        """The same files, opened with another keyring."""
        return StackStore(self.root, self.project, self.stack, keyring, writer=self._writer, gzip=self._gzip)

    def left_sealed(self) -> StackStore:
        """The same files for looking only, where nobody can open the secrets: these are unknown."""
        same = self.with_keyring(Keyring(self.stack))
        same.codec = LeftSealed()
        return same

    def load(self) -> Snapshot | None:
        """The stack as last known, with what a died run has left in the journal; None when it was never deployed.

        What that run had begun and not ended is among the pending operations. Nothing on disk changes. Raises
        StateCorrupt, StateTooNew, StateInvalid, WrongPassphrase or SecretsUnsupported.
        """
        snapshot = self.read()
        found = problems(snapshot) if snapshot is not None else []
        if found:
            with_journal = f" with {self.journal_path}" if self.journal_path.exists() else ""
            self._loaded = False
            remedy = f"`bedplate state repair {self.stack}` mends what can be mended; {self._remedy()}"
            raise StateInvalid(found, f"refusing to use {self._place}{with_journal}", remedy)
        return snapshot

    def read(self) -> Snapshot | None:
        """The same, whatever the invariants say of it: for who repairs it."""
        buckets.check_layout(self._folder)
        content = self.content()
        while True:
            snapshot = self._decode(content)
            try:
                left = self._left_over(content)
                break
            except StateCorrupt:
                # Who looks without the lock may have the checkpoint of before a save and the journal of after it.
                before, content = content, self.content()
                if content == before:
                    raise
        if left is not None:
            snapshot = merge(snapshot or Snapshot(), left.entries)
        self._loaded, self._current = True, snapshot
        return snapshot

    def interrupted(self) -> bool:
        """Whether a run has died and left a journal that ``load`` takes in."""
        return self._left_over(self.content()) is not None

    def save(self, snapshot: Snapshot) -> Snapshot:
        """Write ``snapshot`` in place of the checkpoint and of the journal; returns it as written, with its manifest.

        Raises StateInvalid, with both left as they were, when it breaks an invariant, and StateError when the disk
        does not take it: both then still hold what they held.
        """
        written, content = self._encode(snapshot)
        try:
            self._replace_checkpoint(content)
        except OSError as error:
            raise StateError(
                f"{self.path}: can't be written: {error.strerror}\n  the checkpoint stays as it was, and the journal "
                "beside it keeps what was done since; make room and run the command again, which looks for the rest"
            ) from error
        self._loaded, self._current = True, written
        return written

    def settle(self, base: Snapshot) -> str:
        """Make the checkpoint hold ``base`` and nothing be left in the journal, writing only where it has to.

        Returns the checkpoint's fingerprint, with which a new journal can start.
        """
        if not self._loaded:
            self.load()
        untouched = base is self._current or (self._current is None and base == Snapshot())
        if not untouched or self.interrupted():
            self.save(base)
        files.remove(self.journal_path)
        _ensure_layout(self.root)
        files.make_folder(self.path.parent)
        return journal.fingerprint(self.content())

    def _encode(self, snapshot: Snapshot) -> tuple[Snapshot, bytes]:
        """``snapshot`` with a new manifest, and as a checkpoint's bytes. Raises StateInvalid."""
        if snapshot.sealed:
            raise WrongPassphrase(f"{snapshot.sealed} secrets of {self.stack} could not be opened: nothing is saved")
        found = problems(snapshot)
        if found:
            raise StateInvalid(found, f"refusing to save an invalid state (the last good one stays at {self.path})")
        manifest = Manifest(now(), form.magic(self._writer), self._writer)
        written = replace(snapshot, manifest=manifest)
        content = form.checkpoint(self.qualified_name, written, self.codec).encode()
        return replace(written, secrets_provider=self.codec.provider or snapshot.secrets_provider), content

    def _replace_checkpoint(self, content: bytes) -> None:
        """Put ``content`` in the checkpoint's place, the old one beside it, and drop the journal it has taken in."""
        _ensure_layout(self.root)
        files.make_folder(self.path.parent)
        files.remove_leftovers(self.path)
        journal.mark_folded(self.journal_path, journal.fingerprint(content))
        old = self._stored()
        compressed = self._gzip or (old is not None and old.suffix == ".gz")
        new = self.path.with_name(f"{self.path.name}.gz") if compressed else self.path
        if old is not None:
            files.duplicate(old, old.with_name(f"{old.name}.bak"))
        files.write(new, buckets.packed(content, new.name))
        for ending in buckets.ENDINGS:  # what is in another form is older from now on
            other = self.path.with_name(self.path.name + ending)
            if other != new:
                files.remove(other)
        files.remove(self.journal_path)

    def create(self) -> None:
        """Make the stack, with nothing in it, unless it exists."""
        if not self.exists():
            _ensure_layout(self.root)
            files.write(self.path, form.checkpoint(self.qualified_name, None, self.codec).encode())

    def remove(self) -> None:
        """Forget the stack: its checkpoint, journal, history and backups, as ``pulumi stack rm --remove-backups``."""
        files.remove(self.journal_path)
        for ending in buckets.ENDINGS:
            for further in ("", ".bak"):
                files.remove(self.path.with_name(self.path.name + ending + further))
        for folder in (self.history_folder, self.backup_folder):
            for path in sorted(folder.glob("*")) if folder.is_dir() else ():
                path.unlink()
            if folder.is_dir():
                folder.rmdir()

    def add_to_history(self, update: Update) -> None:
        """Record ``update`` and keep the checkpoint that it led to, in the history and among the backups."""
        moment = self._moment()
        prefix = f"{self.stack}-{moment}"
        files.write(self.history_folder / f"{prefix}.history.json", properties.dumps(update.encode()).encode())
        content = self.content()
        if content:
            # A copy, not a link: whoever edits the checkpoint in place must not spoil its backup.
            backup = self.backup_folder / f"{self.stack}.{moment}.json"
            files.write(backup, content)
            files.duplicate(backup, self.history_folder / f"{prefix}.checkpoint.json")

    def keep_backup(self) -> Path | None:
        """Keep what is there now among the backups, byte for byte; None where there is nothing.

        The checkpoint's copy is what is returned; that of the journal of a died run lies beside it.
        """
        prefix = f"{self.stack}.{self._moment()}"
        if self.journal_path.exists():
            files.write(self.backup_folder / f"{prefix}.journal.jsonl", self.journal_path.read_bytes())
        stored = self._stored()
        if stored is None:
            return None
        kept = self.backup_folder / f"{prefix}{stored.name.removeprefix(self.stack)}"
        files.write(kept, stored.read_bytes())
        return kept

    def _moment(self) -> int:
        """Nanoseconds since 1970, and later than all that is kept: their order tells which is newer.

        A clock may have been set back since.
        """
        folders = (folder for folder in (self.history_folder, self.backup_folder) if folder.is_dir())
        names = (path.name.removeprefix(self.stack) for folder in folders for path in folder.iterdir())
        kept = (int(match[1]) + 1 for name in names if (match := _MOMENT.match(name)))
        return max(time.time_ns(), *kept, 0)

    def content(self) -> bytes:
        """The checkpoint, not compressed; nothing where there is none. Raises StateError."""
        stored = self._stored()
        content = self._folder.read(str(stored.relative_to(self.root))) if stored is not None else b""
        if content is None:  # it has got another form since
            return self.content()
        return buckets.plain(content, str(stored))

    def _stored(self) -> Path | None:
        key = buckets.newest(self._folder, str(self.path.relative_to(self.root)))
        return self.root / key if key is not None else None

    @property
    def _place(self) -> Path:
        """What messages call the checkpoint."""
        return self._stored() or self.path

    def _decode(self, content: bytes) -> Snapshot | None:
        if not content and self._stored() is None:
            return None
        try:
            return form.read_checkpoint(content, self.codec)
        except FormatError as error:
            raise StateCorrupt(self._place, str(error), self._remedy()) from error
        except StateTooNew as error:
            raise StateTooNew(f"{self._place}: {error}\n  it stays as it is; update bedplate to read it") from error

    def _left_over(self, content: bytes) -> journal.Journal | None:
        """The journal of a run that died, None where there is none or the checkpoint has taken it in already."""
        reader = journal.Reader(self.journal_path, self.codec)
        header = reader.header()
        if header is None:
            return None
        present = journal.fingerprint(content)
        if header.folded is not None and header.folded == present:
            return None
        if header.base != present:
            raise StateCorrupt(self.journal_path, f"it does not belong to {self._place}", journal.REPAIR)
        return reader.journal()

    def _remedy(self) -> str:
        """What to do about a broken checkpoint: the newest copy that can be read."""
        previous = [self._place.with_name(f"{self._place.name}.bak"), self.previous_path]
        for copy in (*previous, *sorted(self.backup_folder.glob(f"{self.stack}.*.json*"), reverse=True)):
            if copy.is_file() and _is_good(copy):
                made = datetime.fromtimestamp(copy.stat().st_mtime, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
                return f"the file stays as it is; the last good copy, of {made}, is {copy}: put it in its place"
        return "the file stays as it is, and there is no good copy beside it: restore it from your own backup"


def _is_good(copy: Path) -> bool:
    try:
        return form.is_checkpoint(buckets.plain(copy.read_bytes(), str(copy)))
    except StateError:
        return False


def open_stack(
    root: Path, project: str, stack: str, keyring: Keyring | None = None, *, gzip: bool = False
) -> StackStore:
    """The store of ``stack`` of ``project`` below ``root``. Touches nothing. Raises BadName.

    Without a ``keyring`` a stack that has secrets can't be read.
    """
    return StackStore(root, project, stack, keyring or Keyring(stack), gzip=gzip)


def stacks(root: Path) -> list[tuple[str, str]]:
    """Project and name of every stack below ``root``, sorted."""
    below = ".pulumi/stacks/"
    found: set[tuple[str, str]] = set()
    for one in buckets.Folder(root).below(below):
        project, _, name = one.key.removeprefix(below).partition("/")
        stack = next((name.removesuffix(end) for end in _FORMS if name.endswith(end)), "")
        if stack and "/" not in name and not name.startswith("."):
            found.add((project, stack))
    return sorted(found)


def now() -> str:
    """This moment in RFC 3339, UTC, as Pulumi writes times: without zeros at the end of a fraction."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f").rstrip("0").rstrip(".") + "Z"


def _ensure_layout(root: Path) -> None:
    buckets.check_layout(buckets.Folder(root))
    path = root / ".pulumi" / "meta.yaml"
    if not path.exists():
        files.write(path, f"version: {buckets.LAYOUT}\n".encode())
