"""botocore's data files, read once for the whole process.

Each session and each loader of botocore has a cache of its own. moto makes half a dozen of them to ask for the regions
of EC2, and each reads the two largest files there are: a fifth of what the emulator does while a platform comes up.
"""

from __future__ import annotations

import functools
import threading
from typing import Any

from botocore.loaders import JSONFileLoader

_read = JSONFileLoader.load_file
_reading = threading.Lock()  # two threads that want the same file would both read it


@functools.cache
def kept(path: str) -> Any:
    """What the file at ``path`` (without its ending) holds; None where there is none."""
    return _read(JSONFileLoader(), path)


def _load_file(self: JSONFileLoader, file_path: str) -> Any:  # noqa: ARG001 - all loaders read alike
    with _reading:
        return kept(file_path)


def keep() -> None:
    """Keep what is read from now on. Nobody changes it: what loaders add to a model, they add to each alike."""
    JSONFileLoader.load_file = _load_file
