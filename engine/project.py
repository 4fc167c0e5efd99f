"""A Pulumi project on disk: ``Pulumi.yaml``, its stacks' configuration files, and how its program is run.

Source of the forms: Pulumi's documentation of the project file and of stack configuration.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from engine.interpreter import interpreter
from engine.program import Program
from engine.providers.remote.finding import Plugin, Surroundings, named_in_project
from engine.stack_config import ConfigReader, ProjectError, StackConfig, entries_in, mapping_in
from engine.state.secrets import Keyring

FILE_NAMES: Final = ("Pulumi.yaml", "Pulumi.yml")


class UnknownStack(ProjectError):
    """The project has stacks, and this is not one of them."""


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
    plugins: Sequence[Plugin] = ()
    runtime: str = "python"

    @classmethod
    def load(cls, start: Path, *, any_runtime: bool = False) -> Project:
        """The project that ``start`` lies in; of ``any_runtime``, or one in Python. Raises ProjectError."""
        path = _find(start.resolve())
        content = mapping_in(path)
        name = content.get("name")
        if not isinstance(name, str) or not name:
            found = "is missing" if name in (None, "") else f"is {name!r}, not text"
            raise ProjectError(f"{path}: 'name' {found}; give the project a name, such as 'name: my-platform'")
        runtime, options = _runtime(path, content.get("runtime"))
        root = path.parent
        folder, entry = _program(path, root, content.get("main"))
        config, declared = content.get("stackConfigDir") or "", content.get("config") or {}
        if isinstance(declared, str):  # what `stackConfigDir` was called before
            config, declared = declared, {}
        if not isinstance(declared, dict):
            raise ProjectError(f"{path}: 'config' has to be a mapping of keys to values, or of keys to their schemas")
        plugins = named_in_project(content, root)
        project = cls(
            name, root, folder, entry, root / str(config), _python(root, options), declared, plugins, runtime
        )  # fmt: skip
        if not any_runtime:
            project.require_python()
        return project

    def require_python(self) -> None:
        """Raises ProjectError where the program is in another language."""
        if self.runtime != "python":
            raise ProjectError(
                f"{_find(self.root)}: runtime is {self.runtime!r}; the embedded engine runs Python programs only, "
                "use the Pulumi CLI (`--engine pulumi`)"
            )

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
        return str(mapping_in(path).get("encryptionsalt") or "") if path.is_file() else ""

    def config(self, stack: str, keyring: Keyring, *, may_stay_sealed: bool) -> StackConfig:
        """The stack's configuration with the project's defaults, decrypted.

        With ``may_stay_sealed`` and no passphrase a secret value is unknown instead of an error. Raises ProjectError
        or WrongPassphrase.
        """
        path = self.stack_file(stack)
        entries = entries_in(path)
        reader = ConfigReader(path, keyring, may_stay_sealed=may_stay_sealed)
        declared_secret = {self._key(key) for key, entry in self.defaults.items() if _is_secret(entry)}
        given = {self._key(key): entry for key, entry in (*_project_defaults(self.defaults).items(), *entries.items())}
        for key, entry in given.items():
            reader.take(key, entry, secret=key in declared_secret)
        return reader.config()

    def _key(self, key: object) -> str:
        """``key`` with its namespace, which is the project's where none is given."""
        text = str(key)
        return text if ":" in text else f"{self.name}:{text}"

    def program(self, stack: str, config: StackConfig) -> Program:
        """How the program is run for ``stack``."""
        return Program(
            self.root, self.folder, self.entry, self.name, stack, config.texts, config.secret_keys, self.python
        )  # fmt: skip

    def surroundings(self, environment: Mapping[str, str]) -> Surroundings:
        """Where plugins of this project run."""
        return Surroundings(self.name, self.folder, self.python, environment, self.plugins)


def file_around(start: Path) -> Path | None:
    """The file of the project that ``start`` lies in, None outside of one."""
    places = (folder / name for folder in (start, *start.parents) for name in FILE_NAMES)
    return next((place for place in places if place.is_file()), None)


def _find(start: Path) -> Path:
    found = file_around(start)
    if found is not None:
        return found
    raise ProjectError(
        f"no Pulumi.yaml in {start} or above it: expected a Pulumi project there; "
        "go to one, or name its folder with -C DIR"
    )


def _runtime(path: Path, runtime: Any) -> tuple[str, Mapping[str, Any]]:
    if isinstance(runtime, str):
        return runtime, {}
    if isinstance(runtime, dict) and isinstance(runtime.get("name"), str):
        options = runtime.get("options") or {}
        if not isinstance(options, dict):
            raise ProjectError(f"{path}: 'runtime.options' has to be a mapping, such as 'virtualenv: .venv'")
        return runtime["name"], options
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
    # uv and poetry keep it in .venv unless told otherwise.
    named = options.get("virtualenv") or (".venv" if options.get("toolchain") in ("uv", "poetry") else None)
    return interpreter(root, str(named) if named else None)


def _project_defaults(defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Values that ``Pulumi.yaml`` itself gives: ``key: value``, or a schema with ``default`` or ``value``."""
    given: dict[str, Any] = {}
    for key, entry in defaults.items():
        if not isinstance(entry, dict):
            given[key] = entry
        elif "value" in entry or "default" in entry:
            given[key] = entry.get("value", entry.get("default"))
    return given


def _is_secret(entry: Any) -> bool:
    return isinstance(entry, dict) and entry.get("secret") is True


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
