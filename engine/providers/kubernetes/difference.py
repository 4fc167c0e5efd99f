"""Diff: which fields differ, and whether the difference replaces the object. Pure.

Inputs are compared with inputs, so that what the server has filled in is no difference; a refresh has put into the old
inputs what was found to have changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, cast

from engine import paths
from engine.differ import ABSENT, Change, changes
from engine.providers.base import NO_DIFF, Diff, DiffKind
from engine.providers.kubernetes import manifests, schema
from engine.providers.kubernetes.config import Config
from engine.providers.kubernetes.kinds import Kinds
from engine.providers.kubernetes.quantities import is_quantity, same
from engine.providers.kubernetes.readiness import readiness
from engine.providers.kubernetes.tokens import ObjectType
from engine.values import UNKNOWN, Properties, Value

REPLACING: Final = {
    DiffKind.ADD: DiffKind.ADD_REPLACE,
    DiffKind.DELETE: DiffKind.DELETE_REPLACE,
    DiffKind.UPDATE: DiffKind.UPDATE_REPLACE,
}


def diff(
    object_type: ObjectType,
    config: Config,
    kinds: Kinds,
    old_inputs: Properties,
    old_outputs: Properties,
    new_inputs: Properties,
) -> Diff:
    """What ``new_inputs`` change of an object that was made with ``old_inputs`` and stands at ``old_outputs``."""
    old, new = _comparable(object_type, kinds, old_inputs), _comparable(object_type, kinds, new_inputs)
    patterns = [paths.parse(pattern) for pattern in _replaced_by(object_type, config, old)]
    detailed: dict[str, DiffKind] = {}
    schema_of_kind = kinds.schema(object_type)
    for change in _changes(old, new):
        if is_quantity(schema_of_kind, change.path) and same(change.old, change.new):
            continue
        replacing = any(_touches(pattern, change) for pattern in patterns)
        detailed[paths.join(change.path)] = REPLACING[change.kind] if replacing else change.kind
    if _unready(new, old_outputs):
        place = paths.join(("metadata", "annotations", manifests.REPLACE_UNREADY))
        detailed[place] = DiffKind.UPDATE_REPLACE
    if not detailed:
        return NO_DIFF
    replaces = tuple(dict.fromkeys(str(paths.parse(path)[0]) for path, kind in detailed.items() if kind.replaces))
    return Diff(
        changes=True,
        detailed=detailed,
        replaces=replaces,
        stables=() if replaces else ("id",),
        delete_before_replace=bool(replaces) and _same_place(old, new),
    )


def _comparable(object_type: ObjectType, kinds: Kinds, inputs: Properties) -> Properties:
    """Inputs such that what means the same is the same: the namespace written out, a Secret's texts encoded."""
    given = {key: value for key, value in inputs.items() if not key.startswith("__") and value is not None}
    given = manifests.normalised(given)
    metadata = given.get("metadata")
    if not isinstance(metadata, dict):
        return given
    members = {key: value for key, value in cast("Properties", metadata).items() if key not in manifests.SERVER_SET}
    if kinds.scope(object_type) is False:
        members.pop("namespace", None)
    elif manifests.absent(members.get("namespace")):
        members["namespace"] = manifests.DEFAULT_NAMESPACE
    return {**given, "metadata": members}


def _changes(old: Properties, new: Properties) -> Iterator[Change]:
    """Every difference, except between what is absent and what is empty."""
    for change in changes(old, new):
        if not (_nothing(change.old) and _nothing(change.new)):
            yield change


def _nothing(value: Value) -> bool:
    return value is ABSENT or value is None or (isinstance(value, dict | list) and not value)


def _replaced_by(object_type: ObjectType, config: Config, old: Properties) -> Sequence[str]:
    """The paths at which a difference can't be applied to the object that exists."""
    if object_type.patch:
        return ("metadata.name", "metadata.namespace")
    if old.get("immutable") is True:
        return ("kind", "immutable", *schema.replaced_by(object_type.api_version, object_type.kind))
    mutable = config.secret_mutable if object_type.kind == "Secret" else config.config_map_mutable
    return ("kind", *schema.replaced_by(object_type.api_version, object_type.kind, mutable=mutable))


def _touches(pattern: paths.Path, change: Change) -> bool:
    """Whether a change is at a path that replaces, or takes away or adds what holds one.

    What is not known yet as a whole counts as an update, as ``pulumi_kubernetes`` has it.
    """
    if paths.contains(pattern, change.path):
        return True
    if not paths.contains(pattern[: len(change.path)], change.path):
        return False
    rest = pattern[len(change.path) :]
    return _holds(rest, change.old) or (change.new is not ABSENT and _holds(rest, change.new))


def _holds(pattern: paths.Path, value: Value) -> bool:
    if not pattern:
        return True
    if isinstance(value, dict):
        members = cast("Properties", value)
        return any(_holds(pattern[1:], item) for key, item in members.items() if pattern[0] in ("*", key))
    if isinstance(value, list):
        return pattern[0] == "*" and any(_holds(pattern[1:], item) for item in cast("list[Value]", value))
    return False


def _unready(new: Properties, old_outputs: Properties) -> bool:
    """Whether the program wants a Job replaced that has not succeeded, as it was when it was last looked at."""
    if not manifests.is_annotated(new, manifests.REPLACE_UNREADY) or new.get("kind") != "Job":
        return False
    return bool(old_outputs.get("status")) and not readiness(old_outputs).ready


def _same_place(old: Properties, new: Properties) -> bool:
    """Whether the new object must have the old one's name and namespace: then the old one goes first."""
    before, after = manifests.metadata(old), manifests.metadata(new)
    if manifests.is_annotated(new, manifests.AUTONAMED):
        return False
    return all(after.get(key) is not UNKNOWN and before.get(key) == after.get(key) for key in ("name", "namespace"))
