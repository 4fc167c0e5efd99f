"""The Pulumi CLI that `bedplate setup` has installed for a project, below ``.bedplate/tools``."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

FOLDER: Final = Path(".bedplate") / "tools" / "pulumi"
_BINARIES: Final = "bin"


def pulumi_command(root: Path) -> str | None:
    """The `pulumi` for the project in ``root``: the user's own, on PATH, else the one that we have installed."""
    return shutil.which("pulumi", path=path_with_ours(root, os.environ.get("PATH", os.defpath)))


def path_with_ours(root: Path, path: str) -> str:
    """``path`` with our own installation at its end, where there is one."""
    folder = root / FOLDER / _BINARIES
    return f"{path}{os.pathsep}{folder}" if (folder / "pulumi").is_file() else path


def put_on_path(root: Path) -> None:
    """Let this process, and those that it starts, find what we have installed."""
    os.environ["PATH"] = path_with_ours(root, os.environ.get("PATH", os.defpath))
