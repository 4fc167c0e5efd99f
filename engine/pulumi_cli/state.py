"""A stack's state in a backend that the CLI reaches, for who edits it: read by `stack export`, put by `stack import`.

Has what ``engine.editing`` asks of whoever keeps a state. Secrets are never opened on the way: each goes back as it
came, whoever keeps its key. Raises PulumiError, and StateError where the state can't be read.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from engine.events import Consumer
from engine.project import Project
from engine.pulumi_cli.command import Cli
from engine.pulumi_cli.reach import backend_folder, backend_url
from engine.state import files, interchange, properties
from engine.state import format as form
from engine.state.errors import FormatError, StateError, StateInvalid, StateTooNew
from engine.state.history import Past
from engine.state.invariants import problems
from engine.state.model import SecretsProvider, Snapshot
from engine.state.properties import SECRET, SIGNATURE, Json
from engine.state.secrets import Keyring, SecretCodec
from engine.state.storage import ORGANIZATION, Update

BACKUPS: Final = Path(".bedplate") / "backups"
_SEALED: Final = "ciphertext of "
_PLAIN: Final = "plaintext: "


class Untouched(SecretCodec):
    """Opens nothing: a ciphertext stands for itself until it is written again. What comes in clear goes in clear."""

    def __init__(self) -> None:
        super().__init__(Keyring(""))
        self.in_clear = 0

    def use(self, provider: SecretsProvider | None) -> None:
        """How secrets are encrypted is what the snapshot says."""

    def open(self, ciphertext: str) -> str:
        return json.dumps({_SEALED: ciphertext})

    def seal(self, plaintext: str) -> str:
        value = json.loads(plaintext)
        if isinstance(value, dict) and value.keys() == {_SEALED}:
            return value[_SEALED]
        self.in_clear += 1
        return _PLAIN + plaintext


@dataclass
class CliState:
    """One stack's state. One edit at a time."""

    project: Project
    stack: str
    cli: Cli
    _exported: str | None = field(default=None, init=False)

    @classmethod
    def open(cls, project: Project, stack: str) -> CliState:
        """The state of ``stack`` in the backend that the CLI is logged in to. Asks nobody yet."""
        return cls(project, stack, Cli(project.root, stack))

    @property
    def store(self) -> CliState:
        return self

    @property
    def lock_folder(self) -> Path | None:
        """Where the stack's locks are, as far as the backend is a folder."""
        folder = backend_folder(backend_url(self.project, os.environ))
        if folder is None:
            return None
        return folder / ".pulumi" / "locks" / ORGANIZATION / self.project.name / self.stack

    # Looking

    def exported(self, *, reveal: bool = False) -> str:
        """The state as ``pulumi stack import`` takes it; with ``reveal`` with its secrets in clear."""
        return self.cli.ask("stack", "export", *(["--show-secrets"] if reveal else []))

    def read(self) -> Snapshot | None:
        """The stack as the backend has it, whatever the invariants say of it."""
        self._exported = self.exported()
        try:
            return form.read_export(self._exported, Untouched())
        except FormatError as error:
            raise StateError(f"what `pulumi stack export` writes of {self.stack} can't be read: {error}") from error
        except StateTooNew as error:
            raise StateTooNew(f"the state of {self.stack}: {error}\n  update bedplate to read it") from error

    def load(self) -> Snapshot | None:
        """The same, of a state that is valid. Raises StateInvalid."""
        snapshot = self.read()
        found = problems(snapshot) if snapshot is not None else []
        if found:
            remedy = f"`bedplate state repair {self.stack}` mends what can be mended"
            raise StateInvalid(found, f"refusing to use the state of {self.stack}", remedy)
        return snapshot

    def saved(self) -> Snapshot:
        return self.load() or Snapshot()

    def history(self) -> tuple[list[Past], list[str]]:
        """What was done to the stack, newest first, as the backend has it. Nothing of it can't be read."""
        told: Any = json.loads(self.cli.ask("stack", "history", "--json", "--page-size", "0") or "null")
        updates = told or []
        return [_past(one, len(updates) - at) for at, one in enumerate(updates)], []

    # Changing

    @contextmanager
    def locked(self, emit: Consumer) -> Generator[None]:
        """Nobody can hold a backend's lock from here: who was quicker is found out before anything is written."""
        del emit
        yield

    def given(self, content: bytes, place: str) -> Snapshot:
        """The snapshot in a file that is called ``place``. The CLI opens its secrets when it is put in."""
        return interchange.read(content, place, Untouched())

    def replacing(self) -> CliState:
        """What puts another state in the place of one that can't be read."""
        return self

    def keep_backup(self) -> Path:
        """Keep what the backend has; ``state import`` takes it back. Raises StateError where that is not what was read.

        That is asked last, since whoever was asked before may have thought about it for long.
        """
        now = self.exported()
        if self._exported is not None and now != self._exported:
            raise StateError(
                f"somebody has changed the state of {self.stack} in the meantime; nothing was changed\n"
                "  run the command again, which shows what it would do to the new one"
            )
        name = self.stack.rpartition("/")[2]
        path = self.project.root / BACKUPS / self.project.name / name / f"{name}.{time.time_ns()}.json"
        files.write(path, now.encode())
        return path

    def save(self, snapshot: Snapshot) -> Snapshot:
        """Put ``snapshot`` in the place of what the backend has. Never on a disk on the way: it may be in clear."""
        codec = Untouched()
        text = form.export(snapshot, codec)
        if codec.in_clear:
            text = properties.dumps(_in_clear(json.loads(text)))
        self.cli.tell(text, "stack", "import")
        return snapshot

    @property
    def reseals(self) -> bool:
        return False

    def as_kept(self, snapshot: Snapshot) -> Snapshot:
        """The CLI forgets what was not seen to end. (Source: Pulumi 3.260, ``SaveSnapshot``, ``cmd/pulumi/stack``.)"""
        return replace(snapshot, pending_operations=())

    def add_to_history(self, update: Update) -> None:
        """That is for the backend, which does it or not: the CLI takes no message for it."""

    def cancel_update(self) -> None:
        """End the update that holds the stack, or take its lock away, whichever the backend does."""
        self.cli.ask("cancel", "--yes")

    def move(self, urns: list[str], to: str, *, parents: bool) -> None:
        """Have the CLI move resources to the stack ``to``: it alone can encrypt their secrets anew."""
        flags = ["--source", self.stack, "--dest", to, "--yes", *(["--include-parents"] if parents else [])]
        self.cli.ask("state", "move", *flags, *urns, of_stack=False)


def _in_clear(value: Json) -> Json:
    """``value`` with what ``Untouched`` could not encrypt in the form that says that it is not."""
    if isinstance(value, list):
        return [_in_clear(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get(SIGNATURE) == SECRET and value["ciphertext"].startswith(_PLAIN):
        return {SIGNATURE: SECRET, "plaintext": value["ciphertext"].removeprefix(_PLAIN)}
    return {key: _in_clear(item) for key, item in value.items()}


def _past(told: dict[str, Any], number: int) -> Past:
    """An update as ``pulumi stack history --json`` tells it. The configuration is left out: nobody asks for it."""
    return Past(
        str(told.get("kind", "")), _seconds(told.get("startTime")), _seconds(told.get("endTime")),
        str(told.get("result", "")), str(told.get("message", "")),
        {str(name): str(value) for name, value in (told.get("environment") or {}).items()},
        changes={str(op): int(count) for op, count in (told.get("resourceChanges") or {}).items()},
        number=int(told.get("version") or number),
    )  # fmt: skip


def _seconds(moment: Any) -> int:
    """Seconds since 1970 of a moment as the CLI writes it; 0 for none."""
    try:
        return int(datetime.strptime(str(moment), "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC).timestamp())
    except ValueError:
        return 0
