"""Parameters of rules against their JSON schema: the part of JSON Schema that parameters need."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

_TYPES: Final[Mapping[str, Callable[[Any], bool]]] = {
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "number": lambda value: _numeric(value) and math.isfinite(value),
    "integer": lambda value: _numeric(value) and (isinstance(value, int) or value.is_integer()),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}
_LIMITS: Final[Mapping[str, tuple[str, Callable[[Any, Any], bool]]]] = {
    "enum": ("one of {}", lambda value, limit: value in limit),
    "minimum": ("at least {}", lambda value, limit: value >= limit),
    "maximum": ("at most {}", lambda value, limit: value <= limit),
    "exclusiveMinimum": ("more than {}", lambda value, limit: value > limit),
    "minLength": ("at least {} characters", lambda value, limit: len(value) >= limit),
    "pattern": ("text that matches {}", lambda value, limit: re.search(limit, value) is not None),
    "minItems": ("at least {} elements", lambda value, limit: len(value) >= limit),
    "uniqueItems": ("elements that differ", lambda value, limit: not limit or len(set(map(repr, value))) == len(value)),
}
_MOST_LISTED: Final = 20  # names; more than that is a wall of text
KEYWORDS: Final = frozenset(
    {"type", "default", "title", "description", "items", "properties", "additionalProperties", "required", *_LIMITS}
)


def faults(value: Any, schema: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    """What is wrong with a value, as paths and messages that say what was expected and seen."""
    kind = schema.get("type")
    if kind is not None and not _TYPES[kind](value):
        yield path, f"expected {_article(kind)}, seen {value!r}"
        return
    for keyword, (wanted, holds) in _LIMITS.items():
        if keyword in schema and not holds(value, schema[keyword]):
            yield path, f"expected {wanted.format(_listed(schema[keyword]))}, seen {value!r}"
    if isinstance(value, list) and "items" in schema:
        for index, element in enumerate(value):
            yield from faults(element, schema["items"], f"{path}[{index}]")
    if isinstance(value, dict):
        yield from _faults_of_object(value, schema, path)


def _faults_of_object(value: dict[str, Any], schema: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    known: Mapping[str, Any] = schema.get("properties", {})
    others = schema.get("additionalProperties", not known)
    for key in schema.get("required", ()):
        if key not in value:
            yield f"{path}.{key}", "is missing"
    for key, element in value.items():
        if key in known:
            yield from faults(element, known[key], f"{path}.{key}")
        elif isinstance(others, dict):
            yield from faults(element, others, f"{path}.{key}")
        elif not others:
            yield f"{path}.{key}", unknown_name(key, known)


def unknown_name(name: str, known: Mapping[str, Any]) -> str:
    """For a name that is none of the known ones."""
    close = difflib.get_close_matches(name, known, 1)
    if close:
        return f"is not known; did you mean {close[0]!r}?"
    if len(known) > _MOST_LISTED:
        return "is not known; `bedplate policy list` shows all"
    return f"is not known; expected one of {', '.join(sorted(known))}" if known else "is not known; there are none"


def whole(value: Any) -> Any:
    """``value`` with whole numbers as ints: on Pulumi's wire every number is a float."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [whole(element) for element in value]
    return {key: whole(element) for key, element in value.items()} if isinstance(value, dict) else value


def _numeric(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _listed(limit: Any) -> str:
    return ", ".join(map(repr, limit)) if isinstance(limit, (list, tuple)) else str(limit)


def _article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aio" else f"a {kind}"
