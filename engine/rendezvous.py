"""Where an engine and its program meet: a socket that only this user can reach, gone when the run is."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

FOLDER: Final = Path(".bedplate") / "run"
_PATH_LIMIT: Final = 100  # bytes; the kernel's limit is 108
LOOPBACK: Final = "127.0.0.1:0"


@contextmanager
def monitor_address(root: Path) -> Generator[str]:
    """A gRPC target to serve at: a socket below ``root``, or a port on loopback where there can be none.

    There can be none where its path would be too long, or where this user may not write (a preview needs no more than
    to read the project).
    """
    folder = root / FOLDER / f"{os.getpid()}-{secrets.token_hex(4)}"
    socket = folder / "monitor"
    if len(bytes(socket)) > _PATH_LIMIT or not _made(folder):
        yield LOOPBACK
        return
    _remove_what_the_dead_left(root / FOLDER)
    try:
        yield f"unix:{socket}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _made(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, mode=0o700)
    except OSError:
        return False
    return True


def _remove_what_the_dead_left(folder: Path) -> None:
    """A killed engine cannot clean up; the next one does it. One of another user's is left alone."""
    for left in folder.glob("*-*") if folder.is_dir() else ():
        pid = left.name.split("-", 1)[0]
        if pid.isdigit() and not Path(f"/proc/{pid}").exists() and Path("/proc/self").exists():
            shutil.rmtree(left, ignore_errors=True)
