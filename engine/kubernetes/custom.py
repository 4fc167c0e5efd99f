"""Custom resources: the schema that a CustomResourceDefinition declares, in the same form as a built-in kind's."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, Final, cast

from engine.kubernetes.api import Api
from engine.kubernetes.model import ListType, ObjectType, Schema, Shape

Json = Mapping[str, Any]

_SCALARS: Final = {
    "string": Shape.STRING,
    "integer": Shape.INTEGER,
    "number": Shape.NUMBER,
    "boolean": Shape.BOOLEAN,
}
_FORMATS: Final = {"byte": Shape.BYTES, "date-time": Shape.TIME}


def schema_of_crd(crd: Json, version: str, builtin: Api) -> Schema | None:
    """The type of the objects of a CRD (``apiextensions.k8s.io/v1``) in one of its versions, or None without a schema.

    ``metadata`` is what it is for every kind, whatever the CRD says. Rules beyond types (patterns, ranges, ``anyOf``,
    CEL) are the API server's to check.
    """
    declared = next((entry for entry in crd.get("spec", {}).get("versions", ()) if entry.get("name") == version), None)
    written = (declared or {}).get("schema", {}).get("openAPIV3Schema")
    if written is None:
        return None
    return Schema(Shape.OBJECT, functools.partial(_root, cast(Json, written), builtin))


def _root(written: Json, builtin: Api) -> ObjectType:
    declared = _object(written)
    text = Schema(Shape.STRING)
    metadata = Schema(Shape.OBJECT, functools.partial(builtin.type, "meta.v1.ObjectMeta"))
    fields = {**declared.fields, "apiVersion": text, "kind": text, "metadata": metadata}
    return ObjectType(fields, declared.required, declared.open)


def _object(written: Json) -> ObjectType:
    properties = cast("Mapping[str, Json]", written.get("properties", {}))
    return ObjectType(
        {name: _schema(schema) for name, schema in properties.items()},
        tuple(written.get("required", ())),
        open=bool(written.get("x-kubernetes-preserve-unknown-fields")),
    )


def _schema(written: Json) -> Schema:
    shape, item = _shape(written)
    return Schema(
        shape,
        functools.partial(_object, written) if shape is Shape.OBJECT else None,
        _schema(item) if item is not None else None,
        list_type=cast(ListType, written.get("x-kubernetes-list-type", "atomic")),
        map_keys=tuple(written.get("x-kubernetes-list-map-keys", ())),
        atomic=written.get("x-kubernetes-map-type") == "atomic",
        enum=tuple(word for word in written.get("enum", ()) if isinstance(word, str)),
        default=written.get("default"),
        nullable=bool(written.get("nullable")),
        format=written.get("format", "") if written.get("type") in ("integer", "number") else "",
    )


def _shape(written: Json) -> tuple[Shape, Json | None]:
    """The shape that a JSON schema describes and, of a list or a map, the schema of what it holds."""
    if written.get("x-kubernetes-int-or-string"):
        return Shape.INT_OR_STRING, None
    type_ = written.get("type", "")
    if type_ == "array":
        return Shape.LIST, cast(Json, written.get("items", {}))
    if type_ in _SCALARS:
        return _FORMATS.get(written.get("format", ""), _SCALARS[type_]), None
    if written.get("properties"):
        return Shape.OBJECT, None
    values = written.get("additionalProperties")
    if isinstance(values, Mapping):
        return Shape.MAP, cast(Json, values)
    return Shape.FREE_OBJECT if type_ == "object" else Shape.ANY, None
