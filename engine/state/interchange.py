"""A stack's state as a file that goes from one engine, backend or pair of hands to another: Pulumi's deployment form.

What is exported is what lies in the checkpoint, field by field, secrets encrypted as they are: for that nobody needs a
passphrase, and a state that breaks the invariants can be exported to be mended.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final, Protocol

from engine import urn as urns
from engine.state import format as form
from engine.state import properties
from engine.state.errors import FormatError, SecretsUnsupported, StateError, StateInvalid, StateTooNew, WrongPassphrase
from engine.state.invariants import problems
from engine.state.model import ResourceState, Snapshot
from engine.state.properties import SECRET, SIGNATURE, Json
from engine.state.secrets import Keyring, SecretCodec

EXPECTED: Final = "expected what `bedplate state export` or `pulumi stack export` writes, or a checkpoint"


class Source(Protocol):
    """Where a checkpoint comes from."""

    codec: SecretCodec

    def content(self) -> bytes:
        """The checkpoint as it is stored, not compressed; nothing where there is none."""
        ...

    def interrupted(self) -> bool:
        """Whether ``load`` knows more than the checkpoint."""
        ...

    def read(self) -> Snapshot | None: ...


class _Revealing(SecretCodec):
    """Encrypts nothing."""

    def seal(self, plaintext: str) -> str:
        return plaintext


def export(source: Source, *, reveal: bool = False) -> str:
    """The text that ``pulumi stack import`` takes; with ``reveal`` with secrets in clear. Raises StateError."""
    content = source.content()
    if reveal or not content or source.interrupted():
        snapshot = source.read() or Snapshot()
        text = form.export(snapshot, _Revealing(Keyring(""), source.codec.provider) if reveal else source.codec)
        whole: Any = json.loads(text)
        return _shown(_in_clear(whole) if reveal else whole)
    try:
        return _shown(form.deployment_of(content))
    except FormatError:
        source.read()  # which tells the place, and what to do
        raise


def _shown(whole: Json) -> str:
    return properties.dumps(whole, indent=4) + "\n"


def _in_clear(value: Json) -> Json:
    """``value`` with each secret in the form that says it is not encrypted."""
    if isinstance(value, list):
        return [_in_clear(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get(SIGNATURE) == SECRET:
        return {SIGNATURE: SECRET, "plaintext": value["ciphertext"]}
    return {key: _in_clear(item) for key, item in value.items()}


def read(content: bytes, place: str, keyring: Keyring | SecretCodec) -> Snapshot:
    """The snapshot in a file in Pulumi's form; ``place`` is how errors call the file.

    Raises StateError, which says what to do: no such form, too new, torn, sealed otherwise than ``keyring`` opens.
    """
    codec = SecretCodec(keyring) if isinstance(keyring, Keyring) else keyring
    try:
        if form.is_checkpoint(content):
            return form.read_checkpoint(content, codec) or Snapshot()
        return form.read_export(content, codec)
    except FormatError as error:
        raise StateError(f"{place}: {error}\n  {EXPECTED}; nothing was changed") from error
    except StateTooNew as error:
        raise StateTooNew(f"{place}: {error}\n  update bedplate to read it; nothing was changed") from error
    except WrongPassphrase as error:
        raise WrongPassphrase(f"{place}: {error}") from error
    except SecretsUnsupported as error:
        raise SecretsUnsupported(
            f"{place}: {error}\n  or export it with `pulumi stack export --show-secrets`, and see to that file"
        ) from error


def check_belongs(snapshot: Snapshot, place: str, project: str, stack: str) -> None:
    """Raise StateInvalid unless ``snapshot`` is one of ``stack`` of ``project``, and one that keeps the invariants."""
    foreign = list(_foreign(snapshot, project, stack))
    if foreign:
        raise StateInvalid(
            foreign,
            f"{place} is not a state of {project}/{stack}; nothing was changed",
            "give it to the stack that it was made for; `bedplate state move` moves resources between stacks",
        )
    broken = problems(snapshot)
    if broken:
        raise StateInvalid(broken, f"{place} would break the state of {stack}; nothing was changed")


def _foreign(snapshot: Snapshot, project: str, stack: str) -> Iterator[str]:
    for state in _all(snapshot):
        try:
            parts = urns.parse(state.urn)
        except ValueError:
            continue  # for the invariants to tell
        if (parts.project, parts.stack) != (project, stack):
            yield f"{state.urn} is of {parts.project}/{parts.stack}"


def _all(snapshot: Snapshot) -> list[ResourceState]:
    return [*snapshot.resources, *(operation.resource for operation in snapshot.pending_operations)]
