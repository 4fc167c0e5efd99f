"""Checks an object against the types of its kind: fields that don't exist, values of the wrong type.

What doesn't exist is dropped, as the real API does; ``fieldValidation`` decides whether somebody is told. The messages
are those of the real decoder, except that a wrong type is named by the path of the field, not by Go's struct.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, cast

from engine.emulator.kubernetes.refusals import Json, Refused, bad_request, internal
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
    _check_kind(resource, body)
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
    return (pruned(resource.schema, body) if unknown else body), (unknown if validation == "Warn" else [])


def check_applied(resource: Resource, config: Json) -> None:
    """What is applied must fit the types, whatever ``fieldValidation`` says; custom resources are open."""
    if resource.schema is None:
        return
    said = [_applied_problem(each) for each in problems(resource.schema, config) if not _passes(resource, each)]
    if said:
        metadata = config.get("metadata") or {}
        what = (
            f"{metadata.get('namespace', '')}/{metadata.get('name', '')}; {resource.api_version}, Kind={resource.kind}"
        )
        words = said[0] if len(said) == 1 else "errors:\n" + "\n".join(f"  {each}" for each in said)
        raise _typed(f"failed to create typed patch object ({what}): {words}")


def _typed(message: str) -> Refused:
    return internal(message)


def _passes(resource: Resource, problem: Problem) -> bool:
    return resource.custom and problem.what == "unknown" and not problem.path.startswith("metadata")


def _applied_problem(problem: Problem) -> str:
    if problem.what == "unknown":
        return f".{problem.path}: field not declared in schema"
    words = {"OBJECT": "map", "MAP": "map", "object": "map", "LIST": "list", "boolean": "boolean"}
    shape = problem.expected.value if problem.expected else ""
    numeric = problem.expected in (Shape.INTEGER, Shape.NUMBER)
    expected = "numeric (int or float)" if numeric else words.get(shape, "string")
    return f".{problem.path}: expected {expected}, got {json.dumps(problem.value)}"


def _check_kind(resource: Resource, body: Json) -> None:
    kind, api_version = body.get("kind"), body.get("apiVersion")
    if kind and kind != resource.kind:
        raise bad_request(
            f'{kind} in version "{str(api_version or "").rpartition("/")[2]}" cannot be handled as a {resource.kind}: '
            f'no kind "{kind}" is registered here; the path is that of {resource.kind}'
        )
    if api_version and api_version != resource.api_version:
        raise bad_request(
            f"the API version in the data ({api_version}) does not match the expected API version "
            f"({resource.api_version})"
        )
    if not isinstance(body.get("metadata", {}), dict):
        raise bad_request("metadata: expected an object")


def _go_type(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return "number"
    return {str: "string", list: "array", dict: "object"}.get(cast("type[Any]", type(value)), "null")
