"""Dashboards as files in ConfigMaps, spread so that one that changes changes a single ConfigMap and nothing else."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from components.observability.dashboards.board import Board, Folder

# etcd takes 1.5 MiB and Kubernetes 1 MiB of data: it leaves room for what managers of fields note down beside it.
LIMIT: Final = 900 * 1024


class DashboardTooLarge(ValueError):
    """A dashboard's file is larger than a ConfigMap may be."""

    def __init__(self, uid: str, size: int) -> None:
        super().__init__(f"dashboard '{uid}' has {size} bytes; a ConfigMap takes {LIMIT}: give it fewer panels")


@dataclass(frozen=True)
class FolderFiles:
    """A folder's files by name, in parts of which each fits into a ConfigMap; empty parts keep their place."""

    folder: Folder
    parts: Sequence[Mapping[str, str]]


def in_folders(boards: Iterable[Board]) -> list[FolderFiles]:
    """The files of ``boards`` by folder, in the order in which folders first appear. Raises DashboardTooLarge."""
    # Grafana's builders take longer to import than all that is here: only whoever writes dashboards waits for them.
    from components.observability.dashboards.json_model import Writer

    found: dict[Folder, dict[str, str]] = {}
    writer = Writer()
    for board in boards:
        found.setdefault(board.folder, {})[board.uid] = writer.text(board)
    return [FolderFiles(folder, _parts(files)) for folder, files in found.items()]


def _parts(files: Mapping[str, str]) -> list[dict[str, str]]:
    """``files`` spread by name over as many parts as it takes, in powers of two.

    So a file stays in its part when others come and go; only when the number of parts grows are files moved.
    """
    for uid, text in files.items():
        if _size(uid, text) > LIMIT:
            raise DashboardTooLarge(uid, _size(uid, text))
    count = 1
    while True:
        parts: list[dict[str, str]] = [{} for _ in range(count)]
        for uid, text in files.items():
            parts[zlib.crc32(uid.encode()) % count][f"{uid}.json"] = text
        if all(sum(_size(*each) for each in part.items()) <= LIMIT for part in parts):
            return parts
        count *= 2


def _size(name: str, text: str) -> int:
    return len(name.encode()) + len(text.encode())
