"""Where a project's state lies, and the passphrase of a state whose user has set none."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import unquote, urlparse

from engine.project import Project
from engine.state import files
from engine.state.buckets import Bucket

STATE_FOLDER: Final = Path(".bedplate") / "state"


class Whereabouts(NamedTuple):
    """Where a state lies: in the folder ``root``; or elsewhere, at ``url``, and in ``bucket`` if that can be read."""

    root: Path
    url: str = ""
    bucket: Bucket | None = None


def whereabouts(project: Project, environment: Mapping[str, str]) -> Whereabouts:
    """Where the state lies, by PULUMI_BACKEND_URL. Raises StateError for a URL that is not understood."""
    url = environment.get("PULUMI_BACKEND_URL", "")
    parsed = urlparse(url)
    if parsed.scheme == "file":
        return Whereabouts(Path(unquote(parsed.netloc + parsed.path)).expanduser())
    return Whereabouts(project.root / STATE_FOLDER, url, bucket_at(url))


def shown(url: str) -> str:
    """A backend's URL for the eye: without the password that it may hold."""
    password = urlparse(url).password
    return url.replace(f":{password}@", ":[secret]@", 1) if password else url


def bucket_at(url: str) -> Bucket | None:
    """What can be read of a backend that is not a folder: an S3 bucket, or nothing."""
    if urlparse(url).scheme != "s3":
        return None
    from engine.state.s3 import S3Bucket

    return S3Bucket.at(url)


def compresses(environment: Mapping[str, str]) -> bool:
    """Whether Pulumi's variables ask for checkpoints that are compressed."""
    names = ("PULUMI_DIY_BACKEND_GZIP", "PULUMI_SELF_MANAGED_STATE_GZIP")
    return any(environment.get(name, "").lower() in ("1", "t", "true") for name in names)


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
