"""Python values as text that fits into a program: one line where there is room, else an item a line."""

from __future__ import annotations

import json
import keyword
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

WIDTH: Final = 100
INDENT: Final = "    "


@dataclass(frozen=True)
class Code:
    """An expression that is written as it is."""

    text: str


@dataclass(frozen=True)
class Call:
    """A call with arguments in order and by name."""

    function: str
    arguments: Sequence[Any] = ()
    named: Mapping[str, Any] | None = None


def identifier(name: str, taken: Iterable[str] = ()) -> str:
    """``name`` as the name of a variable that is none of ``taken``."""
    base = re.sub(r"\W+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name), flags=re.ASCII).strip("_").lower()
    base = base or "resource"
    if base[0].isdigit():
        base = f"_{base}"
    if keyword.iskeyword(base) or keyword.issoftkeyword(base):
        base = f"{base}_"
    used, number, found = set(taken), 1, base
    while found in used:
        number += 1
        found = f"{base}_{number}"
    return found


def written(value: Any, indent: str = "", room: int = WIDTH) -> str:
    """``value`` as Python; lines after the first start with ``indent``. ``room`` is what the first line may take."""
    flat = _flat(value)
    if len(flat) <= room and "\n" not in flat:
        return flat
    deeper = indent + INDENT
    if isinstance(value, Call):
        items = [("", item) for item in value.arguments]
        items += [(f"{name}=", item) for name, item in (value.named or {}).items()]
        return _spread(f"{value.function}(", items, ")", indent)
    if isinstance(value, dict):
        return _spread("{", [(f"{_string(str(key))}: ", item) for key, item in value.items()], "}", indent)
    if isinstance(value, list | tuple):
        return _spread("[", [("", item) for item in value], "]", indent)
    if isinstance(value, str) and "\n" in value:
        pieces = value.splitlines(keepends=True)
        return "".join(["(\n", *(f"{deeper}{_string(piece)}\n" for piece in pieces), f"{indent})"])
    return flat


def _spread(opening: str, items: Sequence[tuple[str, Any]], closing: str, indent: str) -> str:
    deeper = indent + INDENT
    lines = [f"{deeper}{label}{written(item, deeper, WIDTH - len(deeper) - len(label) - 1)}," for label, item in items]
    return "\n".join([opening, *lines, f"{indent}{closing}"])


def _flat(value: Any) -> str:
    if isinstance(value, Code):
        return value.text
    if isinstance(value, Call):
        named = [f"{name}={_flat(item)}" for name, item in (value.named or {}).items()]
        return f"{value.function}({', '.join([*map(_flat, value.arguments), *named])})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_string(str(key))}: {_flat(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_flat, value))}]"
    return _string(value) if isinstance(value, str) else repr(value)


def _string(text: str) -> str:
    """A string literal in double quotes, as formatters have it."""
    if text.isprintable():
        if '"' in text and "'" not in text and "\\" not in text:
            return f"'{text}'"
        return json.dumps(text, ensure_ascii=False)
    plain = repr(text)
    return plain if plain[0] == '"' or '"' in plain[1:-1] else f'"{plain[1:-1]}"'
