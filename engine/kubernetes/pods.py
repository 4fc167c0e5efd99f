"""What the status of a pod says once it runs, or has run, where nothing runs it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

Object: TypeAlias = Mapping[str, Any]

_MET = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")


def running(pod: Object, *, address: str, host: str, now: str) -> dict[str, Any]:
    """The whole status of ``pod``, which runs and is ready since ``now``, at ``address`` on a node at ``host``."""
    spec, said = pod["spec"], pod.get("status") or {}
    gates = [gate["conditionType"] for gate in spec.get("readinessGates") or []]
    kept = [one for one in said.get("conditions") or [] if one["type"] not in (*_MET, *gates)]
    met = [{"type": kind, "status": "True", "lastTransitionTime": now} for kind in (*_MET, *gates)]
    status: dict[str, Any] = {
        "phase": "Running",
        "startTime": now,
        "conditions": [*kept, *met],
        "podIP": address,
        "podIPs": [{"ip": address}],
        "containerStatuses": [_started(each, now) for each in spec.get("containers") or []],
        "qosClass": said.get("qosClass") or qos(spec),
    }
    if initial := spec.get("initContainers"):
        status["initContainerStatuses"] = [
            _started(each, now) if each.get("restartPolicy") == "Always" else _ended(each, now, now, ready=True)
            for each in initial
        ]
    return status | ({"hostIP": host, "hostIPs": [{"ip": host}]} if host else {})


def completed(pod: Object, *, now: str) -> dict[str, Any]:
    """What of the status of a pod changes when all its containers end well."""
    spec, said = pod["spec"], pod["status"]
    over = {"status": "False", "reason": "PodCompleted", "lastTransitionTime": now}
    return {
        "phase": "Succeeded",
        "conditions": [
            one | over if one["type"] in ("Ready", "ContainersReady") else one for one in said["conditions"]
        ],
        "containerStatuses": [_ended(each, said.get("startTime", now), now) for each in spec.get("containers") or []],
    }


def qos(spec: Object) -> str:
    """The quality of service that a pod's requests and limits give it."""
    said: Sequence[Object] = [container.get("resources") or {} for container in spec.get("containers") or []]
    if not any(each.get("requests") or each.get("limits") for each in said):
        return "BestEffort"
    full = all(
        {"cpu", "memory"} <= set(each.get("limits") or {})
        and all((each.get("requests") or {}).get(name, amount) == amount for name, amount in each["limits"].items())
        for each in said
    )
    return "Guaranteed" if full else "Burstable"


def _started(container: Object, now: str) -> dict[str, Any]:
    return _of(container) | {"ready": True, "started": True, "state": {"running": {"startedAt": now}}}


def _ended(container: Object, started: str, now: str, *, ready: bool = False) -> dict[str, Any]:
    state = {"exitCode": 0, "reason": "Completed", "startedAt": started, "finishedAt": now}
    return _of(container) | {"ready": ready, "started": False, "state": {"terminated": state}}


def _of(container: Object) -> dict[str, Any]:
    return {"name": container["name"], "image": container.get("image", ""), "imageID": "", "restartCount": 0}
