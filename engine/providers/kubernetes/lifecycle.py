"""What happens to objects: made, changed, deleted, read, found again after a crash; each waited for."""

from __future__ import annotations

import base64
from typing import Final, cast

from engine.providers.base import Created, Found, OperationUncertain, PartialFailure, ProviderError, timeout_or
from engine.providers.kubernetes import conflicts, managed, manifests
from engine.providers.kubernetes.applying import Applier, manager_of
from engine.providers.kubernetes.check import with_secrets
from engine.providers.kubernetes.config import Config
from engine.providers.kubernetes.connection import Connection
from engine.providers.kubernetes.discovery import Discovery, Place, place_of
from engine.providers.kubernetes.statuses import ApiError, Unanswered, Unreachable
from engine.providers.kubernetes.tokens import ObjectType
from engine.providers.kubernetes.waiting import NotReady, Waiter
from engine.providers.notes import note
from engine.values import Properties

DEFAULT_TIMEOUT: Final = 600.0  # seconds, as Pulumi waits
_PROPAGATION: Final = {"foreground": "Foreground", "background": "Background", "orphan": "Orphan"}


class Lifecycle:
    """Manages objects of one cluster."""

    def __init__(self, connection: Connection, discovery: Discovery, config: Config) -> None:
        self._connection = connection
        self._discovery = discovery
        self._config = config
        self._applier = Applier(connection, discovery, config)

    def stop_waiting(self) -> None:
        """End every wait that is going on, and begin none."""
        self._connection.stopping.set()

    def create(self, object_type: ObjectType, inputs: Properties, *, token: str, timeout: float) -> Created:
        """Make an object and wait until it is ready. Raises PartialFailure when it isn't in time."""
        manager, seconds = manager_of(inputs, {}, token), _seconds(inputs, timeout)
        live = self._applier.create(object_type, inputs, manager, seconds)
        live = self._ready(object_type, live, inputs, manager, seconds)
        return Created(manifests.id_of(live), manifests.outputs(live, inputs, manager))

    def update(
        self, urn: str, object_type: ObjectType, old_outputs: Properties, inputs: Properties, *, timeout: float
    ) -> Properties:
        """Change an object and wait until it is ready again. Raises PartialFailure when it isn't in time."""
        manager = manager_of(inputs, old_outputs, urn)
        live = self._applier.update(object_type, inputs, manager)
        live = self._ready(object_type, live, inputs, manager, _seconds(inputs, timeout))
        return manifests.outputs(live, inputs, manager)

    def _ready(
        self, object_type: ObjectType, live: Properties, inputs: Properties, manager: str, seconds: float
    ) -> Properties:
        if object_type.patch:
            return live
        place = place_of(self._discovery.wait_for(object_type, ""), live)
        try:
            return self._waiter(place).ready(live, inputs, seconds)
        except NotReady as error:
            outputs = manifests.outputs(error.live, inputs, manager)
            raise PartialFailure(manifests.id_of(error.live), outputs, error.reasons) from error

    def delete(
        self, object_type: ObjectType, id_: str, inputs: Properties, outputs: Properties, *, timeout: float
    ) -> None:
        """Delete an object and wait until it is gone; a patch only lets go of its fields. Gone already is fine."""
        try:
            self._delete(object_type, id_, inputs, outputs, _seconds(inputs, timeout))
        except Unreachable as error:
            if not self._config.delete_unreachable:
                raise ProviderError(
                    f"{error} If the cluster is gone for good, set `deleteUnreachable` on the provider (or"
                    " PULUMI_K8S_DELETE_UNREACHABLE=true) to forget what was in it"
                ) from error
            note(f"{error} It is forgotten without being deleted, as `deleteUnreachable` says")
        except Unanswered as error:
            raise OperationUncertain(f"{error}; the next run looks what became of it") from error

    def _delete(
        self, object_type: ObjectType, id_: str, inputs: Properties, outputs: Properties, seconds: float
    ) -> None:
        place = self._place(object_type, id_)
        live = None if place is None else self._connection.get(place.path)
        if place is None or live is None or _is_another(live, outputs):
            return
        if object_type.patch:
            manager = manager_of(inputs, outputs, "")
            self._applier.relinquish(object_type, place, live, manager)
            return
        policy = (manifests.annotation(inputs, manifests.DELETION_PROPAGATION) or "foreground").lower()
        options = {
            "apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": _PROPAGATION[policy],
            "preconditions": {"uid": manifests.metadata(live).get("uid")},
        }  # fmt: skip
        try:
            self._connection.request("DELETE", place.path, None, options)
        except ApiError as error:
            if error.status not in (404, 409):  # 409: another object has the name by now
                raise conflicts.invalid(error) from error
        left = self._waiter(place).gone(live, seconds)
        if left is not None:
            raise self._still_there(object_type.kind, left, seconds)

    def _still_there(self, kind: str, left: Properties, seconds: float) -> ProviderError:
        if self._connection.stopping.is_set():
            return ProviderError("it is being deleted, and was not gone yet when the run was cancelled")
        return conflicts.stuck(kind, left, seconds)

    def read(
        self, urn: str, object_type: ObjectType, id_: str, inputs: Properties, outputs: Properties
    ) -> Found | None:
        """An object as it is; ``inputs`` say which of its fields are the program's (none: whatever was applied)."""
        try:
            place = self._place(object_type, id_)
            live = None if place is None else self._connection.get(place.path)
        except Unreachable as error:
            return self._unreachable(error, id_, inputs, outputs)
        if live is None or _is_another(live, outputs):
            return None
        return self._found(object_type, live, inputs, manager_of(inputs, outputs, urn), id_, outputs)

    def _unreachable(self, error: Unreachable, id_: str, inputs: Properties, outputs: Properties) -> Found | None:
        if self._config.delete_unreachable:
            note(f"{error} It is forgotten, as `deleteUnreachable` says")
            return None
        if self._config.skip_update_unreachable and outputs:
            note(f"{error} What the state says of it is kept, as `skipUpdateUnreachable` says")
            return Found(id_, inputs, outputs)
        raise error

    def find(self, object_type: ObjectType, inputs: Properties, *, token: str, known: frozenset[str]) -> Found | None:
        """The object that a create with ``token`` has made, known by its field manager."""
        served = self._discovery.find(object_type)
        if served is None:
            return None
        live = self._connection.get(place_of(served, inputs).path)
        manager = manager_of(inputs, {}, token)
        if live is None or manifests.id_of(live) in known or manager not in managed.managers(live):
            return None
        return self._found(object_type, live, inputs, manager, manifests.id_of(live))

    def _place(self, object_type: ObjectType, id_: str) -> Place | None:
        """Where an object is by its id; None where its kind is not served any more."""
        served = self._discovery.find(object_type)
        if served is None:
            return None
        namespace, name = manifests.split_id(id_)
        if not name:
            raise ProviderError(f"expected an id such as NAMESPACE/NAME or NAME, got {id_!r}")
        namespace = namespace or manifests.DEFAULT_NAMESPACE if served.namespaced else ""
        return Place(served, namespace, name)

    def _found(
        self,
        object_type: ObjectType,
        live: Properties,
        inputs: Properties,
        manager: str,
        id_: str,
        outputs: Properties | None = None,
    ) -> Found:
        if inputs:
            seen, schema = _with_texts(inputs, manifests.incoming(live)), self._discovery.kinds.schema(object_type)
            before = _with_texts(inputs, outputs) if outputs else None
            given = cast("Properties", managed.as_given(inputs, seen, schema, before))
            return Found(id_, given, manifests.outputs(live, given, manager))
        given = manifests.incoming(managed.declared(live))
        return Found(id_, with_secrets(given), manifests.outputs(live, given, manager))

    def _waiter(self, place: Place) -> Waiter:
        return Waiter(self._connection, self._discovery.kinds, place)


def _seconds(inputs: Properties, timeout: float) -> float:
    """How long to wait: the resource's own timeout, its annotation, or what Pulumi waits."""
    annotated = manifests.annotation(inputs, manifests.TIMEOUT_SECONDS)
    return timeout_or(float(annotated) if annotated and annotated.isdecimal() else DEFAULT_TIMEOUT, timeout)


def _is_another(live: Properties, outputs: Properties) -> bool:
    """Whether an object only has the name of the one that ``outputs`` tell of: that one is gone."""
    known, uid = manifests.metadata(outputs).get("uid"), manifests.metadata(live).get("uid")
    return bool(known and uid and known != uid)


def _with_texts(inputs: Properties, seen: Properties) -> Properties:
    """A live Secret with the texts that ``inputs`` gave as such; the API keeps them encoded among its data."""
    texts, data = inputs.get("stringData"), seen.get("data")
    if not manifests.is_secret(seen) or not isinstance(texts, dict) or not isinstance(data, dict):
        return seen
    encoded = cast("dict[str, str]", data)
    decoded = {key: base64.b64decode(encoded[key]).decode(errors="replace") for key in texts if key in encoded}
    return {**seen, "stringData": decoded}
