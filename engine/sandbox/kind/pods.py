"""The pods on simulated nodes: they run, as far as anybody can tell from the API, and those of Jobs complete."""

from __future__ import annotations

import ipaddress
import re
import threading
from datetime import UTC, datetime
from typing import Any

from engine.kubernetes import pods
from engine.sandbox.api import Api, Refused, Unanswered
from engine.sandbox.following import Json, say
from engine.sandbox.kind.nodes import Nodes, SimulatedNode, now

PODS = "/api/v1/pods"
RUNS_FOR = "bedplate.dev/runs-for"  # annotation of a Job's pod: a Go duration
AGAIN = 5.0  # seconds until a completion is said again that could not be said
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


class Pods:
    """Runs the pods of the simulated nodes. What it remembers of addresses it finds out again when it is started."""

    def __init__(self, api: Api, nodes: Nodes) -> None:
        self._api, self._nodes = api, nodes
        self._taken: dict[str, set[str]] = {}  # addresses, by the network that they are in
        self._ending: set[str] = set()  # uids of pods that a timer will complete

    def pod(self, pod: Json) -> None:
        """Let a pod begin to run, or go."""
        about, name = pod["metadata"], pod["spec"].get("nodeName")
        node = self._nodes.find(name) if name else None
        if node is None:
            return
        status = pod.get("status") or {}
        path = f"/api/v1/namespaces/{about['namespace']}/pods/{about['name']}"
        if about.get("deletionTimestamp"):
            self._api.request("DELETE", path, {"gracePeriodSeconds": 0, "preconditions": {"uid": about["uid"]}})
        elif status.get("phase", "Pending") == "Pending":
            address = node.address if pod["spec"].get("hostNetwork") else self._free_address(node)
            begun = pods.running(pod, address=address, host=node.address, now=now())
            self._api.request("PATCH", f"{path}/status", {"metadata": {"uid": about["uid"]}, "status": begun})
        elif status["phase"] == "Running" and _is_of_a_job(pod) and about["uid"] not in self._ending:
            self._ending.add(about["uid"])
            self._complete_in(_seconds_left(pod), path, pod)

    def _complete_in(self, delay: float, path: str, pod: Json) -> None:
        timer = threading.Timer(min(max(delay, 0.0), threading.TIMEOUT_MAX), self._complete, (path, pod))
        timer.daemon = True
        timer.start()

    def _complete(self, path: str, pod: Json) -> None:
        about = pod["metadata"]
        ended = pods.completed(pod, now=now())
        try:
            self._api.request("PATCH", f"{path}/status", {"metadata": {"uid": about["uid"]}, "status": ended})
        except Unanswered as error:
            say(f"{about['name']}: {error}")
            self._complete_in(AGAIN, path, pod)
            return
        except Refused as refused:  # it is gone, or another has its name: then there is nothing to complete
            say(f"{about['name']}: {refused}")
        self._ending.discard(about["uid"])

    def _free_address(self, node: SimulatedNode) -> str:
        """One that no pod of the node has, nor has had since all were given once. Raises Unanswered where all are."""
        hosts = [str(address) for address in ipaddress.ip_network(node.pods).hosts()]
        taken = self._taken.get(node.pods)
        if taken is None or taken.issuperset(hosts):
            found = self._api.request("GET", f"{PODS}?fieldSelector=spec.nodeName%3D{node.name}")["items"]
            taken = {address for one in found if (address := (one.get("status") or {}).get("podIP"))}
            self._taken[node.pods] = taken
        free = next((address for address in hosts if address not in taken), None)
        if free is None:
            raise Unanswered(f"the node {node.name} has no address left for a pod")
        taken.add(free)
        return free


def seconds(duration: str) -> float:
    """A Go duration, such as 90s or 2h; a second where there is none."""
    parts: list[Any] = re.findall(r"(\d+(?:\.\d+)?)(ms|h|m|s)", duration)
    return sum(float(number) * _UNITS[unit] for number, unit in parts) if parts else 1.0


def _seconds_left(pod: Json) -> float:
    """How much longer a Job's pod runs; it may have begun before this process."""
    begun = datetime.fromisoformat(pod["status"]["startTime"].replace("Z", "+00:00"))
    ran = (datetime.now(UTC) - begun).total_seconds()
    return seconds((pod["metadata"].get("annotations") or {}).get(RUNS_FOR, "")) - ran


def _is_of_a_job(pod: Json) -> bool:
    return any(owner["kind"] == "Job" for owner in pod["metadata"].get("ownerReferences") or [])
