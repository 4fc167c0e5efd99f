"""Mending: what a rule would change in a resource, as the patch that people see and as properties for the engine."""

from __future__ import annotations

import copy
import inspect
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pulumi_policy import Secret

from policies.kit.resources import Resource
from policies.kit.rules import Rule
from policies.kit.values import LONGEST_SHOWN, MASK, UNKNOWN_SHOWN, UNKNOWNS, Value

_ABSENT: Final = object()


class NotMended(Exception):
    """A rule that has a mend could not mend this resource."""


def mended(rule: Rule, resource: Resource, parameters: Mapping[str, Any]) -> dict[str, Any] | None:
    """The properties as the rule would have them, None where it changes nothing. Raises NotMended.

    Values that are not known stay the wire's marks and secrets stay the SDK's ``Secret``: both reach the engine so.
    """
    if rule.mend is None:
        return None
    before = editable(resource.properties)
    try:
        given = (copy.deepcopy(before), parameters, resource.type)
        after = rule.mend(*given[: _arguments(rule)])
    except Exception as error:
        raise NotMended(f"{type(error).__name__}: {error}") from error
    return None if after is None or not any(_differences(before, after, "")) else after


def patch(rule: Rule, resource: Resource, parameters: Mapping[str, Any]) -> str:
    """What the rule would change, a line for each property, "" where it changes nothing."""
    try:
        after = mended(rule, resource, parameters)
    except NotMended as error:
        return f"\nit can't be mended by itself: {error}"
    if after is None:
        return ""
    lines = [f"\n  {path}: {_shown(old)} -> {_shown(new)}" for path, old, new in changes(resource, after)]
    risk = f" ({rule.mend_risk.rstrip('.')})" if rule.mend_risk else ""
    return resource.masked(f"\nwould be mended by{risk}:{''.join(lines)}")


def changes(resource: Resource, after: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """The properties that differ: path, old and new value."""
    return _differences(editable(resource.properties), after, "")


def editable(value: Value) -> Any:
    """Plain values that can be changed and sent back."""
    if value.unknown:
        return value.mark
    if value.kind == "an object":
        plain: Any = {key: editable(inner) for key, inner in value.entries()}
    elif value.kind == "a list":
        plain = [editable(inner) for inner in value.items()]
    else:
        plain = value.plain()
    return Secret(plain) if value.is_secret_itself else plain


def _arguments(rule: Rule) -> int:
    """How many it takes of: the properties, the rule's parameters, the resource's type."""
    assert rule.mend is not None
    return len(inspect.signature(rule.mend).parameters)


def _differences(old: Any, new: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(old, dict) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            step = f"{path}.{key}" if path else key
            yield from _differences(old.get(key, _ABSENT), new.get(key, _ABSENT), step)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from _differences(before, after, f"{path}[{index}]")
    elif not _same(old, new):
        yield path, old, new


def _same(old: Any, new: Any) -> bool:
    if isinstance(old, Secret) and isinstance(new, Secret):
        return _same(old.value, new.value)
    return isinstance(old, bool) is isinstance(new, bool) and old == new  # 1 is not true, and 1.0 is 1


def _shown(value: Any) -> str:
    if value is _ABSENT:
        return "(absent)"
    text = json.dumps(_masked(value), ensure_ascii=False, default=lambda other: f"({type(other).__name__})")
    return text if len(text) <= LONGEST_SHOWN * 2 else f"{text[: LONGEST_SHOWN * 2 - 1]}…"


def _masked(value: Any) -> Any:
    if isinstance(value, Secret):
        return MASK
    if isinstance(value, dict):
        return {key: _masked(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_masked(inner) for inner in value]
    return UNKNOWN_SHOWN if isinstance(value, str) and value in UNKNOWNS else value
