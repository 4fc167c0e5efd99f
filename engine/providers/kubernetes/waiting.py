"""Waiting for objects: until one is ready, and until one is gone. By watch, bounded by time, ending with reasons."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any, Final, cast

from engine.providers.base import ProviderError
from engine.providers.kubernetes import manifests
from engine.providers.kubernetes.conditions import wanted_conditions
from engine.providers.kubernetes.connection import Connection
from engine.providers.kubernetes.discovery import Place, Served, path_of
from engine.providers.kubernetes.kinds import Kinds
from engine.providers.kubernetes.readiness import Readiness, pod_reasons, readiness, related_to, silent
from engine.providers.kubernetes.statuses import ApiError, Unreachable
from engine.providers.kubernetes.tokens import of_manifest
from engine.providers.notes import waits
from engine.values import Properties

WATCH: Final = 4.0  # seconds of one watch; then the object is looked at anew, or the wait ends where the run does
SILENCE: Final = 15.0  # seconds for which a server may be away while something is waited for
PAUSE: Final = 0.5  # seconds between two looks where nothing can be watched
# Kinds whose readiness others decide, of which a watch of the object itself tells nothing: so those are looked at.
JUDGED_BY_OTHERS: Final = frozenset({"Service", "PersistentVolumeClaim"})
LOOK: Final = 2.0  # seconds between two looks at those others
_MOUNT: Final = re.compile(r'^MountVolume\.\w+ failed for volume "([^"]+)" ?: ')  # the kubelet's, before what matters
_OF_VOLUME: Final = r"volume \1: "
TELL: Final = 5.0  # seconds between two times that it is told what is waited for


class NotReady(ProviderError):
    """The object exists and did not become ready in time; ``live`` is how it was seen last."""

    def __init__(self, live: Properties, reasons: list[str]) -> None:
        super().__init__("; ".join(reasons))
        self.live = live
        self.reasons = reasons


class Waiter:
    """Waits for the object at ``place``."""

    def __init__(self, connection: Connection, kinds: Kinds, place: Place) -> None:
        self._connection = connection
        self._kinds = kinds
        self._place = place
        self._span = WATCH

    def ready(self, live: Properties, inputs: Properties, seconds: float) -> Properties:
        """The object once it is ready. Raises NotReady, with why it isn't."""
        if manifests.is_annotated(inputs, manifests.SKIP_AWAIT):
            return live
        judge = wanted_conditions(inputs) or self._verdict
        told = time.monotonic()
        try:
            verdict = judge(live)
            for seen in self._seen(live, time.monotonic() + seconds) if not (verdict.ready or verdict.failed) else ():
                if seen is None:
                    raise NotReady(live, ["it was deleted while it was waited for"])
                live, verdict = seen, judge(seen)
                if verdict.ready or verdict.failed:
                    break
                if time.monotonic() - told >= TELL:
                    waits(self._reason(live, verdict))
                    told = time.monotonic()
        except Unreachable as error:
            raise NotReady(live, [f"{error}; the object exists, and the next run goes on waiting for it"]) from error
        if verdict.ready:
            return live
        raise NotReady(live, [*self._late(verdict, seconds), *self._reasons(live, verdict)])

    def _late(self, verdict: Readiness, seconds: float) -> list[str]:
        if verdict.failed:
            return []
        if self._connection.stopping.is_set():
            return ["it was not ready yet when the run was cancelled; the next run goes on waiting for it"]
        return [f"it did not become ready within {seconds:g} seconds"]

    def _verdict(self, live: Properties) -> Readiness:
        if live.get("kind") not in JUDGED_BY_OTHERS:
            return readiness(live)
        self._span = LOOK
        return readiness(live, self._related(live))

    def _reason(self, live: Properties, verdict: Readiness) -> str:
        """In a line what is waited for: what pods tell, if they do."""
        try:
            related = self._related(live)
            of_pods = pod_reasons(one for one in related if one.get("kind") == "Pod")
            return next(iter([*self._of_silent(related), *of_pods, *verdict.reasons]), "")
        except ProviderError:
            return "; ".join(verdict.reasons)

    def _reasons(self, live: Properties, verdict: Readiness) -> list[str]:
        try:
            related = self._related(live)
            told = readiness(live, related).reasons  # with what the pods of a workload say
            return list(dict.fromkeys([*verdict.reasons, *self._of_silent(related), *told, *self._events(live)]))
        except ProviderError:
            return list(verdict.reasons)

    def _of_silent(self, related: list[Properties]) -> list[str]:
        """What events tell of pods that tell nothing themselves."""
        return [f"pod {manifests.name_of(pod)}: {event}" for pod in silent(related) for event in self._events(pod)[-1:]]

    def _related(self, live: Properties) -> list[Properties]:
        """Other objects that tell more of this one."""
        found: list[Properties] = []
        for wanted in related_to(live):
            kind = self._kinds.built_in(of_manifest(wanted.api_version, wanted.kind))
            if kind is None:
                continue
            served = Served(path_of(of_manifest(wanted.api_version, wanted.kind)), kind.plural, kind.namespaced)
            if wanted.name:
                one = self._connection.get(served.object(wanted.namespace, wanted.name))
                found += [] if one is None else [{**one, "kind": wanted.kind}]
                continue
            query = {"labelSelector": wanted.labels} if wanted.labels else None
            listed = self._connection.get(served.collection(wanted.namespace), query) or {}
            found += [{**item, "kind": wanted.kind} for item in cast("list[Properties]", listed.get("items") or [])]
        return found

    def gone(self, live: Properties, seconds: float) -> Properties | None:
        """Wait until the object is gone, or another has its name. Gives what is still there when the time is up."""
        uid = manifests.metadata(live).get("uid")
        if self._connection.get(self._place.path) is None:
            return None  # most objects go at once
        for seen in self._seen(live, time.monotonic() + seconds):
            if seen is None or manifests.metadata(seen).get("uid") != uid:
                return None
            live = seen
        return live

    def _seen(self, live: Properties, deadline: float) -> Iterator[Properties | None]:
        """The object whenever it has changed (None: deleted), until ``deadline``. Raises Unreachable."""
        last_answer = time.monotonic()
        while True:
            try:
                for seen in self._watched(live, deadline):
                    last_answer = time.monotonic()
                    yield seen
                    live = seen or live
                seen = self._connection.get(self._place.path)
                last_answer = time.monotonic()
                yield seen
                live = seen or live
            except Unreachable:
                if time.monotonic() - last_answer > SILENCE:
                    raise
            pause = min(PAUSE, max(0.0, deadline - time.monotonic()))
            if time.monotonic() >= deadline or self._connection.stopping.wait(pause):
                return

    def _watched(self, live: Properties, deadline: float) -> Iterator[Properties | None]:
        """Changes after ``live`` as the server tells of them; none where it can't be watched from there."""
        left = min(self._span, deadline - time.monotonic())
        version = manifests.metadata(live).get("resourceVersion")
        if left <= 0 or not version:
            return
        query = {"fieldSelector": f"metadata.name={self._place.name}", "resourceVersion": str(version)}
        try:
            with self._connection.watch(self._place.collection, query, left) as events:
                for event in events:
                    seen = cast("Properties", event.get("object") or {})
                    if event.get("type") == "DELETED":
                        yield None
                    elif event.get("type") in ("ADDED", "MODIFIED") and manifests.name_of(seen) == self._place.name:
                        yield seen
                    elif event.get("type") == "ERROR":
                        return  # the version is too old by now: the object is read instead
                    if time.monotonic() >= deadline:
                        return
        except ApiError:
            return  # what may not be watched is read

    def _events(self, live: Properties) -> list[str]:
        """The latest warnings that the cluster has recorded about the object, the latest last."""
        namespace, uid = (
            manifests.namespace_of(live) or manifests.DEFAULT_NAMESPACE,
            manifests.metadata(live).get("uid"),
        )
        path = f"/api/v1/namespaces/{namespace}/events"
        try:
            found = self._connection.get(path, {"fieldSelector": f"involvedObject.uid={uid}", "limit": "50"}) or {}
        except ProviderError:
            return []
        events = cast("list[dict[str, Any]]", found.get("items") or [])
        mine = [event for event in events if (event.get("involvedObject") or {}).get("uid") == uid]
        mine.sort(key=lambda event: str(event.get("lastTimestamp") or event.get("eventTime") or ""))
        warnings = [
            f"{event.get('reason')}: {_MOUNT.sub(_OF_VOLUME, str(event.get('message')))}"
            for event in mine
            if event.get("type") == "Warning"
        ]
        return list(dict.fromkeys(reversed(warnings)))[2::-1]
