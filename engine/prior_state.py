"""What a stack is known to be, for whoever only looks: also where it lies in a bucket, or its secrets stay sealed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

from engine.events import Diagnostic, Severity
from engine.state.errors import NoCredentials, SecretsUnsupported, WrongPassphrase
from engine.state.model import Snapshot
from engine.state.remote import RemoteStore
from engine.state.secrets import PASSPHRASE, Keyring
from engine.state.storage import StackStore

Source: TypeAlias = StackStore | RemoteStore
Tell: TypeAlias = Callable[[Diagnostic], object]

_NOTHING: Final = Snapshot()


def looked_at(source: Source, keyring: Keyring) -> Snapshot:
    """The stack as it was last saved, empty where it never was.

    Secrets stay sealed where nobody has set a passphrase, or a service has sealed them. Raises StateError; with a
    passphrase that is wrong, WrongPassphrase.
    """
    try:
        return source.load() or _NOTHING
    except SecretsUnsupported:
        return source.left_sealed().load() or _NOTHING
    except WrongPassphrase:
        if keyring.passphrase is not None:
            raise
        return source.left_sealed().load() or _NOTHING


def for_preview(source: Source, own: StackStore, keyring: Keyring, folder: Path, tell: Tell) -> Snapshot:
    """The same, with a word about what is missing. Without credentials for a bucket, ``own`` in ``folder`` counts."""
    try:
        found = looked_at(source, keyring)
    except NoCredentials as error:
        told = str(error).splitlines()[0]
        text = f"{told}: this preview compares with {folder}, not with what is deployed"
        tell(Diagnostic(Severity.WARNING, text))
        return looked_at(own, keyring)
    if found.sealed:
        kind = found.secrets_provider.type if found.secrets_provider else PASSPHRASE
        why = "no passphrase is set to open them" if kind == PASSPHRASE else f"only {kind!r} can open them"
        text = f"secrets of the state that stay sealed: {found.sealed}, since {why}; each counts as unchanged"
        tell(Diagnostic(Severity.INFO, text))
    return found
