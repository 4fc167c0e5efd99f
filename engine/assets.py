"""Finding what assets and archives hold: a relative path is relative to the folder that the program runs in."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from engine.values import Archive, Asset, Properties, Secret, Value, transform, walk


def located(properties: Properties, folder: Path) -> Properties:
    """``properties`` with each asset and archive knowing its ``folder`` and, where it can be read here, its hash.

    The hash is what a diff compares; the path stays as the program gave it.
    """
    if not any(isinstance(item, Asset | Archive) for item in walk(properties)):
        return properties
    return cast("dict[str, Any]", _located(properties, folder))


def _located(value: Value, folder: Path) -> Value:
    def leaf(item: Value) -> Value:
        if isinstance(item, Asset):
            return _asset(item, folder)
        if isinstance(item, Archive):
            return _archive(item, folder)
        return Secret(_located(item.value, folder)) if isinstance(item, Secret) else item

    return transform(value, leaf)


def _asset(asset: Asset, folder: Path) -> Asset:
    asset = replace(asset, folder=str(folder))
    if asset.hash:
        return asset
    if asset.text is not None:
        content = asset.text.encode()
    elif asset.path is not None and (folder / asset.path).is_file():
        content = (folder / asset.path).read_bytes()
    else:
        return asset
    return replace(asset, hash=hashlib.sha256(content).hexdigest())


def _archive(archive: Archive, folder: Path) -> Archive:
    assets = None if archive.assets is None else _located(dict(archive.assets), folder)
    archive = replace(archive, assets=assets, folder=str(folder))
    if archive.hash:
        return archive
    from engine.archive_hash import archive_hash  # few programs have any

    return replace(archive, hash=archive_hash(archive, folder))
