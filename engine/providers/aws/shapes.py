"""Between Pulumi's values and the API's: botocore's shapes say what the API takes, declared types what Pulumi shows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

from engine.providers.aws import content, documents
from engine.providers.aws.schema import Field, ListOf, MapOf, Object, PropertyType, Scalar
from engine.values import Value


class NoSuchMember(Exception):
    """A property has no counterpart in the API; the specification lacks an entry under ``renames``."""


def to_api(value: Value, shape: Any, renames: Mapping[str, str], path: str = "") -> Any:
    """``value`` (of the property at ``path``) as ``shape`` wants it; None stays None. Raises NoSuchMember."""
    if value is None or shape is None:
        return value
    match shape.type_name:
        case "structure":
            return _structure(value, shape, renames, path)
        case "list":
            return _list(value, shape, renames, path)
        case "map" if isinstance(value, dict):
            return {k: to_api(v, shape.value, renames, f"{path}.*") for k, v in cast("dict[str, Any]", value).items()}
        case _:
            return _scalar_to_api(value, shape.type_name)


def _structure(value: Value, shape: Any, renames: Mapping[str, str], path: str) -> Any:
    if isinstance(value, list):  # one block where Pulumi has a list
        listed = cast("list[Any]", value)
        if (wrapped := _only_list(shape)) and not any(isinstance(item, dict) for item in listed):
            return {wrapped: to_api(listed, shape.members[wrapped], renames, path)}
        return to_api(listed[0], shape, renames, f"{path}[*]") if listed else None
    result: dict[str, Any] = {}
    for key, item in cast("dict[str, Any]", value).items():
        place = f"{path}.{key}"
        name = renames.get(place) or member_of(key, shape.members)
        if name is None or name not in shape.members:
            raise NoSuchMember(f"{place}: {shape.name} has no such member (it has {', '.join(shape.members)})")
        if (converted := to_api(item, shape.members[name], renames, place)) is not None:
            result[name] = converted
    return result


def _only_list(shape: Any) -> str | None:
    """The member of a structure that does nothing but hold one list (EncryptionTypes: {EncryptionType: [...]})."""
    names = list(shape.members)
    return names[0] if len(names) == 1 and shape.members[names[0]].type_name == "list" else None


def _list(value: Value, shape: Any, renames: Mapping[str, str], path: str) -> Any:
    if isinstance(value, list):
        return [to_api(item, shape.member, renames, f"{path}[*]") for item in cast("list[Any]", value)]
    if isinstance(value, dict) and (pair := _pair_members(shape.member)):
        return [{pair[0]: key, pair[1]: item} for key, item in sorted(cast("dict[str, Any]", value).items())]
    return [to_api(value, shape.member, renames, path)]


def _pair_members(shape: Any) -> tuple[str, str] | None:
    """The members of a Key/Value structure (Key and Value, TagKey and TagValue, key and value), or None."""
    if shape.type_name != "structure":
        return None
    key = next((name for name in shape.members if re.fullmatch(r"(?i)(tag)?key", name)), None)
    value = next((name for name in shape.members if re.fullmatch(r"(?i)(tag)?value", name)), None)
    return (key, value) if key and value else None


def _scalar_to_api(value: Value, kind: str) -> Any:
    if kind == "string":
        if isinstance(value, bool):
            return "true" if value else "false"
        return documents.as_text(value) if isinstance(value, dict | list) else str(value)
    if kind in ("integer", "long"):
        return int(value)
    if kind in ("float", "double"):
        return float(value)
    if kind == "boolean":
        return value is True or value == "true"
    if kind == "blob":
        return value.encode() if isinstance(value, str) else content.of(value)
    return value


def from_api(value: Any, type_: PropertyType, renames: Mapping[str, str], path: str = "") -> Value:
    """``value`` of an answer as a property of ``type_``; None where there is nothing."""
    if value is None:
        return None
    match type_:
        case Object(fields):
            if isinstance(value, list):  # one block where the API has a list
                listed = cast("list[Any]", value)
                return from_api(listed[0], type_, renames, path) if listed else None
            return fields_from_api(cast("dict[str, Any]", value), fields, renames, path)
        case ListOf(item):
            if isinstance(value, dict) and not isinstance(item, Object):
                value = next(iter(cast("dict[str, Any]", value).values()), [])
            listed = cast("list[Any]", value) if isinstance(value, list) else [value]
            return [from_api(element, item, renames, f"{path}[*]") for element in listed]
        case MapOf(item):
            pairs = _pairs(cast("list[Any] | dict[str, Any]", value))
            return {key: from_api(element, item, renames, f"{path}.*") for key, element in pairs.items()}
        case Scalar(kind):
            return _scalar_from_api(value, kind)


def fields_from_api(
    answer: Mapping[str, Any], fields: Mapping[str, Field], renames: Mapping[str, str], path: str
) -> dict[str, Value]:
    """The declared fields that ``answer`` has, under their names in Pulumi."""
    found: dict[str, Value] = {}
    for key, field in fields.items():
        place = f"{path}.{key}"
        name = renames.get(place) or member_of(key, answer)
        value = from_api(answer.get(name), field.type, renames, place) if name else None
        if value is not None:
            found[key] = value
    return found


def _pairs(value: list[Any] | dict[str, Any]) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    pairs: dict[str, Any] = {}
    for item in value:
        members = {name.lower().removeprefix("tag"): content for name, content in item.items()}
        pairs[members["key"]] = members.get("value", "")
    return pairs


def _scalar_from_api(value: Any, kind: str) -> Value:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if kind in ("json", "str", "ref", "url") and isinstance(value, dict | list):
        return documents.as_text(value)
    if kind in ("str", "json", "ref", "url"):
        return ("true" if value else "false") if isinstance(value, bool) else str(value)
    if kind == "int":
        return int(value)
    if kind == "float":
        return float(value)
    if kind == "bool":
        return value.lower() == "true" if isinstance(value, str) else bool(value)
    return value


def member_of(key: str, members: Mapping[str, Any]) -> str | None:
    """The member that means the property ``key``: the same but for case and dashes, or else in the singular."""
    folded = {_fold(name): name for name in members}
    plain = _fold(key)
    if plain in folded:
        return folded[plain]
    singular = {_singular(name): original for name, original in folded.items()}
    return singular.get(_singular(plain))


def _fold(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _singular(name: str) -> str:
    if name.endswith("ies"):
        return name[:-3] + "y"
    return name[:-1] if name.endswith("s") else name
