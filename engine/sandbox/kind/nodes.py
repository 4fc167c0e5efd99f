"""The simulated nodes: what they are, and that they live."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime

from engine.sandbox.api import Api, Refused, Unanswered
from engine.sandbox.following import CONFLICT, NOT_FOUND, Json, say
from engine.sandbox.kind.node import NodeFailed, RealNode

NODES = "/api/v1/nodes"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
BEAT = 10.0  # seconds between two signs of life of a node, as the kubelet has it; 40 without one, and it is lost
ROUTES_EVERY = 6  # beats: a container that was started anew has lost them
_SIMULATED = "kwok.x-k8s.io/node"
_READY = {"reason": "KubeletReady", "message": "kubelet is ready"}


@dataclass(frozen=True)
class SimulatedNode:
    """``address`` is its own, ``pods`` the network of its pods."""

    name: str
    uid: str
    address: str
    pods: str


class Nodes:
    """The simulated nodes that are there."""

    def __init__(self, api: Api, real: RealNode) -> None:
        self._api, self._real = api, real
        self._lock = threading.Lock()
        self._known: dict[str, SimulatedNode] = {}  # by name

    def node(self, node: Json) -> None:
        """Take notice of a node; a simulated one begins to live once its addresses are said."""
        if is_simulated(node) and _is_addressed(node) and not node["metadata"].get("deletionTimestamp"):
            self._take(node)
            self._revive(node)

    def addresses(self) -> list[str]:
        with self._lock:
            return [one.address for one in self._known.values()]

    def find(self, name: str) -> SimulatedNode | None:
        """The simulated node ``name``; None where it is none. Raises Unanswered until its addresses are said."""
        if name == self._real.name:
            return None
        with self._lock:
            if name in self._known:
                return self._known[name]
        try:
            node = self._api.request("GET", f"{NODES}/{name}")
        except Refused as refused:
            if refused.status == NOT_FOUND:
                return None
            raise
        if not is_simulated(node):
            return None
        if not _is_addressed(node):
            raise Unanswered(f"the node {name} has no addresses yet")  # so it is asked again
        return self._take(node)

    def beat(self, stop: threading.Event) -> None:
        """Say of each node that it lives, and again before that is forgotten, until ``stop``."""
        beats = 0
        while not stop.is_set():
            with self._lock:
                nodes = list(self._known.values())
            try:
                if beats % ROUTES_EVERY == 0:
                    self._real.has_neighbours(node.address for node in nodes)
                beats += 1
            except NodeFailed as error:
                say(str(error))
            for node in nodes:
                try:
                    self._beat(node)
                except (Refused, Unanswered) as error:
                    say(f"{node.name}: {error}")
            stop.wait(BEAT)

    def _take(self, node: Json) -> SimulatedNode:
        about = node["metadata"]
        found = SimulatedNode(about["name"], about["uid"], internal_address(node), node["spec"]["podCIDR"])
        with self._lock:
            new = self._known.get(found.name) != found  # another may have the name by now
            self._known[found.name] = found
        if new:
            try:
                self._real.has_neighbours([found.address])
            except NodeFailed as error:
                say(str(error))  # it is tried again with the beats
            self._beat(found)
        return found

    def _beat(self, node: SimulatedNode) -> None:
        spec = {"holderIdentity": node.name, "leaseDurationSeconds": 40, "renewTime": now("%Y-%m-%dT%H:%M:%S.%fZ")}
        try:
            self._api.request("PATCH", f"{LEASES}/{node.name}", {"spec": spec})
            return
        except Refused as refused:
            if refused.status != NOT_FOUND:
                raise
        try:
            there = self._api.request("GET", f"{NODES}/{node.name}")
            if there["metadata"]["uid"] == node.uid:
                owner = {"apiVersion": "v1", "kind": "Node", "name": node.name, "uid": node.uid}
                about = {"name": node.name, "ownerReferences": [owner]}
                lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": about, "spec": spec}
                self._api.request("POST", LEASES, lease)
        except Refused as refused:
            if refused.status == NOT_FOUND:  # the node is gone, and its lease went with it
                with self._lock:
                    self._known.pop(node.name, None)
            elif refused.status != CONFLICT:
                raise

    def _revive(self, node: Json) -> None:
        """A node that was lost for a while says again how it is, which is the kubelet's to say."""
        conditions: list[Json] = (node.get("status") or {}).get("conditions") or []
        if not any(one["status"] == "Unknown" for one in conditions):
            return
        well = [
            one | {"status": "True" if one["type"] == "Ready" else "False", "lastHeartbeatTime": now()}
            | (_READY if one["type"] == "Ready" else {})
            if one["status"] == "Unknown" else one
            for one in conditions
        ]  # fmt: skip
        path = f"{NODES}/{node['metadata']['name']}/status"
        self._api.request("PATCH", path, {"status": {"conditions": well}})


def is_simulated(node: Json) -> bool:
    return _SIMULATED in (node["metadata"].get("annotations") or {})


def internal_address(node: Json) -> str:
    said: list[Json] = (node.get("status") or {}).get("addresses") or []
    return next((one["address"] for one in said if one["type"] == "InternalIP"), "")


def now(form: str = "%Y-%m-%dT%H:%M:%SZ") -> str:
    return datetime.now(UTC).strftime(form)


def _is_addressed(node: Json) -> bool:
    return bool(internal_address(node) and node["spec"].get("podCIDR"))
