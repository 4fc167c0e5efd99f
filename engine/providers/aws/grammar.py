"""How expressions are written (see ``spec.py``), and what is wrong with those of a specification. No botocore here."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any, Final, cast

LITERAL: Final = re.compile(r"'\{([^{}']+)\}'")
PIPE: Final = re.compile(r"(?<!\|)\|(?!\|)")  # JMESPath also has ||
PLACEHOLDER: Final = re.compile(r"\{([A-Za-z_][\w.\[\]]*(?: *\|[^{}]*)?)\}")
# fmt: off
TRANSFORMS: Final = frozenset({
    "added", "after", "base64", "before", "else", "fact", "if_true", "join", "json", "keys", "last", "list", "location",
    "not", "old", "or", "removed",
})
# fmt: on
TRANSFORM: Final = re.compile(rf"(?<!\|)\|\s*({'|'.join(sorted(TRANSFORMS))})(?![\w(])")
RESERVED: Final = frozenset({"id", "token", "region", "account", "partition", "item"})
_NAME = re.compile(r"[A-Za-z_]\w*")


def faults(expression: Any, known: Collection[str], place: str) -> Iterator[str]:
    """What is wrong with an expression, or a mapping or list of them; ``known`` are the declared properties."""
    if isinstance(expression, dict):
        for key, item in cast("dict[str, Any]", expression).items():
            yield from faults(item, known, f"{place}.{key}")
    elif isinstance(expression, list):
        for index, item in enumerate(cast("list[Any]", expression)):
            yield from faults(item, known, f"{place}[{index}]")
    elif isinstance(expression, str):
        yield from (f"{place}: {reason} in {expression!r}" for reason in _wrong(expression, known))


def _wrong(expression: str, known: Collection[str]) -> Iterator[str]:
    if expression.startswith("="):
        for found in PLACEHOLDER.finditer(expression):
            yield from _wrong_path(found[1], known)
    elif expression.startswith("$"):
        for found in LITERAL.finditer(expression):
            yield from _wrong_path(found[1], known)
    else:
        yield from _wrong_path(expression, known)


def _wrong_path(expression: str, known: Collection[str]) -> Iterator[str]:
    source, *transforms = (part.strip() for part in PIPE.split(expression))
    name = _NAME.match(source)
    if name is None:
        yield f"expected a property, a text that begins with = or JMESPath that begins with $, got {source!r}"
    elif name[0] not in known and name[0] not in RESERVED:
        yield f"no such property {name[0]!r}"
    for transform in transforms:
        if transform.partition(" ")[0] not in TRANSFORMS:
            yield f"no such transform {transform!r} (one of {', '.join(sorted(TRANSFORMS))})"
