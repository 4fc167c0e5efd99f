"""Snapshots as Pulumi's JSON: the checkpoint that its file backend stores and the deployment that it exports.

    checkpoint   {"version": 3, "checkpoint": {"stack": "organization/PROJECT/STACK", "latest": DEPLOYMENT}}
    export       {"version": 3, "deployment": DEPLOYMENT}

Version 3 is written, and version 4, which is version 3 with a list of the features that a reader must know, where one
of those is used, as Pulumi does. Versions 1 and 2 are read too: what they lack is empty. Fields come in Pulumi's
order and are left out when empty. (Source: Pulumi 3.260, ``sdk/go/common/apitype/core.go`` and
``pkg/resource/stack``.)
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar, cast, get_args

from engine.state import properties
from engine.state.errors import FormatError, StateError, StateTooNew
from engine.state.fields import FIELDS, PROPERTIES, TRIGGER, Field, items, mapping, text, texts
from engine.state.model import (
    CustomTimeouts,
    Manifest,
    Operation,
    OperationKind,
    Plugin,
    ResourceState,
    SecretsProvider,
    Snapshot,
)
from engine.state.properties import Json
from engine.state.secrets import SecretCodec

_T = TypeVar("_T")

CURRENT: Final = 3
WITH_FEATURES: Final = 4
NO_TIMEOUTS: Final = CustomTimeouts()
_BY_KEY: Final[Mapping[str, Field]] = {field.key: field for field in FIELDS}
_KINDS: Final = get_args(OperationKind)

# A feature, and which resources use it. Byte strings have one too: it shows in the text, not in the model.
_FEATURES: Final[Mapping[str, Callable[[ResourceState], object]]] = {
    "extensionParameterization": lambda state: state.extension_ref,
    "hooks": lambda state: state.resource_hooks,
    "refreshBeforeUpdate": lambda state: state.refresh_before_update,
    "replaceWith": lambda state: state.replace_with,
    "snippets-prototype": lambda state: state.snippet_id,
    "taint": lambda state: state.taint,
    "views": lambda state: state.view_of,
}
_BYTE_STRINGS: Final = "byteString"
SUPPORTED_FEATURES: Final = frozenset(_FEATURES) | {_BYTE_STRINGS}


def magic(version: str) -> str:
    """By which Pulumi recognises that a manifest was made by what it says made it."""
    return hashlib.sha256(version.encode()).hexdigest() if version else ""


def checkpoint(stack: str, snapshot: Snapshot | None, codec: SecretCodec) -> str:
    """The text of a checkpoint file for ``stack`` (``organization/PROJECT/STACK``)."""
    inner: dict[str, Json] = {"stack": stack}
    if snapshot is not None:
        inner["latest"] = encode_deployment(snapshot, codec)
    return _versioned("checkpoint", inner, snapshot)


def export(snapshot: Snapshot, codec: SecretCodec) -> str:
    """The text that ``pulumi stack import`` takes."""
    return _versioned("deployment", encode_deployment(snapshot, codec), snapshot)


def read_checkpoint(content: str | bytes, codec: SecretCodec) -> Snapshot | None:
    """The snapshot in a checkpoint file, None where nothing was ever deployed.

    Raises FormatError, StateTooNew, WrongPassphrase or SecretsUnsupported.
    """
    whole = _parse(content)
    version, features = _version(whole)
    # Files from before versions were written hold the checkpoint itself.
    inner = whole if version == 0 else _object(whole.get("checkpoint"), "checkpoint")
    latest = inner.get("latest")
    return None if latest is None else _decode_deployment(latest, features, "checkpoint.latest", codec)


def read_export(content: str | bytes, codec: SecretCodec) -> Snapshot:
    """The snapshot in what ``pulumi stack export`` wrote. Raises as ``read_checkpoint`` does."""
    whole = _parse(content)
    _, features = _version(whole)
    if "deployment" in whole and whole["deployment"] is None:  # Go's for a stack that never was deployed
        return Snapshot()
    return _decode_deployment(whole.get("deployment"), features, "deployment", codec)


def deployment_of(content: str | bytes) -> dict[str, Json]:
    """A checkpoint in the form of an export, nothing in it read or changed. Raises FormatError or StateTooNew."""
    whole = _parse(content)
    version, _ = _version(whole)
    inner = whole if version == 0 else _object(whole.get("checkpoint"), "checkpoint")
    head = {key: whole[key] for key in ("version", "features") if key in whole}
    return {"version": version or 1, **head, "deployment": inner.get("latest")}


def is_checkpoint(content: bytes) -> bool:
    """Whether ``content`` is a checkpoint as far as can be told without opening its secrets."""
    try:
        whole = _parse(content)
        version, _ = _version(whole)
    except StateError:
        return False
    return "stack" in whole if version == 0 else isinstance(whole.get("checkpoint"), dict)


def encode_resource(state: ResourceState, codec: SecretCodec) -> dict[str, Json]:
    encoded: dict[str, Json] = {}
    for field in FIELDS:
        value = getattr(state, field.attribute)
        if field.key in PROPERTIES:
            if value:
                codec.enter(f"{state.urn} {field.key}")
                encoded[field.key] = properties.encode(value, codec)
        elif field.key == TRIGGER:
            if value is not None:
                codec.enter(f"{state.urn} {field.key}")
                encoded[field.key] = properties.encode_value(value, codec)
        elif field.always or (value and value != NO_TIMEOUTS):
            encoded[field.key] = field.write(value)
    encoded.update(state.extra)
    return encoded


def decode_resource(encoded: Json, place: str, codec: SecretCodec) -> ResourceState:
    """The resource that ``encoded`` describes; ``place`` says in errors where it stands."""
    given = _object(encoded, place)
    urn = given.get("urn")
    read: dict[str, Any] = {}
    extra: dict[str, Json] = {}
    for key, value in given.items():
        field = _BY_KEY.get(key)
        if field is None:
            extra[key] = value
            continue
        try:
            read[field.attribute] = _decode_field(field, value, f"{urn} {key}", codec)
        except FormatError as error:
            inner = f"{key}.{error.place}" if error.place else key
            raise FormatError(f"{place}.{inner}", error.problem) from error
    for key in ("urn", "type"):
        if not read.get(key):
            raise FormatError(place, f"a resource without {key!r}")
    return ResourceState(**read, extra=extra)


def encode_operation(operation: Operation, codec: SecretCodec) -> dict[str, Json]:
    return {"resource": encode_resource(operation.resource, codec), "type": operation.kind}


def decode_operation(encoded: Json, place: str, codec: SecretCodec) -> Operation:
    given = _object(encoded, place)
    kind = given.get("type")
    if kind not in _KINDS:
        raise FormatError(f"{place}.type", f"expected one of {', '.join(_KINDS)}, found {kind!r}")
    return Operation(decode_resource(given.get("resource"), f"{place}.resource", codec), cast(OperationKind, kind))


def encode_deployment(snapshot: Snapshot, codec: SecretCodec) -> dict[str, Json]:
    resources = [encode_resource(state, codec) for state in snapshot.resources]
    operations = [encode_operation(operation, codec) for operation in snapshot.pending_operations]
    encoded: dict[str, Json] = {"manifest": _encode_manifest(snapshot.manifest)}
    # Only now: the first secret to be encrypted decides how all of them are.
    provider = codec.provider or snapshot.secrets_provider
    if provider is not None:
        encoded["secrets_providers"] = encode_provider(provider)
    if resources:
        encoded["resources"] = resources
    if operations:
        encoded["pending_operations"] = operations
    encoded["metadata"] = dict(snapshot.metadata)
    if snapshot.snippets:
        encoded["snippets"] = list(snapshot.snippets)
    if snapshot.extensions:
        encoded["extensions"] = dict(snapshot.extensions)
    return encoded | dict(snapshot.extra)


def encode_provider(provider: SecretsProvider) -> Json:
    encoded: dict[str, Json] = {"type": provider.type}
    return encoded | {"state": dict(provider.state)} if provider.state else encoded


def decode_provider(encoded: Json, place: str) -> SecretsProvider | None:
    """What encrypts a deployment's secrets; None where nothing does."""
    given = _at(place, mapping, encoded)
    kind = _at(f"{place}.type", text, given.get("type", ""))
    return SecretsProvider(kind, _at(f"{place}.state", mapping, given.get("state"))) if kind else None


def _decode_field(field: Field, value: Json, scope: str, codec: SecretCodec) -> Any:
    if field.key in PROPERTIES:
        codec.enter(scope)
        return properties.decode(mapping(value), codec)
    if field.key == TRIGGER:
        codec.enter(scope)
        return properties.decode_value(value, codec)
    return field.read(value)


def _decode_deployment(encoded: Json, features: tuple[str, ...], place: str, codec: SecretCodec) -> Snapshot:
    given = dict(_object(encoded, place))
    provider = decode_provider(given.pop("secrets_providers", None), f"{place}.secrets_providers")
    codec.use(provider)
    manifest = _decode_manifest(given.pop("manifest", None), f"{place}.manifest")
    resources = _at(f"{place}.resources", items, given.pop("resources", None))
    operations = _at(f"{place}.pending_operations", items, given.pop("pending_operations", None))
    return Snapshot(
        resources=tuple(decode_resource(item, f"{place}.resources[{i}]", codec) for i, item in enumerate(resources)),
        pending_operations=tuple(
            decode_operation(item, f"{place}.pending_operations[{i}]", codec) for i, item in enumerate(operations)
        ),
        manifest=manifest,
        secrets_provider=provider,
        metadata=_at(f"{place}.metadata", mapping, given.pop("metadata", None)),
        snippets=tuple(_at(f"{place}.snippets", items, given.pop("snippets", None))),
        extensions=_at(f"{place}.extensions", mapping, given.pop("extensions", None)),
        extra=given,
        features=features,
        sealed=codec.left_sealed,
    )


def _encode_manifest(manifest: Manifest) -> Json:
    encoded: dict[str, Json] = {"time": manifest.time, "magic": manifest.magic, "version": manifest.version}
    if manifest.plugins:
        encoded["plugins"] = [
            {"name": plugin.name, "path": plugin.path, "type": plugin.kind, "version": plugin.version}
            for plugin in manifest.plugins
        ]
    return encoded


def _decode_manifest(encoded: Json, place: str) -> Manifest:
    given = _at(place, mapping, encoded)
    plugins = [_at(f"{place}.plugins", mapping, item) for item in _at(f"{place}.plugins", items, given.get("plugins"))]
    return Manifest(
        *(_at(f"{place}.{key}", text, given.get(key, "")) for key in ("time", "magic", "version")),
        plugins=tuple(
            Plugin(
                *(
                    _at(f"{place}.plugins.{key}", text, plugin.get(key, ""))
                    for key in ("name", "path", "type", "version")
                )
            )
            for plugin in plugins
        ),
    )


def _versioned(key: str, inner: Json, snapshot: Snapshot | None) -> str:
    body = properties.dumps(inner)
    features = _features(snapshot, body) if snapshot else []
    head = f'"version":{WITH_FEATURES},"features":{properties.dumps(features)}' if features else f'"version":{CURRENT}'
    return f'{{{head},"{key}":{body}}}'


def _features(snapshot: Snapshot, body: str) -> Sequence[str]:
    states = [*snapshot.resources, *(operation.resource for operation in snapshot.pending_operations)]
    used = {name for name, uses in _FEATURES.items() if any(uses(state) for state in states)}
    if snapshot.snippets:
        used.add("snippets-prototype")
    # Inside a secret a byte string can't be seen any more; a file that had one goes on saying so.
    if properties.BYTE_STRING in body or _BYTE_STRINGS in snapshot.features:
        used.add(_BYTE_STRINGS)
    return sorted(used)


def _parse(content: str | bytes) -> dict[str, Json]:
    try:
        return _object(json.loads(content), "the file")
    except UnicodeDecodeError as error:
        raise FormatError(f"byte {error.start}", "not UTF-8") from None
    except json.JSONDecodeError as error:
        raise FormatError(f"line {error.lineno}, column {error.colno}", f"no valid JSON: {error.msg}") from None
    except RecursionError:
        raise FormatError("", "nested too deeply") from None


def _version(whole: Mapping[str, Json]) -> tuple[int, tuple[str, ...]]:
    """The version, and the features that it asks of its reader. Raises StateTooNew where it asks too much."""
    version = whole.get("version", 0)
    if not isinstance(version, int) or isinstance(version, bool) or version < 0:
        raise FormatError("version", f"expected a number from 1 to {WITH_FEATURES}, found {version!r}")
    if version > WITH_FEATURES:
        raise StateTooNew(f"written in version {version} of the format; this engine reads up to {WITH_FEATURES}")
    features = _at("features", texts, whole.get("features")) if version >= WITH_FEATURES else ()
    unknown = sorted(set(features) - SUPPORTED_FEATURES)
    if unknown:
        raise StateTooNew(f"it uses features that this engine does not know: {', '.join(unknown)}")
    return version, features


def _object(value: Json, place: str) -> dict[str, Json]:
    if isinstance(value, dict):
        return value
    raise FormatError(place, "expected an object")


def _at(place: str, read: Callable[[Json], _T], value: Json) -> _T:
    try:
        return read(value)
    except FormatError as error:
        raise FormatError(place, error.problem) from error
