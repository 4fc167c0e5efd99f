"""Validate: does a manifest have only fields that its kind has, of their types, and all that are required? Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

from engine import paths
from engine.kubernetes import ObjectType, Schema, Shape, api
from engine.providers.base import CheckFailure
from engine.providers.kubernetes.schema.kinds import Refused, find_schema
from engine.providers.kubernetes.schema.scalars import fault, seen
from engine.values import UNKNOWN, Value


def validate(
    version: str, manifest: Mapping[str, Value], crds: Iterable[Mapping[str, Value]] = ()
) -> Sequence[CheckFailure]:
    """What the API server of Kubernetes ``version`` would refuse in ``manifest``, each with the path of its property.

    UNKNOWN may stand anywhere; what it stands for is not checked. Custom resources pass unless ``crds`` holds the
    CustomResourceDefinition (as a manifest) of their group and kind. Raises engine.kubernetes.VersionUnknown.
    """
    schema = find_schema(api(version), manifest, crds)
    if isinstance(schema, Refused):
        return [CheckFailure(schema.property, schema.reason)]
    return list(_object(schema.type(), manifest, ())) if schema is not None else []


def _value(schema: Schema, value: Value, path: paths.Path) -> Iterator[CheckFailure]:
    if value is UNKNOWN or value is None:  # null means that the field is not given
        return
    match schema.shape:
        case Shape.OBJECT if isinstance(value, dict):
            yield from _object(schema.type(), cast("dict[str, Any]", value), path)
        case Shape.LIST if isinstance(value, list):
            yield from _list(schema, cast("list[Any]", value), path)
        case Shape.MAP if isinstance(value, dict):
            for key, item in cast("dict[str, Any]", value).items():
                yield from _item(schema, item, (*path, key))
        case Shape.OBJECT | Shape.MAP | Shape.FREE_OBJECT if not isinstance(value, dict):
            yield CheckFailure(paths.join(path), f"expected an object, got {seen(value)}")
        case Shape.LIST:
            yield CheckFailure(paths.join(path), f"expected a list, got {seen(value)}{_in_a_list(schema, value)}")
        case _:
            if reason := fault(schema, value):
                yield CheckFailure(paths.join(path), reason)


def _in_a_list(schema: Schema, value: Value) -> str:
    """The usual slip: one item where a list of such items belongs."""
    item = schema.item.shape if schema.item else Shape.ANY
    fits = isinstance(value, dict) if item is Shape.OBJECT else item is Shape.STRING and isinstance(value, str)
    return "; put it into a list" if fits else ""


def _item(schema: Schema, item: Value, path: paths.Path) -> Iterator[CheckFailure]:
    if item is None and schema.item is not None and schema.item.shape is not Shape.ANY and not schema.item.nullable:
        yield CheckFailure(paths.join(path), "is null, which only a field may be: give a value or leave it out")
    elif schema.item is not None:
        yield from _value(schema.item, item, path)


def _object(type_: ObjectType, value: Mapping[str, Value], path: paths.Path) -> Iterator[CheckFailure]:
    for key, item in value.items():
        field = type_.fields.get(key)
        if field is not None:
            yield from _value(field, item, (*path, key))
        elif not type_.open and not key.startswith("__"):  # the SDK's own marks
            yield CheckFailure(paths.join((*path, key)), f"unknown field; {_hint(key, type_.fields)}")
    for key in type_.required:
        if value.get(key) is None:
            yield CheckFailure(paths.join((*path, key)), "is required and missing")


def _hint(key: str, known: Iterable[str]) -> str:
    names = sorted(known)
    by_lower = {name.lower(): name for name in names}
    plain = key.lower().replace("_", "").replace("-", "")
    close = [by_lower[plain]] if plain in by_lower else difflib.get_close_matches(key, names, n=1)
    return f"did you mean {close[0]!r}?" if close else f"expected one of {', '.join(names)}"


def _list(schema: Schema, items: Sequence[Value], path: paths.Path) -> Iterator[CheckFailure]:
    for index, item in enumerate(items):
        yield from _item(schema, item, (*path, index))
    yield from _twice(schema, items, path)


def _twice(schema: Schema, items: Sequence[Value], path: paths.Path) -> Iterator[CheckFailure]:
    """Items of a list that server-side apply could not tell apart."""
    if schema.list_type == "atomic":
        return
    first: dict[object, int] = {}
    for index, item in enumerate(items):
        identity = _identity(schema, item)
        if identity is None:
            continue
        if (before := first.setdefault(identity, index)) != index:
            same = " and ".join(schema.map_keys) or "value"
            yield CheckFailure(paths.join((*path, index)), f"has the same {same} as item {before}; each must be unique")


def _identity(schema: Schema, item: Value) -> object:
    """What an item is told apart by, or None where that can't be said: a key is missing, unknown or of a wrong type."""
    if schema.list_type == "set":
        return item if isinstance(item, str | int) else None
    if not isinstance(item, dict):
        return None
    given, fields = cast("dict[str, Any]", item), schema.item.type().fields if schema.item else {}
    keys = tuple(given.get(key, fields[key].default if key in fields else None) for key in schema.map_keys)
    return keys if all(isinstance(key, str | int) for key in keys) else None
