"""Values as text: unknowns and secrets shown as such, strings cut where nobody would read on."""

from __future__ import annotations

import json
from typing import Any, Final

from engine import urn as urns
from engine.redaction import MASK
from engine.values import UNKNOWN, Archive, Asset, ResourceRef, Secret, Value, transform

MAX_CHARACTERS: Final = 150
MAX_LINES: Final = 3
UNKNOWN_TEXT: Final = "[unknown]"


class Hidden:
    """Stands where a secret stood, once it has been taken out for a view."""

    def __repr__(self) -> str:
        return MASK


HIDDEN: Final = Hidden()


def masked(value: Value) -> Value:
    """``value`` with every secret replaced by ``HIDDEN``."""

    def leaf(item: Value) -> Value:
        if isinstance(item, Secret):
            return HIDDEN
        if isinstance(item, Archive) and item.assets is not None:
            return Archive({name: masked(asset) for name, asset in item.assets.items()}, hash=item.hash)
        return item

    return transform(value, leaf)


def brief(value: Value, limit: int = 40) -> str:
    """One short piece of text: strings bare, collections by their size."""
    value = masked(value)
    if isinstance(value, str):
        first = value.splitlines()[0] if value else '""'
        return first if first == value and len(first) <= limit else f"{first[: limit - 1]}…"
    if isinstance(value, dict):
        return f"{{{len(value)}}}" if value else "{}"
    if isinstance(value, list):
        return f"[{len(value)}]" if value else "[]"
    return scalar(value)


def scalar(value: Value, *, full: bool = False) -> str:
    """A value that is neither list nor mapping (or an empty one) as one line of text."""
    if value is UNKNOWN:
        return UNKNOWN_TEXT
    if value is HIDDEN or isinstance(value, Secret):
        return MASK
    if isinstance(value, str):
        return json.dumps(value if full else shortened(value), ensure_ascii=False)
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, Asset | Archive):
        return _content(value)
    if isinstance(value, ResourceRef):
        return f"resource {urns.name_of(value.urn)}"
    return json.dumps(value)


def shortened(text: str) -> str:
    """``text`` without what goes beyond 3 lines or 150 characters, and how much that is."""
    kept = "\n".join(text.split("\n")[:MAX_LINES])[:MAX_CHARACTERS]
    return text if kept == text else f"{kept}… ({len(text)} characters)"


def _content(value: Asset | Archive) -> str:
    kind = "asset" if isinstance(value, Asset) else "archive"
    where = value.path or value.uri
    if where:
        return f"{kind} {where}"
    if isinstance(value, Archive) and value.assets is not None:
        return f"{kind} of {len(value.assets)} files"
    return f"{kind} {value.hash[:12]}" if value.hash else f"{kind} (text)"


def block(value: Value, *, full: bool = False) -> list[str]:
    """A value as lines: one for a scalar, an indented tree for a collection. Secrets must be masked already."""
    if isinstance(value, dict) and value:
        return _members([(f"{key}: ", item) for key, item in sorted(value.items())], full)
    if isinstance(value, list) and value:
        return _members([("- ", item) for item in value], full)
    if isinstance(value, dict | list):
        return ["{}" if isinstance(value, dict) else "[]"]
    return [scalar(value, full=full)]


def _members(items: list[tuple[str, Value]], full: bool) -> list[str]:
    lines: list[str] = []
    for label, item in items:
        below = block(item, full=full)
        if isinstance(item, dict | list) and item and label != "- ":
            lines += [label.rstrip(), *(f"  {one}" for one in below)]
        else:
            lines += [label + below[0], *(" " * 2 + one for one in below[1:])]
    return lines


def to_json(value: Value, *, reveal: bool = False) -> Any:
    """A value as JSON: ``{"$secret": true}``, ``{"$unknown": true}``; with ``reveal`` secrets are in clear."""
    if isinstance(value, dict):
        return {key: to_json(item, reveal=reveal) for key, item in value.items()}
    if isinstance(value, list):
        return [to_json(item, reveal=reveal) for item in value]
    if value is UNKNOWN:
        return {"$unknown": True}
    if value is HIDDEN:
        return {"$secret": True}
    if isinstance(value, Secret):
        return to_json(value.value, reveal=True) if reveal else {"$secret": True}
    if isinstance(value, Asset | Archive):
        kind = "$asset" if isinstance(value, Asset) else "$archive"
        return {kind: {"path": value.path, "uri": value.uri, "hash": value.hash}}
    if isinstance(value, ResourceRef):
        return {"$resource": value.urn, "id": to_json(value.id)}
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else value
