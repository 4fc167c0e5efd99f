"""Field managers: who owns which fields of an object, and what an apply or an update makes of it.

An apply merges, owns what it says, gives up what it no longer says (which goes away unless somebody else owns it), and
conflicts where it would change what another manager owns. Every other write takes what it changes, without asking.

Source of the rules: structured-merge-diff 6.3 (merge/update.go) and k8s.io/apimachinery 0.35 (util/managedfields).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from engine.emulator.kubernetes import merging
from engine.emulator.kubernetes.fields import Fields, Json, Path, fields_of, from_v1, shown, to_v1, with_named, without
from engine.emulator.kubernetes.refusals import Cause, Refused
from engine.kubernetes import Schema

MAX_UPDATERS = 10  # the oldest entries beyond this many are put together, as the real one does
_METADATA = "name namespace creationTimestamp selfLink uid clusterName generation managedFields resourceVersion"
NOBODYS: Fields = {
    ("f:apiVersion",),
    ("f:kind",),
    ("f:metadata",),
    *(("f:metadata", f"f:{name}") for name in _METADATA.split()),
}
Key = tuple[str, str, str, str]  # manager, operation, subresource, API version ("" for one that applies)


@dataclass(frozen=True)
class Owned:
    """An entry of ``metadata.managedFields``."""

    manager: str
    operation: str
    api_version: str
    subresource: str
    time: str
    fields: frozenset[Path]

    @property
    def key(self) -> Key:
        applies = self.operation == "Apply"
        return self.manager, self.operation, self.subresource, "" if applies else self.api_version

    def json(self) -> Json:
        entry: Json = {"manager": self.manager, "operation": self.operation, "apiVersion": self.api_version}
        entry |= {"time": self.time, "fieldsType": "FieldsV1", "fieldsV1": to_v1(set(self.fields))}
        return entry | ({"subresource": self.subresource} if self.subresource else {})


Owners = dict[Key, Owned]


@dataclass(frozen=True)
class Writer:
    """Who writes, by which version and subresource; ``reset`` are fields that this way of writing can't touch."""

    manager: str
    api_version: str
    subresource: str = ""
    reset: frozenset[Path] = frozenset()

    def owned(self, operation: str, fields: Fields) -> Owned:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return Owned(self.manager, operation, self.api_version, self.subresource, now, frozenset(fields))


def owners_of(body: Json) -> Owners:
    owners: Owners = {}
    for entry in body["metadata"].get("managedFields") or []:
        owned = Owned(
            entry["manager"],
            entry["operation"],
            entry["apiVersion"],
            entry.get("subresource", ""),
            entry.get("time", ""),
            frozenset(from_v1(entry.get("fieldsV1") or {})),
        )
        owners[owned.key] = owned
    return owners


def with_owners(body: Json, owners: Owners) -> Json:
    order = sorted(owners.values(), key=lambda owned: (owned.operation, owned.time, owned.manager, owned.api_version))
    metadata = {key: value for key, value in body["metadata"].items() if key != "managedFields"}
    if order:
        metadata["managedFields"] = [owned.json() for owned in order]
    return body | {"metadata": metadata}


def bare(body: Json) -> Json:
    """The object without its managed fields: what is compared and merged."""
    return body | {"metadata": {key: value for key, value in body["metadata"].items() if key != "managedFields"}}


# Where a built-in kind has a part in any case, empty if nothing is in it: whoever creates an object doesn't own it.
_ALWAYS: Fields = {
    tuple(f"f:{step}" for step in path.split("."))
    for path in (
        "spec",
        "spec.strategy",
        "spec.updateStrategy",
        "spec.resources",
        "spec.scaleTargetRef",
        "spec.podSelector",
        "spec.names",
        "spec.template",
        "spec.template.metadata",
        "spec.template.spec",
        "spec.template.spec.containers",
        "spec.jobTemplate",
        "spec.jobTemplate.metadata",
        "spec.jobTemplate.spec",
        "spec.jobTemplate.spec.template",
        "spec.jobTemplate.spec.template.metadata",
        "spec.jobTemplate.spec.template.spec",
        "spec.jobTemplate.spec.template.spec.containers",
        "spec.containers",
        "roleRef",
        "rules",
        "webhooks",
    )
}


def empty(body: Json) -> Json:
    """A built-in object before anything is said of it."""
    nothing: Json = {}
    for path in sorted(_ALWAYS, key=len):
        inside: Any = body
        into: Json = nothing
        for step in path[:-1]:
            inside, into = (inside or {}).get(step[2:]), into.get(step[2:], {})
        part = inside.get(path[-1][2:]) if isinstance(inside, dict) else None
        if part is not None:
            into[path[-1][2:]] = {} if isinstance(part, dict) else None
    return nothing


def updated(schema: Schema, before: Json, after: Json, owners: Owners, writer: Writer) -> Owners:
    """The owners once ``writer`` has made ``after`` of ``before`` without applying."""
    comparison = merging.compare(schema, before, after)
    comparison.drop(set(writer.reset))
    changed = comparison.added | comparison.modified
    remaining = _less(owners, changed | comparison.removed)
    taken = without(changed, set(writer.reset)) - NOBODYS
    if taken:
        mine = writer.owned("Update", taken)
        former = remaining.get(mine.key)
        remaining[mine.key] = replace(mine, fields=mine.fields | former.fields) if former else mine
    return _capped(remaining)


def applied(
    schema: Schema, live: Json, config: Json, owners: Owners, writer: Writer, *, force: bool
) -> tuple[Json, Owners]:
    """The object with ``config`` applied to it, and its owners then. Raises Conflict (409) unless forced."""
    fields = without(fields_of(schema, config), set(writer.reset))
    mine = writer.owned("Apply", fields)
    last = owners.get(mine.key)
    claimed = owners | {mine.key: mine}
    merged = merging.merge(schema, live, _writable(schema, config, writer))
    body = _pruned(schema, merged, claimed, set(last.fields)) if last else merged
    comparison = merging.compare(schema, live, body)
    comparison.drop(set(writer.reset))
    changed = comparison.added | comparison.modified
    others = {key: owned for key, owned in claimed.items() if key != mine.key}
    conflicts = [(owned, path) for owned in others.values() for path in sorted(owned.fields & changed)]
    if conflicts and not force:
        raise _conflict(conflicts)
    remaining = _less(others, {path for _, path in conflicts} | comparison.removed)
    kept = frozenset(fields - NOBODYS)
    if kept:
        same = last is not None and last.fields == kept and body == live
        remaining[mine.key] = replace(mine, fields=kept, time=last.time if same and last else mine.time)
    return body, remaining


def _writable(schema: Schema, config: Json, writer: Writer) -> Json:
    reset = {path for path in writer.reset if len(path) == 1}
    return merging.remove(schema, config, reset) or {}


def _pruned(schema: Schema, merged: Json, owners: Owners, last: Fields) -> Json:
    """Without the fields that were applied last time and that nobody owns any more."""
    gone = with_named(last, schema)
    pruned = merging.remove(schema, merged, gone) or {}
    everything = with_named(fields_of(schema, merged), schema)
    left = with_named(fields_of(schema, pruned), schema)
    owned: Fields = set().union(*(each.fields for each in owners.values()))
    pruned = merging.remove(schema, merged, everything - (left | with_named(owned, schema))) or {}
    left = with_named(fields_of(schema, pruned), schema)
    return merging.remove(schema, merged, (everything - left) & gone) or {}


def _less(owners: Mapping[Key, Owned], fields: Fields) -> Owners:
    remaining = {key: replace(owned, fields=owned.fields - fields) for key, owned in owners.items()}
    return {key: owned for key, owned in remaining.items() if owned.fields}


def _capped(owners: Owners) -> Owners:
    """At most MAX_UPDATERS entries of updates: the oldest become one, called ``ancient-changes``."""
    updaters = sorted((owned for owned in owners.values() if owned.operation == "Update"), key=lambda each: each.time)
    if len(updaters) <= MAX_UPDATERS:
        return owners
    old = updaters[: len(updaters) - MAX_UPDATERS + 1]
    kept = {key: owned for key, owned in owners.items() if owned not in old}
    fields = frozenset().union(*(owned.fields for owned in old))
    ancient = replace(old[-1], manager="ancient-changes", subresource="", fields=fields)
    return kept | {ancient.key: ancient}


def _conflict(conflicts: list[tuple[Owned, Path]]) -> Refused:
    causes = [
        Cause("FieldManagerConflict", f"conflict with {_who(owned)}", shown(path)).json() for owned, path in conflicts
    ]
    if len(conflicts) == 1:
        words = f"conflict with {_who(conflicts[0][0])}: {shown(conflicts[0][1])}"
    else:
        by_manager: dict[str, list[str]] = {}
        for owned, path in conflicts:
            by_manager.setdefault(_who(owned), []).append(f"- {shown(path)}")
        words = "\n".join(line for who in sorted(by_manager) for line in (f"conflicts with {who}:", *by_manager[who]))
    number = "1 conflict" if len(conflicts) == 1 else f"{len(conflicts)} conflicts"
    return Refused(409, "Conflict", f"Apply failed with {number}: {words}", {"causes": causes})


def _who(owned: Owned) -> str:
    said = json.dumps(owned.manager)
    if owned.subresource:
        said += f" with subresource {json.dumps(owned.subresource)}"
    return f"{said} using {owned.api_version}" if owned.operation == "Update" else said
