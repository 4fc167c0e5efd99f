"""Pods: whether one is ready, and what its containers tell of why not (images, crashes, exit codes)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, TypeVar

from engine.providers.kubernetes.readiness.verdict import (
    READY,
    Object,
    Readiness,
    at,
    condition,
    failed,
    is_true,
    items,
    number,
    said,
    text,
    waiting,
)

Some = TypeVar("Some", bound=Object)
_STARTING: Final = frozenset({"ContainerCreating", "PodInitializing", ""})
_STEPS: Final = (("PodScheduled", "to be scheduled"), ("Initialized", "to be initialized"), ("Ready", "to be ready"))
_NO_NODES: Final = "no nodes available to schedule pods"  # as the scheduler says it of a cluster that has none at all
_HOW_NODES_COME: Final = (
    "once there is an EKS cluster, a native sandbox has those of node groups alone (aws.eks.NodeGroup)"
)


def pod(value: Object) -> Readiness:
    """Ready when scheduled, initialized and ready, or when it has succeeded; one that has failed stays so."""
    phase = text(value, "status", "phase")
    if phase == "Succeeded":
        return READY
    if phase == "Failed":
        words = [f"[{text(value, 'status', 'reason') or 'Failed'}] {text(value, 'status', 'message')}".strip()]
        return failed(*(container_reasons(value) or words))
    for type_, what in _STEPS:
        if not is_true(value, type_):
            reasons = container_reasons(value)
            return waiting(*(reasons or [_unmet(value, type_) or f"waits {what}"]))
    return READY


def _unmet(value: Object, type_: str) -> str:
    words = said(condition(value, type_))
    return f"{words}: {_HOW_NODES_COME}" if _NO_NODES in words else words


def pod_reasons(pods: Iterable[Object], most: int = 5) -> Sequence[str]:
    """Why pods of a workload are not ready: each reason once, with the pod that gave it first; at most ``most``."""
    found: dict[str, str] = {}
    for one in pods:
        verdict = pod(one)
        for reason in verdict.reasons if not verdict.ready else ():
            found.setdefault(reason, f"pod {text(one, 'metadata', 'name')}: {reason}")
    return list(found.values())[:most]


def silent(related: Iterable[Some], most: int = 3) -> Sequence[Some]:
    """Pods that have a node and tell nothing of why they don't run: only events say that a volume can't be mounted."""
    pods = [one for one in related if one.get("kind") == "Pod" and is_true(one, "PodScheduled")]
    return [one for one in pods if not (pod(one).ready or container_reasons(one))][:most]


def container_reasons(value: Object) -> Sequence[str]:
    """What containers that are not ready tell, those that run before the others first."""
    statuses = [*items(value, "status", "initContainerStatuses"), *items(value, "status", "containerStatuses")]
    return [reason for status in statuses if not status.get("ready") for reason in _of_container(status)]


def _of_container(status: Object) -> Iterable[str]:
    name = text(status, "name")
    waits = at(status, "state", "waiting") or {}
    if (reason := text(waits, "reason")) not in _STARTING:
        yield f"container {name}: [{reason}] {_shortened(text(waits, 'message'))}".rstrip()
    for ended in (at(status, "state", "terminated"), at(status, "lastState", "terminated")):
        if ended and (text(ended, "reason") or number(ended, "exitCode")) and text(ended, "reason") != "Completed":
            words = f"container {name}: [{text(ended, 'reason') or 'Error'}] ended with exit code"
            message = _shortened(text(ended, "message"))
            yield f"{words} {number(ended, 'exitCode')}" + (f": {message}" if message else "")


def _shortened(message: str) -> str:
    """A runtime's message without the layers of errors around it."""
    prefix = "rpc error: code = Unknown desc = Error response from daemon: "
    return message.removeprefix(prefix).removesuffix(": manifest unknown").strip()
