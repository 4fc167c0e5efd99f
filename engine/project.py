"""A Pulumi project on disk: ``Pulumi.yaml``, its stacks' configuration files, and how its program is run.

Source of the forms: Pulumi's documentation of the project file and of stack configuration.
"""

from __future__ import annotations

import difflib
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from engine.program import Program
from engine.state.secrets import Keyring, PassphraseCrypter
from engine.values import Secret, Value
from engine.wire import UNKNOWN_STRING

FILE_NAMES: Final = ("Pulumi.yaml", "Pulumi.yml")
_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class ProjectError(Exception):
    """The project's files are missing or wrong; the message says where and what to do."""


class UnknownStack(ProjectError):
    """The project has stacks, and this is not one of them."""


@dataclass(frozen=True)
class StackConfig:
    """A stack's configuration: by full key, as text (what a program gets) and as typed values (secrets marked).

    ``sealed`` are the keys whose values stay unknown, because no passphrase was at hand to open them.
    """

    texts: Mapping[str, str] = field(default_factory=dict[str, str])
    values: Mapping[str, Value] = field(default_factory=dict[str, Value])
    secret_keys: tuple[str, ...] = ()
    sealed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Project:
    """``root`` is the folder of ``Pulumi.yaml``; ``folder`` is where the program runs, ``entry`` what is run there."""

    name: str
    root: Path
    folder: Path
    entry: str
    config_folder: Path
    python: Path
    defaults: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @classmethod
    def load(cls, start: Path) -> Project:
        """The project that ``start`` lies in. Raises ProjectError."""
        path = _find(start.resolve())
        content = _mapping(path)
        name = content.get("name")
        if not isinstance(name, str) or not name:
            raise ProjectError(f"{path}: 'name' is missing; give the project a name, such as 'name: my-platform'")
        runtime, options = _runtime(path, content.get("runtime"))
        if runtime != "python":
            raise ProjectError(
                f"{path}: runtime is {runtime!r}; the embedded engine runs Python programs only, use the Pulumi CLI"
            )
        root = path.parent
        folder, entry = _program(path, root, content.get("main"))
        config = content.get("stackConfigDir") or ""
        return cls(name, root, folder, entry, root / str(config), _python(root, options), content.get("config") or {})

    def environments(self) -> list[str]:
        """The stacks that have a configuration file, sorted."""
        found = (path.name for path in self.config_folder.glob("Pulumi.*.y*ml"))
        return sorted({name.split(".", 1)[1].rsplit(".", 1)[0] for name in found if name.count(".") >= 2})

    def stack_file(self, stack: str) -> Path:
        """Where the configuration of ``stack`` is, or would be."""
        short = self.config_folder / f"Pulumi.{stack}.yml"
        return short if short.is_file() else self.config_folder / f"Pulumi.{stack}.yaml"

    def require(self, stack: str) -> None:
        """Raises UnknownStack when the project has stacks and ``stack`` is none of them."""
        known = self.environments()
        if known and stack not in known:
            close = difflib.get_close_matches(stack, known, 1)
            hint = f"did you mean {close[0]!r}?" if close else f"write {self.stack_file(stack)} to make it"
            raise UnknownStack(f"{self.name} has no environment {stack!r}: expected {_listed(known)}\n  {hint}")

    def salt(self, stack: str) -> str:
        """The ``encryptionsalt`` of the stack's configuration file, "" where it has none."""
        path = self.stack_file(stack)
        return str(_mapping(path).get("encryptionsalt") or "") if path.is_file() else ""

    def config(self, stack: str, keyring: Keyring, *, may_stay_sealed: bool) -> StackConfig:
        """The stack's configuration with the project's defaults, decrypted.

        With ``may_stay_sealed`` and no passphrase a secret value is unknown instead of an error. Raises ProjectError
        or WrongPassphrase.
        """
        path = self.stack_file(stack)
        entries = _mapping(path).get("config") or {} if path.is_file() else {}
        if not isinstance(entries, dict):
            raise ProjectError(f"{path}: 'config' has to be a mapping of keys to values")
        reader = _ConfigReader(path, keyring, may_stay_sealed)
        for key, entry in {**_project_defaults(self.defaults), **entries}.items():
            reader.take(key if ":" in key else f"{self.name}:{key}", entry)
        return StackConfig(reader.texts, reader.values, tuple(sorted(reader.secret)), tuple(sorted(reader.sealed)))

    def program(self, stack: str, config: StackConfig) -> Program:
        """How the program is run for ``stack``."""
        return Program(
            self.root, self.folder, self.entry, self.name, stack, config.texts, config.secret_keys, self.python
        )  # fmt: skip


class _ConfigReader:
    """Collects configuration values, opening what is sealed."""

    def __init__(self, path: Path, keyring: Keyring, may_stay_sealed: bool) -> None:
        self.texts: dict[str, str] = {}
        self.values: dict[str, Value] = {}
        self.secret: set[str] = set()
        self.sealed: set[str] = set()
        self._path = path
        self._keyring = keyring
        self._may_stay_sealed = may_stay_sealed
        self._crypter: PassphraseCrypter | None = None

    def take(self, key: str, entry: Any) -> None:
        opened = self._open(key, entry)
        text = opened if isinstance(opened, str) else json.dumps(opened, separators=(",", ":"), default=str)
        if isinstance(opened, bool | int | float) and not isinstance(opened, str):
            text = json.dumps(opened)
        self.texts[key] = text
        self.values[key] = Secret(text) if key in self.secret else text

    def _open(self, key: str, entry: Any) -> Any:
        if isinstance(entry, dict):
            if set(entry) == {"secure"}:
                self.secret.add(key)
                return self._decrypt(key, str(entry["secure"]))
            return {name: self._open(key, item) for name, item in entry.items()}
        if isinstance(entry, list):
            return [self._open(key, item) for item in entry]
        return "" if entry is None else entry

    def _decrypt(self, key: str, ciphertext: str) -> str:
        keyring = self._keyring
        if keyring.passphrase is None and self._may_stay_sealed:
            self.sealed.add(key)
            return UNKNOWN_STRING
        if not keyring.salt:
            raise ProjectError(
                f"{self._path}: {key} is encrypted, but the file has no 'encryptionsalt': only passphrase-encrypted "
                "configuration can be opened here; set it anew with `pulumi config set --secret`"
            )
        if self._crypter is None:
            self._crypter = PassphraseCrypter(keyring.salt, keyring.passphrase, keyring.stack)
        return self._crypter.decrypt(ciphertext)


def _find(start: Path) -> Path:
    for folder in (start, *start.parents):
        for name in FILE_NAMES:
            if (folder / name).is_file():
                return folder / name
    raise ProjectError(
        f"no Pulumi.yaml in {start} or above it: expected a Pulumi project there; "
        "go to one, or name its folder with -C DIR"
    )


def _mapping(path: Path) -> dict[str, Any]:
    try:
        content = yaml.load(path.read_text(), Loader=_LOADER)  # noqa: S506 - a safe loader, the C one where there is one
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ProjectError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from error
    except OSError as error:
        raise ProjectError(f"{path} cannot be read: {error.strerror}") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ProjectError(f"{path}: expected a mapping of keys to values, got {type(content).__name__}")
    return content


def _runtime(path: Path, runtime: Any) -> tuple[str, Mapping[str, Any]]:
    if isinstance(runtime, str):
        return runtime, {}
    if isinstance(runtime, dict) and isinstance(runtime.get("name"), str):
        return runtime["name"], runtime.get("options") or {}
    raise ProjectError(f"{path}: 'runtime' is missing; say 'runtime: python'")


def _program(path: Path, root: Path, main: Any) -> tuple[Path, str]:
    """The folder that the program runs in and what is run there, as the Pulumi CLI has it."""
    if not main:
        return root, "."
    target = root / str(main)
    if target.is_dir():
        return target, "."
    if target.is_file():
        return target.parent, target.name
    raise ProjectError(f"{path}: 'main' names {main!r}, which does not exist in {root}")


def _python(root: Path, options: Mapping[str, Any]) -> Path:
    environment = options.get("virtualenv")
    python = root / str(environment) / "bin" / "python" if environment else None
    return python if python is not None and python.exists() else Path(sys.executable)


def _project_defaults(defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Values that ``Pulumi.yaml`` itself gives: ``key: value``, or a schema with ``default`` or ``value``."""
    given: dict[str, Any] = {}
    for key, entry in defaults.items():
        if not isinstance(entry, dict):
            given[key] = entry
        elif "value" in entry or "default" in entry:
            given[key] = entry.get("value", entry.get("default"))
    return given


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
