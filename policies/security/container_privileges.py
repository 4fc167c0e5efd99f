"""Rows 60, 61 and 64: what a container may do as which user, as the Pod Security Standards have it.

Windows pods are exempt where Windows has no such field, and pods with a user namespace (``hostUsers: false``) where
root inside is nobody outside: as in the standard. Absent is what the container runtime makes of it, not what is meant:
a rule that asks for a field asks for it to be written down.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from policies.kit import Finding, Value
from policies.security.pack import SECURITY
from policies.subjects.mending import Patch, mending
from policies.subjects.pods import Container, PodTemplate


def _without_escalation(container: Container) -> Patch:
    if not _may_escalate(container):
        return None
    return {"securityContext": {"allowPrivilegeEscalation": False}}


def _may_escalate(container: Container) -> bool:
    allowed = container.security.get("allowPrivilegeEscalation")
    open_by_default = not container.partial
    return allowed.boolean(open_by_default) and not container.pod.is_windows


@SECURITY.rule(
    "privilege-escalation",
    number=60,
    title="No process of a container gains privileges",
    severity="medium",
    fix="Set securityContext.allowPrivilegeEscalation: false.",
    frameworks=("PSS-R:allowPrivilegeEscalation", "NSA:1.7", "CISE:4.2.5"),
    tags=("checkov:CKV_K8S_20", "trivy:KSV-0001", "gatekeeper:allow-privilege-escalation"),
    mend=mending(Container, _without_escalation),
)
def privilege_escalation(container: Container) -> Iterator[Finding]:
    """Unless it is false, a setuid program makes root of a container's user; absent is true."""
    if _may_escalate(container):
        allowed = container.security.get("allowPrivilegeEscalation")
        state = "allows it" if allowed.present else "doesn't set allowPrivilegeEscalation"
        yield Finding(f"container '{container.name}' {state}", allowed.path)


def _without_root(container: Container) -> Patch:
    return {"securityContext": {"runAsNonRoot": True}} if _may_be_root(container) else None


def _may_be_root(container: Container) -> bool:
    own = container.security.get("runAsNonRoot")
    says = own if own.present else container.pod.get("securityContext", "runAsNonRoot")
    return not says.boolean(container.partial) and not container.pod.has_own_users


@SECURITY.rule(
    "run-as-non-root",
    number=61,
    title="Containers don't run as root",
    severity="medium",
    fix="Set securityContext.runAsNonRoot: true on the pod, and give the image a user with a number.",
    frameworks=("PSS-R:runAsNonRoot", "NSA:1.0", "CISE:4.2.6"),
    tags=("checkov:CKV_K8S_23", "trivy:KSV-0012", "gatekeeper:users"),
    mend=mending(Container, _without_root),
    mend_risk="A container whose image runs as root, or as a user by name, no longer starts.",
)
def run_as_non_root(container: Container) -> Iterator[Finding]:
    """runAsNonRoot makes the kubelet refuse an image that would run as root; the container's own setting wins.

    A number in runAsUser alone is not enough: the standard asks for runAsNonRoot.
    """
    own = container.security.get("runAsNonRoot")
    if _may_be_root(container):
        where = own if own.present else container.pod.get("securityContext", "runAsNonRoot")
        state = "may run as root" if where.present else "sets runAsNonRoot neither itself nor through its pod"
        yield Finding(f"container '{container.name}' {state}", where.path)


@SECURITY.rule(
    "pod-allows-root",
    number=61,
    title="No pod allows root for its containers",
    severity="medium",
    fix="Set runAsNonRoot: true in the pod's securityContext.",
    frameworks=("PSS-R:runAsNonRoot",),
    tags=("trivy:KSV-0012",),
)
def pod_allows_root(pod: PodTemplate) -> Iterator[Finding]:
    """A pod that says runAsNonRoot: false breaks the standard even where each of its containers says true.

    What a pod says holds for the ephemeral containers that somebody adds later.
    """
    says = pod.get("securityContext", "runAsNonRoot")
    if not says.boolean(True) and not pod.has_own_users:
        yield Finding("the pod sets runAsNonRoot to false", says.path)


@SECURITY.rule(
    "root-user",
    number=61,
    title="No container is given the user root",
    severity="medium",
    fix="Give runAsUser a number other than 0, best above 10,000.",
    frameworks=("PSS-R:runAsUser", "CISE:4.2.6"),
    tags=("trivy:KSV-0105", "gatekeeper:users"),
)
def root_user(pod: PodTemplate) -> Iterator[Finding]:
    """runAsUser: 0 is root, on the pod or on a container. A pod with a user namespace may be root inside."""
    for who, user in _users(pod):
        if user.number() == 0 and not pod.has_own_users:
            yield Finding(f"{who} runs as user 0, which is root", user.path)


def _users(pod: PodTemplate) -> Iterator[tuple[str, Value]]:
    yield "the pod", pod.get("securityContext", "runAsUser")
    for container in pod.containers:
        yield f"container '{container.name}'", container.security.get("runAsUser")


@SECURITY.rule(
    "high-user-id",
    number=61,
    title="Containers run as a user that the node doesn't have",
    severity="low",
    fix="Set securityContext.runAsUser to 10000 or more.",
    frameworks=("NSA:1.0",),
    tags=("checkov:CKV_K8S_40", "trivy:KSV-0020"),
    level="advisory",  # the image decides which users it has
    parameters={
        "minimum": {
            "type": "integer",
            "minimum": 1,
            "default": 10000,
            "description": "The smallest number that users of the node don't have.",
        }
    },
)
def high_user_id(container: Container, parameters: Mapping[str, Any]) -> Iterator[Finding]:
    """Who breaks out of a container has its user's number on the node: there, small numbers belong to somebody."""
    user = container.effective("runAsUser")
    lowest: int = parameters["minimum"]
    if user.missing and container.partial:
        return
    if user.number(-1) < lowest and not container.pod.has_own_users and not container.pod.is_windows:
        state = f"runs as user {user.shown()}, below {lowest}" if user.present else "says no runAsUser"
        yield Finding(f"container '{container.name}' {state}", user.path)


def _with_fixed_files(container: Container) -> Patch:
    return {"securityContext": {"readOnlyRootFilesystem": True}} if _may_write_root(container) else None


def _may_write_root(container: Container) -> bool:
    read_only = container.security.get("readOnlyRootFilesystem")
    return not read_only.boolean(container.partial) and not container.pod.is_windows


@SECURITY.rule(
    "read-only-root",
    number=64,
    title="Containers can't write to their image's files",
    severity="high",
    fix="Set securityContext.readOnlyRootFilesystem: true, and mount an emptyDir where the program writes.",
    frameworks=("NSA:1.1",),
    tags=("checkov:CKV_K8S_22", "trivy:KSV-0014", "gatekeeper:read-only-root-filesystem"),
    mend=mending(Container, _with_fixed_files),
    mend_risk="A program that writes outside its volumes, to /tmp for example, fails.",
)
def read_only_root(container: Container) -> Iterator[Finding]:
    """What can't be written can't be replaced: an intruder leaves nothing behind in the container; absent is false."""
    if _may_write_root(container):
        read_only = container.security.get("readOnlyRootFilesystem")
        state = "sets readOnlyRootFilesystem to false" if read_only.present else "doesn't set readOnlyRootFilesystem"
        yield Finding(f"container '{container.name}' {state}", read_only.path)
