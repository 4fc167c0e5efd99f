"""The expressions of specifications (see ``spec.py``), evaluated against a resource and the API's answers."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

from engine import paths
from engine.providers.aws import documents, shapes
from engine.providers.aws.grammar import LITERAL, PIPE, PLACEHOLDER, TRANSFORM
from engine.providers.aws.queries import query
from engine.providers.aws.regions import regions
from engine.providers.aws.spec import Expression
from engine.values import Properties, Value

# us-east-1 is where S3 puts buckets without a location, and the only region that it refuses as one.
DEFAULT_LOCATION = "us-east-1"


@dataclass(frozen=True)
class Scope:
    """What the names in an expression stand for. ``id_parts`` come first, then ``inputs``, then ``outputs``."""

    id: str | None = None
    token: str | None = None
    region: str = ""
    inputs: Properties = field(default_factory=dict[str, Value])
    outputs: Properties = field(default_factory=dict[str, Value])
    id_parts: Mapping[str, str] = field(default_factory=dict[str, str])
    old: Properties = field(default_factory=dict[str, Value])  # inputs before the change, for added and removed
    answer: Any = None
    item: Any = None
    account: Callable[[], str] = lambda: ""
    renames: Mapping[str, str] = field(default_factory=dict[str, str])

    def lookup(self, path: str) -> Value:
        """What a name or property path stands for; None when it is absent."""
        first, *rest = paths.parse(path)
        value: Value = self._name(str(first))
        for part in rest:
            value = _member(value, part)
        return value

    def _name(self, name: str) -> Value:
        match name:
            case "id":
                return self.id
            case "token":
                return self.token
            case "region":
                return self.region
            case "account":
                return self.account()
            case "partition":
                return partition_of(self.region)
            case "item":
                return self.item
            case _:
                if name in self.id_parts:
                    return self.id_parts[name]
                value = self.inputs.get(name)
                return self.outputs.get(name) if value is None else value

    def with_(self, **changes: Any) -> Scope:
        return replace(self, **changes)


def evaluate(expression: Expression, scope: Scope, shape: Any = None) -> Any:
    """The value of an expression in the form that ``shape`` (botocore's) wants; None when there is nothing to send."""
    if isinstance(expression, dict):
        return _mapping(cast("dict[str, Any]", expression), scope, shape)
    if isinstance(expression, list):
        member = getattr(shape, "member", None)
        items = [evaluate(item, scope, member) for item in cast("list[Any]", expression)]
        return [item for item in items if item is not None] or (None if items else [])
    if not isinstance(expression, str):
        return expression
    if expression.startswith("="):
        return shapes.to_api(_text(expression[1:], scope), shape, scope.renames)
    source, value = property_value(expression, scope)
    return shapes.to_api(value, shape, scope.renames, re.sub(r"\[\d+\]", "[*]", source))


def property_value(expression: str, scope: Scope) -> tuple[str, Value]:
    """The path and the value, transforms applied, of ``path | transform ...``."""
    if expression.startswith("$"):
        # JMESPath has pipes too: the transforms begin where the first of their names follows one.
        first = TRANSFORM.search(expression)
        source = expression[: first.start()].strip() if first else expression
        transforms = [part.strip() for part in PIPE.split(expression[len(source) :])[1:]] if first else []
        value: Value = search(filled(source, scope), scope.answer)
    else:
        source, *transforms = (part.strip() for part in expression.split("|"))
        value = scope.lookup(source)
    for transform in transforms:
        name, _, argument = transform.partition(" ")
        value = _transform(name, argument, value, source, scope)
    return source, value


def filled(expression: str, scope: Scope) -> str:
    """JMESPath in which every ``'{path}'`` (quotes included) has become the property's value as a literal."""
    return LITERAL.sub(lambda match: "`" + json.dumps(scope.lookup(match[1])).replace("`", "\\`") + "`", expression)


def search(expression: str, answer: Any) -> Any:
    """JMESPath on an answer; ``$.Arn`` and plain ``Arn`` mean the same, ``$`` is the answer itself."""
    bare = expression.removeprefix("$").removeprefix(".")
    if not bare:
        return answer
    # Without an answer an expression may still be about properties; on null, JMESPath answers null to most of them.
    return query(bare, {} if answer is None else answer)


def id_parts(template: str, id_: str) -> dict[str, str] | None:
    """The properties that an id was made of: ``{role}:{name}`` taken apart. None when ``id_`` hasn't that form."""
    if template.startswith("$"):
        return {}
    if not template.startswith("="):
        return {template: id_}
    names: list[str] = []
    pattern = ""
    end = 1
    for found in PLACEHOLDER.finditer(template):
        pattern += re.escape(template[end : found.start()])
        if "|" in found[1]:  # may be empty, and what it was can't be told from the id
            pattern += ".*"
        else:
            names.append(found[1].strip())
            pattern += "(.+?)"  # short, so that what separates the parts may come again in the last
        end = found.end()
    match = re.fullmatch(pattern + re.escape(template[end:]), id_)
    return dict(zip(names, match.groups(), strict=True)) if match else None


def holds(conditions: Mapping[str, Any], scope: Scope) -> bool:
    """Whether every property is as the condition says: ``"*"`` is any value, false and null are also an absent one."""
    for path, expected in conditions.items():
        value = property_value(path, scope)[1]
        if expected == "*" or expected is None or expected is False:
            if _says_nothing(value) == (expected == "*"):
                return False
        elif value != expected:
            return False
    return True


def selections(expression: Expression) -> list[str]:
    """The parts of an expression that select changed elements (``x | added``, ``x | removed``)."""
    if isinstance(expression, dict):
        return [found for item in cast("dict[str, Any]", expression).values() for found in selections(item)]
    if isinstance(expression, list):
        return [found for item in cast("list[Any]", expression) for found in selections(item)]
    is_selection = isinstance(expression, str) and re.search(r"^[^=$].*\|\s*(added|removed)\b", expression)
    return [expression] if is_selection else []


def partition_of(region: str) -> str:
    """The partition that a region belongs to. Source: botocore's endpoints.json (partition region patterns)."""
    for prefix, partition in (
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("us-iso-", "aws-iso"),
        ("us-isob-", "aws-iso-b"),
    ):
        if region.startswith(prefix):
            return partition
    return "aws"


def _mapping(expression: dict[str, Any], scope: Scope, shape: Any) -> Any:
    if expression.keys() == {"each", "value"}:
        member = getattr(shape, "member", None)
        elements = property_value(expression["each"], scope)[1] or []
        return [evaluate(expression["value"], scope.with_(item=element), member) for element in elements] or None
    members = getattr(shape, "members", {})
    values = {
        key: evaluate(item, scope, members.get(key) or getattr(shape, "value", None))
        for key, item in expression.items()
    }
    return {key: value for key, value in values.items() if value is not None} or (None if values else {})


def _text(template: str, scope: Scope) -> str | None:
    absent = False

    def fill(match: re.Match[str]) -> str:
        nonlocal absent
        value = property_value(match[1].strip(), scope)[1]
        absent = absent or value is None
        return str(value)

    text = PLACEHOLDER.sub(fill, template)
    return None if absent else text


def _says_nothing(value: Value) -> bool:
    return value is None or value == 0 or value == "" or value == [] or value == {}


def _member(value: Value, part: str | int) -> Value:
    if isinstance(value, dict):
        return cast("dict[str, Any]", value).get(str(part))
    if isinstance(value, list) and isinstance(part, int):
        listed = cast("list[Any]", value)
        return listed[part] if part < len(listed) else None
    return None


def _transform(name: str, argument: str, value: Value, source: str, scope: Scope) -> Value:
    match name:
        case "added" | "removed":
            return _selected(name, scope.old.get(source), value)
        case "or":
            return argument.strip() if value is None else value
        case "else":
            return scope.lookup(argument.strip()) if value is None else value
        case "base64":
            return None if value is None else base64.b64decode(value)
        case "json":
            return None if value is None else documents.as_text(value)
        case "keys":
            return sorted(cast("dict[str, Any]", value or {})) or None
        case "if_true":
            return True if value is True else None
        case "old":
            return scope.old.get(source)
        case "not":
            return not value
        case "list":
            return [value] if value is not None and not isinstance(value, list) else value
        case "join":
            return ",".join(cast("list[str]", value)) if value else None
        case "after":
            return str(value).split(argument, 1)[-1] if value is not None else None
        case "before":
            return str(value).split(argument, 1)[0] if value is not None else None
        case "last":
            return str(value).rsplit(argument, 1)[-1] if value is not None else None
        case "fact":
            return regions().get(str(value), {}).get(argument.strip())
        case "location":
            return None if value == DEFAULT_LOCATION else value
        case _:
            raise ValueError(f"unknown transform {name!r} in a specification ({source} | {name})")


def _selected(kind: str, old: Value, new: Value) -> Value:
    """What came in (for maps with their values, changed ones too) or went (for maps their keys) since the old state."""
    if isinstance(old, dict) or isinstance(new, dict):
        before, after = cast("dict[str, Any]", old or {}), cast("dict[str, Any]", new or {})
        if kind == "added":
            return {key: value for key, value in after.items() if before.get(key) != value} or None
        return [key for key in before if key not in after] or None
    before_list, after_list = cast("list[Any]", old or []), cast("list[Any]", new or [])
    source, other = (after_list, before_list) if kind == "added" else (before_list, after_list)
    return [item for item in source if item not in other] or None
