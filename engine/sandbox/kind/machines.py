"""Plays what a kind cluster lacks of one of EKS: ``python -m engine.sandbox.kind.machines KUBECONFIG NODE``.

- The simulated nodes of node groups stay alive, and the pods that are placed on them run, as kwok has it in the native
  sandbox.
- Claims get volumes: for pods on the real node a directory in it, else one in name only.
- Network policies let pods reach the API server, which is elsewhere than in EKS.
- The real node's kubelet gets the certificate that it asks for, as in EKS, so that Prometheus can trust it.

Like the native sandbox's driver it holds nothing: it may be ended and started at any moment.
"""

from __future__ import annotations

import ipaddress
import re
import sys
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engine.kubernetes import pods, volumes
from engine.sandbox import following, kubeconfig
from engine.sandbox.api import Api, Refused, Unanswered
from engine.sandbox.following import CONFLICT, NOT_FOUND, Json, say
from engine.sandbox.kind.node import NodeFailed, RealNode
from engine.sandbox.kind.policies import companion
from engine.sandbox.native.volumes import CLAIMS, VOLUMES, Driver

NODES, PODS = "/api/v1/nodes", "/api/v1/pods"
POLICIES = "/apis/networking.k8s.io/v1/networkpolicies"
REQUESTS = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
BEAT = 10.0  # seconds between two signs of life of a node, as the kubelet has it; 40 without one, and it is lost
RUNS_FOR = "bedplate.dev/runs-for"  # annotation of a Job's pod: a Go duration
_SERVING = "kubernetes.io/kubelet-serving"
_SIMULATED = "kwok.x-k8s.io/node"
_KINDS_OWN = "rancher.io/local-path"  # the driver that kind brings along
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


@dataclass(frozen=True)
class SimulatedNode:
    """``address`` is its own, ``pods`` the network of its pods."""

    address: str
    pods: str


class Nodes:
    """The simulated nodes, by name."""

    def __init__(self, api: Api, real: RealNode) -> None:
        self._api, self._real = api, real
        self._lock = threading.Lock()
        self._known: dict[str, SimulatedNode] = {}

    def node(self, node: Json) -> None:
        """Take notice of a node; a simulated one begins to live once its addresses are said."""
        if is_simulated(node) and _is_addressed(node) and not node["metadata"].get("deletionTimestamp"):
            self._take(node)

    def addresses(self) -> list[str]:
        with self._lock:
            return [one.address for one in self._known.values()]

    def find(self, name: str) -> SimulatedNode | None:
        """The simulated node ``name``; None where it is none. Raises Unanswered until its addresses are said."""
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

    def beat_forever(self) -> None:
        """Say of each node that it lives, and again before that is forgotten."""
        while True:
            with self._lock:
                names = list(self._known)
            for name in names:
                try:
                    self._beat(name)
                except (Refused, Unanswered) as error:
                    say(f"{name}: {error}")
            time.sleep(BEAT)

    def _take(self, node: Json) -> SimulatedNode:
        name = node["metadata"]["name"]
        with self._lock:
            new = name not in self._known
            taken = self._known.setdefault(name, SimulatedNode(internal_address(node), node["spec"]["podCIDR"]))
        if new:
            try:
                self._real.has_neighbour(taken.address)
            except NodeFailed as error:
                say(str(error))
            self._beat(name)
        return taken

    def _beat(self, name: str) -> None:
        spec = {"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": _now("%Y-%m-%dT%H:%M:%S.%fZ")}
        try:
            self._api.request("PATCH", f"{LEASES}/{name}", {"spec": spec})
            return
        except Refused as refused:
            if refused.status != NOT_FOUND:
                raise
        try:
            node = self._api.request("GET", f"{NODES}/{name}")
            owner = {"apiVersion": "v1", "kind": "Node", "name": name, "uid": node["metadata"]["uid"]}
            about = {"name": name, "ownerReferences": [owner]}
            lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": about, "spec": spec}
            self._api.request("POST", LEASES, lease)
        except Refused as refused:
            if refused.status == NOT_FOUND:  # the node is gone, and its lease went with it
                with self._lock:
                    self._known.pop(name, None)
            elif refused.status != CONFLICT:
                raise


class Pods:
    """Runs the pods of the simulated nodes, as far as anybody can tell from the API."""

    def __init__(self, api: Api, nodes: Nodes) -> None:
        self._api, self._nodes = api, nodes
        self._taken: set[str] = set()
        self._ending: set[str] = set()  # uids of pods that a timer will complete

    def pod(self, pod: Json) -> None:
        """Let a pod begin to run, or go."""
        about, name = pod["metadata"], pod["spec"].get("nodeName")
        status = pod.get("status") or {}
        if address := status.get("podIP"):
            self._taken.add(address)
        node = self._nodes.find(name) if name else None
        if node is None:
            return
        path = f"/api/v1/namespaces/{about['namespace']}/pods/{about['name']}"
        if about.get("deletionTimestamp"):
            self._api.request("DELETE", path, {"gracePeriodSeconds": 0, "preconditions": {"uid": about["uid"]}})
        elif status.get("phase", "Pending") == "Pending":
            address = node.address if pod["spec"].get("hostNetwork") else self._free_address(node.pods)
            begun = pods.running(pod, address=address, host=node.address, now=_now())
            self._api.request("PATCH", f"{path}/status", {"metadata": {"uid": about["uid"]}, "status": begun})
        elif status["phase"] == "Running" and any(
            owner["kind"] == "Job" for owner in about.get("ownerReferences") or []
        ):
            self._complete_later(path, pod)

    def _complete_later(self, path: str, pod: Json) -> None:
        about = pod["metadata"]
        if about["uid"] in self._ending:
            return
        self._ending.add(about["uid"])
        delay = seconds((about.get("annotations") or {}).get(RUNS_FOR, ""))
        timer = threading.Timer(delay, self._complete, (path, pod))
        timer.daemon = True
        timer.start()

    def _complete(self, path: str, pod: Json) -> None:
        about = pod["metadata"]
        ended = pods.completed(pod, now=_now())
        try:
            self._api.request("PATCH", f"{path}/status", {"metadata": {"uid": about["uid"]}, "status": ended})
        except (Refused, Unanswered) as error:
            if not (isinstance(error, Refused) and error.status in (NOT_FOUND, CONFLICT)):
                say(f"{about['name']}: {error}")
        self._ending.discard(about["uid"])

    def _free_address(self, network: str) -> str:
        """One of the network that no pod has had; when each has been had once, they begin anew."""
        hosts = [str(address) for address in ipaddress.ip_network(network).hosts()]
        free = next((address for address in hosts if address not in self._taken), None)
        if free is None:
            self._taken.difference_update(hosts)
            free = hosts[0]
        self._taken.add(free)
        return free


class Disks(Driver):
    """The storage driver: a volume for the real node is a directory in it."""

    def __init__(self, api: Api, real: RealNode) -> None:
        super().__init__(api)
        self._real = real

    def claim(self, claim: Json) -> None:
        if (claim["metadata"].get("annotations") or {}).get(volumes.PROVISIONER) != _KINDS_OWN:
            super().claim(claim)

    def volume(self, volume: Json) -> None:
        directory = volume["spec"].get("hostPath")
        if directory and volumes.is_to_be_deleted(volume) and self.is_ours(volume):
            self._real.remove_disk(directory["path"])
        if self.is_ours(volume):
            super().volume(volume)

    @staticmethod
    def is_ours(volume: Json) -> bool:
        return (volume["metadata"].get("annotations") or {}).get(volumes.PROVISIONED_BY) != _KINDS_OWN

    def source(self, claim: Json, node: Json | None) -> Json | None:
        if node and is_simulated(node):
            return None
        path = self._real.make_disk(volumes.name_of_volume(claim))
        return {"hostPath": {"path": path, "type": "Directory"}}


class Policies:
    """Keeps the companions of network policies."""

    def __init__(self, api: Api, nodes: Nodes, real: RealNode) -> None:
        self._api, self._nodes, self._real = api, nodes, real
        self._address = ""

    def policy(self, policy: Json) -> None:
        """Make the companion of one, or make it anew."""
        wanted = companion(policy, self._nodes.addresses(), [self._real_address()])
        if wanted is None or policy["metadata"].get("deletionTimestamp"):
            return
        about = wanted["metadata"]
        path = POLICIES.replace("/networkpolicies", f"/namespaces/{about['namespace']}/networkpolicies")
        try:
            self._api.request("POST", path, wanted)
        except Refused as refused:
            if refused.status != CONFLICT:
                raise
            there = self._api.request("GET", f"{path}/{about['name']}")
            if there["spec"] != wanted["spec"] or there["metadata"].get("ownerReferences") != about["ownerReferences"]:
                about["resourceVersion"] = there["metadata"]["resourceVersion"]
                self._api.request("PUT", f"{path}/{about['name']}", wanted)

    def node(self, node: Json) -> None:
        """Another node: what is in the VPC may be clear only now."""
        if is_simulated(node):
            for policy in self._api.request("GET", POLICIES)["items"]:
                self.policy(policy)

    def _real_address(self) -> str:
        if not self._address:
            self._address = internal_address(self._api.request("GET", f"{NODES}/{self._real.name}"))
        return self._address


class Certificates:
    """Approves what the real node's kubelet asks for; Kubernetes itself has nobody who does."""

    def __init__(self, api: Api, real: RealNode) -> None:
        self._api, self._real = api, real

    def request(self, request: Json) -> None:
        spec = request["spec"]
        of_kubelet = spec["signerName"] == _SERVING and spec.get("username") == f"system:node:{self._real.name}"
        if not of_kubelet or (request.get("status") or {}).get("conditions"):
            return
        approved = {"type": "Approved", "status": "True", "reason": "AsInEKS", "message": "approved by the sandbox"}
        name = request["metadata"]["name"]
        self._api.request("PUT", f"{REQUESTS}/{name}/approval", {**request, "status": {"conditions": [approved]}})


def is_simulated(node: Json) -> bool:
    return _SIMULATED in (node["metadata"].get("annotations") or {})


def _is_addressed(node: Json) -> bool:
    return bool(internal_address(node) and node["spec"].get("podCIDR"))


def internal_address(node: Json) -> str:
    said: list[Json] = (node.get("status") or {}).get("addresses") or []
    return next((one["address"] for one in said if one["type"] == "InternalIP"), "")


def seconds(duration: str) -> float:
    """A Go duration, such as 90s or 2h; a second where there is none."""
    parts: list[Any] = re.findall(r"(\d+(?:\.\d+)?)(ms|h|m|s)", duration)
    return sum(float(number) * _UNITS[unit] for number, unit in parts) if parts else 1.0


def _now(form: str = "%Y-%m-%dT%H:%M:%SZ") -> str:
    return datetime.now(UTC).strftime(form)


def main() -> None:
    config, name = Path(sys.argv[1]), sys.argv[2]
    api, real = Api(kubeconfig.server(config), kubeconfig.read(config)), RealNode(name)
    nodes = Nodes(api, real)
    disks, policies = Disks(api, real), Policies(api, nodes, real)

    def seen(node: Json) -> None:
        nodes.node(node)
        policies.node(node)

    threading.Thread(target=nodes.beat_forever, name="beat", daemon=True).start()
    following.run(
        api,
        {
            NODES: seen,
            PODS: Pods(api, nodes).pod,
            CLAIMS: disks.claim,
            VOLUMES: disks.volume,
            POLICIES: policies.policy,
            REQUESTS: Certificates(api, real).request,
        },
    )


if __name__ == "__main__":
    main()
