"""What a backend's objects lie in, for reading: a folder here, or an S3 bucket (``s3``). Keys have slashes."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple, Protocol

import yaml

from engine.state import zstd
from engine.state.errors import StateCorrupt, StateError, StateTooNew

LAYOUT: Final = 1
ENDINGS: Final = ("", ".gz", ".zst")  # of a checkpoint, behind .json: how it is compressed
_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"


class Stored(NamedTuple):
    """An object: its key, and when it was written, in seconds since 1970."""

    key: str
    modified: float


class Bucket(Protocol):
    """Raises StateError where it can't be asked."""

    @property
    def name(self) -> str:
        """What a message calls it."""
        ...

    def read(self, key: str) -> bytes | None:
        """The object, None where there is none."""
        ...

    def below(self, prefix: str) -> Sequence[Stored]:
        """Objects whose key begins with ``prefix``, sorted by it; below folders of that, too."""
        ...

    def path(self, key: str) -> str:
        """What a message calls the object."""
        ...


class Folder:
    """A folder of this machine."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def name(self) -> str:
        return str(self.root)

    def path(self, key: str) -> str:
        return str(self.root / key)

    def read(self, key: str) -> bytes | None:
        try:
            return (self.root / key).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def below(self, prefix: str) -> list[Stored]:
        folder = self.root / prefix.rpartition("/")[0]
        found: list[Stored] = []
        for path in folder.rglob("*"):
            key = str(path.relative_to(self.root))
            if key.startswith(prefix) and path.is_file():
                found.append(Stored(key, path.stat().st_mtime))
        return sorted(found)


def check_layout(bucket: Bucket) -> None:
    """Raise StateError when ``bucket`` has a layout that this engine does not know."""
    key = ".pulumi/meta.yaml"
    content = bucket.read(key)
    if content is None:
        if any(_is_of_2022(one.key) for one in bucket.below(".pulumi/stacks/")):
            raise StateError(
                f"{bucket.name}: state in the layout that Pulumi had before 2023, without projects\n"
                "  run `pulumi state upgrade` once, which moves each stack to its project"
            )
        return
    try:
        meta = yaml.safe_load(content)
    except yaml.YAMLError as error:
        raise StateCorrupt(bucket.path(key), "no valid YAML", f"expected `version: {LAYOUT}`") from error
    version = meta.get("version") if isinstance(meta, dict) else None
    if not isinstance(version, int):
        raise StateCorrupt(bucket.path(key), "no version in it", f"expected `version: {LAYOUT}`")
    if version == 0:
        raise StateError(
            f"{bucket.path(key)}: a layout of version 0, without projects\n"
            "  run `pulumi state upgrade` once, which moves each stack to its project"
        )
    if version > LAYOUT:
        raise StateTooNew(
            f"{bucket.path(key)}: a layout of version {version}; this engine knows {LAYOUT}\n  update bedplate"
        )


def _is_of_2022(key: str) -> bool:
    name = key.removeprefix(".pulumi/stacks/")
    return "/" not in name and any(name.endswith(f".json{ending}") for ending in ENDINGS)


def newest(bucket: Bucket, key: str) -> str | None:
    """Which of the forms of the object ``key`` counts, compressed or not: Pulumi takes what was written last."""
    there = [one for one in bucket.below(key) if one.key in {key + ending for ending in ENDINGS}]
    return max(there, key=lambda one: (one.modified, one.key)).key if there else None


def plain(content: bytes, place: str) -> bytes:
    """``content`` without its compression, told by its first bytes. Raises StateError, calling it ``place``."""
    if content.startswith(_ZSTD):
        return zstd.plain(content, place)
    if not content.startswith(_GZIP):
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        remedy = "the file stays as it is; restore it from a backup"
        raise StateCorrupt(place, f"a torn gzip file: {error}", remedy) from error


def packed(content: bytes, key: str) -> bytes:
    """``content`` as an object of that key holds it."""
    return gzip.compress(content, mtime=0) if key.endswith(".gz") else content
