"""A stack's configuration as its program gets it: read from YAML, made text, its secrets opened.

YAML is read as Pulumi's own parser does: ``yes`` and ``12:30`` are text, ``0o17`` and ``1e3`` are numbers. Values
become text as its CLI writes them. (Tried with Pulumi 3.260; Python's parser follows the older YAML 1.1.)
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import yaml

from engine.state.secrets import Keyring, PassphraseCrypter
from engine.values import Secret, Value
from engine.wire import UNKNOWN_STRING


class ProjectError(Exception):
    """The project's files are missing or wrong; the message says where and what to do."""


@dataclass(frozen=True)
class StackConfig:
    """A stack's configuration: by full key, as text (what a program gets) and as typed values (secrets marked).

    ``sealed`` are the keys whose values stay unknown, because no passphrase was at hand to open them.
    """

    texts: Mapping[str, str] = field(default_factory=dict[str, str])
    values: Mapping[str, Value] = field(default_factory=dict[str, Value])
    secret_keys: tuple[str, ...] = ()
    sealed: tuple[str, ...] = ()


# Reading YAML

_BASE: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER: Final = r"[-+]?(?:0|[1-9][0-9_]*|0[0-7_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|0b[01_]+)"
_FLOAT: Final = r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
_TEXT_TAG: Final = "tag:yaml.org,2002:"


class _Loader(_BASE):
    """A safe loader with the scalars of Pulumi's parser."""

    yaml_implicit_resolvers: dict[str | None, list[Any]] = {  # noqa: RUF012 - the parser's own class attribute
        first: [(tag, form) for tag, form in forms if tag.rpartition(":")[2] not in ("bool", "int", "float")]
        for first, forms in _BASE.yaml_implicit_resolvers.items()
    }


def _integer(_loader: Any, node: Any) -> int:
    digits = node.value.replace("_", "")
    sign, digits = (-1 if digits[0] == "-" else 1), digits.lstrip("+-")
    octal = len(digits) > 1 and digits[0] == "0" and digits[1].isdigit()
    return sign * (int(digits, 8) if octal else int(digits, 0))


for _tag, _pattern, _firsts in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", _INTEGER, "-+0123456789"),
    ("float", _FLOAT, "-+.0123456789"),
):
    _Loader.add_implicit_resolver(_TEXT_TAG + _tag, re.compile(f"(?:{_pattern})$"), list(_firsts))
_Loader.add_constructor(f"{_TEXT_TAG}int", _integer)


def mapping_in(path: Path) -> dict[str, Any]:
    """The mapping that a YAML file holds; an empty file holds an empty one. Raises ProjectError."""
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - it derives from a safe one
    except (yaml.YAMLError, UnicodeDecodeError, ValueError) as error:
        raise ProjectError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from error
    except OSError as error:
        raise ProjectError(f"{path} cannot be read: {error.strerror}") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ProjectError(f"{path}: expected a mapping of keys to values, got {type(content).__name__}")
    return content


def entries_in(path: Path) -> dict[str, Any]:
    """What a stack's file says of its configuration; nothing where there is no file. Raises ProjectError."""
    entries = mapping_in(path).get("config") or {} if path.is_file() else {}
    if not isinstance(entries, dict):
        raise ProjectError(f"{path}: 'config' has to be a mapping of keys to values")
    return entries


# Values as text


def _plain(value: Any) -> Any:
    """``value`` with its numbers and times as Pulumi's CLI has them: 1.0 is 1, a time is text."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return int(value)
    return _time(value) if isinstance(value, date) else value


def _time(value: date) -> str:
    if not isinstance(value, datetime):
        return f"{value} 00:00:00 +0000 UTC"
    clock = f"{value:%Y-%m-%d %H:%M:%S.%f}".rstrip("0").rstrip(".")
    if not value.utcoffset():
        return f"{clock} +0000 UTC"
    return f"{clock} {value:%z} {value:%z}"


def _text(value: Any) -> str:
    """``value`` as a program gets it: text as it is, anything else as compact JSON with sorted keys."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    text = json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    # Go writes these three so that JSON can stand in HTML; a program that hashes the text must see the same.
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


# Secrets


class ConfigReader:
    """Collects configuration values, opening what is sealed. ``path`` is the file that errors name."""

    def __init__(self, path: Path, keyring: Keyring, *, may_stay_sealed: bool) -> None:
        self._path = path
        self._keyring = keyring
        self._may_stay_sealed = may_stay_sealed
        self._texts: dict[str, str] = {}
        self._values: dict[str, Value] = {}
        self._secret: set[str] = set()
        self._sealed: set[str] = set()
        self._crypter: PassphraseCrypter | None = None

    def take(self, key: str, entry: Any, *, secret: bool = False) -> None:
        """``entry`` is what the file says of ``key``; a ``{secure: ...}`` in it, or ``secret``, makes it a secret."""
        if secret:
            self._secret.add(key)
        text = _text(_plain(self._open(key, entry)))
        self._texts[key] = text
        self._values[key] = Secret(text) if key in self._secret else text

    def config(self) -> StackConfig:
        return StackConfig(self._texts, self._values, tuple(sorted(self._secret)), tuple(sorted(self._sealed)))

    def _open(self, key: str, entry: Any) -> Any:
        if isinstance(entry, dict):
            if set(entry) == {"secure"}:
                self._secret.add(key)
                return self._decrypt(key, str(entry["secure"]))
            return {name: self._open(key, item) for name, item in entry.items()}
        return [self._open(key, item) for item in entry] if isinstance(entry, list) else entry

    def _decrypt(self, key: str, ciphertext: str) -> str:
        keyring = self._keyring
        if self._may_stay_sealed and (keyring.passphrase is None or not keyring.salt):
            self._sealed.add(key)
            return UNKNOWN_STRING
        if not keyring.salt:
            raise ProjectError(
                f"{self._path}: {key} is encrypted, but the file has no 'encryptionsalt': only passphrase-encrypted "
                "configuration can be opened here; set it anew with `bedplate config set ENV --secret`"
            )
        if self._crypter is None:
            self._crypter = PassphraseCrypter(keyring.salt, keyring.passphrase, keyring.stack)
        return self._crypter.decrypt(ciphertext)
