"""Whether the controllers and the scheduler have done what they can: pure, over what was seen of the cluster."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from engine.simulation.manifests import Given, Manifest
from engine.simulation.pods import Owner, Pod
from engine.simulation.refusals import has_room
from engine.simulation.seen import Seen


def unsettled(seen: Seen, given: Sequence[Given]) -> str | None:
    """What is still going on with ``given``; None when every pod that can be made is placed or found unplaceable."""
    for pod in seen.pods:
        if pod.terminating:
            return f"pod {pod.owner.namespace}/{pod.name} is going"
        if not pod.is_decided:
            return f"the scheduler has not decided on pod {pod.owner.namespace}/{pod.name}"
    owned = seen.owned()
    for one in given:
        waiting = _incomplete(seen, one, owned)
        if waiting:
            return waiting
    return None


def _incomplete(seen: Seen, given: Given, owned: Mapping[Owner, Sequence[Pod]]) -> str | None:
    kind, namespace, name = given.key
    owner = Owner(kind, namespace, name)
    live = seen.get(kind, namespace, name)
    if live is None:
        return None if owner in seen.gone else f"{kind} {owner} has not been seen yet"
    there = owned.get(owner, ())
    refusal = seen.refusal_of(owner)
    if (refusal and not has_room(refusal, seen.counted(namespace))) or _in_turn(live, there):
        return None
    wanted = wanted_pods(live)
    if wanted is None:
        return f"the controller has not looked at {kind} {owner}"
    return None if len(there) >= wanted else f"{kind} {owner} has {len(there)} of {wanted} pods"


def wanted_pods(live: Manifest) -> int | None:
    """How many pods a workload wants; None where only its controller can say, and has not."""
    return _WANTED[live["kind"]](live)


def _of_daemon_set(live: Manifest) -> int | None:
    status = live.get("status") or {}
    if (status.get("observedGeneration") or 0) < live["metadata"].get("generation", 1):
        return None
    return status.get("desiredNumberScheduled") or 0


def _of_job(live: Manifest) -> int:
    spec = live["spec"]
    if spec.get("suspend"):
        return 0
    parallel = spec.get("parallelism", 1)
    return parallel if spec.get("completions") is None else min(parallel, spec["completions"])


def _of_deployment(live: Manifest) -> int:
    return 0 if live["spec"].get("paused") else live["spec"].get("replicas", 1)


def _replicas(live: Manifest) -> int:
    return live["spec"].get("replicas", 1)


_WANTED: Final[Mapping[str, Callable[[Manifest], int | None]]] = {
    "DaemonSet": _of_daemon_set,
    "Deployment": _of_deployment,
    "ReplicaSet": _replicas,
    "StatefulSet": _replicas,
    "Job": _of_job,
    "Pod": lambda _live: 1,
}


def _in_turn(live: Manifest, there: Sequence[Pod]) -> bool:
    """Whether a StatefulSet makes no more pods, since it makes one after the other and one is not placed."""
    ordered = live["kind"] == "StatefulSet" and live["spec"].get("podManagementPolicy") != "Parallel"
    return ordered and any(not pod.is_placed for pod in there)
