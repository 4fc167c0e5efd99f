"""A stack's configuration file, edited in place: comments, order and quotes of all else stay as they are."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.util import load_yaml_guess_indent

from engine import paths
from engine.stack_config import ProjectError, entries_in
from engine.state import files
from engine.state.secrets import PASSPHRASE, Keyring

_CONFIG: Final = "config"
_SALT: Final = "encryptionsalt"
_SECURE: Final = "secure"
_GROUP: Final = re.compile(r"^config:.*\n(?:\s*#.*\n)*( +)", re.MULTILINE)  # how far its members are indented
_UNWRAPPED: Final = 1 << 16  # characters of a line: what is long stays on its line


class ConfigFile:
    """The file at ``path``, which may not exist yet. Nothing is written before ``save``."""

    def __init__(self, path: Path) -> None:
        """Raises ProjectError where the file holds no configuration."""
        entries_in(path)
        self.path = path
        self._yaml = YAML()
        self._yaml.preserve_quotes = True
        self._yaml.width = _UNWRAPPED
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        # As the file has it, so that no line changes that need not.
        try:
            content, _, dash = load_yaml_guess_indent(text, yaml=self._yaml)
        except YAMLError as error:  # such as a key that stands there twice
            raise ProjectError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from error
        group, dash = _GROUP.search(text), dash or 0
        self._yaml.indent(mapping=len(group[1]) if group else 2, sequence=dash + 2, offset=dash)
        self._content: Any = content or self._yaml.map()

    @property
    def salt(self) -> str:
        """The ``encryptionsalt``, "" where it has none."""
        return str(self._content.get(_SALT) or "")

    @property
    def keys(self) -> list[str]:
        return [str(key) for key in self._content.get(_CONFIG) or {}]

    def set(self, key: str, path: paths.Path, value: object) -> None:
        """Set what ``path`` leads to in the entry of ``key``, the entry itself where it is empty.

        Raises ProjectError where something else than a group or a list is in the way.
        """
        place, last = self._place((key, *path), make=True)
        _put(place, last, value)

    def remove(self, key: str, path: paths.Path) -> bool:
        """Take it away; whether it was there."""
        place, last = self._place((key, *path), make=False)
        if place is None or not _has(place, last):
            return False
        del place[last]
        return True

    def is_secret(self, key: str, path: paths.Path) -> bool:
        """Whether what is there is encrypted."""
        place, last = self._place((key, *path), make=False)
        found = place[last] if place is not None and _has(place, last) else None
        return isinstance(found, Mapping) and set(cast("Mapping[str, Any]", found)) == {_SECURE}

    def sealed(self, text: str, keyring: Keyring) -> dict[str, str]:
        """``text`` as the file keeps a secret; the first one gives the file its salt.

        Raises ProjectError where something else than a passphrase encrypts, WrongPassphrase.
        """
        provider = str(self._content.get("secretsprovider") or PASSPHRASE)
        if provider != PASSPHRASE:
            raise ProjectError(f"{self.path}: its secrets are encrypted by {provider!r}; use `pulumi config set`")
        crypter = keyring.create()
        sealed = crypter.encrypt(text)
        if not self.salt:
            self._content.insert(0, _SALT, str(crypter.provider.state["salt"]))
        return {_SECURE: sealed}

    def save(self) -> None:
        """Replace the file as a whole."""
        stream = io.StringIO()
        self._yaml.dump(self._content, stream)
        files.give(self.path, stream.getvalue().encode())

    def _place(self, steps: tuple[str | int, ...], *, make: bool) -> tuple[Any, str | int]:
        """What holds the last of ``steps``; None where that does not exist and is not to be made."""
        here: Any = self._content
        for number, (step, following) in enumerate(zip((_CONFIG, *steps), steps, strict=False)):
            if not _has(here, step) or here[step] is None:
                if not make:
                    return None, steps[-1]
                _put(here, step, [] if isinstance(following, int) else {})
            here = here[step]
            if not _may_have(here, following):
                where, what = paths.join(steps[:number]), "a list" if isinstance(following, int) else "a group"
                raise ProjectError(f"{self.path}: {where} is not {what} that has {following!r}; set {where} as a whole")
        return here, steps[-1]


def _has(place: Any, step: str | int) -> bool:
    return 0 <= step < len(place) if isinstance(step, int) else step in place


def _may_have(place: Any, step: str | int) -> bool:
    """Whether there is such a member, or one can be added."""
    return isinstance(place, list) and step <= len(place) if isinstance(step, int) else isinstance(place, dict)


def _put(place: Any, step: str | int, value: object) -> None:
    if isinstance(step, int) and step == len(place):
        place.append(value)
    else:
        place[step] = value
