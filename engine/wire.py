"""Property values on the wire: ``google.protobuf.Struct`` with Pulumi's signature keys, to and from the value model.

Source: Pulumi's SDK, ``sdk/python/lib/pulumi/runtime/rpc.py`` (the keys are part of the protocol and never change).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from google.protobuf import struct_pb2

from engine.values import UNKNOWN, Archive, Asset, Properties, ResourceRef, Secret, Value, secret, transform

if TYPE_CHECKING:
    from engine.values import Unknown

SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - a protocol constant, no password
ASSET: Final = "c44067f5952c0a294b673a41bacd8c17"
ARCHIVE: Final = "0def7320c3a5731c473e5ecbe6d01bc7"
RESOURCE: Final = "5cf8f73096256a8f31e491e813e4eb8e"
OUTPUT: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
UNKNOWN_STRING: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"

UNKNOWNS: Final = frozenset(
    {
        UNKNOWN_STRING,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # bool
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # number
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # array
        "030794c1-ac77-496b-92df-f27374a8bd58",  # asset
        "e48ece36-62e2-4504-bad9-02848725956a",  # archive
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # object
    }
)


@dataclass(frozen=True)
class OutputValue:
    """A value together with what it depends on; seen only between the SDK and remote components or transforms."""

    value: Value | Unknown
    secret: bool
    dependencies: tuple[str, ...]


def decode(struct: struct_pb2.Struct) -> Properties:
    """A message's properties as values. Nulls are dropped from mappings (not from lists), as Pulumi's engine does."""
    return _decode_fields(struct)


def decode_value(value: struct_pb2.Value) -> Value:
    return _decode(value)


def _decode(value: struct_pb2.Value) -> Value:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        text = value.string_value
        return UNKNOWN if text in UNKNOWNS or UNKNOWN_STRING in text else text  # a text built around one is unknown too
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() and abs(number) < 2**53 else number
    if kind == "bool_value":
        return value.bool_value
    if kind == "struct_value":
        return _decode_struct(value.struct_value)
    if kind == "list_value":
        return [_decode(item) for item in value.list_value.values]
    return None


def _decode_fields(struct: struct_pb2.Struct) -> Properties:
    return {
        key: _decode(value)
        for key, value in struct.fields.items()
        if value.WhichOneof("kind") not in ("null_value", None)
    }


def _decode_struct(struct: struct_pb2.Struct) -> Value:
    fields = _decode_fields(struct)
    signature = fields.pop(SIGNATURE, None)
    if signature is None:
        return fields
    return _special(signature, fields)


def _special(signature: Value, fields: dict[str, Value]) -> Value:
    if signature == SECRET:
        return secret(fields.get("value"))
    if signature == ASSET:
        return Asset(fields.get("text"), fields.get("path"), fields.get("uri"), fields.get("hash") or "")
    if signature == ARCHIVE:
        return Archive(fields.get("assets"), fields.get("path"), fields.get("uri"), fields.get("hash") or "")
    if signature == RESOURCE:
        return ResourceRef(fields["urn"], fields.get("id"), fields.get("packageVersion") or "")
    if signature == OUTPUT:
        dependencies = tuple(fields.get("dependencies") or ())
        return OutputValue(fields.get("value", UNKNOWN), bool(fields.get("secret")), dependencies)
    raise ValueError(f"unknown signature {signature!r} in a property value; this engine is older than the SDK")


def flatten_outputs(value: Value, dependencies: set[str]) -> Value:
    """``value`` with each OutputValue replaced by what it stands for; what they depend on joins ``dependencies``."""
    if isinstance(value, OutputValue):
        dependencies.update(value.dependencies)
        inner = flatten_outputs(value.value, dependencies)
        return secret(inner) if value.secret else inner
    if isinstance(value, dict):
        return {key: flatten_outputs(item, dependencies) for key, item in value.items()}
    if isinstance(value, list):
        return [flatten_outputs(item, dependencies) for item in value]
    if isinstance(value, Secret):
        return secret(flatten_outputs(value.value, dependencies))
    return value


def as_outputs(value: Value) -> Value:
    """``value`` with each of its secrets and unknowns as an OutputValue, which depends on nothing yet."""

    def leaf(item: Value) -> Value:
        if isinstance(item, Secret):
            return OutputValue(as_outputs(item.value), secret=True, dependencies=())
        return OutputValue(UNKNOWN, secret=False, dependencies=()) if item is UNKNOWN else item

    return transform(value, leaf)


def dependencies_of(properties: Mapping[str, Value], known: Mapping[str, Iterable[str]]) -> dict[str, tuple[str, ...]]:
    """What each of ``properties`` depends on: what is ``known`` of that, and what the OutputValues in it say."""
    found: dict[str, tuple[str, ...]] = {}
    for key, value in properties.items():
        urns = set(known.get(key, ()))
        flatten_outputs(value, urns)
        found[key] = tuple(sorted(urns))
    return found


def encode(properties: Mapping[str, Value]) -> struct_pb2.Struct:
    """Values as a message, secrets and unknowns in their wire form."""
    struct = struct_pb2.Struct()
    _fill(struct, properties)
    return struct


def encode_value(value: Value) -> struct_pb2.Value:
    message = struct_pb2.Value()
    _set(message, value)
    return message


def _fill(struct: struct_pb2.Struct, properties: Mapping[str, Value]) -> None:
    fields = struct.fields
    for key, value in properties.items():
        _set(fields[key], value)


def _set(message: struct_pb2.Value, value: Value) -> None:
    if value is None:
        message.null_value = struct_pb2.NullValue.NULL_VALUE
    elif isinstance(value, str):
        message.string_value = value
    elif isinstance(value, bool):
        message.bool_value = value
    elif isinstance(value, int | float):
        message.number_value = value
    elif isinstance(value, dict):
        message.struct_value.SetInParent()
        _fill(message.struct_value, value)
    elif isinstance(value, list):
        _fill_list(message.list_value, value)
    elif value is UNKNOWN:
        message.string_value = UNKNOWN_STRING
    else:
        _fill(message.struct_value, special_fields(value))


def _fill_list(message: struct_pb2.ListValue, items: Iterable[Value]) -> None:
    message.SetInParent()
    for item in items:
        _set(message.values.add(), item)


def special_fields(value: Value) -> dict[str, Any]:
    """A special value as the mapping with a signature key that stands for it on the wire."""
    if isinstance(value, Secret):
        return {SIGNATURE: SECRET, "value": value.value}
    if isinstance(value, Asset):
        return {SIGNATURE: ASSET, **_given(text=value.text, path=value.path, uri=value.uri, hash=value.hash)}
    if isinstance(value, Archive):
        assets = None if value.assets is None else dict(value.assets)
        return {SIGNATURE: ARCHIVE, **_given(assets=assets, path=value.path, uri=value.uri, hash=value.hash)}
    if isinstance(value, ResourceRef):
        id_ = {} if value.id is None else {"id": value.id}
        return {SIGNATURE: RESOURCE, "urn": value.urn, **id_, "packageVersion": value.package_version}
    if isinstance(value, OutputValue):
        known = {} if value.value is UNKNOWN else {"value": value.value}
        marks = _given(secret=value.secret or None, dependencies=list(value.dependencies) or None)
        return {SIGNATURE: OUTPUT, **known, **marks}
    raise TypeError(f"not a property value: {type(value).__name__}")


def _given(**fields: Value) -> dict[str, Value]:
    return {key: value for key, value in fields.items() if value is not None}
