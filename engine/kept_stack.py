"""A stack where its state lies: read, locked, sealed. No program runs for it, and no provider.

Raises StateError (lock, state, passphrase) and ProjectError.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Self

from engine import prior_state
from engine.backend import STATE_FOLDER, compresses, kept_passphrase, new_passphrase, shown, whereabouts
from engine.events import Consumer, Diagnostic, Severity
from engine.plan import Plan
from engine.project import Project, ProjectError, UnknownStack
from engine.state import history, interchange
from engine.state.buckets import Folder
from engine.state.history import Past
from engine.state.lock import StackLock
from engine.state.model import Snapshot
from engine.state.remote import RemoteStore
from engine.state.secrets import Keyring, SecretCodec, passphrase_from
from engine.state.storage import StackStore, open_stack
from engine.values import Properties, has_secret


@dataclass
class KeptStack:
    """A stack of one project, as it is kept. Make one with ``kept``.

    ``keyring`` opens the configuration's secrets, ``sealing`` the state's. ``out_of_reach`` is the URL of a backend
    that only the Pulumi CLI can change, "" where the state lies in files; ``remote`` is the stack there, if that can be
    read.
    """

    project: Project
    stack: str
    store: StackStore
    keyring: Keyring
    sealing: Keyring
    out_of_reach: str = ""
    remote: RemoteStore | None = None

    @classmethod
    def kept(cls, project: Project, stack: str, environment: Mapping[str, str], **further: Any) -> Self:
        """``stack``, whose state lies where PULUMI_BACKEND_URL says (a file URL), else in ``.bedplate/state``.

        What lies in an S3 bucket can be looked at. With another URL a preview is all that can be had: it compares with
        what lies in ``.bedplate/state``. ``further`` is what a kind of stack has besides.
        """
        ours = project.root / STATE_FOLDER
        root, url, bucket = whereabouts(project, environment)
        keyring = Keyring(stack, passphrase_from(environment), project.salt(stack))
        sealing = keyring
        if keyring.passphrase is None and root == ours:
            # The configuration's salt proves the user's passphrase, never the one that is kept beside the state.
            sealing = Keyring(stack, kept_passphrase(root))
        store = open_stack(root, project.name, stack, sealing, gzip=compresses(environment))
        remote = RemoteStore(bucket, project.name, stack, SecretCodec(keyring)) if bucket else None
        if not store.exists():
            _require(project, stack, remote)
        return cls(project, stack, store, keyring, sealing, url, remote, **further)

    @property
    def where(self) -> str:
        """Which engine it is, and where the state lies, in a few words."""
        if self.remote is not None:
            return f"embedded engine, state in {self.remote.bucket.name}"
        ours = self.store.root == self.project.root / STATE_FOLDER
        return f"embedded engine, state in {STATE_FOLDER if ours else self.store.root}"

    # Looking

    def snapshot(self) -> Snapshot:
        """The stack as it was last saved, for looking; empty when it was never brought up."""
        self.require_reach()
        return prior_state.looked_at(self.source, self.sealing)

    def saved(self) -> Snapshot:
        """The same for whoever changes it: every secret is open. Raises WrongPassphrase where that can't be."""
        self.check_own()
        return self.store.load() or Snapshot()

    def given(self, content: bytes, place: str) -> Snapshot:
        """The snapshot in a file in Pulumi's form, which errors call ``place``. Raises as ``interchange.read`` does."""
        return interchange.read(content, place, self.sealing)

    def replacing(self) -> StackStore:
        """The stack's files, for who replaces what can't be read: they know nothing of how it was sealed."""
        return self.store.with_keyring(self.sealing)

    def history(self) -> tuple[list[Past], list[str]]:
        """What was done to the stack, newest first, and a line about each record that can't be read."""
        self.require_reach()
        bucket = self.remote.bucket if self.remote is not None else Folder(self.store.root)
        return history.read(bucket, self.project.name, self.stack)

    def outputs(self) -> Properties:
        """The stack's outputs, secrets marked."""
        return self.snapshot().outputs

    def exported(self, *, reveal: bool = False) -> str:
        """The state as ``pulumi stack import`` takes it; with ``reveal`` with its secrets in clear."""
        self.require_reach()
        return interchange.export(self.source, reveal=reveal)

    def outputs_of(self, name: str) -> Properties | None:
        """The outputs of a stack by ``STACK``, ``PROJECT/STACK`` or ``ORGANIZATION/PROJECT/STACK``."""
        parts = name.split("/")
        project = parts[-2] if len(parts) > 1 else self.project.name
        keyring = replace(self.sealing, stack=parts[-1])
        if self.remote is None:
            snapshot = open_stack(self.store.root, project, parts[-1], keyring).load()
        else:
            other = self.remote.other(project, parts[-1], keyring)
            snapshot = prior_state.looked_at(other, keyring) if other.exists() else None
        return None if snapshot is None else snapshot.outputs

    @property
    def source(self) -> prior_state.Source:
        """What the state is read from."""
        return self.store if self.remote is None else self.remote

    def require_reach(self) -> None:
        """Raise ProjectError where the state can't even be looked at."""
        if self.out_of_reach and self.remote is None:
            raise ProjectError(
                f"PULUMI_BACKEND_URL is {shown(self.out_of_reach)!r}: the embedded engine keeps state in files only; "
                "unset it, or give a file:// URL"
            )

    def check_own(self) -> None:
        """Raise ProjectError where the state is not the embedded engine's to change."""
        self.require_reach()
        if self.remote is not None:
            raise ProjectError(
                f"PULUMI_BACKEND_URL is {shown(self.out_of_reach)!r}, which the embedded engine only reads: it "
                "previews what is there and keeps state in files only\n  change it with the Pulumi CLI (`--engine "
                "pulumi`), or unset the variable, or give a file:// URL, to work on another copy"
            )

    # Changing

    @contextmanager
    def locked(self, emit: Consumer) -> Generator[None]:
        """Hold the stack, with a passphrase to seal its secrets with. Raises LockedBy, ProjectError out of reach."""
        self.check_own()
        with held(self.store, emit):
            self.make_key()
            yield

    def make_key(self) -> None:
        """See to it that what ``.bedplate/state`` keeps can be encrypted, where the user has set no passphrase."""
        if self.sealing.passphrase is None and self.store.root == self.project.root / STATE_FOLDER:
            self.sealing = Keyring(self.stack, new_passphrase(self.store.root))
            self.store = self.store.with_keyring(self.sealing)

    def require_key(self, plan: Plan) -> None:
        """Raise WrongPassphrase now, where the apply would have to seal a secret and could not."""
        states = [step.new for step in plan.steps if step.new is not None]
        if has_secret([[state.inputs, state.outputs] for state in states]) or has_secret(plan.outputs_after):
            self.store.codec.require()


@contextmanager
def held(store: StackStore, emit: Consumer) -> Generator[None]:
    """Hold the lock of a stack, and tell what it has to say."""
    with StackLock(store.lock_folder, store.qualified_name) as lock:
        for note in lock.notes:
            emit(Diagnostic(Severity.WARNING, note))
        yield


def _require(project: Project, stack: str, remote: RemoteStore | None) -> None:
    try:
        project.require(stack)
    except UnknownStack:
        if remote is None or not remote.exists():
            raise
