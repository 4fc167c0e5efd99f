"""Property paths as Pulumi writes them: ``tags.Team``, ``rules[0].days``, ``tags["a.b"]``, with ``*`` as a wildcard.

Source: Pulumi's documentation of ``ignoreChanges`` and ``replaceOnChanges``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, TypeAlias

from engine.values import Secret, Value

Path: TypeAlias = tuple[str | int, ...]

_ABSENT: Final = object()
_QUOTED: Final = re.compile(r'\["((?:[^"\\]|\\.)*)"\]')
_INDEX: Final = re.compile(r"\[(\d+|\*)\]")
_NAME: Final = re.compile(r"[^.\[]+")


def parse(text: str) -> Path:
    """Take a path apart; an index is an int, a wildcard the string ``*``. Raises ValueError on a malformed path."""
    parts: list[str | int] = []
    position = 0
    while position < len(text):
        if text[position] == "." and parts:
            position += 1
        if match := _QUOTED.match(text, position):
            parts.append(match[1].replace('\\"', '"'))
        elif match := _INDEX.match(text, position):
            parts.append("*" if match[1] == "*" else int(match[1]))
        elif match := _NAME.match(text, position):
            parts.append(match[0])
        else:
            raise ValueError(f"malformed property path {text!r} at character {position + 1}")
        position = match.end()
    return tuple(parts)


def join(path: Sequence[str | int]) -> str:
    """Write a path; the inverse of ``parse``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif not part or re.search(r'[.\["\]]', part):
            text += '["' + part.replace('"', '\\"') + '"]'
        else:
            text += f".{part}" if text else part
    return text


def contains(pattern: Path, path: Path) -> bool:
    """Whether ``pattern`` (wildcards count) names ``path`` or something that encloses it."""
    return len(pattern) <= len(path) and all(want in ("*", have) for want, have in zip(pattern, path, strict=False))


def reset(pattern: Path, old: Value, new: Value) -> Value:
    """``new`` with what ``pattern`` names taken from ``old``: changed back, removed or restored.

    Elements of lists are changed back but neither added nor removed, since their neighbours would shift.
    """
    if not pattern:
        return old
    secret_kept = isinstance(new, Secret)
    result = _reset(pattern, _plain(old), _plain(new))
    return Secret(result) if secret_kept and not isinstance(result, Secret) else result


def _plain(value: Value) -> Value:
    return value.value if isinstance(value, Secret) else value


def _reset(pattern: Path, old: Value, new: Value) -> Value:
    part, rest = pattern[0], pattern[1:]
    if isinstance(new, list) and isinstance(old, list):
        last = min(len(old), len(new))
        chosen = range(last) if part == "*" else [part] if isinstance(part, int) and part < last else []
        return [reset(rest, old[index], item) if index in chosen else item for index, item in enumerate(new)]
    if not isinstance(new, dict):
        return new
    olds = old if isinstance(old, dict) else {}
    keys = sorted({*new, *olds}) if part == "*" else [str(part)]
    result = dict(new)
    for key in keys:
        value = _reset_key(rest, olds.get(key, _ABSENT), new.get(key, _ABSENT))
        if value is _ABSENT:
            result.pop(key, None)
        else:
            result[key] = value
    return result


def _reset_key(rest: Path, old: object, new: object) -> object:
    if not rest:
        return old
    if old is _ABSENT or new is _ABSENT:
        return new
    return reset(rest, old, new)


def ignore_changes(patterns: Sequence[str], old: dict[str, Value], new: dict[str, Value]) -> dict[str, Value]:
    """``new`` inputs with all that ``patterns`` name set back to ``old``. Raises ValueError on a malformed path."""
    for pattern in patterns:
        new = reset(parse(pattern), old, new)
    return new
