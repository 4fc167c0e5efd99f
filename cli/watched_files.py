"""Which files a program is made of, and which of them have changed: found by looking, again and again."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Final, TypeAlias

POLL_SECONDS: Final = 0.25
QUIET_SECONDS: Final = 0.3  # an editor saves several files, and some in several steps
_ENDINGS: Final = frozenset({
    ".py", ".yaml", ".yml", ".json", ".toml", ".sql", ".sh", ".j2", ".jinja", ".tmpl", ".tpl", ".txt", ".md", ".cfg",
})  # fmt: skip
_NOT_BELOW: Final = frozenset({"__pycache__", "node_modules", "site-packages"})

Seen: TypeAlias = Mapping[Path, tuple[int, int]]  # time of change and size, by path


def look(root: Path) -> Seen:
    """The files below ``root`` that a program can be made of. Hidden ones, and those of virtual environments, are none.

    What vanishes while it is looked at counts as absent.
    """
    return dict(_files(str(root)))


def _files(folder: str) -> Iterator[tuple[Path, tuple[int, int]]]:
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    if any(entry.name == "pyvenv.cfg" for entry in entries):
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        try:
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in _NOT_BELOW:
                    yield from _files(entry.path)
            elif entry.name[entry.name.rfind(".") :] in _ENDINGS:
                status = entry.stat()
                yield Path(entry.path), (status.st_mtime_ns, status.st_size)
        except OSError:
            continue


def changed(before: Seen, after: Seen) -> frozenset[Path]:
    """What was written, made or deleted in between."""
    return frozenset(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))


class Watched:
    """The files of one program. What the program itself writes when it runs is soon watched no more."""

    def __init__(self, root: Path, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._root = root
        self._sleep = sleep
        self._written: frozenset[Path] = frozenset()  # while the program ran last
        self._muted: set[Path] = set()
        self._seen = look(root)

    @property
    def count(self) -> int:
        return len(self._seen)

    def wait(self) -> frozenset[Path]:
        """What has changed since this was last asked, once nothing has changed for a moment."""
        found: frozenset[Path] = frozenset()
        while True:
            now = look(self._root)
            new = changed(self._seen, now) - self._muted
            self._seen = now
            if found and not new:
                return found
            found |= new
            self._sleep(QUIET_SECONDS if found else POLL_SECONDS)

    def ran(self, before: Seen, because: Collection[Path]) -> frozenset[Path]:
        """Tell that the program has run since ``before``: gives what it writes itself, which is watched no more.

        That is what was written while it ran, so that it ran again, and was written then too; never a source file.
        """
        written = changed(before, look(self._root))
        own = frozenset(path for path in written & self._written if path in because and path.suffix != ".py")
        self._written = written
        self._muted |= own
        return own

    def now(self) -> Seen:
        return look(self._root)
