"""A cluster that lives for one simulation: makes nodes and workloads, and watches until the scheduler has decided.

Nothing here waits for a time: each step ends with what the watches tell, or with ``TimedOut`` after the time that the
caller allows.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

from engine.providers.base import ProviderError
from engine.providers.kubernetes.connection import Connection
from engine.providers.kubernetes.statuses import ApiError
from engine.simulation.manifests import API_VERSIONS, CLUSTER_WIDE, Given, Manifest
from engine.simulation.pods import Owner
from engine.simulation.seen import OWN_NAMESPACE, Seen
from engine.simulation.settling import unsettled

_WATCHED: Final = {
    "Node": "v1", "ServiceAccount": "v1", "ResourceQuota": "v1", "Pod": "v1", "Event": "v1",
    "ReplicaSet": "apps/v1", "Deployment": "apps/v1", "StatefulSet": "apps/v1", "DaemonSet": "apps/v1",
    "Job": "batch/v1",
}  # fmt: skip
_PLURALS: Final = {"PriorityClass": "priorityclasses", "RuntimeClass": "runtimeclasses"}
_CLUSTER_WIDE: Final = CLUSTER_WIDE | {"Node"}
_WATCH_SECONDS: Final = 5.0  # of one watch; a thread notices by then that nobody listens any more
_MAKERS: Final = 8
_LAST: Final = "bedplate-simulation-last"
_ROUNDS: Final = 2
_MANAGER: Final = "bedplate-simulation"
_NEVER: Final = {"bedplate.dev/simulation": "nowhere"}


class SimulationError(Exception):
    """The simulated cluster could not be asked."""


class TimedOut(SimulationError):
    """The cluster did not come to rest in the time that was allowed."""


def collection(kind: str, namespace: str = "") -> str:
    """The path of a kind's objects, in ``namespace`` or in all."""
    version = API_VERSIONS.get(kind) or _WATCHED[kind]
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    plural = _PLURALS.get(kind, f"{kind.lower()}s")
    return f"{root}/namespaces/{namespace}/{plural}" if namespace else f"{root}/{plural}"


@dataclass
class Cluster:
    """One API server with controllers, scheduler and simulated nodes, while it is used for a simulation.

    A context manager: watches run inside its block.
    """

    connection: Connection
    timeout: float
    seen: Seen = field(default_factory=Seen)
    refused: dict[Owner, str] = field(default_factory=dict[Owner, str])
    _events: queue.SimpleQueue[tuple[str, str, Manifest]] = field(
        default_factory=queue.SimpleQueue[tuple[str, str, Manifest]]
    )
    _stopped: threading.Event = field(default_factory=threading.Event)
    _asked: int = 0

    def __post_init__(self) -> None:
        self._deadline = time.monotonic() + self.timeout

    def __enter__(self) -> Cluster:
        for kind in _WATCHED:
            threading.Thread(target=self._watch, args=(kind,), name=f"watch {kind}", daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stopped.set()

    # What happens there

    def _watch(self, kind: str) -> None:
        """Pass on what becomes of the objects of ``kind``, until the block is left or the server is gone."""
        path, version = collection(kind), ""
        while not self._stopped.is_set():
            try:
                if not version:
                    version = self._listed(kind, path)
                query = {"resourceVersion": version, "allowWatchBookmarks": "true"}
                with self.connection.watch(path, query, _WATCH_SECONDS) as events:
                    for event in events:
                        version = self._passed_on(kind, event)
                        if not version or self._stopped.is_set():
                            break
            except ProviderError as error:
                if not self._stopped.is_set():
                    self._events.put(("FAILED", kind, {"message": str(error)}))
                return

    def _listed(self, kind: str, path: str) -> str:
        found = self.connection.get(path) or {}
        for one in found.get("items") or ():
            self._events.put(("ADDED", kind, {"kind": kind, **one}))
        return found["metadata"]["resourceVersion"]

    def _passed_on(self, kind: str, event: Manifest) -> str:
        """The version up to which is known; "" where the server has forgotten what came after the last one."""
        manifest = event.get("object") or {}
        if event.get("type") == "ERROR":
            return ""
        if event.get("type") != "BOOKMARK":
            self._events.put((event["type"], kind, {"kind": kind, **manifest}))
        return manifest["metadata"]["resourceVersion"]

    def until(self, waiting: Callable[[], str | None]) -> int:
        """Take in events until ``waiting`` says nothing any more; how many there were that may matter.

        Raises TimedOut with what it last said, SimulationError where the server is gone.
        """
        count = 0
        while True:
            count += self._take_in(block=False)
            what = waiting()
            if what is None:
                return count
            if not self._take_in(block=True, what=what):
                continue
            count += 1

    def _take_in(self, *, block: bool, what: str = "") -> int:
        """Take in the next event, or all that are there; how many of them are about the workloads."""
        count = 0
        while True:
            try:
                left = self._deadline - time.monotonic()
                type_, kind, manifest = self._events.get(block=block, timeout=max(left, 0.0) if block else None)
            except queue.Empty:
                if not block:
                    return count
                raise TimedOut(f"the simulated cluster did not come to rest in {self.timeout:g} s: {what}") from None
            if type_ == "FAILED":
                raise SimulationError(f"the simulated cluster broke off: {manifest['message']}")
            self.seen.changed(kind, manifest, gone=type_ == "DELETED")
            count += kind not in ("Node", "Event") and manifest["metadata"].get("namespace") != OWN_NAMESPACE
            if block:
                return count

    # What is done there

    def make(self, manifest: Manifest) -> None:
        """Make one object. Raises ApiError where the API server does not take it."""
        kind, metadata = manifest["kind"], manifest["metadata"]
        namespace = "" if kind in _CLUSTER_WIDE else metadata.get("namespace") or "default"
        self.connection.request("POST", collection(kind, namespace), {"fieldValidation": "Strict"}, manifest)

    def make_all(self, manifests: Iterable[Manifest]) -> None:
        """Make many, several at a time, in no order."""
        with ThreadPoolExecutor(_MAKERS) as pool:
            list(pool.map(self.make, manifests))

    def surround(self, nodes: Sequence[Manifest], surroundings: Sequence[Given]) -> None:
        """Make the nodes, and what decides which pods may be made; wait until all of it counts."""
        self.make_all(nodes)
        for one in [*_own(), *surroundings]:
            self._surround_with(one)
        names = {node["metadata"]["name"] for node in nodes}
        namespaces = {OWN_NAMESPACE, "default", *(one.name for one in surroundings if one.kind == "Namespace")}
        quotas = [one for one in surroundings if one.kind == "ResourceQuota" and _owner(one) not in self.refused]
        self.until(lambda: self._surrounded(names, namespaces, quotas))

    def _surrounded(self, nodes: set[str], namespaces: set[str], quotas: Sequence[Given]) -> str | None:
        for name in nodes:
            live = self.seen.get("Node", "", name)
            if live is None or not _is_ready(live):
                return f"node {name} is not ready"
        for namespace in namespaces:
            if self.seen.get("ServiceAccount", namespace, "default") is None:
                return f"namespace {namespace} has no service account"
        for one in quotas:
            live = self.seen.get("ResourceQuota", one.namespace, one.name)
            if live is None or not (live.get("status") or {}).get("hard"):
                return f"quota {one.name} is not counted"
        return None

    def place(self, workloads: Sequence[Given]) -> None:
        """Make ``workloads`` one after the other, and wait until the scheduler has nothing more to do about any.

        Each is waited for, so that who comes first does not depend on whose controller is quicker.
        """
        taken: list[Given] = []
        for one in workloads:
            self._offer(one)
            if _owner(one) not in self.refused:
                taken.append(one)
                self.until(lambda: unsettled(self.seen, taken[-1:]))
        quiet = 0
        while quiet < _ROUNDS:
            before = self.until(self._asked_scheduler())
            before += self.until(lambda: unsettled(self.seen, taken))
            quiet = 0 if before else quiet + 1

    def _asked_scheduler(self) -> Callable[[], str | None]:
        """Give the scheduler one pod more, the last of all, that fits nowhere: when it says so, it has tried the rest.

        What it puts off until its queue is empty comes after that pod, hence several rounds.
        """
        self._asked += 1
        name = f"last-{self._asked}"
        spec: Mapping[str, Any] = {
            "nodeSelector": dict(_NEVER), "priorityClassName": _LAST, "terminationGracePeriodSeconds": 0,
            "containers": [{"name": "nothing", "image": "simulated"}],
        }  # fmt: skip
        metadata = {"name": name, "namespace": OWN_NAMESPACE}
        self.make({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
        return lambda: (
            None if _is_refused(self.seen.get("Pod", OWN_NAMESPACE, name)) else "the scheduler does not answer"
        )

    def _surround_with(self, one: Given) -> None:
        """Make ``one``, or have it so where it is there from the beginning, as the namespace ``default`` is."""
        try:
            self.connection.apply(
                f"{collection(one.kind, one.namespace)}/{one.name}", one.manifest, _MANAGER, force=True
            )
        except ApiError as error:
            self.refused[_owner(one)] = str(error)

    def _offer(self, one: Given) -> None:
        """Make ``one``, or note why the API server does not take it."""
        try:
            self.make(one.manifest)
        except ApiError as error:
            self.refused[_owner(one)] = str(error)


def _owner(given: Given) -> Owner:
    return Owner(given.kind, given.namespace, given.name)


def _is_ready(node: Manifest) -> bool:
    conditions = (node.get("status") or {}).get("conditions") or ()
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
    taints = (node.get("spec") or {}).get("taints") or ()
    return ready and not any(one["key"].startswith("node.kubernetes.io/not-ready") for one in taints)


def _is_refused(pod: Manifest | None) -> bool:
    conditions = ((pod or {}).get("status") or {}).get("conditions") or ()
    return any(one["type"] == "PodScheduled" and one["status"] == "False" for one in conditions)


def _own() -> list[Given]:
    """What the simulation needs for itself: a namespace, and a priority below all others."""
    named = {
        "Namespace": {"metadata": {"name": OWN_NAMESPACE}},
        "PriorityClass": {"metadata": {"name": _LAST}, "value": -(2**31), "preemptionPolicy": "Never"},
    }
    return [Given({"apiVersion": API_VERSIONS[kind], "kind": kind, **fields}, "") for kind, fields in named.items()]
