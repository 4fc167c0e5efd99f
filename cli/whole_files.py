"""Files that are written together: all of them whole, or none."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from cli.exits import CommandError, ExitCode


def write(contents: Mapping[Path, str]) -> None:
    """Put each text at its path. Raises CommandError, with no file changed, where one can't be written."""
    try:
        put(contents)
    except OSError as error:
        why = "is a folder" if isinstance(error, IsADirectoryError) else error.strerror
        raise CommandError(f"{error.filename} can't be written: {why}", ExitCode.FAILED) from error


def put(contents: Mapping[Path, str]) -> None:
    """The same for whoever says it in words of his own: raises OSError, whose ``filename`` is the path."""
    from engine.state.files import takes_a_stream  # here, since `--help` must not load the engine

    new = {path: _beside(path.resolve()) for path in contents if not takes_a_stream(path)}
    path = Path()
    try:
        for path in new:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            new[path].write_text(contents[path], encoding="utf-8")
        for path, written in new.items():
            written.replace(path.resolve())
        for path in contents.keys() - new.keys():
            path.write_text(contents[path], encoding="utf-8")
    except OSError as error:
        error.filename = path
        raise
    finally:
        for written in new.values():
            with suppress(OSError):
                written.unlink()


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}")
