"""The API of one Kubernetes version, read from its data file the first time that it is asked for.

A file is read whole (a few milliseconds), its types are made one by one as they are needed.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, cast

from engine.kubernetes.model import Kind, ListType, ObjectType, Schema, Shape

DATA: Final = Path(__file__).parent / "data"
DEFAULT_VERSION: Final = "1.35"

_SCALARS: Final = {shape.value: shape for shape in Shape if shape not in (Shape.OBJECT, Shape.LIST, Shape.MAP)}


class VersionUnknown(ValueError):
    """There is no data for a version of Kubernetes."""


class Api:
    """The kinds of one version and the types of their fields. Made by ``api``."""

    def __init__(self, version: str, data: Mapping[str, Any]) -> None:
        self.version = version
        self.source: str = data["source"]
        self.groups: Mapping[str, Sequence[str]] = data["groups"]
        self._kinds: Mapping[str, Mapping[str, Any]] = data["kinds"]
        self._types: Mapping[str, Mapping[str, Any]] = data["types"]
        self._made: dict[str, ObjectType] = {}

    def kind(self, api_version: str, kind: str) -> Kind | None:
        """How the API serves a kind, or None where this version has no such kind built in."""
        entry = self._kinds.get(f"{api_version}/{kind}")
        return _kind(api_version, kind, entry) if entry is not None else None

    def kinds(self) -> Sequence[Kind]:
        """Every kind that has a resource of its own, in the order of API versions and names."""
        return [_kind(*_parts(key), entry) for key, entry in self._kinds.items()]

    def versions_of(self, kind: str) -> Sequence[str]:
        """The API versions that have a kind of this name, the preferred one of each group first."""
        return [
            api_version
            for group, versions in self.groups.items()
            for api_version in (f"{group}/{version}" if group else version for version in versions)
            if f"{api_version}/{kind}" in self._kinds
        ]

    def schema(self, api_version: str, kind: str) -> Schema | None:
        """The type of a kind's objects (or of its list: ``PodList``), or None where the kind is not built in."""
        entry = self._kinds.get(f"{api_version}/{kind}")
        if entry is not None:
            return self._reference(entry["type"])
        of_items = self._kinds.get(f"{api_version}/{kind.removesuffix('List')}") if kind.endswith("List") else None
        return self._reference(f"{of_items['type']}List") if of_items is not None else None

    def type(self, name: str) -> ObjectType:
        """A type by the name that the data file gives it, such as ``core.v1.PodSpec``."""
        made = self._made.get(name)
        if made is None:
            entry = self._types[name]
            fields = {key: self._schema(written) for key, written in entry["fields"].items()}
            made = self._made[name] = ObjectType(fields, tuple(entry.get("required", ())))
        return made

    def _schema(self, written: str | Mapping[str, Any]) -> Schema:
        if isinstance(written, str):
            return self._reference(written)
        plain = self._reference(written["is"])
        words = tuple(written.get("enum", ()))
        item = plain.item
        if item is not None and words:  # of a list of words, its items are meant
            item, words = replace(item, enum=words), ()
        return Schema(
            plain.shape,
            plain.members,
            item,
            list_type=cast(ListType, written.get("list", "atomic")),
            map_keys=tuple(written.get("keys", ())),
            merge_key=written.get("merge", ""),
            merge_strategy=written.get("strategy", ""),
            atomic=written.get("atomic", plain.atomic),
            enum=words,
            default=written.get("default"),
            format=plain.format,
        )

    @functools.cache  # noqa: B019 - an Api lives as long as the process
    def _reference(self, name: str) -> Schema:
        """``string``, ``integer:int32``, ``core.v1.PodSpec``, ``[X]`` a list of X, ``{X}`` a map of X."""
        if name.startswith("["):
            return Schema(Shape.LIST, item=self._reference(name[1:-1]))
        if name.startswith("{"):
            return Schema(Shape.MAP, item=self._reference(name[1:-1]))
        word, _, format_ = name.partition(":")
        if word in _SCALARS:
            return Schema(_SCALARS[word], format=format_)
        return Schema(Shape.OBJECT, functools.partial(self.type, name), atomic=self._types[name].get("atomic", False))


def versions() -> Sequence[str]:
    """The Kubernetes versions that there is data for, oldest first."""
    return sorted((path.stem for path in DATA.glob("*.*.json")), key=lambda version: int(version.split(".")[1]))


def api(version: str = DEFAULT_VERSION) -> Api:
    """The API of a version: ``1.35``, ``v1.35.4`` and ``1.35.4-eks-1`` mean the same. Raises VersionUnknown."""
    return _load(".".join(version.removeprefix("v").split(".")[:2]))


@functools.cache
def _load(minor: str) -> Api:
    path = DATA / f"{minor}.json"
    if not path.is_file():
        raise VersionUnknown(
            f"no API data for Kubernetes {minor!r}: expected one of {', '.join(versions())}; "
            "declare one of these, or add its data with `python -m engine.kubernetes.build`"
        )
    return Api(minor, json.loads(path.read_text(encoding="utf-8")))


def _parts(key: str) -> tuple[str, str]:
    """The API version and the kind of ``apps/v1/Deployment``."""
    api_version, _, kind = key.rpartition("/")
    return api_version, kind


def _kind(api_version: str, kind: str, entry: Mapping[str, Any]) -> Kind:
    return Kind(
        api_version,
        kind,
        entry["plural"],
        entry.get("singular", kind.lower()),
        entry.get("namespaced", False),
        tuple(entry.get("short", ())),
        tuple(entry.get("categories", ())),
        tuple(entry.get("verbs", ())),
        tuple(entry.get("subresources", ())),
    )
