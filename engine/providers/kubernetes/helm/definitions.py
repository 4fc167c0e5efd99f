"""Which custom resources a chart defines, and permissive definitions that stand in for them.

Source and date of the table: README.md here.
"""

from __future__ import annotations

import csv
import functools
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

import yaml

from engine.providers.kubernetes.helm.release import Release
from engine.values import Properties

_FILE: Final = Path(__file__).parent / "definitions.csv"
OWNER: Final = "release.bedplate.dev/"  # begins the label of each release that an object stands here for


@dataclass(frozen=True, slots=True)
class Definition:
    """A kind of custom resource; of the ``versions``, which are all served, the last is stored."""

    group: str
    kind: str
    plural: str
    singular: str
    short_names: tuple[str, ...]
    scope: str  # Cluster or Namespaced
    versions: tuple[str, ...]


def definitions_of(chart: str) -> Sequence[Definition]:
    """What a chart of this name is known to define; nothing for one that is not in the table."""
    return _by_chart().get(chart, ())


def scope_of(group: str, kind: str) -> bool | None:
    """Whether objects of a custom kind live in namespaces; None where no chart of the table defines it."""
    scope = _scopes().get((group, kind))
    return None if scope is None else scope == "Namespaced"


@functools.cache
def _by_chart() -> Mapping[str, Sequence[Definition]]:
    found: dict[str, list[Definition]] = {}
    with _FILE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            definition = Definition(
                row["group"],
                row["kind"],
                row["plural"],
                row["singular"],
                tuple(row["short_names"].split()),
                row["scope"],
                tuple(row["versions"].split()),
            )
            for chart in row["charts"].split():
                found.setdefault(chart, []).append(definition)
    return found


@functools.cache
def _scopes() -> Mapping[tuple[str, str], str]:
    return {(entry.group, entry.kind): entry.scope for entries in _by_chart().values() for entry in entries}


def owner_label(release: Release) -> str:
    return OWNER + hashlib.sha256(release.id.encode()).hexdigest()[:16]


def stand_ins(release: Release) -> Sequence[Properties]:
    """CustomResourceDefinitions to apply in the place of those of the release's chart.

    Those of a chart that lies here are its own; of others, permissive ones for what it is known to define.
    """
    if release.wants("skipCrds"):
        return []
    folder = release.local_chart
    manifests = _own(folder) if folder is not None and folder.is_dir() else []
    manifests = manifests or [_permissive(definition) for definition in definitions_of(release.chart_name)]
    return [owned(manifest, release) for manifest in manifests]


def _own(folder: Path) -> list[Properties]:
    """The definitions in a chart's ``crds`` folder, which holds plain manifests."""
    return [
        cast("Properties", document)
        for path in sorted((folder / "crds").rglob("*.y*ml"))
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8"))
        if isinstance(document, dict) and document.get("kind") == "CustomResourceDefinition"
    ]


def _permissive(definition: Definition) -> Properties:
    """A definition that takes whatever an object of its kind may hold."""
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    stored = definition.versions[-1]
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{definition.plural}.{definition.group}"},
        "spec": {
            "group": definition.group,
            "scope": definition.scope,
            "names": {
                "kind": definition.kind,
                "listKind": f"{definition.kind}List",
                "plural": definition.plural,
                "singular": definition.singular,
                **({"shortNames": list(definition.short_names)} if definition.short_names else {}),
            },
            "versions": [
                {"name": version, "served": True, "storage": version == stored, "schema": schema}
                for version in definition.versions
            ],
        },
    }


def owned(manifest: Properties, release: Release) -> Properties:
    """``manifest`` with the release's mark, and with those by which helm, should it come later, takes it over."""
    metadata = cast("Properties", manifest.get("metadata") or {})
    labels = {"app.kubernetes.io/managed-by": "Helm", owner_label(release): release.name}
    annotations = {"meta.helm.sh/release-name": release.name, "meta.helm.sh/release-namespace": release.namespace}
    return {
        **manifest,
        "metadata": {
            **metadata,
            "labels": {**(metadata.get("labels") or {}), **labels},
            "annotations": {**(metadata.get("annotations") or {}), **annotations},
        },
    }
