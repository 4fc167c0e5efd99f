"""Kubernetes objects as resources declare them: typed, custom, in lists and as patches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Final

from policies.kit import Resource, Stack, Unreadable, Value

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


@dataclass(frozen=True)
class Namespace:
    """The namespace of an object, compared without asking for more than is known.

    ``name`` is None where it is not known yet: then ``declared`` (URNs of the Namespace resources that it depends on)
    tells it from others.
    """

    name: str | None
    declared: frozenset[str] = frozenset()

    @property
    def shown(self) -> str:
        return f"'{self.name}'" if self.name is not None else "(not known yet)"

    def is_that_of(self, other: Namespace) -> bool:
        """Whether both are the same, as far as that can be known."""
        if self.name is not None and other.name is not None:
            return self.name == other.name
        return bool(self.declared & other.declared)


class Objects:
    """The Kubernetes objects of a stack, and what is known of their namespaces."""

    def __init__(self, stack: Stack) -> None:
        self._all = [each for resource in stack.resources for each in _readable(resource)]
        self.namespaces = {each.resource.urn: each for each in self.of("", "Namespace")}

    def of(self, group: str, *kinds: str) -> Iterator[KubernetesObject]:
        return (each for each in self._all if each.group == group and each.kind in kinds)

    def namespace_of(self, each: KubernetesObject) -> Namespace:
        """The namespace in which ``each`` lies: ``default`` where it names none."""
        declared = self._depended_on(each)
        metadata = each.metadata
        if metadata.unknown or metadata.get("namespace").unknown:
            names = {self.identity_of(self.namespaces[urn]).name for urn in declared}
            return Namespace(names.pop() if len(names) == 1 else None, declared)
        name = metadata.get("namespace").text("")
        return Namespace(name or DEFAULT_NAMESPACE, declared)

    def identity_of(self, namespace: KubernetesObject) -> Namespace:
        """A Namespace object itself, as others name it."""
        name = namespace.metadata.get("name") if namespace.metadata.known else namespace.metadata
        return Namespace(name.plain() if name.kind == "text" else None, frozenset({namespace.resource.urn}))

    def _depended_on(self, each: KubernetesObject) -> frozenset[str]:
        return frozenset(urn for urn in each.resource.depends_on.get("metadata", ()) if urn in self.namespaces)


@lru_cache(maxsize=1)
def objects_in(stack: Stack) -> Objects:
    """The objects of ``stack``, looked for once for all that ask."""
    return Objects(stack)


def _readable(resource: Resource) -> list[KubernetesObject]:
    """A list that is none holds no object; the rules that judge it say so."""
    try:
        return list(KubernetesObject.found_in(resource))
    except Unreadable:
        return []


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
