"""Row 68: every container says what it needs of CPU and memory, and what it may take at most.

A pod's own ``resources`` (Kubernetes 1.34) hold for its containers. Ephemeral containers can't say any.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from policies.kit import Finding
from policies.security.pack import SECURITY
from policies.subjects.mending import Mend, Patch, mending_by
from policies.subjects.pods import Container
from policies.subjects.quantities import amount

_Resource = Literal["cpu", "memory"]
_Side = Literal["requests", "limits"]


def _lacks(container: Container, side: _Side, resource: _Resource) -> bool:
    """True where it says nothing, or an amount that says nothing: 0."""
    if container.kind == "ephemeralContainers":
        return False
    own = container.resources.get(side, resource)
    said = (
        own
        if own.present or not container.pod.get("resources").present
        else container.pod.get("resources", side, resource)
    )
    if said.missing and container.partial:
        return False
    return (amount(said) or 0) <= 0


def _judged(container: Container, side: _Side, resource: _Resource) -> Iterator[Finding]:
    if _lacks(container, side, resource):
        value = container.resources.get(side, resource)
        state = f"sets {side}.{resource} to {value.shown()}" if value.present else f"sets no {side}.{resource}"
        yield Finding(f"container '{container.name}' {state}", value.path)


def _mend_with(side: _Side, resource: _Resource) -> Mend:
    def patch(container: Container, parameters: Mapping[str, Any]) -> Patch:
        if not _lacks(container, side, resource):
            return None
        # What the other side says wins: a request above its limit would be refused.
        other = container.resources.get("limits" if side == "requests" else "requests", resource)
        value = other.plain() if (amount(other) or 0) > 0 else parameters["default"]
        return {"resources": {side: {resource: value}}}

    return mending_by(Container, patch)


def _default(value: str, meaning: str) -> Mapping[str, Mapping[str, Any]]:
    return {"default": {"type": "string", "default": value, "description": meaning}}


@SECURITY.rule(
    "cpu-requests",
    number=68,
    title="Containers say how much CPU they need",
    severity="low",
    fix="Set resources.requests.cpu.",
    tags=("checkov:CKV_K8S_10", "trivy:KSV-0015", "gatekeeper:containerrequests"),
    parameters=_default("100m", "What remediation writes where neither a request nor a limit is given."),
    mend=_mend_with("requests", "cpu"),
)
def cpu_requests(container: Container) -> Iterator[Finding]:
    """Without a request the scheduler puts any number of pods on a node, and the first to be starved is this one."""
    yield from _judged(container, "requests", "cpu")


@SECURITY.rule(
    "cpu-limits",
    number=68,
    title="Containers say how much CPU they may take",
    severity="low",
    fix="Set resources.limits.cpu.",
    tags=("checkov:CKV_K8S_11", "trivy:KSV-0011", "gatekeeper:containerlimits"),
    parameters=_default("1", "What remediation writes where neither a request nor a limit is given."),
    mend=_mend_with("limits", "cpu"),
)
def cpu_limits(container: Container) -> Iterator[Finding]:
    """Without a limit one container takes all the CPU that its node has to spare."""
    yield from _judged(container, "limits", "cpu")


@SECURITY.rule(
    "memory-requests",
    number=68,
    title="Containers say how much memory they need",
    severity="low",
    fix="Set resources.requests.memory.",
    tags=("checkov:CKV_K8S_12", "trivy:KSV-0016", "gatekeeper:containerrequests"),
    parameters=_default("256Mi", "What remediation writes where neither a request nor a limit is given."),
    mend=_mend_with("requests", "memory"),
)
def memory_requests(container: Container) -> Iterator[Finding]:
    """Where the node's memory runs out, pods that take more than they asked for are the first to be killed."""
    yield from _judged(container, "requests", "memory")


@SECURITY.rule(
    "memory-limits",
    number=68,
    title="Containers say how much memory they may take",
    severity="low",
    fix="Set resources.limits.memory.",
    tags=("checkov:CKV_K8S_13", "trivy:KSV-0018", "gatekeeper:containerlimits"),
    parameters=_default("1Gi", "What remediation writes where neither a request nor a limit is given."),
    mend=_mend_with("limits", "memory"),
)
def memory_limits(container: Container) -> Iterator[Finding]:
    """Without a limit a leak takes the node's memory, and with it the pods beside it."""
    yield from _judged(container, "limits", "memory")
