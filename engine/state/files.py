"""Files that are either there whole or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

FOLDER_MODE: Final = 0o700
TEMPORARY: Final = ".tmp"  # no ending that Pulumi takes for a stack


def make_folder(path: Path) -> None:
    """``path`` and what it lies in, readable by the user alone where it is new, and there for good."""
    if not path.is_dir():
        make_folder(path.parent)
        with contextlib.suppress(FileExistsError):
            path.mkdir(mode=FOLDER_MODE)
        sync_folder(path.parent)


def write(path: Path, content: bytes) -> None:
    """Put ``content`` at ``path``, readable by the user alone; a crash leaves the old whole or the new."""
    make_folder(path.parent)
    file, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=TEMPORARY)  # mode 0600
    try:
        with os.fdopen(file, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).replace(path)
    except BaseException as error:
        Path(temporary).unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:  # the system does not say which file found no room
            error.filename = str(path)
        raise
    sync_folder(path.parent)


def give(path: Path, content: bytes) -> None:
    """The same at a place that the user has named: a device or a pipe there is written to, never replaced."""
    if takes_a_stream(path):
        path.write_bytes(content)
        return
    try:
        write(path.resolve(), content)
    except OSError as error:
        error.filename = str(path)  # the user knows no other
        raise


def takes_a_stream(path: Path) -> bool:
    """Whether what is at ``path`` can't be replaced by a file: it is ``/dev/stdout``, a device, a pipe."""
    return path.parent in (Path("/dev"), Path("/dev/fd")) or (
        path.exists() and not path.is_file() and not path.is_dir()
    )


def duplicate(source: Path, target: Path) -> None:
    """Make ``target`` what ``source`` is now. Costs no copying where the file system has links.

    Only for files that are replaced as a whole and never written in place.
    """
    make_folder(target.parent)
    temporary = target.with_name(f".{target.name}.{os.getpid()}{TEMPORARY}")
    temporary.unlink(missing_ok=True)
    try:
        _link_or_copy(source, temporary)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
        target.chmod(0o600)


def remove(path: Path) -> None:
    """Remove ``path`` for good, if it is there."""
    path.unlink(missing_ok=True)
    if path.parent.is_dir():
        sync_folder(path.parent)


def remove_leftovers(path: Path) -> None:
    """Remove the temporary files that died runs left beside ``path``. Only for who holds the stack's lock."""
    for leftover in path.parent.glob(f".{path.name}.*{TEMPORARY}"):
        leftover.unlink(missing_ok=True)


def sync_folder(path: Path) -> None:
    """Make the names in ``path`` durable, where the system can."""
    with contextlib.suppress(OSError):  # some network file systems can't sync a folder
        folder = os.open(path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
