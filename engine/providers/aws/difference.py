"""Diff: which properties differ, and whether the difference replaces the resource. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, TypeAlias, cast

from engine import paths
from engine.providers.aws import documents, names
from engine.providers.aws.schema import STRING, Field, ListOf, MapOf, Object, PropertyType, Scalar
from engine.providers.aws.spec import Spec
from engine.providers.base import NO_DIFF, Diff, DiffKind, unchanged
from engine.urn import name_of
from engine.values import UNKNOWN, Archive, Asset, Properties, Value

ABSENT: Final = object()
TAGS: Final = Field(MapOf(STRING))
Change: TypeAlias = tuple[paths.Path, DiffKind]

REPLACING = {
    DiffKind.ADD: DiffKind.ADD_REPLACE,
    DiffKind.DELETE: DiffKind.DELETE_REPLACE,
    DiffKind.UPDATE: DiffKind.UPDATE_REPLACE,
}


def diff(spec: Spec, urn: str, old_inputs: Properties, old_outputs: Properties, new_inputs: Properties) -> Diff:
    """What ``new_inputs`` change of a resource that was made with ``old_inputs`` and stands at ``old_outputs``."""
    patterns = [paths.parse(pattern) for pattern in spec.replace_on]
    detailed: dict[str, DiffKind] = {}
    replaces: list[str] = []
    for path, kind in changes(spec, old_inputs, old_outputs, new_inputs):
        replacing = any(paths.contains(pattern, path) for pattern in patterns) or _replaces_by_kind(spec, path, kind)
        detailed[paths.join(path)] = REPLACING[kind] if replacing else kind
        if replacing and str(path[0]) not in replaces:
            replaces.append(str(path[0]))
    if not detailed:
        return NO_DIFF
    return Diff(
        changes=True,
        detailed=detailed,
        replaces=tuple(replaces),
        stables=("id",) if not replaces else (),
        delete_before_replace=bool(replaces)
        and (spec.delete_before_replace or _name_would_collide(spec, urn, new_inputs)),
    )


def _replaces_by_kind(spec: Spec, path: paths.Path, kind: DiffKind) -> bool:
    """Whether another of several exclusive properties is given than before, or one is taken away that can't go."""
    if len(path) != 1:
        return False
    if kind is DiffKind.DELETE:
        return path[0] in spec.stays_given
    return kind is DiffKind.ADD and any(path[0] in group for group in spec.kinds)


def changed(spec: Spec, old_inputs: Properties, old_outputs: Properties, new_inputs: Properties) -> frozenset[str]:
    """The top-level properties that differ."""
    return frozenset(str(path[0]) for path, _ in changes(spec, old_inputs, old_outputs, new_inputs))


def changes(spec: Spec, old_inputs: Properties, old_outputs: Properties, new_inputs: Properties) -> Iterator[Change]:
    """Every path at which the inputs differ, with the kind of difference."""
    fields = {**spec.inputs, "tagsAll": TAGS} if spec.taggable else spec.inputs
    sets = [paths.parse(pattern) for pattern in spec.sets]
    for key, field in fields.items():
        old = old_inputs.get(key, ABSENT)
        new = new_inputs.get(key, ABSENT)
        if new is ABSENT and field.computed:
            continue  # what AWS fills in stays as it is when a program no longer gives it
        if old is ABSENT and new is not ABSENT and old_outputs.get(key) is not None:
            old = old_outputs[key]
        yield from _changes(field.type, old, new, (key,), sets)


def same(type_: PropertyType, old: Value, new: Value, sets: list[paths.Path], path: paths.Path = ()) -> bool:
    return next(_changes(type_, old, new, path, sets), None) is None


def _changes(type_: PropertyType, old: Value, new: Value, path: paths.Path, sets: list[paths.Path]) -> Iterator[Change]:
    old = ABSENT if old is None else old
    new = ABSENT if new is None else new
    if old is ABSENT or new is ABSENT:
        if old is not new and not (_empty(old) and _empty(new)):
            yield path, DiffKind.ADD if old is ABSENT else DiffKind.DELETE
    elif new is UNKNOWN:
        yield path, DiffKind.UPDATE
    elif isinstance(type_, ListOf) and isinstance(old, list) and isinstance(new, list):
        yield from _list(type_, cast("list[Any]", old), cast("list[Any]", new), path, sets)
    elif isinstance(type_, MapOf | Object) and isinstance(old, dict) and isinstance(new, dict):
        yield from _members(type_, cast("dict[str, Any]", old), cast("dict[str, Any]", new), path, sets)
    elif not _same_scalar(type_, old, new):
        yield path, DiffKind.UPDATE


def _empty(value: Value) -> bool:
    """A list or map without content says the same as none at all."""
    return value is ABSENT or (isinstance(value, list | dict) and not value)


def _members(
    type_: MapOf | Object, old: dict[str, Any], new: dict[str, Any], path: paths.Path, sets: list[paths.Path]
) -> Iterator[Change]:
    for key in sorted(old.keys() | new.keys()):
        if isinstance(type_, MapOf):
            inner, computed = type_.item, False
        elif field := type_.fields.get(key):
            inner, computed = field.type, field.computed
        else:
            continue
        if not (computed and new.get(key) is None):
            yield from _changes(inner, old.get(key, ABSENT), new.get(key, ABSENT), (*path, key), sets)


def _list(type_: ListOf, old: list[Any], new: list[Any], path: paths.Path, sets: list[paths.Path]) -> Iterator[Change]:
    if _is_set(path, sets):
        yield from _set(type_, old, new, path, sets)
        return
    for index in range(max(len(old), len(new))):
        before = old[index] if index < len(old) else ABSENT
        after = new[index] if index < len(new) else ABSENT
        yield from _changes(type_.item, before, after, (*path, index), sets)


def _set(type_: ListOf, old: list[Any], new: list[Any], path: paths.Path, sets: list[paths.Path]) -> Iterator[Change]:
    """Elements on both sides don't count; what is left is compared one by one, as the real provider shows it."""
    left = list(enumerate(old))
    added: list[tuple[int, Any]] = []
    for index, item in enumerate(new):
        match = next((i for i, (_, other) in enumerate(left) if same(type_.item, other, item, sets, (*path, 0))), None)
        if match is None:
            added.append((index, item))
        else:
            del left[match]
    for index, item in added:
        before = left.pop(0)[1] if left else ABSENT
        yield from _changes(type_.item, before, item, (*path, index), sets)
    for index, _ in left:
        yield (*path, index), DiffKind.DELETE


def _is_set(path: paths.Path, sets: list[paths.Path]) -> bool:
    return any(len(pattern) == len(path) and paths.contains(pattern, path) for pattern in sets)


def _same_scalar(type_: PropertyType, old: Value, new: Value) -> bool:
    if isinstance(type_, Scalar) and type_.kind == "json":
        return documents.same(old, new)
    if isinstance(old, Asset | Archive) and isinstance(new, Asset | Archive):
        return type(old) is type(new) and (old.hash == new.hash if old.hash and new.hash else old == new)
    if isinstance(type_, Scalar) and type_.kind == "ref":
        return _same_reference(old, new)
    if isinstance(type_, Scalar) and type_.kind == "url" and isinstance(old, str) and isinstance(new, str):
        return old.removeprefix("https://") == new.removeprefix("https://")
    return unchanged(old, new)


def _same_reference(old: Value, new: Value) -> bool:
    """A name and the ARN that ends in it are the same; two ARNs only if they are equal."""
    if old == new or not isinstance(old, str) or not isinstance(new, str):
        return bool(old == new)
    return old.startswith("arn:") != new.startswith("arn:") and re.split("[/:]", old)[-1] == re.split("[/:]", new)[-1]


def _name_would_collide(spec: Spec, urn: str, inputs: Properties) -> bool:
    """A name that the program gave can't exist twice: the old resource goes first, as Pulumi's bridge decides it."""
    rule = spec.autoname
    return rule is not None and not names.is_automatic(rule, name_of(urn), inputs)
