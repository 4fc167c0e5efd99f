"""What assets and archives hold, as bytes. Relative paths start in the folder that the program runs in."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from engine.providers.base import ProviderError
from engine.values import Archive, Asset, Value

EPOCH = (1980, 1, 1, 0, 0, 0)  # the first date that a zip can hold: the same files make the same bytes


def of(value: Value) -> Any:
    """The bytes of an asset or an archive (files that are archives as they are, the rest as a zip); others as given.

    Raises ProviderError where a file can't be read.
    """
    if isinstance(value, Asset):
        return value.text.encode() if value.text is not None else _file(value)
    if isinstance(value, Archive):
        if value.uri or (value.path and not Path(value.folder, value.path).is_dir()):
            return _file(value)
        return _zipped(value)
    return value


def _file(value: Asset | Archive) -> bytes:
    if value.path is None:
        raise ProviderError(
            f"the asset {value.uri!r} is elsewhere, and the embedded engine fetches nothing: give a file"
        )
    try:
        return Path(value.folder, value.path).read_bytes()
    except OSError as error:
        seen = f"{value.path!r} (in {value.folder or Path.cwd()})"
        raise ProviderError(f"the asset's file can't be read: expected {seen}: {error.strerror}") from error


def _zipped(archive: Archive) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in sorted(_members(archive)):
            target.writestr(zipfile.ZipInfo(name, EPOCH), content, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def _members(archive: Archive, prefix: str = "") -> Iterator[tuple[str, bytes]]:
    if archive.path:
        folder = Path(archive.folder, archive.path)
        for file in folder.rglob("*"):
            if file.is_file():
                yield f"{prefix}{file.relative_to(folder).as_posix()}", file.read_bytes()
    for name, item in cast("dict[str, Any]", archive.assets or {}).items():
        if isinstance(item, Archive):
            yield from _members(item, f"{prefix}{name}/")
        else:
            yield f"{prefix}{name}", of(item)
