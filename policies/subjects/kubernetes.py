"""Kubernetes objects as resources declare them: typed, custom, in lists and as patches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Final

from policies.kit import Resource, Value

_PROVIDER: Final = "kubernetes:"
# What the provider has beside objects of the API: charts and files, whose children are resources of their own.
_NO_OBJECTS: Final = frozenset({"helm.sh", "kustomize", "yaml"})
DEFAULT_NAMESPACE: Final = "default"
# The types in which rules look for objects and pods: custom resources have types of their own.
KUBERNETES: Final = (f"{_PROVIDER}*",)


@dataclass(frozen=True, eq=False)
class KubernetesObject:
    """One object: ``group`` is "" for the core API. ``body`` lies at the resource's root, or in the items of a list.

    ``partial``: a patch (``DeploymentPatch``), which says nothing of the fields that it leaves out: the live object
    has them. Rules that ask for a field let it pass where it is absent there.
    """

    types: ClassVar = KUBERNETES

    resource: Resource
    group: str
    kind: str
    body: Value
    partial: bool = False

    @property
    def metadata(self) -> Value:
        return self.body.get("metadata")

    @property
    def name(self) -> str:
        """For messages: its name in Kubernetes, else the resource's."""
        value = self.metadata.get("name") if self.body.kind == "an object" and self.metadata.known else self.metadata
        return value.plain() if value.kind == "text" else self.resource.name

    @classmethod
    def found_in(cls, resource: Resource) -> Iterator[KubernetesObject]:
        """The object, or those of a list (``DeploymentList``, ``List``)."""
        named = _group_and_kind(resource.type)
        if named is None:
            return
        group, kind = named
        if not (kind.endswith("List") and resource.properties.get("items").present):
            partial = kind.endswith("Patch") and kind != "Patch"
            yield cls(resource, group, kind.removesuffix("Patch") if partial else kind, resource.properties, partial)
            return
        items = resource.properties.get("items")
        # Where nobody knows yet what a list holds, whatever is asked of an object of it is unknown.
        for item in [items] if items.unknown else items.items():
            own = item.get("kind").text("") if item.known else ""
            version = item.get("apiVersion").text("") if item.known else ""
            yield cls(resource, _group(version) if version else group, own or kind.removesuffix("List"), item)


def _group_and_kind(token: str) -> tuple[str, str] | None:
    if not token.startswith(_PROVIDER):
        return None
    version, _, kind = token.removeprefix(_PROVIDER).rpartition(":")
    group = _group(version)
    return None if group in _NO_OBJECTS or not kind else (group, kind)


def _group(version: str) -> str:
    """``apps/v1`` -> ``apps``; ``core/v1`` (in tokens) and ``v1`` (in objects) -> ""."""
    group = version.rpartition("/")[0] or ("" if version.startswith("v") else version)
    return "" if group == "core" else group
