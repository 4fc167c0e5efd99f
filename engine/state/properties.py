"""Property values as JSON in the form of Pulumi's checkpoints, to and from the value model.

A special value is an object with a signature under one key. A secret holds its value as JSON text, encrypted; inside a
secret nothing is encrypted again. (Source: Pulumi 3.260, ``pkg/resource/stack/deployment.go`` and
``sdk/go/common/resource/sig``.)
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
import struct
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from engine.state.errors import FormatError
from engine.state.secrets import SecretCodec
from engine.values import UNKNOWN, Archive, Asset, Properties, ResourceRef, Secret, Value

Json: TypeAlias = Any  # None | bool | int | float | str | list[Json] | dict[str, Json]

SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - a format's constant, no password
ASSET: Final = "c44067f5952c0a294b673a41bacd8c17"
ARCHIVE: Final = "0def7320c3a5731c473e5ecbe6d01bc7"
RESOURCE: Final = "5cf8f73096256a8f31e491e813e4eb8e"
BYTE_STRING: Final = "803fd3297a5875dc03ca845dda5d2a98"
FLOAT: Final = "8ad145fe-0d11-4827-bfd7-1abcbf086f5c"
HALF_PAIR: Final = re.compile("[\ud800-\udfff]")
UNKNOWN_TEXT: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"

Seal: TypeAlias = Callable[[str], str]


def encode(properties: Mapping[str, Value], codec: SecretCodec) -> dict[str, Json]:
    """Properties as JSON with secrets encrypted. Keys come sorted, as Pulumi writes them."""
    return _encode_object(properties, codec.seal)


def encode_value(value: Value, codec: SecretCodec) -> Json:
    return _encode(value, codec.seal)


def decode(properties: Json, codec: SecretCodec) -> Properties:
    """Properties from JSON. Raises FormatError with the place of what isn't one, WrongPassphrase for a secret."""
    if not isinstance(properties, dict):
        raise FormatError("", f"expected an object of properties, found {_kind(properties)}")
    return _decode_fields(properties, codec.open)


def decode_value(value: Json, codec: SecretCodec) -> Value:
    return _decode(value, codec.open)


def dumps(value: Json, indent: int | None = None) -> str:
    """``value`` in the compact form that Pulumi writes, or indented; Go escapes JavaScript's two line separators."""
    separators = (",", ":") if indent is None else None
    text = json.dumps(value, ensure_ascii=False, separators=separators, indent=indent, allow_nan=False)
    return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _plain(text: str) -> str:
    """Stands in for encryption inside a secret, where nothing is encrypted twice."""
    return text


def _encode_object(fields: Mapping[str, Value], seal: Seal) -> dict[str, Json]:
    return {_text(key): _encode(fields[key], seal) for key in sorted(fields)}


def _encode(value: Value, seal: Seal) -> Json:
    if isinstance(value, str):
        return value if value.isascii() else _encode_text(value)
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, dict):
        return _encode_object(value, seal)
    if isinstance(value, (list, tuple)):
        return [_encode(item, seal) for item in value]
    if isinstance(value, float):
        return _encode_float(value)
    return _encode_special(value, seal)


def _encode_special(value: Value, seal: Seal) -> Json:
    if value is UNKNOWN:
        return UNKNOWN_TEXT
    if isinstance(value, Secret):
        return {SIGNATURE: SECRET, "ciphertext": seal(dumps(_encode(value.value, _plain)))}
    if isinstance(value, Asset):
        return _content(ASSET, {"hash": value.hash, "text": value.text, "path": value.path, "uri": value.uri})
    if isinstance(value, Archive):
        assets = None if value.assets is None else _encode_object(value.assets, seal)
        return _content(ARCHIVE, {"hash": value.hash, "assets": assets, "path": value.path, "uri": value.uri})
    if isinstance(value, ResourceRef):
        identity = {} if value.id is None else {"id": "" if value.id is UNKNOWN else value.id}
        return {SIGNATURE: RESOURCE} | identity | {"packageVersion": value.package_version, "urn": value.urn}
    raise FormatError("", f"a {type(value).__name__} can't be stored as a property")


def _content(signature: str, fields: Mapping[str, Json]) -> dict[str, Json]:
    return {SIGNATURE: signature} | {key: fields[key] for key in sorted(fields) if fields[key] not in (None, "")}


def _encode_float(value: float) -> Json:
    """A number as Go prints it: whole ones without a point; JSON has no infinities, they go as their 64 bits in hex."""
    if not math.isfinite(value):
        return {SIGNATURE: FLOAT, "value": struct.pack(">d", value).hex()}
    return int(value) if value.is_integer() and abs(value) < 1e21 and (value or math.copysign(1, value) > 0) else value


def _encode_text(value: str) -> Json:
    """Text, or bytes that are no UTF-8 (read with ``surrogateescape``) in Pulumi's form for them."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return _encode_bytes(value)
    return value


def _encode_bytes(value: str) -> Json:
    try:
        content = value.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        return _text(value)
    return {SIGNATURE: BYTE_STRING, "value": base64.b64encode(content).decode()}


def _text(value: str) -> str:
    """Text that UTF-8 can hold; half of a surrogate pair becomes U+FFFD, as in Go."""
    return value if value.isascii() else HALF_PAIR.sub("\ufffd", value)


def _decode(value: Json, seal: Seal) -> Value:
    if isinstance(value, str):
        return UNKNOWN if value == UNKNOWN_TEXT else value
    if isinstance(value, dict):
        signature = value.get(SIGNATURE)
        return _decode_fields(value, seal) if signature is None else _decode_special(signature, value, seal)
    if isinstance(value, list):
        return [_decode(item, seal) for item in value]
    return value


def _decode_fields(fields: dict[str, Json], seal: Seal) -> Properties:
    decoded: Properties = {}
    for key, item in fields.items():
        try:
            decoded[key] = _decode(item, seal)
        except FormatError as error:
            raise FormatError(f"{key}.{error.place}" if error.place else key, error.problem) from error
    return decoded


def _decode_special(signature: Json, fields: dict[str, Json], unseal: Seal) -> Value:
    if signature == SECRET:
        return _decode_secret(fields, unseal)
    if signature == ASSET:
        text, path, uri = (_optional_text(fields, key) for key in ("text", "path", "uri"))
        text = "" if path is None and uri is None and text is None else text
        return Asset(text, path, uri, _optional_text(fields, "hash") or "")
    if signature == ARCHIVE:
        assets = fields.get("assets")
        path, uri = _optional_text(fields, "path"), _optional_text(fields, "uri")
        assets = {} if path is None and uri is None and assets is None else assets
        decoded = None if assets is None else _decode_fields(assets, unseal)
        return Archive(decoded, path, uri, _optional_text(fields, "hash") or "")
    if signature == RESOURCE:
        return _decode_reference(fields)
    if signature == BYTE_STRING:
        return _decode_bytes(fields)
    if signature == FLOAT:
        return _decode_float(fields)
    raise FormatError("", f"a value with the unknown signature {signature!r}")


def _decode_secret(fields: dict[str, Json], unseal: Seal) -> Value:
    ciphertext, plaintext = _optional_text(fields, "ciphertext"), _optional_text(fields, "plaintext")
    if bool(ciphertext) == bool(plaintext):
        raise FormatError("", "a secret holds exactly one of ciphertext and plaintext")
    text = unseal(ciphertext) if ciphertext else plaintext or ""
    try:
        value: Json = json.loads(text)
    except ValueError:
        # Neither the text nor the parser's message, which quotes it, may be shown.
        raise FormatError("", "a secret that holds no JSON") from None
    inner = _decode(value, _plain)
    return inner if isinstance(inner, Secret) else Secret(inner)


def _decode_reference(fields: dict[str, Json]) -> ResourceRef:
    urn, identity = _optional_text(fields, "urn"), fields.get("id")
    if urn is None:
        raise FormatError("urn", "a resource reference without one")
    if isinstance(identity, dict):  # a form that a fault in some versions of Pulumi wrote
        identity = identity.get("V")
        identity = "" if isinstance(identity, dict) else identity
    return ResourceRef(urn, UNKNOWN if identity == "" else identity, _optional_text(fields, "packageVersion") or "")


def _decode_bytes(fields: dict[str, Json]) -> str:
    try:
        content = base64.b64decode(_optional_text(fields, "value") or "", validate=True)
    except binascii.Error as error:
        raise FormatError("value", f"not base64: {error}") from error
    return content.decode(errors="surrogateescape")


def _decode_float(fields: dict[str, Json]) -> float:
    try:
        (value,) = struct.unpack(">d", bytes.fromhex(_optional_text(fields, "value") or ""))
    except (ValueError, struct.error) as error:
        raise FormatError("value", f"not the 64 bits of a number in hex: {error}") from error
    return float(value)


def _optional_text(fields: dict[str, Json], key: str) -> str | None:
    value = fields.get(key)
    if value is None or isinstance(value, str):
        return value
    raise FormatError(key, f"expected text, found {_kind(value)}")


def _kind(value: Json) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "nothing"}
    return names.get(type(value), "a number")
