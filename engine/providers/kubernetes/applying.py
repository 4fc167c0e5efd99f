"""Applying manifests: creates that take nothing over, updates that remove what is declared no more, patches."""

from __future__ import annotations

import hashlib
import time
from typing import Final

from engine.providers.base import OperationUncertain, ProviderError
from engine.providers.kubernetes import conflicts, managed, manifests
from engine.providers.kubernetes.config import Config
from engine.providers.kubernetes.connection import JSON_PATCH, Answer, Connection
from engine.providers.kubernetes.discovery import Discovery, Place, place_of
from engine.providers.kubernetes.manifests import absent
from engine.providers.kubernetes.statuses import ApiError, Unanswered
from engine.providers.kubernetes.tokens import ObjectType
from engine.providers.kubernetes.waiting import Waiter
from engine.providers.notes import note
from engine.values import Properties

MANAGER: Final = "pulumi-kubernetes-"  # as pulumi_kubernetes begins the names of its field managers
PATIENCE: Final = 10.0  # seconds for which a namespace or a kind may be late
POLL: Final = 0.25


def manager_of(inputs: Properties, outputs: Properties, seed: str) -> str:
    """The field manager of an object: what its annotation says, what the state says, or one made from ``seed``.

    It is the mark by which an object is known as the work of one create: ``seed`` is then the create's token.
    """
    named = manifests.annotation(inputs, manifests.PATCH_FIELD_MANAGER) or outputs.get(manifests.FIELD_MANAGER)
    return str(named) if named else MANAGER + hashlib.sha256(seed.encode()).hexdigest()[:8]


class Applier:
    """Applies manifests to one cluster."""

    def __init__(self, connection: Connection, discovery: Discovery, config: Config) -> None:
        self._connection = connection
        self._discovery = discovery
        self._config = config

    def place(self, object_type: ObjectType, inputs: Properties) -> Place:
        """Where the object of ``inputs`` is, waiting for its kind to be served. Raises KindMissing."""
        served = self._discovery.wait_for(object_type, manifests.name_of(inputs))
        return place_of(served, inputs)

    def force(self, inputs: Properties) -> bool:
        return self._config.force or manifests.is_annotated(inputs, manifests.PATCH_FORCE)

    def create(self, object_type: ObjectType, inputs: Properties, manager: str, seconds: float) -> Properties:
        """Make an object that is not there yet; a patch is applied to one that is. Gives it as it is then."""
        inputs = _marked(inputs, manager)
        place = self.place(object_type, inputs)
        if not object_type.patch and not self._config.upsert:
            self._refuse_existing(place, manager, seconds)
        deadline = time.monotonic() + min(PATIENCE, seconds)
        while True:
            try:
                return self._applied(object_type, place, inputs, manager)
            except ApiError as error:
                late = error.status == 404 or error.has_cause("NamespaceTerminating")
                if not late or time.monotonic() > deadline:
                    raise self._explained(error, place) from error
            time.sleep(POLL)
            self._discovery.forget(object_type)
            place = self.place(object_type, inputs)

    def update(self, object_type: ObjectType, inputs: Properties, manager: str) -> Properties:
        """Change an object to what ``inputs`` declare; what ``manager`` had declared beside that is removed."""
        place = self.place(object_type, inputs)
        try:
            return self._applied(object_type, place, inputs, manager)
        except ApiError as error:
            raise self._explained(error, place) from error

    def relinquish(self, object_type: ObjectType, place: Place, live: Properties, manager: str) -> None:
        """Declare nothing any more of an object that stays."""
        identity = {key: manifests.metadata(live).get(key) for key in ("name", "namespace", "uid")}
        empty = {
            "apiVersion": object_type.api_version, "kind": object_type.kind,
            "metadata": {key: value for key, value in identity.items() if value},
        }  # fmt: skip
        try:
            self._connection.apply(place.path, empty, manager, force=False)
        except ApiError as error:
            if error.status != 404 and not (error.status == 409 and not error.is_conflict_of_managers):
                raise conflicts.invalid(error) from error

    def _applied(self, object_type: ObjectType, place: Place, inputs: Properties, manager: str) -> Properties:
        manifest = _manifest(object_type, place, inputs)
        try:
            answer = self._apply(place, manifest, manager, force=self.force(inputs))
        except ApiError as error:
            if not error.is_conflict_of_managers:
                raise
            if object_type.patch or not conflicts.managers_of(error) <= managed.TAKEN_OVER:
                raise conflicts.of_managers(error) from error
            self._take_over(place, manager)
            answer = self._apply(place, manifest, manager, force=False)
        for warning in answer.warnings:
            if not (self._config.suppress_deprecation_warnings and "deprecated" in warning):
                note(warning)
        return answer.document

    def _apply(self, place: Place, manifest: Properties, manager: str, *, force: bool) -> Answer:
        try:
            return self._connection.apply(place.path, manifest, manager, force=force)
        except Unanswered as error:
            raise OperationUncertain(f"{error}; the next run looks what became of it") from error

    def _take_over(self, place: Place, manager: str) -> None:
        """Make ``manager`` the one that declares what client-side tools had declared, as Pulumi does."""
        live = self._connection.get(place.path)
        if live is None:
            return
        patch = [
            {"op": "test", "path": "/metadata/resourceVersion", "value": manifests.metadata(live)["resourceVersion"]},
            {"op": "replace", "path": "/metadata/managedFields",
             "value": managed.without(live, managed.TAKEN_OVER, manager)},
        ]  # fmt: skip
        self._connection.request("PATCH", place.path, None, patch, content_type=JSON_PATCH)

    def _refuse_existing(self, place: Place, manager: str, seconds: float) -> None:
        """Raise if there is an object already that is not this create's own; one that is being deleted is awaited."""
        live = self._connection.get(place.path)
        if live is not None and manifests.metadata(live).get("deletionTimestamp"):
            left = Waiter(self._connection, self._discovery.kinds, place).gone(live, seconds)
            if left is not None:
                raise conflicts.stuck(place.served.plural, left, seconds)
            live = None
        if live is not None and manager not in managed.managers(live):
            raise conflicts.exists(live)

    def _explained(self, error: ApiError, place: Place) -> ProviderError:
        if error.has_cause("NamespaceTerminating"):
            namespace = self._connection.get(f"/api/v1/namespaces/{place.namespace}")
            return conflicts.terminating(namespace, place.namespace)
        if error.status == 404 and place.namespace and "namespaces" in str(error):
            return ProviderError(
                f"there is no namespace {place.namespace!r}; declare it, and let this resource depend on it"
            )
        return conflicts.invalid(error)


def _marked(inputs: Properties, manager: str) -> Properties:
    """Inputs that declare something: of one that declares only a name, the server keeps no field manager."""
    metadata = manifests.metadata(inputs)
    bare = inputs.keys() <= {"apiVersion", "kind", "metadata"} and all(
        key in ("name", "namespace") or absent(value) for key, value in metadata.items()
    )
    if not bare:
        return inputs
    return {**inputs, "metadata": {**metadata, "annotations": {manifests.MARK: manager}}}


def _manifest(object_type: ObjectType, place: Place, inputs: Properties) -> Properties:
    manifest = manifests.outgoing(inputs)
    metadata = {key: value for key, value in manifests.metadata(manifest).items() if key != "namespace"}
    if place.namespace:
        metadata["namespace"] = place.namespace
    return {**manifest, "apiVersion": object_type.api_version, "kind": object_type.kind, "metadata": metadata}
