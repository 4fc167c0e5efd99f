"""Sets of fields: which parts of an object a manager owns, and the form in which objects tell it (``fieldsV1``).

A path is a tuple of the steps of that form: ``f:NAME`` a field, ``k:{"name":"web"}`` the item of a list that has this
key, ``v:"x"`` the item of a set. A set of fields holds paths. An item or a key of a map is a member beside its content;
a field of a type is one only where it has no content, or where it was added as a whole.

Source of the rules: structured-merge-diff 6.3, the library that a real API server merges with.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, cast

from engine.kubernetes import Schema, Shape

Json = dict[str, Any]
Path = tuple[str, ...]
Fields = set[Path]

ANYTHING = Schema(Shape.ANY)


def of_field(name: str) -> str:
    return f"f:{name}"


def of_item(schema: Schema, item: Any) -> str | None:
    """The step to an item of a list that merges; None for an item that lacks what tells it apart."""
    if schema.list_type == "set":
        return f"v:{_compact(item)}" if not isinstance(item, dict | list) and item is not None else None
    if not isinstance(item, dict):
        return None
    keys: Json = {}
    of = cast(Json, item)
    for name in sorted(schema.map_keys):
        known = schema.item.type().fields.get(name) if schema.item else None
        value = of.get(name, known.default if known else None)
        if value is not None:
            keys[name] = value
    return f"k:{_compact(keys)}" if keys else None


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def merges(schema: Schema, value: Any) -> bool:
    """Whether ``value`` is merged part by part; everything else is one leaf."""
    if isinstance(value, list):
        return schema.shape is Shape.LIST and schema.list_type in ("map", "set")
    if isinstance(value, dict):
        return not schema.atomic and schema.shape is not Shape.LIST
    return False


def below(schema: Schema, name: str) -> tuple[Schema, bool]:
    """The type of a field or of a map's entry, and whether it is a field that the type names."""
    if schema.shape is Shape.OBJECT and (known := schema.type().fields.get(name)) is not None:
        return known, True
    return (schema.item if schema.shape is Shape.MAP and schema.item else ANYTHING), False


def steps(schema: Schema, value: Any) -> Iterator[tuple[str, Schema, Any, bool]]:
    """The parts of a value that merges: step, type, content, and whether the step is a named field."""
    if isinstance(value, dict):
        for name, part in cast(Json, value).items():
            known, named = below(schema, name)
            yield of_field(name), known, part, named
    else:
        for item in cast("list[Any]", value):
            step = of_item(schema, item)
            if step is not None:
                yield step, schema.item or ANYTHING, item, False


def fields_of(schema: Schema, value: Any, at: Path = ()) -> Fields:
    """The fields that somebody who says ``value`` owns."""
    if not merges(schema, value):
        return {at}
    found: Fields = set()
    for step, known, part, named in steps(schema, value):
        path = (*at, step)
        found |= fields_of(known, part, path)
        if not named or part == {}:
            found.add(path)
    return found


def with_named(fields: Fields, schema: Schema) -> Fields:
    """The fields, and each named field on the way to one of them."""
    found = set(fields)
    for path in fields:
        at = schema
        for index, step in enumerate(path[:-1]):
            at, named = below(at, step[2:]) if step.startswith("f:") else (at.item or ANYTHING, False)
            if named:
                found.add(path[: index + 1])
    return found


def without(fields: Fields, roots: Fields) -> Fields:
    """The fields that are neither one of ``roots`` nor below one."""
    return {path for path in fields if not any(path[: len(root)] == root for root in roots)}


def to_v1(fields: Fields) -> Json:
    """``{"f:data": {"f:key": {}}}``; ``.`` marks a member that has members below it."""
    tree: Json = {}
    for path in sorted(fields):
        at = tree
        for step in path:
            at = at.setdefault(step, {})
        at["."] = {}
    return _tidy(tree)


def _tidy(tree: Json) -> Json:
    tidied: Json = {}
    for step in sorted(tree):
        if step == ".":
            if len(tree) > 1:
                tidied["."] = {}
        else:
            tidied[step] = _tidy(tree[step])
    return tidied


def from_v1(tree: Json, at: Path = ()) -> Fields:
    found: Fields = set()
    for step, inner in tree.items():
        if step == ".":
            found.add(at)
        else:
            found |= from_v1(inner, (*at, step)) or {(*at, step)}
    return found


def shown(path: Path) -> str:
    """``.spec.containers[name="web"].image``, as messages write a path."""
    return "".join(_shown(step) for step in path)


def _shown(step: str) -> str:
    if step.startswith("f:"):
        return f".{step[2:]}"
    if step.startswith("v:"):
        return f"[={step[2:]}]"
    keys = json.loads(step[2:])
    return "[" + ",".join(f"{key}={json.dumps(value)}" for key, value in keys.items()) + "]"
