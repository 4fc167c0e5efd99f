"""Where a cluster serves objects of a kind, and whether in namespaces: asked of the cluster, and remembered.

A kind that is missing may be about to come: its definition is being established. So it is asked for again for a while,
and all that wait for the same kind wait together.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast
from urllib.parse import quote

from engine.providers.base import ProviderError
from engine.providers.kubernetes import manifests
from engine.providers.kubernetes.connection import Connection
from engine.providers.kubernetes.kinds import Kinds
from engine.providers.kubernetes.tokens import ObjectType
from engine.values import Properties

POLL: Final = 0.25


class KindMissing(ProviderError):
    """The cluster does not know a kind."""


@dataclass(frozen=True)
class Served:
    """How a kind is served: ``path`` is that of its API version, such as ``/apis/apps/v1``."""

    path: str
    plural: str
    namespaced: bool

    def collection(self, namespace: str) -> str:
        """The path of all objects of the kind, in ``namespace`` where the kind lives in one."""
        place = f"/namespaces/{quote(namespace, safe='')}" if self.namespaced and namespace else ""
        return f"{self.path}{place}/{self.plural}"

    def object(self, namespace: str, name: str) -> str:
        return f"{self.collection(namespace)}/{quote(name, safe=':')}"


@dataclass(frozen=True)
class Place:
    """Where an object is: how its kind is served, its namespace ("" for none) and its name."""

    served: Served
    namespace: str
    name: str

    @property
    def path(self) -> str:
        return self.served.object(self.namespace, self.name)

    @property
    def collection(self) -> str:
        return self.served.collection(self.namespace)


def place_of(served: Served, manifest: Properties) -> Place:
    """Where the object of a manifest is."""
    namespace = manifests.namespace_of(manifest) or manifests.DEFAULT_NAMESPACE if served.namespaced else ""
    return Place(served, namespace, manifests.name_of(manifest))


class Discovery:
    """What one cluster serves. ``patience`` is for how many seconds a kind that is missing is waited for."""

    patience = 10.0

    def __init__(self, connection: Connection, kinds: Kinds) -> None:
        self._connection = connection
        self.kinds = kinds
        self._lock = threading.Lock()
        self._served: dict[ObjectType, Served] = {}
        self._missing_since: dict[ObjectType, float] = {}

    def find(self, object_type: ObjectType) -> Served | None:
        """How a kind is served now; None where it is not."""
        known = self._served.get(object_type)
        if known is not None:
            return known
        served = self._built_in(object_type) or self._asked(object_type)
        with self._lock:
            if served is not None:
                self._served[object_type] = served
                self._missing_since.pop(object_type, None)
            else:
                self._missing_since.setdefault(object_type, time.monotonic())
        return served

    def wait_for(self, object_type: ObjectType, wanted: str) -> Served:
        """How a kind is served, waiting for it to come. Raises KindMissing; ``wanted`` says for what."""
        while True:
            served = self.find(object_type)
            if served is not None:
                return served
            if time.monotonic() - self._missing_since.get(object_type, 0.0) >= self.patience:
                raise KindMissing(f"{wanted}: {self._explanation(object_type)}")
            time.sleep(POLL)

    def forget(self, object_type: ObjectType) -> None:
        """Ask again how a kind is served: a request for it was answered with 404."""
        with self._lock:
            self._served.pop(object_type, None)

    def _built_in(self, object_type: ObjectType) -> Served | None:
        kind = self.kinds.built_in(object_type)
        return None if kind is None else Served(path_of(object_type), kind.plural, kind.namespaced)

    def _asked(self, object_type: ObjectType) -> Served | None:
        document = self._connection.get(path_of(object_type)) or {}
        for resource in _list(document.get("resources")):
            if resource.get("kind") == object_type.kind and "/" not in str(resource.get("name")):
                return Served(path_of(object_type), str(resource["name"]), resource.get("namespaced") is True)
        return None

    def _explanation(self, object_type: ObjectType) -> str:
        others = self._other_versions(object_type)
        if others:
            served = f"it has {object_type.group} in {', '.join(others)} only"
            known = f"{served}: change the apiVersion, or upgrade what installs it"
        elif self.kinds.has_group(object_type.group):
            known = "this version of Kubernetes does not serve it; change the apiVersion"
        else:
            known = (
                f"install its CustomResourceDefinition first (the Helm release or the manifest that brings"
                f" {object_type.group}), and let this resource depend on that"
            )
        missing = f"knows no kind {object_type.kind} in {object_type.api_version}"
        return f"the cluster at {self._connection.server} {missing}; {known}"

    def _other_versions(self, object_type: ObjectType) -> list[str]:
        if not object_type.group:
            return []
        group = self._connection.get(f"/apis/{object_type.group}") or {}
        versions = [str(entry.get("version")) for entry in _list(group.get("versions"))]
        return [version for version in versions if version != object_type.version]


def path_of(object_type: ObjectType) -> str:
    return f"/apis/{object_type.api_version}" if object_type.group else f"/api/{object_type.version}"


def _list(value: Any) -> list[Mapping[str, Any]]:
    return cast("list[Mapping[str, Any]]", value) if isinstance(value, list) else []
