"""Which schema a manifest is checked by, or why the API server would not know its kind."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from engine.kubernetes import Api, Schema, api, group_of, removed, schema_of_crd, versions
from engine.values import Value


@dataclass(frozen=True)
class Refused:
    """The whole manifest is refused: its API version or kind is not served. ``property`` is one of the two."""

    property: str
    reason: str


def find_schema(
    known: Api, manifest: Mapping[str, Value], crds: Iterable[Mapping[str, Value]]
) -> Schema | Refused | None:
    """The schema of a manifest's kind; None where nothing is known of it: a custom resource, or a kind yet unknown."""
    for field in ("apiVersion", "kind"):
        if manifest.get(field) in (None, ""):
            return Refused(field, "is required and missing")
    api_version, kind = manifest["apiVersion"], manifest["kind"]
    if not isinstance(api_version, str) or not isinstance(kind, str):
        return None
    if (schema := known.schema(api_version, kind)) is not None:
        return schema
    if (gone := removed(api_version, kind)) is not None:
        instead = f"use {gone.replacement}" if gone.replacement else f"use {gone.instead} instead"
        return Refused("apiVersion", f"{api_version} {kind} was removed in Kubernetes {gone.since}: {instead}")
    if group_of(api_version) in known.groups:
        return _not_served(known, api_version, kind)
    return _custom(known, api_version, kind, crds)


def _not_served(known: Api, api_version: str, kind: str) -> Refused:
    """A kind that a group of Kubernetes itself does not have: no custom resource can be of such a group."""
    here = f"Kubernetes {known.version} has no {kind} in {api_version}"
    having = [version for version in versions() if api(version).kind(api_version, kind) is not None]
    elsewhere = [f"Kubernetes {' and '.join(having)} has it"] if having else []
    if served := known.versions_of(kind):
        elsewhere.append(f"use {' or '.join(served)}")
    if elsewhere:
        return Refused("apiVersion", "; ".join([here, *elsewhere]))
    kinds = [entry.kind for entry in known.kinds()]
    of_version = sorted(entry.kind for entry in known.kinds() if entry.api_version == api_version)
    if close := difflib.get_close_matches(kind, of_version, n=1) or difflib.get_close_matches(kind, kinds, n=1):
        return Refused("kind", f"{here}; did you mean {close[0]!r} ({' or '.join(known.versions_of(close[0]))})?")
    return Refused("kind", f"{here}; it has {', '.join(of_version) or 'no such version'}")


def _custom(known: Api, api_version: str, kind: str, crds: Iterable[Mapping[str, Value]]) -> Schema | Refused | None:
    version = api_version.partition("/")[2]
    for crd in crds:
        spec = crd.get("spec")
        if not isinstance(spec, Mapping) or not _declares(cast("Mapping[str, Any]", spec), group_of(api_version), kind):
            continue
        served = [
            entry["name"] for entry in cast("list[dict[str, Any]]", spec["versions"]) if entry.get("served", True)
        ]
        if version not in served:
            return Refused("apiVersion", f"{kind} is served as {', '.join(served)} by its definition, not as {version}")
        return schema_of_crd(crd, version, known)
    return None


def _declares(spec: Mapping[str, Any], group: str, kind: str) -> bool:
    """Whether a CRD's ``spec`` is fully known where it matters, and declares this kind."""
    names = spec.get("names")
    declared = spec.get("versions")
    return (
        spec.get("group") == group
        and isinstance(names, dict)
        and cast("dict[str, Any]", names).get("kind") == kind
        and isinstance(declared, list)
        and all(isinstance(entry, dict) and isinstance(entry.get("name"), str) for entry in cast("list[Any]", declared))
    )
