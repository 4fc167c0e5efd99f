"""What stands in a cluster for a release that could not be installed: definitions, and the namespace that it asks for.

Several releases may bring the same definition: each leaves its mark on it, and it goes with the last of them. What
others have put there is left alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast

from engine.providers.base import ProviderError
from engine.providers.kubernetes import conflicts
from engine.providers.kubernetes.applying import Place
from engine.providers.kubernetes.connection import Connection
from engine.providers.kubernetes.discovery import Served
from engine.providers.kubernetes.helm.definitions import OWNER, owned, owner_label, stand_ins
from engine.providers.kubernetes.helm.release import Release
from engine.providers.kubernetes.kinds import Kinds
from engine.providers.kubernetes.statuses import ApiError
from engine.providers.kubernetes.waiting import NotReady, Waiter
from engine.values import Properties

_DEFINITIONS: Final = Served("/apis/apiextensions.k8s.io/v1", "customresourcedefinitions", namespaced=False)
_NAMESPACES: Final = Served("/api/v1", "namespaces", namespaced=False)


class StandIns:
    """Objects that stand for releases in one cluster."""

    def __init__(self, connection: Connection, kinds: Kinds) -> None:
        self._connection = connection
        self._kinds = kinds

    def put(self, release: Release) -> Sequence[str]:
        """Apply what stands in for ``release`` and wait until it can be used; the names of its definitions."""
        if release.wants("createNamespace"):
            namespace: Properties = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": release.namespace}}
            self._put(Place(_NAMESPACES, "", release.namespace), owned(namespace, release), release)
        put: list[tuple[Place, Properties, Properties]] = []
        for manifest in stand_ins(release):
            place = Place(_DEFINITIONS, "", str(manifest["metadata"]["name"]))
            put.append((place, self._put(place, manifest, release), manifest))
        for place, live, manifest in put:  # all are being established by now
            if owner_label(release) in _owners(live):
                self._await(place, live, manifest, release)
        return [place.name for place, _, _ in put]

    def _put(self, place: Place, manifest: Properties, release: Release) -> Properties:
        live = self._connection.get(place.path)
        if live is not None and not _owners(live):
            return live
        try:
            return self._connection.apply(place.path, manifest, _manager(release), force=True).document
        except ApiError as error:
            raise conflicts.invalid(error) from error

    def _await(self, place: Place, live: Properties, manifest: Properties, release: Release) -> None:
        try:
            Waiter(self._connection, self._kinds, place).ready(live, manifest, release.seconds)
        except NotReady as error:
            raise ProviderError(f"the definition {place.name} can't be used: {error}") from error

    def is_there(self, release: Release) -> bool:
        """Whether something stands for ``release``, or nothing is to: a new cluster has nothing of an old one's."""
        names = [str(manifest["metadata"]["name"]) for manifest in stand_ins(release)]
        return not names or any(self._connection.get(_DEFINITIONS.object("", name)) is not None for name in names)

    def remove(self, release: Release) -> None:
        """Take away what stands for ``release`` alone, and its mark from the rest; waits until that is gone."""
        listed = (
            self._connection.get(
                _DEFINITIONS.collection(""), {"labelSelector": f"{owner_label(release)}={release.name}"}
            )
            or {}
        )
        places = [
            (Place(_DEFINITIONS, "", str(item["metadata"]["name"])), item)
            for item in cast("list[Properties]", listed.get("items") or [])
        ]
        namespace = Place(_NAMESPACES, "", release.namespace)
        live = self._connection.get(namespace.path)
        if live is not None and owner_label(release) in _owners(live):
            places.append((namespace, live))
        leaving = [place_and_live for place_and_live in places if self._let_go(*place_and_live, release)]
        for place, live in leaving:
            left = Waiter(self._connection, self._kinds, place).gone(live, release.seconds)
            if left is not None and self._connection.stopping.is_set():
                raise ProviderError(f"{place.name} is being deleted, and was not gone yet when the run was cancelled")
            if left is not None:
                raise conflicts.stuck(place.served.plural, left, release.seconds)

    def _let_go(self, place: Place, live: Properties, release: Release) -> bool:
        """Delete an object, or only take the release's mark from it where it stands for others too."""
        try:
            if _owners(live) - {owner_label(release)}:
                kind = {_DEFINITIONS: "CustomResourceDefinition", _NAMESPACES: "Namespace"}[place.served]
                version = "apiextensions.k8s.io/v1" if place.served is _DEFINITIONS else "v1"
                bare: Properties = {"apiVersion": version, "kind": kind, "metadata": {"name": place.name}}
                self._connection.apply(place.path, bare, _manager(release), force=True)
                return False
            same = {"preconditions": {"uid": (live.get("metadata") or {}).get("uid")}}
            options = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background", **same}
            self._connection.request("DELETE", place.path, None, options)
        except ApiError as error:
            if error.status not in (404, 409):  # 409: another object has the name by now
                raise conflicts.invalid(error) from error
        return True


def _owners(live: Properties) -> set[str]:
    """The marks of the releases that an object stands for."""
    labels = cast("Properties", (live.get("metadata") or {}).get("labels") or {})
    return {key for key in labels if key.startswith(OWNER)}


def _manager(release: Release) -> str:
    return owner_label(release).replace("/", "-")
