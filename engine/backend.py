"""Where a project's state lies, and the passphrase of a state whose user has set none."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlparse

from engine.project import Project
from engine.state import files

STATE_FOLDER: Final = Path(".bedplate") / "state"


def backend_folder(project: Project, environment: Mapping[str, str]) -> tuple[Path, str]:
    """Where the state lies, and the URL of where it really lies when that is no file URL ("" otherwise)."""
    url = environment.get("PULUMI_BACKEND_URL", "")
    parsed = urlparse(url)
    if parsed.scheme != "file":
        return project.root / STATE_FOLDER, url
    path = unquote(parsed.netloc + parsed.path)
    return Path(path).expanduser(), ""


def _passphrase_file(root: Path) -> Path:
    return root / "passphrase"


def kept_passphrase(root: Path) -> str | None:
    """The passphrase that ``new_passphrase`` has kept in the state folder ``root``, if it has."""
    path = _passphrase_file(root)
    return path.read_text().strip() if path.is_file() else None


def new_passphrase(root: Path) -> str:
    """A passphrase for a state folder whose user has set none, kept beside the state, readable by its owner only."""
    path = _passphrase_file(root)
    whole = path.with_name(f"{path.name}.{os.getpid()}{files.TEMPORARY}")
    files.write(whole, f"{secrets.token_urlsafe(32)}\n".encode())
    try:
        os.link(whole, path)  # whole from its first moment on, and never in place of another's
    except FileExistsError:
        pass  # another stack of the project was first
    except OSError:  # a file system without links
        if not path.exists():
            whole.replace(path)
    files.remove(whole)
    return path.read_text().strip()
