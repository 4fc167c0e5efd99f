"""JSON documents in strings (policies, filters): equal when they mean the same, whatever their text looks like."""

from __future__ import annotations

import json
from typing import Any, cast


def as_text(document: object) -> str:
    """A document as compact JSON; a text stays as it is."""
    return document if isinstance(document, str) else json.dumps(document, separators=(",", ":"))


def fault(text: str) -> str | None:
    """What keeps ``text`` from being JSON, or None."""
    try:
        json.loads(text)
    except ValueError as error:
        return str(error)
    return None


def same(left: object, right: object) -> bool:
    """Whether two documents (texts or what they hold) mean the same to AWS.

    The order of keys never counts. In a policy (whatever has statements) a list of one text is that text, lists
    of texts have no order, and neither have statements (IAM's policy grammar).
    """
    try:
        return _canonical(_parsed(left)) == _canonical(_parsed(right))
    except ValueError:
        return left == right


def _parsed(document: object) -> Any:
    return json.loads(document) if isinstance(document, str) else document


def _canonical(document: Any) -> Any:
    if not isinstance(document, dict) or "Statement" not in document:
        return document
    policy = cast("dict[str, Any]", document)
    statements = policy["Statement"]
    listed = cast("list[Any]", statements) if isinstance(statements, list) else [statements]
    return {**policy, "Statement": sorted((_loose(item) for item in listed), key=_sort_key)}


def _loose(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _loose(item) for key, item in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        items = sorted((_loose(item) for item in cast("list[Any]", value)), key=_sort_key)
        return items[0] if len(items) == 1 else items
    # Conditions hold their booleans and numbers as text or not: IAM reads both alike.
    return json.dumps(value) if isinstance(value, bool | int | float) else value


def _sort_key(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
