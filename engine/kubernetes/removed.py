"""API versions that Kubernetes no longer serves, and what took their place.

Source: the deprecated API migration guide, https://kubernetes.io/docs/reference/using-api/deprecation-guide/
(read 2026-11; Creative Commons Attribution 4.0), as data/removed.csv.
"""

from __future__ import annotations

import csv
import functools
from collections.abc import Mapping
from dataclasses import dataclass

from engine.kubernetes.api import DATA


@dataclass(frozen=True, slots=True)
class Removed:
    """A kind in an API version that is gone since Kubernetes ``since``. Where nothing replaces it, ``instead`` says so.

    ``replacement`` is an API version such as ``batch/v1``, or "" where there is none.
    """

    api_version: str
    kind: str
    since: str
    replacement: str
    instead: str


def removed(api_version: str, kind: str) -> Removed | None:
    """What is known of a kind that was served once, or None."""
    return _table().get((api_version, kind))


@functools.cache
def _table() -> Mapping[tuple[str, str], Removed]:
    with (DATA / "removed.csv").open(encoding="utf-8", newline="") as file:
        rows = [Removed(**row) for row in csv.DictReader(file)]
    return {(row.api_version, row.kind): row for row in rows}
