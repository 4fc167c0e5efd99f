"""Files that are written together: all of them whole, or none."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from cli.exits import CommandError, ExitCode


def write(contents: Mapping[Path, str]) -> None:
    """Put each text at its path. Raises CommandError, with no file changed, where one can't be written."""
    new = {path: path.with_name(f".{path.name}.{os.getpid()}") for path in contents}
    path = Path()
    try:
        for path, text in contents.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                raise IsADirectoryError(None, "is a folder")
            new[path].write_text(text, encoding="utf-8")
        for path, written in new.items():
            written.replace(path)
    except OSError as error:
        raise CommandError(f"{path} can't be written: {error.strerror}", ExitCode.FAILED) from error
    finally:
        for written in new.values():
            with suppress(OSError):
                written.unlink()
