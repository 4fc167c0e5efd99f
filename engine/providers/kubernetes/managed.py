"""``metadata.managedFields``: who declares which fields of an object. Source: Kubernetes' "Server-Side Apply".

``fieldsV1`` is a tree: ``f:NAME`` is a member, ``k:{...}`` an item of a list by its keys, ``v:...`` an item of a set.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from engine.kubernetes import Schema, Shape
from engine.providers.base import unchanged
from engine.providers.kubernetes import manifests
from engine.providers.kubernetes.quantities import same, within
from engine.values import Properties, Value

# What other tools' client-side applies are called: an object that one of them made may be taken over, as Pulumi does.
TAKEN_OVER: Final = frozenset({
    "before-first-apply", "kubectl", "kubectl-client-side-apply", "pulumi-kubernetes", "pulumi-kubernetes.exe",
    "pulumi-resource-kubernetes",
})  # fmt: skip

Tree = Mapping[str, Any]


def entries(live: Mapping[str, Value]) -> Sequence[Mapping[str, Any]]:
    found: Any = manifests.metadata(live).get("managedFields")
    return cast("list[Mapping[str, Any]]", found) if isinstance(found, list) else []


def managers(live: Mapping[str, Value]) -> frozenset[str]:
    return frozenset(str(entry.get("manager")) for entry in entries(live))


def without(live: Mapping[str, Value], names: frozenset[str], heir: str) -> list[Mapping[str, Any]]:
    """The entries of ``live`` with what ``names`` had declared declared by ``heir``."""
    inherited: dict[str, Any] = {}
    kept: list[Mapping[str, Any]] = []
    template: Mapping[str, Any] = {}
    for entry in entries(live):
        ours = entry.get("manager") == heir and entry.get("operation") == "Apply"
        if not entry.get("subresource") and (ours or entry.get("manager") in names):
            template = entry
            inherited = _merged(inherited, cast("Tree", entry.get("fieldsV1") or {}))
        else:
            kept.append(entry)
    if template:
        kept.append({**template, "manager": heir, "operation": "Apply", "fieldsV1": inherited})
    return kept


def _merged(one: Tree, other: Tree) -> dict[str, Any]:
    result = dict(one)
    for key, branch in other.items():
        result[key] = _merged(result.get(key) or {}, branch or {})
    return result


def declared(live: Properties) -> Properties:
    """What of a live object somebody has applied, or all that a program can say of it where nobody applies.

    It is what an import takes for the inputs: what the server has filled in is nobody's.
    """
    applied: dict[str, Any] = {}
    for entry in entries(live):
        if entry.get("operation") == "Apply" and not entry.get("subresource"):
            applied = _merged(applied, cast("Tree", entry.get("fieldsV1") or {}))
    result = cast("Properties", _chosen(live, applied)) if applied else _cleaned(live)
    result = _unmarked(result)
    identity = {key: value for key, value in manifests.metadata(live).items() if key in ("name", "namespace")}
    metadata = {**manifests.metadata(result), **identity}
    if manifests.is_secret(live) and "data" in live:
        result = {**result, "data": live["data"]}  # texts that were applied are among it, and owned as texts
        result.pop("stringData", None)
    return {**result, "apiVersion": live["apiVersion"], "kind": live["kind"], "metadata": metadata}


def _unmarked(found: Properties) -> Properties:
    metadata = manifests.metadata(found)
    annotations = metadata.get("annotations")
    if not isinstance(annotations, dict) or manifests.MARK not in annotations:
        return found
    kept = {key: value for key, value in cast("Properties", annotations).items() if key != manifests.MARK}
    rest = {key: value for key, value in metadata.items() if key != "annotations"}
    return {**found, "metadata": {**rest, **({"annotations": kept} if kept else {})}}


def _chosen(value: Value, tree: Tree) -> Value:
    """The part of ``value`` that ``tree`` names; a leaf names all that is there."""
    if isinstance(value, dict):
        members = cast("Properties", value)
        branches = {key[2:]: branch for key, branch in tree.items() if key.startswith("f:")}
        if not branches:
            return members
        return {key: _chosen(members[key], branch or {}) for key, branch in branches.items() if key in members}
    if isinstance(value, list):
        items = cast("list[Value]", value)
        keyed = [(json.loads(key[2:]), branch) for key, branch in tree.items() if key.startswith("k:")]
        named = [json.loads(key[2:]) for key in tree if key.startswith("v:")]
        if not keyed and not named:
            return items
        return [_item(item, keyed) for item in items if item in named or _branch(item, keyed) is not None]
    return value


def _item(item: Value, keyed: Sequence[tuple[Any, Any]]) -> Value:
    branch = _branch(item, keyed)
    return item if branch is None else _chosen(item, branch)


def _branch(item: Value, keyed: Sequence[tuple[Any, Any]]) -> Tree | None:
    if not isinstance(item, dict):
        return None
    members = cast("Properties", item)
    for keys, branch in keyed:
        if all(members.get(key) == value for key, value in keys.items()):
            return branch or {}
    return None


def _cleaned(live: Properties) -> Properties:
    metadata = {
        key: value for key, value in manifests.metadata(live).items() if key not in manifests.SERVER_SET
    }  # fmt: skip
    annotations = {
        key: value for key, value in (metadata.get("annotations") or {}).items()
        if key not in (manifests.LAST_APPLIED, "deployment.kubernetes.io/revision")
    }  # fmt: skip
    metadata.pop("annotations", None)
    if annotations:
        metadata["annotations"] = annotations
    return {**{key: value for key, value in live.items() if key != "status"}, "metadata": metadata}


def as_given(given: Value, live: Value, schema: Schema | None = None, before: Value = None) -> Value:
    """What ``live`` has of what a program has given: its members, and its items in their order.

    A quantity of the same amount is left as it was given; ``schema`` says which values are quantities. So is what
    ``before``, the object as it was seen last, did not have either: the API leaves out ``""``, ``false`` and ``0`` of
    many fields.
    """
    if isinstance(given, dict) and isinstance(live, dict):
        return _members_as_given(cast("Properties", given), cast("Properties", live), schema, before)
    if isinstance(given, list) and isinstance(live, list):
        return _items_as_given(cast("list[Value]", given), cast("list[Value]", live), within(schema, 0), before)
    if schema is not None and schema.shape is Shape.QUANTITY:
        return given if same(given, live) else live
    return given if unchanged(given, live) else live


def _members_as_given(given: Properties, live: Properties, schema: Schema | None, before: Value) -> Properties:
    known = cast("Properties", before) if isinstance(before, dict) else None
    result: Properties = {}
    for key, item in given.items():
        spelt = manifests.with_underscores(key)  # as live objects have it; YAML has hyphens
        if spelt in live:
            result[key] = as_given(item, live[spelt], within(schema, key), (known or {}).get(spelt))
        elif known is not None and spelt not in known:
            result[key] = item
    return result


def _items_as_given(given: list[Value], live: list[Value], schema: Schema | None, before: Value) -> list[Value]:
    """Items by their name where they have one, else by their place. What others have added is not ours to compare."""
    known = cast("list[Value]", before) if isinstance(before, list) else []
    names = [_name(item) for item in given]
    if all(name is not None for name in names) and len(set(names)) == len(names):
        found, former = {_name(item): item for item in live}, {_name(item): item for item in known}
        return [
            as_given(item, found[name], schema, former.get(name))
            for name, item in zip(names, given, strict=True)
            if name in found
        ]
    if len(given) == len(live):
        former_items = known if len(known) == len(live) else [None] * len(live)
        return [as_given(item, other, schema, was) for item, other, was in zip(given, live, former_items, strict=True)]
    return live


def _name(item: Value) -> Value:
    return cast("Properties", item).get("name") if isinstance(item, dict) else None
