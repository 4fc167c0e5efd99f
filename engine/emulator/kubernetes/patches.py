"""JSON patch (RFC 6902), JSON merge patch (RFC 7386) and Kubernetes' strategic merge patch.

Source: the strategic merge as k8s.io/apimachinery 0.35, pkg/util/strategicpatch has it: lists with a merge key merge,
``$patch: delete|replace|merge``, ``$deleteFromPrimitiveList/FIELD``, ``$retainKeys``, ``$setElementOrder/FIELD``.
"""

from __future__ import annotations

import copy
import json
from typing import Any, cast

import jsonpatch

from engine.emulator.kubernetes.fields import ANYTHING, below
from engine.emulator.kubernetes.refusals import Json, Refused, bad_request
from engine.kubernetes import Schema, Shape

JSON = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"
_DELETED: Any = object()


def json_patched(body: Json, patch: bytes) -> Json:
    """Raises BadRequest for what is no patch, Invalid (422) where it doesn't fit the object."""
    try:
        operations = json.loads(patch)
        return cast(Json, jsonpatch.apply_patch(copy.deepcopy(body), operations))
    except (ValueError, jsonpatch.InvalidJsonPatch, TypeError, AttributeError) as error:
        raise bad_request(f"error decoding patch: {error}") from None
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException) as error:
        raise Refused(
            422, "Invalid", f"the server rejected our request due to an error in our request: {error}"
        ) from None


def merge_patched(body: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    merged = dict(cast(Json, body)) if isinstance(body, dict) else {}
    for key, value in cast(Json, patch).items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patched(merged.get(key), value)
    return merged


def strategic_patched(schema: Schema, body: Json, patch: Json) -> Json:
    merged = _strategic(schema, body, patch)
    return {} if merged is _DELETED else cast(Json, merged)


def _strategic(schema: Schema, body: Json, patch: Json) -> Any:
    directive = patch.get("$patch")
    if directive == "delete":
        return _DELETED
    if directive == "replace":
        return {key: value for key, value in patch.items() if key != "$patch"}
    merged = dict(body)
    for key, value in patch.items():
        if key.startswith("$deleteFromPrimitiveList/"):
            field = key.partition("/")[2]
            merged[field] = [item for item in merged.get(field) or [] if item not in value]
        elif key == "$retainKeys":
            merged = {name: part for name, part in merged.items() if name in value}
    for key, value in patch.items():
        if not key.startswith("$"):
            _set(merged, key, _merged(below(schema, key)[0], merged.get(key), value))
    for key, value in patch.items():
        if key.startswith("$setElementOrder/"):
            field = key.partition("/")[2]
            merged[field] = _ordered(below(schema, field)[0], merged.get(field) or [], value)
    return merged


def _set(merged: Json, key: str, value: Any) -> None:
    if value is _DELETED or value is None:
        merged.pop(key, None)
    else:
        merged[key] = value


def _merged(schema: Schema, value: Any, patch: Any) -> Any:
    if isinstance(patch, dict):
        if schema.atomic and "$patch" not in patch and schema.shape is Shape.MAP:
            return cast(Json, patch)
        return _strategic(schema, cast(Json, value) if isinstance(value, dict) else {}, cast(Json, patch))
    if isinstance(patch, list):
        return _merged_list(schema, cast("list[Any]", value or []), cast("list[Any]", patch))
    return patch


def _merged_list(schema: Schema, items: list[Any], patch: list[Any]) -> list[Any]:
    replaced = [item for item in patch if not (isinstance(item, dict) and item.get("$patch") == "replace")]
    if len(replaced) < len(patch):
        return replaced
    if "merge" not in schema.merge_strategy:
        return patch
    key = schema.merge_key
    if not key:
        return items + [item for item in patch if item not in items]
    merged: dict[Any, Any] = {item.get(key): item for item in items}
    for item in patch:
        if key not in item:
            raise bad_request(f"map: {json.dumps(item)} does not contain declared merge key: {key}")
        outcome = _strategic(schema.item or ANYTHING, merged.get(item[key], {}), item)
        if outcome is _DELETED:
            merged.pop(item[key], None)
        else:
            merged[item[key]] = outcome
    return list(merged.values())


def _ordered(schema: Schema, items: list[Any], order: list[Any]) -> list[Any]:
    def key(item: Any) -> Any:
        return item.get(schema.merge_key) if schema.merge_key and isinstance(item, dict) else item

    wanted = [key(item) for item in order]
    return sorted(items, key=lambda item: wanted.index(key(item)) if key(item) in wanted else len(wanted))
