"""The hash by which Pulumi knows an archive: the sha256 of a file that is one, else of a tar of all that it holds.

Byte for byte the tar that Pulumi's Go makes, so that a stack which changes engines sees no change. (Source: Pulumi
3.260, ``EnsureHash`` and ``archiveTar`` of ``sdk/go/common/resource/archive``; Go's ``archive/tar``: USTAR, and PAX for
names that do not fit in it.)
"""

from __future__ import annotations

import hashlib
import posixpath
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from engine.values import Archive, Asset

_BLOCK: Final = 512
_NAME: Final = 100
_PREFIX: Final = 155
_LARGEST: Final = 8**11  # what the eleven octal digits of a size can't say any more
_TARS: Final = (".tar", ".tgz", ".tar.gz")
_ZIPS: Final = (".zip", ".jar")

Member = tuple[str, bytes]


class _Unreadable(Exception):
    """Something in the archive is unknown, elsewhere, or not there."""


def archive_hash(archive: Archive, folder: Path) -> str:
    """The hash in hex, "" where the archive can't be read here; relative paths start in ``folder``."""
    try:
        path = _path(archive.path, folder) if archive.path else None
        if path is not None and path.is_file():
            return hashlib.sha256(path.read_bytes()).hexdigest()
        digest = hashlib.sha256()
        seen: set[str] = set()
        for name, content in _members(archive, folder):
            if name not in seen:
                seen.add(name)
                for block in _blocks(name, content):
                    digest.update(block)
        digest.update(bytes(2 * _BLOCK))
        return digest.hexdigest()
    except (_Unreadable, OSError, tarfile.TarError, zipfile.BadZipFile):
        return ""


def _path(path: str, folder: Path) -> Path:
    return folder / path


def _members(archive: Archive, folder: Path) -> Iterator[Member]:
    if archive.assets is not None:
        for name in sorted(archive.assets):
            item = archive.assets[name]
            if isinstance(item, Asset):
                yield name, _content(item, folder)
            elif isinstance(item, Archive):
                yield from ((posixpath.join(name, inner), content) for inner, content in _members(item, folder))
            else:
                raise _Unreadable
    elif archive.path:
        yield from _of_path(_path(archive.path, folder))
    else:
        raise _Unreadable


def _content(asset: Asset, folder: Path) -> bytes:
    if asset.text is not None:
        return asset.text.encode()
    if asset.path is None:
        raise _Unreadable
    return _path(asset.path, folder).read_bytes()


def _of_path(path: Path) -> Iterator[Member]:
    if path.name.endswith(_TARS):
        with tarfile.open(path) as tar:
            for entry in tar:
                file = tar.extractfile(entry) if entry.isreg() else None
                if file is not None:
                    yield posixpath.normpath(entry.name), file.read()
    elif path.name.endswith(_ZIPS):
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                if not info.is_dir():
                    yield posixpath.normpath(info.filename), archive.read(info)
    elif path.is_dir():
        yield from ((str(file.relative_to(path)), file.read_bytes()) for file in _files(path))
    else:
        raise _Unreadable


def _files(folder: Path) -> Iterator[Path]:
    """Every file below ``folder`` in the order of Go's ``filepath.Walk``; links to folders are passed over."""
    for path in sorted(folder.iterdir(), key=lambda path: path.name):
        if path.name == ".pulumi":
            continue
        if stat.S_ISDIR(path.lstat().st_mode):
            yield from _files(path)
        elif not path.is_dir():
            yield path


def _blocks(name: str, content: bytes) -> Iterator[bytes]:
    if len(content) >= _LARGEST:
        raise _Unreadable
    encoded = name.encode()
    prefix, short = b"", encoded
    if len(encoded) > _NAME or not name.isascii():
        split = _split(name)
        if split is None:
            yield from _extended(name, encoded)
            told = _ascii(name)
            short = told[:_NAME]
            if len(told) > _NAME and short.endswith(b"/"):  # else it would be taken for a folder
                short = short[:-1]
        else:
            prefix, short = split
    yield _header(short, len(content), b"0", 0o600, prefix, whole=True)
    yield _padded(content)


def _split(name: str) -> tuple[bytes, bytes] | None:
    """A long name as a folder and what is below it, where both fit."""
    encoded = name.encode()
    place = encoded[: _PREFIX + 1].rfind(b"/")
    rest = len(encoded) - place - 1
    if not name.isascii() or place <= 0 or not 0 < rest <= _NAME:
        return None
    return encoded[:place], encoded[place + 1 :]


def _extended(name: str, encoded: bytes) -> Iterator[bytes]:
    """A PAX header, which says the name in full."""
    size = len(b"path") + len(encoded) + 3
    size += len(str(size))
    record = b"%d path=%s\n" % (size, encoded)
    if len(record) != size:
        record = b"%d path=%s\n" % (len(record), encoded)
    folder, _, file = name.rpartition("/")
    told = _ascii(posixpath.normpath(posixpath.join(folder, "PaxHeaders.0", file)))[:_NAME].rstrip(b"/")
    yield _header(told, len(record), b"x", 0, b"", whole=False)
    yield _padded(record)


def _ascii(name: str) -> bytes:
    return name.encode("ascii", "ignore")


def _header(name: bytes, size: int, kind: bytes, mode: int, prefix: bytes, *, whole: bool) -> bytes:
    """``whole``: with the numbers of a device, too, which Go leaves out of a PAX header's own."""
    device = b"0000000\0" if whole else bytes(8)
    fields = [
        name.ljust(_NAME, b"\0"), b"%07o\0" % mode, b"0000000\0", b"0000000\0", b"%011o\0" % size, b"00000000000\0",
        b" " * 8, kind, bytes(_NAME), b"ustar\x0000", bytes(64), device, device,
        prefix.ljust(_PREFIX, b"\0"), bytes(12),
    ]  # fmt: skip
    block = b"".join(fields)
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def _padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % _BLOCK)
