"""No bytecode is kept of a source that was written just now.

Python takes a file for the one that it has bytecode of where the second that it was written in and its length are the
same. Whoever saves twice within a second, while ``watch`` runs the program in between, would be run as he was before.
"""

from __future__ import annotations

import time
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any

YOUNG_SECONDS = 2.0  # some file systems keep even seconds only


def install() -> None:
    """Have it so for all that this process imports; a Python whose loader has another shape stays as it is."""
    kept: Any = getattr(SourceFileLoader, "_cache_bytecode", None)
    if kept is None:
        return

    def cache_bytecode(self: SourceFileLoader, source: str, bytecode: str, data: Any) -> None:
        if time.time() - Path(source).stat().st_mtime >= YOUNG_SECONDS:
            kept(self, source, bytecode, data)

    SourceFileLoader._cache_bytecode = cache_bytecode  # pyright: ignore
