"""``pulumi.com/waitFor``: what a program itself says it waits for.

``jsonpath={.status.phase}=Running`` waits for a value (without ``=Running``: for any), ``condition=Ready=True`` for a
condition of the object (without ``=True``: true). Several stand in a JSON list. Paths are those of RFC 9535; of what
they select the first counts. Source: pulumi_kubernetes 4.34.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, cast

from engine.providers.kubernetes import json_path, manifests
from engine.providers.kubernetes.readiness import Readiness
from engine.values import Properties, Value


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
    if kind != "jsonpath" or not rest:
        raise BadExpression(f"expected jsonpath={{.status.phase}}=Running or condition=Ready=True, got {expression!r}")
    path, select, value = _path(rest)

    def at_path(live: Properties) -> str | None:
        found = next(iter(select(live)), None)
        if found is None:
            return f"{path} is not there yet"
        if value is not None and _text(found) != value.strip("\"'"):
            return f"{path} is {_text(found)!r}, waiting for {value!r}"
        return None

    return at_path


def _path(text: str) -> tuple[str, Callable[[Properties], list[Any]], str | None]:
    """The path, what it selects, and the value that is waited for, of ``{.path}=value``; without a value: any."""
    start = len(text) - len(text.removeprefix("{").lstrip())
    try:
        select, end = json_path.begin(text, start)
    except json_path.BadPath as error:
        raise BadExpression(str(error)) from error
    rest = text[end:]
    if text.startswith("{"):
        if not rest.lstrip().startswith("}"):
            raise BadExpression(f"can't read the JSON path {text!r} from {rest!r} on: expected }}")
        rest = rest.lstrip()[1:]
    if start == end or (rest and not rest.startswith("=")):
        raise BadExpression(f"expected {{.path}} or {{.path}}=value, got {text!r}")
    return text[start:end], select, rest[1:] if rest else None


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


def _text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
