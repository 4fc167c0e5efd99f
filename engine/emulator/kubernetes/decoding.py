"""Checks an object against the types of its kind: fields that don't exist, values of the wrong type.

What doesn't exist is dropped, as the real API does; ``fieldValidation`` decides whether somebody is told. The messages
are those of the real decoder, except that a wrong type is named by the path of the field, not by Go's struct.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, cast

from engine.emulator.kubernetes.fields import Path, merges, of_item, shown, steps
from engine.emulator.kubernetes.refusals import Json, bad_request, not_typed
from engine.emulator.kubernetes.resources import Resource
from engine.kubernetes import Schema, Shape

_EXPECTED: dict[Shape, tuple[tuple[type, ...], str]] = {
    Shape.STRING: ((str,), "string"),
    Shape.INTEGER: ((int,), "int64"),
    Shape.NUMBER: ((int, float), "float64"),
    Shape.BOOLEAN: ((bool,), "bool"),
    Shape.BYTES: ((str,), "[]uint8"),
    Shape.TIME: ((str,), "string"),
    Shape.QUANTITY: ((str, int, float), "string"),
    Shape.INT_OR_STRING: ((str, int), "string"),
    Shape.OBJECT: ((dict,), "object"),
    Shape.FREE_OBJECT: ((dict,), "object"),
    Shape.MAP: ((dict,), "map"),
    Shape.LIST: ((list,), "list"),
}


@dataclass(frozen=True)
class Problem:
    """``path`` as ``spec.containers[0].imagee``."""

    path: str
    what: Literal["unknown", "type"]
    value: Any = None
    expected: Shape | None = None


def problems(schema: Schema, value: Any, path: str = "") -> Iterator[Problem]:
    if value is None or schema.shape is Shape.ANY:
        return
    accepted, _ = _EXPECTED[schema.shape]
    if not isinstance(value, accepted) or (isinstance(value, bool) and bool not in accepted):
        yield Problem(path, "type", value, schema.shape)
    elif schema.shape is Shape.LIST and schema.item:
        for index, item in enumerate(cast("list[Any]", value)):
            yield from problems(schema.item, item, f"{path}[{index}]")
    elif schema.shape is Shape.MAP and schema.item:
        for key, item in cast(Json, value).items():
            yield from problems(schema.item, item, f"{path}.{key}")
    elif schema.shape is Shape.OBJECT:
        yield from _of_fields(schema, cast(Json, value), path)


def _of_fields(schema: Schema, value: Json, path: str) -> Iterator[Problem]:
    known = schema.type()
    for name, part in value.items():
        at = f"{path}.{name}" if path else name
        if name in known.fields:
            yield from problems(known.fields[name], part, at)
        elif not known.open:
            yield Problem(at, "unknown", part)


def pruned(schema: Schema, value: Any) -> Any:
    """``value`` without the fields that its type lacks."""
    if isinstance(value, list) and schema.shape is Shape.LIST and schema.item:
        return [pruned(schema.item, item) for item in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    of = cast(Json, value)
    if schema.shape is Shape.MAP and schema.item:
        return {key: pruned(schema.item, part) for key, part in of.items()}
    if schema.shape is not Shape.OBJECT:
        return of
    known = schema.type()
    return {
        name: pruned(known.fields[name], part) if name in known.fields else part
        for name, part in of.items()
        if name in known.fields or known.open
    }


def checked(resource: Resource, body: Json, validation: str) -> tuple[Json, list[str]]:
    """The object as it is kept, and warnings. Raises BadRequest for wrong types and, when Strict, unknown fields."""
    check_kind(resource, body)
    if resource.schema is None:
        return body, []
    found = list(problems(resource.schema, body))
    wrong = next((problem for problem in found if problem.what == "type"), None)
    prefix = f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}: '
    if wrong:
        given = _go_type(wrong.value)
        expected = _EXPECTED[wrong.expected][1] if wrong.expected else ""
        raise bad_request(
            f"{prefix}json: cannot unmarshal {given} into Go struct field .{wrong.path} of type {expected}"
        )
    unknown = [f'unknown field "{problem.path}"' for problem in found]
    if unknown and validation == "Strict":
        words = f"strict decoding error: {', '.join(unknown)}"
        raise bad_request(words if resource.custom else prefix + words)
    body = pruned(resource.schema, body) if unknown else body
    body = body if resource.custom else compact(resource.schema, body)
    return body, (unknown if validation == "Warn" else [])


def check_applied(resource: Resource, config: Json) -> None:
    """What is applied must fit the types, and no list may name an item twice, whatever ``fieldValidation`` says."""
    if resource.schema is None:
        return
    said = [*_misfits(resource.schema, config, ""), *_doubles(resource.schema, config, ())]
    if said:
        metadata = config.get("metadata") or {}
        kind = f"{resource.group}/{resource.version}, Kind={resource.kind}"
        words = said[0] if len(said) == 1 else "errors:\n" + "\n".join(f"  {each}" for each in said)
        what = f"{metadata.get('namespace', '')}/{metadata.get('name', '')}; {kind}"
        raise not_typed(f"failed to create typed patch object ({what}): {words}")


def _misfits(schema: Schema, value: Any, path: str) -> Iterator[str]:
    """Unknown fields and wrong types, with lists that merge named by their keys."""
    if value is None or schema.shape is Shape.ANY:
        return
    accepted, _ = _EXPECTED[schema.shape]
    if not isinstance(value, accepted) or (isinstance(value, bool) and bool not in accepted):
        yield f"{path}: {_misfit(schema.shape, value)}"
    elif isinstance(value, dict) and schema.shape is Shape.OBJECT:
        known = schema.type()
        for name, part in cast(Json, value).items():
            if name in known.fields:
                yield from _misfits(known.fields[name], part, f"{path}.{name}")
            elif not known.open:
                yield f"{path}.{name}: field not declared in schema"
    elif isinstance(value, dict) and schema.shape is Shape.MAP and schema.item:
        for name, part in cast(Json, value).items():
            yield from _misfits(schema.item, part, f"{path}.{name}")
    elif isinstance(value, list) and schema.item:
        for index, item in enumerate(cast("list[Any]", value)):
            step = of_item(schema, item) if schema.list_type != "atomic" else None
            yield from _misfits(schema.item, item, path + (shown((step,)) if step else f"[{index}]"))


def _doubles(schema: Schema, value: Any, at: Path) -> Iterator[str]:
    if not merges(schema, value):
        return
    seen: set[str] = set()
    for step, known, part, _ in steps(schema, value):
        if step in seen:
            yield f"{shown(at)}: duplicate entries for key {shown((step,))}"
        seen.add(step)
        yield from _doubles(known, part, (*at, step))


def _misfit(shape: Shape, value: Any) -> str:
    match shape:
        case Shape.INTEGER | Shape.NUMBER:
            return f"expected numeric (int or float), got {_go_type(value)}"
        case Shape.OBJECT | Shape.MAP | Shape.FREE_OBJECT:
            return f"expected map, got &{{{_go(value)}}}"
        case Shape.LIST:
            return f"expected list, got &{{{_go(value)}}}"
        case Shape.BOOLEAN:
            return f"expected boolean, got &{{{_go(value)}}}"
        case _:
            return f"expected string, got &value.valueUnstructured{{Value:{json.dumps(value)}}}"


def _go(value: Any) -> str:
    """A value as Go prints it."""
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{_go(part)}' for key, part in sorted(cast(Json, value).items()))}]"
    if isinstance(value, list):
        return f"[{' '.join(map(_go, cast('list[Any]', value)))}]"
    return json.dumps(value) if isinstance(value, bool) else str(value)


def compact(schema: Schema, value: Any) -> Any:
    """A built-in kind's value without what Go leaves out when it is empty: null, and lists and maps without content."""
    if isinstance(value, list) and schema.shape is Shape.LIST and schema.item:
        return [compact(schema.item, item) for item in cast("list[Any]", value)]
    if not isinstance(value, dict) or schema.shape is not Shape.OBJECT:
        return value
    known, kept = schema.type(), {}
    for name, part in cast(Json, value).items():
        of = known.fields.get(name)
        empty = (
            of is not None and of.shape in (Shape.LIST, Shape.MAP) and part in ([], {}) and name not in known.required
        )
        if part is not None and not empty:
            kept[name] = compact(of, part) if of is not None else part
    return cast(Json, kept)


def check_kind(resource: Resource, body: Json) -> None:
    kind, api_version = body.get("kind"), body.get("apiVersion")
    if kind and kind != resource.kind:
        raise bad_request(
            f'{kind} in version "{str(api_version or "").rpartition("/")[2]}" cannot be handled as a {resource.kind}: '
            f'no kind "{kind}" is registered here; the path is that of {resource.kind}'
        )
    if api_version and api_version != resource.api_version:
        raise bad_request(
            f'{resource.kind} in version "{str(api_version).rpartition("/")[2]}" cannot be handled as a '
            f'{resource.kind}: no kind "{resource.kind}" is registered for version "{api_version}" in scheme '
            '"pkg/runtime/scheme.go:111"'
        )
    if not isinstance(body.get("metadata", {}), dict):
        raise bad_request("metadata: expected an object")


def _go_type(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return "number"
    return {str: "string", list: "array", dict: "object"}.get(cast("type[Any]", type(value)), "null")
