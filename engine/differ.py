"""The one differ: recursion over mappings and lists, ``(path, kind, old, new)``, keys sorted.

It compares what a reader wants to see compared: JSON in strings by its structure, secrets by what they hold (and never
shows that), an unknown as different from everything.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Iterator
from typing import Final, NamedTuple

from engine.paths import Path
from engine.providers.base import DiffKind
from engine.values import UNKNOWN, Archive, Asset, Properties, Secret, Value


class Absent(enum.Enum):
    """What stands for a value that is not there."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT


class Change(NamedTuple):
    """One difference; ``old`` or ``new`` is ABSENT where the property was added or removed."""

    path: Path
    kind: DiffKind
    old: Value
    new: Value


def equal(old: Value, new: Value) -> bool:
    """Whether two values are the same to a reader; an unknown equals nothing, a secret what it holds."""
    return next(changes(old, new), None) is None


def changes(old: Value, new: Value, path: Path = ()) -> Iterator[Change]:
    """Every difference between two values, in the order of their paths."""
    old, new = _revealed(old), _revealed(new)
    if new is UNKNOWN or old is UNKNOWN:
        yield Change(path, DiffKind.UPDATE, old, new)
    elif isinstance(old, dict) and isinstance(new, dict):
        yield from _mapping(old, new, path)
    elif isinstance(old, list) and isinstance(new, list):
        yield from _list(old, new, path)
    elif not _same(old, new):
        yield Change(path, DiffKind.UPDATE, old, new)


def property_changes(old: Properties, new: Properties) -> list[Change]:
    """``changes`` of two sets of properties."""
    return list(changes(old, new))


def _revealed(value: Value) -> Value:
    return value.value if isinstance(value, Secret) else value


def _mapping(old: Properties, new: Properties, path: Path) -> Iterator[Change]:
    for key in sorted({*old, *new}):
        yield from _member(old.get(key, ABSENT), new.get(key, ABSENT), (*path, key))


def _list(old: list[Value], new: list[Value], path: Path) -> Iterator[Change]:
    for index in range(max(len(old), len(new))):
        before = old[index] if index < len(old) else ABSENT
        after = new[index] if index < len(new) else ABSENT
        yield from _member(before, after, (*path, index))


def _member(old: Value, new: Value, path: Path) -> Iterator[Change]:
    if old is ABSENT or (old is None and new is not None and new is not ABSENT):
        yield Change(path, DiffKind.ADD, old, new)
    elif new is ABSENT or (new is None and old is not None):
        yield Change(path, DiffKind.DELETE, old, new)
    else:
        yield from changes(old, new, path)


def _same(old: Value, new: Value) -> bool:
    if isinstance(old, bool) != isinstance(new, bool):
        return False
    if isinstance(old, Asset | Archive) and type(old) is type(new) and old.hash and new.hash:
        return bool(old.hash == new.hash)  # what it holds, not where that lies
    if old == new:
        return True
    return isinstance(old, str) and isinstance(new, str) and _same_json(old, new)


def _same_json(old: str, new: str) -> bool:
    if old[:1] not in "{[" or new[:1] not in "{[":
        return False
    try:
        return bool(json.loads(old) == json.loads(new))
    except ValueError:
        return False
