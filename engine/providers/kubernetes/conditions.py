"""``pulumi.com/waitFor``: what a program itself says it waits for.

``jsonpath={.status.phase}=Running`` waits for a value (without ``=Running``: for any), ``condition=Ready=True`` for a
condition of the object (without ``=True``: true). Several stand in a JSON list. Source: pulumi_kubernetes 4.34.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final, cast

from engine.providers.kubernetes import manifests
from engine.providers.kubernetes.readiness import Readiness
from engine.values import Properties, Value

_STEP: Final = re.compile(r"\.?([A-Za-z0-9_-]+)|\['([^']+)'\]|\[(\d+)\]|\[\?\(@\.(\w+)\s*==\s*[\"']([^\"']*)[\"']\)\]")
_PATH: Final = re.compile(r"jsonpath=\{?(?P<path>[^}=]*(?:\[\?\([^)]*\)\][^}=]*)*)\}?(?:=(?P<value>.*))?")


class BadExpression(ValueError):
    """An expression that is neither a JSON path nor a condition."""


def expressions(text: str) -> list[str]:
    """The expressions of an annotation: one, or a JSON list of them."""
    if text.strip().startswith("["):
        try:
            listed = json.loads(text)
        except ValueError as error:
            raise BadExpression(f"expected an expression or a JSON list of them: {error}") from error
        return [str(item) for item in listed]
    return [text]


def wanted_conditions(inputs: Properties) -> Callable[[Properties], Readiness] | None:
    """Judges an object by what its manifest asks to wait for; None where it asks for nothing. Raises BadExpression."""
    text = manifests.annotation(inputs, manifests.WAIT_FOR)
    if not text:
        return None
    judges = [_judge(expression) for expression in expressions(text)]
    if not judges:
        raise BadExpression("expected at least one expression")

    def all_of(live: Properties) -> Readiness:
        reasons = tuple(reason for judge in judges if (reason := judge(live)) is not None)
        return Readiness(ready=not reasons, reasons=reasons)

    return all_of


def _judge(expression: str) -> Callable[[Properties], str | None]:
    """Says what is missing of ``expression``; None when it holds."""
    kind, _, rest = expression.partition("=")
    if kind == "condition" and rest:
        name, _, status = rest.partition("=")
        return lambda live: _condition(live, name, status or "True")
    match = _PATH.fullmatch(expression)
    if kind != "jsonpath" or match is None or not match["path"]:
        raise BadExpression(f"expected jsonpath={{.status.phase}}=Running or condition=Ready=True, got {expression!r}")
    steps, value = _steps(match["path"]), match["value"]

    def at_path(live: Properties) -> str | None:
        found = _at(live, steps)
        if found is None:
            return f"{match['path']} is not there yet"
        if value is not None and _text(found) != value.strip("\"'"):
            return f"{match['path']} is {_text(found)!r}, waiting for {value!r}"
        return None

    return at_path


def _condition(live: Properties, name: str, status: str) -> str | None:
    found: Any = (live.get("status") or {}).get("conditions") or []
    for condition in cast("list[dict[str, Any]]", found):
        if str(condition.get("type")).lower() == name.lower():
            if str(condition.get("status")).lower() == status.lower():
                return None
            return (
                f"condition {name} is {condition.get('status')}: {condition.get('message') or condition.get('reason')}"
            )
    return f"condition {name} is not there yet"


def _steps(path: str) -> list[re.Match[str]]:
    steps: list[re.Match[str]] = []
    position = 0
    while position < len(path):
        match = _STEP.match(path, position)
        if match is None:
            raise BadExpression(f"can't read the JSON path {path!r} from {path[position:]!r} on")
        steps.append(match)
        position = match.end()
    return steps


def _at(value: Value, steps: list[re.Match[str]]) -> Value:
    for step in steps:
        name, quoted, index, key, wanted = step.groups()
        if index is not None:
            items = cast("list[Value]", value) if isinstance(value, list) else []
            value = items[int(index)] if int(index) < len(items) else None
        elif key is not None:
            items = cast("list[Value]", value) if isinstance(value, list) else []
            value = next((item for item in items if isinstance(item, dict) and str(item.get(key)) == wanted), None)
        else:
            value = cast("Properties", value).get(name or quoted) if isinstance(value, dict) else None
    return value


def _text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
