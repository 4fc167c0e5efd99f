"""What is known of kinds without a cluster: whether objects of a kind live in a namespace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from engine.kubernetes import Api, Kind, Schema, VersionUnknown, api, group_of, versions
from engine.providers.kubernetes.helm.definitions import scope_of
from engine.providers.kubernetes.tokens import ObjectType
from engine.values import Properties


def api_of(version: str) -> Api:
    """The API of a version; of one that there is no data for, that of the newest."""
    try:
        return api(version)
    except VersionUnknown:
        return api(versions()[-1])


class Kinds:
    """Built-in kinds of one version, and those that the program's own CRDs have declared so far.

    A kind that nobody has declared counts as namespaced, as ``pulumi_kubernetes`` has it; the cluster knows better.
    """

    def __init__(self, version: str) -> None:
        self.version: Final = version
        self._declared: dict[tuple[str, str], Properties] = {}

    def built_in(self, object_type: ObjectType) -> Kind | None:
        return api_of(self.version).kind(object_type.api_version, object_type.kind)

    def has_group(self, group: str) -> bool:
        """Whether a group is Kubernetes' own; that of a custom resource may end in k8s.io, too (autoscaling.k8s.io)."""
        return any(group_of(kind.api_version) == group for kind in api_of(self.version).kinds())

    def namespaced(self, object_type: ObjectType) -> bool:
        known = self.scope(object_type)
        return True if known is None else known

    def scope(self, object_type: ObjectType) -> bool | None:
        """Whether objects of a kind live in a namespace; None where nothing is known of it."""
        found = self.built_in(object_type)
        if found is not None:
            return found.namespaced
        declared = self._declared.get((object_type.group, object_type.kind))
        if declared is not None:
            return declared["spec"].get("scope") != "Cluster"
        return scope_of(object_type.group, object_type.kind)  # of the charts that the platform knows

    def definitions(self, object_type: ObjectType) -> Sequence[Properties]:
        """The CustomResourceDefinition of a kind, where the program has declared it before."""
        found = self._declared.get((object_type.group, object_type.kind))
        return () if found is None else (found,)

    def schema(self, object_type: ObjectType) -> Schema | None:
        """The type of a built-in kind's objects."""
        return api_of(self.version).schema(object_type.api_version, object_type.kind)

    def learn(self, manifest: Properties) -> None:
        """Take note of what a CustomResourceDefinition declares."""
        spec = manifest.get("spec")
        if manifest.get("kind") != "CustomResourceDefinition" or not isinstance(spec, dict):
            return
        declared = cast("Mapping[str, Any]", spec)
        names = declared.get("names")
        group, kind = declared.get("group"), names.get("kind") if isinstance(names, dict) else None
        if isinstance(group, str) and isinstance(kind, str):
            self._declared[group, kind] = manifest
