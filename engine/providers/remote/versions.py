"""Versions as plugins have them (semver), in their order."""

from __future__ import annotations

import re
from typing import Final, TypeAlias

Key: TypeAlias = tuple[tuple[int, ...], bool, tuple[tuple[int, int, str], ...]]

_FORM: Final = re.compile(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?")


def key(version: str) -> Key | None:
    """What versions sort by, a pre-release before its release; None for a text that is no version."""
    match = _FORM.fullmatch(version.strip())
    if match is None:
        return None
    numbers = tuple(int(part or 0) for part in match.groups()[:3])
    named = tuple(_part(part) for part in match[4].split(".")) if match[4] else ()
    return numbers, not named, named


def is_stable(version: str) -> bool:
    found = key(version)
    return found is not None and found[1]


def same(one: str, other: str) -> bool:
    """Whether two versions are equal, however they are written."""
    return key(one) is not None and key(one) == key(other)


def _part(text: str) -> tuple[int, int, str]:
    return (0, int(text), "") if text.isdecimal() else (1, 0, text)
