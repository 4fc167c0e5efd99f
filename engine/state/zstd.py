"""Checkpoints that Pulumi has compressed with zstd (PULUMI_DIY_BACKEND_ZSTD), for reading.

Python has it from 3.14 on; before that the ``zstd`` program reads them, where there is one. What we write is not
compressed so: whoever has the one has the other, but not the next who reads it.
"""

from __future__ import annotations

import importlib
import shutil
import subprocess
from types import ModuleType
from typing import Final

from engine.state.errors import StateCorrupt, StateError

_MODULES: Final = ("compression.zstd", "backports.zstd")
_SECONDS: Final = 60
_REMEDY: Final = "the file stays as it is; restore it from a backup"


def plain(content: bytes, place: str) -> bytes:
    """``content`` decompressed. Raises StateCorrupt, StateError where nothing here can do it, calling it ``place``."""
    module = _module()
    if module is not None:
        try:
            return module.decompress(content)
        except Exception as error:
            raise StateCorrupt(place, f"a torn zstd file: {error}", _REMEDY) from error
    program = shutil.which("zstd")
    if program is None:
        raise StateError(
            f"{place}: compressed with zstd, for which there is nothing here\n"
            "  install the program `zstd`; or unset PULUMI_DIY_BACKEND_ZSTD (PULUMI_DIY_BACKEND_GZIP is fine) and "
            "write it anew with `pulumi stack export | pulumi stack import`"
        )
    return _by_program(program, content, place)


def _module() -> ModuleType | None:
    for name in _MODULES:
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    return None


def _by_program(program: str, content: bytes, place: str) -> bytes:
    try:
        done = subprocess.run(  # noqa: S603 - found on PATH, given no argument of anybody's
            [program, "--decompress", "--stdout", "--quiet"], input=content, capture_output=True, check=False,
            timeout=_SECONDS,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StateError(f"{place}: {program} could not decompress it: {error}") from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        raise StateCorrupt(place, f"a torn zstd file: {said}", _REMEDY)
    return done.stdout
