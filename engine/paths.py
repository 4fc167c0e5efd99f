"""Property paths as Pulumi writes them: ``tags.Team``, ``rules[0].days``, ``tags["a.b"]``, with ``*`` as a wildcard.

Source: Pulumi's documentation of ``ignoreChanges`` and ``replaceOnChanges``.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, TypeAlias

from engine.values import Secret, Value, secret

Path: TypeAlias = tuple[str | int, ...]

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


def canonical(text: str) -> str:
    """A path as Pulumi writes it down: whatever is not a plain word is quoted, a wildcard too. Raises ValueError."""
    written = ""
    for part in parse(text):
        if isinstance(part, int):
            written += f"[{part}]"
        elif re.fullmatch("[A-Za-z0-9_]*", part):
            written += f".{part}" if written else part
        else:
            written += '["' + part.replace('"', '\\"') + '"]'
    return written


def contains(pattern: Path, path: Path) -> bool:
    """Whether ``pattern`` (wildcards count) names ``path`` or something that encloses it."""
    return len(pattern) <= len(path) and all(want in ("*", have) for want, have in zip(pattern, path, strict=False))


def reset(pattern: Path, old: Value, new: Value) -> Value:
    """``new`` with what ``pattern`` names taken from ``old``: changed back, removed or restored.

    Elements of lists are changed back but neither added nor removed, since their neighbours would shift. What was
    within a secret stays one.
    """
    return _reset(pattern, old, new, old_secret=False, new_secret=False)


def _reset(pattern: Path, old: Value, new: Value, *, old_secret: bool, new_secret: bool) -> Value:
    if not pattern:
        return secret(old) if old_secret and not new_secret else old
    kept = isinstance(new, Secret)
    old_secret, new_secret = old_secret or isinstance(old, Secret), new_secret or kept
    inside = partial(_reset, pattern[1:], old_secret=old_secret, new_secret=new_secret)
    result = _reset_members(pattern[0], _plain(old), _plain(new), inside, leaf=len(pattern) == 1)
    return secret(result) if kept else result


def _plain(value: Value) -> Value:
    return value.value if isinstance(value, Secret) else value


def _reset_members(part: str | int, old: Value, new: Value, inside: Callable[..., Value], *, leaf: bool) -> Value:
    """``new`` whose members that ``part`` names are reset by ``inside``."""
    if isinstance(new, list) and isinstance(old, list):
        last = min(len(old), len(new))
        chosen = range(last) if part == "*" else [part] if isinstance(part, int) and part < last else []
        return [inside(old[index], item) if index in chosen else item for index, item in enumerate(new)]
    named_leaf = leaf and part != "*"
    if not isinstance(new, dict) or isinstance(part, int) or not (isinstance(old, dict) or named_leaf):
        return new
    olds = old if isinstance(old, dict) else {}
    result = dict(new)
    for key in sorted({*new, *olds}) if part == "*" else [part]:
        if leaf and key not in olds:
            result.pop(key, None)
        elif leaf or key in new:
            result[key] = inside(olds.get(key), new.get(key))
    return result


def ignore_changes(patterns: Sequence[str], old: dict[str, Value], new: dict[str, Value]) -> dict[str, Value]:
    """``new`` inputs with all that ``patterns`` name set back to ``old``. Raises ValueError on a malformed path."""
    for pattern in patterns:
        new = reset(parse(pattern), old, new)
    return new


def ignored(patterns: Sequence[str], old: dict[str, Value], new: dict[str, Value]) -> dict[str, Value]:
    """As ``ignore_changes``, passing over what is no path."""
    for pattern in patterns:
        with contextlib.suppress(ValueError):
            new = ignore_changes([pattern], old, new)
    return new
