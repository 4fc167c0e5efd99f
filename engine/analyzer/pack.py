"""A policy pack on disk: the folder of a ``PulumiPolicy.yaml``, and whose Python runs what is in it.

Source of the form: Pulumi's documentation of policy packs, and ``workspace.PolicyPackProject`` of its SDK.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from engine.analyzer.errors import BadPack

FILE_NAMES: Final = ("PulumiPolicy.yaml", "PulumiPolicy.yml")


@dataclass(frozen=True)
class PackFolder:
    """A pack that can be started. ``entry`` is what is run: a folder with ``__main__.py``, or a file.

    ``version`` and ``description`` are the file's, "" where it has none; the pack itself may say more once it runs.
    """

    folder: Path
    entry: Path
    python: Path
    version: str = ""
    description: str = ""

    @property
    def label(self) -> str:
        """What to call it before it has told its name."""
        return self.folder.name

    @property
    def shares_our_python(self) -> bool:
        """Whether the interpreter that runs it is the one that runs us, with the same packages."""
        return self.python == Path(sys.executable)

    @classmethod
    def load(cls, folder: Path, *, python: Path | None = None) -> PackFolder:
        """The pack in ``folder``, to be run by ``python`` or by the one that it names. Raises BadPack."""
        folder = folder.resolve()
        path = _file_in(folder)
        content = _content(path)
        runtime, options = _runtime(path, content.get("runtime"))
        if runtime != "python":
            raise BadPack(
                f"{path}: runtime is {runtime!r}; the embedded engine runs policy packs in Python only, "
                "use the Pulumi CLI for this one"
            )
        return cls(
            folder, _entry(path, folder, content.get("main")), python or _python(path, folder, options),
            str(content.get("version") or ""), str(content.get("description") or ""),
        )  # fmt: skip


def _file_in(folder: Path) -> Path:
    if not folder.is_dir():
        seen = "is a file" if folder.exists() else "does not exist"
        raise BadPack(f"{folder}: expected the folder of a policy pack, but it {seen}")
    for name in FILE_NAMES:
        if (folder / name).is_file():
            return folder / name
    raise BadPack(f"{folder} is no policy pack: there is no {FILE_NAMES[0]} in it; name the folder that holds one")


def _content(path: Path) -> Mapping[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise BadPack(f"{path} cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise BadPack(f"{path}: expected a mapping with 'runtime', got {type(content).__name__}")
    return content


def _runtime(path: Path, runtime: Any) -> tuple[str, Mapping[str, Any]]:
    if isinstance(runtime, str):
        return runtime, {}
    if isinstance(runtime, dict) and isinstance(runtime.get("name"), str):
        options = runtime.get("options") or {}
        if not isinstance(options, dict):
            raise BadPack(f"{path}: 'runtime.options' has to be a mapping, such as 'virtualenv: venv'")
        return runtime["name"], options
    raise BadPack(f"{path}: 'runtime' is missing; say 'runtime: python'")


def _entry(path: Path, folder: Path, main: Any) -> Path:
    entry = folder / str(main) if main else folder
    program = entry / "__main__.py" if entry.is_dir() else entry
    if not program.is_file():
        raise BadPack(f"{path}: expected the pack's program in {program}, where there is nothing")
    return entry


def _python(path: Path, folder: Path, options: Mapping[str, Any]) -> Path:
    """The Python of the pack's virtual environment; this one, where it names none."""
    # uv and poetry keep it in .venv unless told otherwise.
    environment = options.get("virtualenv") or (".venv" if options.get("toolchain") in ("uv", "poetry") else None)
    if not environment:
        return Path(sys.executable)
    python = folder / str(environment) / "bin" / "python"
    if not python.exists():
        raise BadPack(
            f"{path}: the pack's virtual environment has no {python}; make it (`pulumi install` in {folder}), or leave "
            "'runtime.options' out to run the pack in Bedplate's own environment"
        )
    return Path(sys.executable) if python.samefile(sys.executable) and _same_prefix(python) else python


def _same_prefix(python: Path) -> bool:
    """Two environments can share one interpreter behind links; their packages are their own."""
    return python.parent.parent.resolve() == Path(sys.prefix).resolve()
