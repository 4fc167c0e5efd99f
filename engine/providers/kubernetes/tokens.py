"""Type tokens of ``pulumi_kubernetes``, and the kinds of objects that they mean.

``kubernetes:core/v1:Pod`` is ``v1`` ``Pod``; any other group is written out, custom resources too:
``kubernetes:karpenter.sh/v1:NodePool``. A type that ends in ``Patch`` manages some fields of an object of that kind.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

PACKAGE: Final = "kubernetes"
_TOKEN: Final = re.compile(r"kubernetes:(?P<group>[a-z0-9.-]+)/(?P<version>v[0-9][a-z0-9]*):(?P<kind>[A-Z]\w*)")
# Groups of the package that are no groups of an API: what they hold are components, releases and settings.
_OTHER: Final = frozenset({"helm.sh", "yaml", "kustomize", "apiextensions", "meta"})


@dataclass(frozen=True)
class ObjectType:
    """A kind of object: ``group`` is "" for the core group. ``patch``: only some of its fields are managed."""

    group: str
    version: str
    kind: str
    patch: bool = False

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def is_built_in(self) -> bool:
        """Whether every Kubernetes cluster has this group; groups of custom resources have a domain of their own."""
        return "." not in self.group or self.group.endswith(".k8s.io")

    @property
    def is_list(self) -> bool:
        """Whether this is an API's list of objects, which is no object itself."""
        return self.kind.endswith("List") and len(self.kind) > len("List") and self.is_built_in

    def __str__(self) -> str:
        return f"{self.api_version} {self.kind}"


@lru_cache(maxsize=1024)
def parse(type_: str) -> ObjectType | None:
    """The kind that a type token means; None for what is no object of an API."""
    match = _TOKEN.fullmatch(type_)
    if match is None or match["group"] in _OTHER:
        return None
    group = "" if match["group"] == "core" else match["group"]
    kind = match["kind"]
    patch = kind.endswith("Patch") and kind != "Patch"
    return ObjectType(group, match["version"], kind.removesuffix("Patch") if patch else kind, patch)


def meant(type_: str, kind: object) -> ObjectType | None:
    """As ``parse``, for a resource whose inputs name ``kind``: a custom resource's own kind may end in ``Patch``."""
    found = parse(type_)
    if found is not None and found.patch and kind == f"{found.kind}Patch":
        return ObjectType(found.group, found.version, f"{found.kind}Patch")
    return found


def of_manifest(api_version: str, kind: str) -> ObjectType:
    group, _, version = api_version.rpartition("/")
    return ObjectType(group, version, kind)


def token(object_type: ObjectType) -> str:
    """The type token of an object; the inverse of ``parse``."""
    patch = "Patch" if object_type.patch else ""
    return f"{PACKAGE}:{object_type.group or 'core'}/{object_type.version}:{object_type.kind}{patch}"
