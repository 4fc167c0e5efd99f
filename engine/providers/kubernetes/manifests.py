"""Manifests: inputs as the API takes them, what it answers as outputs, and what they say of an object.

The SDK writes ``x-kubernetes-...`` fields of schemas with underscores; the API knows hyphens.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final, cast

from engine.providers.kubernetes.tokens import ObjectType
from engine.values import UNKNOWN, Properties, Secret, Value

AUTONAMED: Final = "pulumi.com/autonamed"
SKIP_AWAIT: Final = "pulumi.com/skipAwait"
WAIT_FOR: Final = "pulumi.com/waitFor"
TIMEOUT_SECONDS: Final = "pulumi.com/timeoutSeconds"
REPLACE_UNREADY: Final = "pulumi.com/replaceUnready"
PATCH_FORCE: Final = "pulumi.com/patchForce"
PATCH_FIELD_MANAGER: Final = "pulumi.com/patchFieldManager"
DELETION_PROPAGATION: Final = "pulumi.com/deletionPropagationPolicy"

MARK: Final = "bedplate.dev/field-manager"  # makes the field manager of an object stay that declares only a name

INPUTS: Final = "__inputs"
INITIAL_API_VERSION: Final = "__initialApiVersion"
FIELD_MANAGER: Final = "__fieldManager"

LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"  # the whole manifest, of whoever used kubectl

DEFAULT_NAMESPACE: Final = "default"
SERVER_SET: Final = (
    "creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "generation", "managedFields",
    "resourceVersion", "selfLink", "uid",
)  # fmt: skip
_EXTENSIONS: Final = "x_kubernetes_"


def outgoing(inputs: Properties) -> Properties:
    """Inputs in the form that the API takes: without null values and without the engine's own members."""
    members = {key: value for key, value in inputs.items() if not key.startswith("__")}
    return cast("Properties", _outgoing(members))


def _outgoing(value: Value) -> Value:
    if isinstance(value, dict):
        items = cast("dict[str, Value]", value).items()
        return {_with_hyphens(key): _outgoing(item) for key, item in items if item is not None}
    if isinstance(value, list):
        return [_outgoing(item) for item in cast("list[Value]", value)]
    if isinstance(value, float) and value.is_integer():
        return int(value)  # the protocol knows no whole numbers; the API tells them from others
    return value


def _with_hyphens(key: str) -> str:
    return key.replace("_", "-") if key.startswith(_EXTENSIONS) else key


def with_underscores(key: str) -> str:
    """A member's name as the SDK spells it."""
    return key.replace("-", "_") if key.startswith("x-kubernetes-") else key


def incoming(live: Mapping[str, Value]) -> Properties:
    """A live object in the form of the SDK, without what changes whenever anybody looks at it."""
    result = cast("Properties", _incoming(dict(live)))
    metadata = dict(result.get("metadata") or {})
    for key in ("managedFields", "resourceVersion"):
        metadata.pop(key, None)
    return {**result, "metadata": metadata}


def _incoming(value: Value) -> Value:
    if isinstance(value, dict):
        items = cast("dict[str, Value]", value).items()
        return {with_underscores(key): _incoming(item) for key, item in items}
    if isinstance(value, list):
        return [_incoming(item) for item in cast("list[Value]", value)]
    return value


def outputs(live: Mapping[str, Value], inputs: Properties, field_manager: str) -> Properties:
    """What the state keeps of a live object.

    The inputs are kept beside it under the name that Pulumi's own provider knows, so that it can go on from this state;
    those that are secret are marked there by the engine, as in the outputs themselves.
    """
    result = _sealed(incoming(live))
    result[INPUTS] = _sealed({key: value for key, value in inputs.items() if not key.startswith("__")})
    result[INITIAL_API_VERSION] = str(live.get("apiVersion", ""))
    result[FIELD_MANAGER] = field_manager
    return result


def _sealed(manifest: Properties) -> Properties:
    """A Secret with its data marked as such, and its copy that kubectl keeps; any other object as it is."""
    if not is_secret(manifest):
        return manifest
    sealed = {key: Secret(value) if key in ("data", "stringData") else value for key, value in manifest.items()}
    applied = annotation(manifest, LAST_APPLIED)
    if applied is not None:
        annotations = {**cast("Properties", metadata(manifest)["annotations"]), LAST_APPLIED: Secret(applied)}
        sealed["metadata"] = {**metadata(manifest), "annotations": annotations}
    return sealed


def is_secret(manifest: Mapping[str, Value]) -> bool:
    return manifest.get("kind") == "Secret" and manifest.get("apiVersion") == "v1"


def object_type(manifest: Mapping[str, Value]) -> ObjectType:
    """The kind that a complete manifest names."""
    group, _, version = str(manifest["apiVersion"]).rpartition("/")
    return ObjectType(group, version, str(manifest["kind"]))


def metadata(manifest: Mapping[str, Value]) -> Properties:
    """A manifest's metadata; empty where it is absent or not known."""
    found = manifest.get("metadata")
    return cast("Properties", found) if isinstance(found, dict) else {}


def absent(value: Value) -> bool:
    """Whether a value is not given, or as good as not; what is not known yet is given."""
    return value is None or (value is not UNKNOWN and value in ("", {}, []))


def annotation(manifest: Mapping[str, Value], name: str) -> str | None:
    annotations = metadata(manifest).get("annotations")
    value: Any = cast("Properties", annotations).get(name) if isinstance(annotations, dict) else None
    return None if value is None or value is UNKNOWN else str(value)


def is_annotated(manifest: Mapping[str, Value], name: str) -> bool:
    return annotation(manifest, name) == "true"


def name_of(manifest: Mapping[str, Value]) -> str:
    return str(metadata(manifest).get("name") or "")


def namespace_of(manifest: Mapping[str, Value]) -> str:
    return str(metadata(manifest).get("namespace") or "")


def id_of(live: Mapping[str, Value]) -> str:
    """A resource's id, as ``pulumi_kubernetes`` has it: ``NAMESPACE/NAME``, or the name of what has no namespace."""
    namespace = namespace_of(live)
    return f"{namespace}/{name_of(live)}" if namespace else name_of(live)


def split_id(id_: str) -> tuple[str, str]:
    """The namespace ("" for none) and the name that an id means."""
    namespace, _, name = id_.rpartition("/")
    return namespace, name


def normalised(inputs: Properties) -> Properties:
    """Inputs in the one form of several that say the same: a Secret's ``stringData`` becomes ``data``."""
    if not is_secret(inputs) or "stringData" not in inputs:
        return inputs
    texts, data = inputs["stringData"], inputs.get("data", {})
    if not isinstance(texts, dict) or not isinstance(data, dict):
        return inputs
    encoded = {
        key: UNKNOWN if text is UNKNOWN else base64.b64encode(str(text).encode()).decode()
        for key, text in cast("Properties", texts).items() if text is not None
    }  # fmt: skip
    rest = {key: value for key, value in inputs.items() if key != "stringData"}
    return {**rest, "data": {**cast("Properties", data), **encoded}}


def is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True
