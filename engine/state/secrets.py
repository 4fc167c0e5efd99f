"""Encryption of secrets with a passphrase, in Pulumi's form, so that its CLI reads ours and we read its.

A salt is ``v1:SALT:v1:NONCE:TEXT``: the encrypted word ``pulumi`` behind it tells a right passphrase from a wrong one.
A ciphertext is ``v1:NONCE:TEXT``, all in base64. The key is PBKDF2-SHA256 over the passphrase, 1,000,000 rounds, 32
bytes; the cipher is AES-256-GCM. (Source: Pulumi 3.260, ``config/crypt.go`` and ``secrets/passphrase``.)

Deriving the key takes a few tenths of a second, so it is done at the first secret and not before.
"""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from engine.state.errors import FormatError, SecretsUnsupported, WrongPassphrase
from engine.state.model import SecretsProvider

ROUNDS: Final = 1_000_000
KEY_BYTES: Final = 32
SALT_BYTES: Final = 8
NONCE_BYTES: Final = 12
PROOF: Final = "pulumi"
PASSPHRASE: Final = "passphrase"  # the type under which a checkpoint names this kind of encryption  # noqa: S105
SET_IT: Final = "set PULUMI_CONFIG_PASSPHRASE, or PULUMI_CONFIG_PASSPHRASE_FILE to a file that holds it"


class Crypter(Protocol):
    """Turns text into ciphertext and back. ``provider`` is what a checkpoint must say so that it can be opened."""

    @property
    def provider(self) -> SecretsProvider: ...

    def encrypt(self, plaintext: str) -> str: ...

    def decrypt(self, ciphertext: str) -> str: ...


@functools.lru_cache(maxsize=16)
def derive_key(passphrase: str, salt: bytes) -> bytes:
    """The key for ``passphrase`` and ``salt``. Pure and slow, hence remembered."""
    return hashlib.pbkdf2_hmac("sha256", passphrase.encode(), salt, ROUNDS, KEY_BYTES)


def seal(key: bytes, plaintext: str) -> str:
    """``plaintext`` as ``v1:NONCE:TEXT``, with a new nonce each time."""
    nonce = os.urandom(NONCE_BYTES)
    text = AESGCM(key).encrypt(nonce, plaintext.encode(), None)
    return f"v1:{base64.b64encode(nonce).decode()}:{base64.b64encode(text).decode()}"


def unseal(key: bytes, ciphertext: str) -> str:
    """The text in ``v1:NONCE:TEXT``. Raises ValueError when it is malformed or was sealed with another key."""
    version, _, rest = ciphertext.partition(":")
    nonce, _, text = rest.partition(":")
    if version != "v1" or not nonce or not text:
        raise ValueError("a ciphertext looks like v1:NONCE:TEXT")
    try:
        return AESGCM(key).decrypt(base64.b64decode(nonce), base64.b64decode(text), None).decode()
    except InvalidTag:
        raise ValueError("the ciphertext was made with another key, or is damaged") from None
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ValueError(f"damaged ciphertext: {error}") from error


class PassphraseCrypter:
    """Encrypts with a passphrase. The key is derived, and the passphrase checked, at first use."""

    def __init__(self, salt: str, passphrase: str | None, stack: str) -> None:
        """``salt`` is a stack's ``encryptionsalt``; ``stack`` is named in errors; no passphrase fails at first use."""
        self._salt = salt
        self._passphrase = passphrase
        self._stack = stack

    @property
    def provider(self) -> SecretsProvider:
        return SecretsProvider(PASSPHRASE, {"salt": self._salt})

    def encrypt(self, plaintext: str) -> str:
        return seal(self._key, plaintext)

    def decrypt(self, ciphertext: str) -> str:
        """Raises FormatError when ``ciphertext`` is damaged, WrongPassphrase when the passphrase is wrong."""
        try:
            return unseal(self._key, ciphertext)
        except ValueError as error:
            raise FormatError("", f"a secret that can't be opened: {error}") from error

    @functools.cached_property
    def _key(self) -> bytes:
        if self._passphrase is None:
            raise WrongPassphrase(f"the secrets of stack {self._stack} need a passphrase\n  {SET_IT}")
        salt, proof = _split_salt(self._salt)
        key = derive_key(self._passphrase, salt)
        try:
            proven = unseal(key, proof) == PROOF
        except ValueError:
            proven = False
        if not proven:
            raise WrongPassphrase(f"wrong passphrase for stack {self._stack}\n  {SET_IT}")
        return key


def _split_salt(salt: str) -> tuple[bytes, str]:
    """The salt's bytes and the ciphertext that proves a key."""
    version, _, rest = salt.partition(":")
    encoded, _, proof = rest.partition(":")
    if version != "v1" or not proof:
        raise FormatError("encryptionsalt", "expected v1:SALT:v1:NONCE:TEXT")
    try:
        return base64.b64decode(encoded), proof
    except binascii.Error as error:
        raise FormatError("encryptionsalt", f"not base64: {error}") from error


def new_salt(passphrase: str) -> str:
    """A new ``encryptionsalt`` for ``passphrase``."""
    salt = os.urandom(SALT_BYTES)
    return f"v1:{base64.b64encode(salt).decode()}:{seal(derive_key(passphrase, salt), PROOF)}"


def passphrase_from(environment: Mapping[str, str]) -> str | None:
    """The passphrase that Pulumi's variables give, or None. An empty one is a passphrase.

    Raises WrongPassphrase when the named file can't be read.
    """
    if "PULUMI_CONFIG_PASSPHRASE" in environment:
        return environment["PULUMI_CONFIG_PASSPHRASE"]
    path = environment.get("PULUMI_CONFIG_PASSPHRASE_FILE")
    if not path:
        return None
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise WrongPassphrase(f"PULUMI_CONFIG_PASSPHRASE_FILE: can't read {path}: {error}") from error


@dataclass(frozen=True)
class Keyring:
    """What one stack's secrets are opened with.

    ``stack`` is named in errors; ``salt`` is the ``encryptionsalt`` of the stack's configuration file, "" where it has
    none yet.
    """

    stack: str
    passphrase: str | None = None
    salt: str = ""

    @property
    def takes_any(self) -> bool:
        """Whether a stack without secrets would be sealed with this passphrase, which then can't be a wrong one."""
        return self.passphrase is not None and not self.salt

    def open(self, provider: SecretsProvider) -> Crypter:
        """The crypter for what ``provider`` encrypted. Raises SecretsUnsupported for anything but a passphrase."""
        if provider.type != PASSPHRASE:
            raise SecretsUnsupported(
                f"the secrets of stack {self.stack} are encrypted by {provider.type!r}; the embedded engine opens "
                f"only {PASSPHRASE!r}\n  change it with `pulumi stack change-secrets-provider passphrase`, or use "
                "the pulumi engine"
            )
        salt = provider.state.get("salt")
        if not isinstance(salt, str):
            raise FormatError("secrets_providers.state.salt", "expected text")
        return PassphraseCrypter(salt, self.passphrase, self.stack)

    def create(self) -> Crypter:
        """The crypter for a stack that has no secrets yet: with the configuration's salt, or else a new one."""
        if self.salt:
            return PassphraseCrypter(self.salt, self.passphrase, self.stack)
        if self.passphrase is None:
            raise WrongPassphrase(f"stack {self.stack} has a secret to store and no passphrase\n  {SET_IT}")
        return PassphraseCrypter(new_salt(self.passphrase), self.passphrase, self.stack)


class SecretCodec:
    """Seals and opens the secrets of one checkpoint, and gives an unchanged secret the ciphertext that it had.

    Ciphertexts are remembered by scope (a resource's URN and whether input or output) and plaintext, in order, so that
    a file does not change where nothing did, and equal secrets of two resources can't be told by their ciphertext.
    Not for use from several threads at once.
    """

    def __init__(self, keyring: Keyring, provider: SecretsProvider | None = None) -> None:
        self._keyring = keyring
        self._provider = provider
        self._opened: Crypter | None = None
        self._known: dict[tuple[str, str], list[str]] = {}
        self._scope = ""
        self._used: dict[str, int] = {}
        self.left_sealed = 0  # secrets that were met and not opened: see ``sealed``

    @property
    def provider(self) -> SecretsProvider | None:
        """How the checkpoint's secrets are encrypted; None while it has none."""
        return self._provider

    def use(self, provider: SecretsProvider | None) -> None:
        """Take over what a checkpoint says about its encryption."""
        if provider != self._provider:
            self._provider, self._opened = provider, None
            self._known.clear()

    def require(self) -> None:
        """Find out whether a secret could be sealed. Raises WrongPassphrase or SecretsUnsupported."""
        if self._provider is not None or not self._keyring.takes_any:
            self._crypter().encrypt(PROOF)

    def enter(self, scope: str) -> None:
        """Begin to read or write the secrets of ``scope``, in the order in which they always come."""
        self._scope = scope
        self._used.clear()

    def seal(self, plaintext: str) -> str:
        turn = self._used.get(plaintext, 0)
        self._used[plaintext] = turn + 1
        known = self._known.setdefault((self._scope, plaintext), [])
        if turn >= len(known):
            known.append(self._crypter().encrypt(plaintext))
        return known[turn]

    def open(self, ciphertext: str) -> str:
        plaintext = self._crypter().decrypt(ciphertext)
        known = self._known.setdefault((self._scope, plaintext), [])
        if ciphertext not in known:
            known.append(ciphertext)
        return plaintext

    def _crypter(self) -> Crypter:
        if self._opened is None:
            self._opened = self._keyring.create() if self._provider is None else self._keyring.open(self._provider)
            self._provider = self._opened.provider
        return self._opened
