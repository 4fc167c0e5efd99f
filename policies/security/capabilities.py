"""Row 62: which of root's capabilities a container keeps or adds, as the Pod Security Standards have it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.kit import Finding, Value
from policies.security.pack import SECURITY
from policies.subjects.mending import Patch, mending
from policies.subjects.pods import Container

# Added to a container's own, these give it nothing that a runtime's defaults don't.
# Source: k8s.io/pod-security-admission v0.37, capabilities_baseline, 2026-07.
_DEFAULT_CAPABILITIES: Final = frozenset(
    {
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    }
)
_LOW_PORTS: Final = "NET_BIND_SERVICE"
_ALL: Final = "ALL"


def _without_capabilities(container: Container) -> Patch:
    if not _keeps_capabilities(container):
        return None
    return {"securityContext": {"capabilities": {"drop": [_ALL]}}}


def _keeps_capabilities(container: Container) -> bool:
    dropped = container.security.get("capabilities", "drop")
    if dropped.missing and container.partial:
        return False
    return _ALL not in _texts(dropped) and not container.pod.is_windows


@SECURITY.rule(
    "drop-capabilities",
    number=62,
    title="Containers drop all capabilities",
    severity="low",
    fix='Set securityContext.capabilities.drop: ["ALL"].',
    frameworks=("PSS-R:capabilities_restricted", "CISE:4.2.8"),
    tags=("checkov:CKV_K8S_37", "checkov:CKV_K8S_28", "trivy:KSV-0003", "gatekeeper:capabilities"),
    mend=mending(Container, _without_capabilities),
    mend_risk="A container that needs one of the runtime's default capabilities, such as CHOWN or SETUID, fails.",
)
def drop_capabilities(container: Container) -> Iterator[Finding]:
    """A runtime gives every container some of root's capabilities, such as sending raw packets; few need any.

    The list must hold ALL, written so; dropping some by name is not enough.
    """
    if _keeps_capabilities(container):
        dropped = container.security.get("capabilities", "drop")
        state = f"drops {dropped.shown()}, which is not ALL" if dropped.present else "drops no capabilities"
        yield Finding(f"container '{container.name}' {state}", dropped.path)


@SECURITY.rule(
    "added-capabilities",
    number=62,
    title="Containers add no capability but NET_BIND_SERVICE",
    severity="low",
    fix="Remove what is in securityContext.capabilities.add, and listen on ports above 1024.",
    frameworks=("PSS-R:capabilities_restricted", "CISE:4.2.8"),
    tags=("trivy:KSV-0106", "gatekeeper:capabilities"),
)
def added_capabilities(container: Container) -> Iterator[Finding]:
    """Of all capabilities the restricted standard lets a container add one: to listen on ports below 1024."""
    added = container.security.get("capabilities", "add")
    other = sorted({name for name in _texts(added) if name != _LOW_PORTS})
    if other and not container.pod.is_windows:
        yield Finding(f"container '{container.name}' adds {', '.join(other)}", added.path)


@SECURITY.rule(
    "dangerous-capabilities",
    number=62,
    title="Containers add no capability beyond the runtime's defaults",
    severity="high",
    fix="Remove it from securityContext.capabilities.add.",
    frameworks=("PSS-B:capabilities_baseline", "CISE:4.2.7"),
    tags=("checkov:CKV_K8S_25", "checkov:CKV_K8S_39", "trivy:KSV-0022", "trivy:KSV-0005"),
)
def dangerous_capabilities(container: Container) -> Iterator[Finding]:
    """SYS_ADMIN, NET_ADMIN, SYS_PTRACE and the like are ways out of the container. ALL is all of them."""
    added = container.security.get("capabilities", "add")
    other = sorted(set(_texts(added)) - _DEFAULT_CAPABILITIES)
    if other:
        yield Finding(f"container '{container.name}' adds {', '.join(other)}", added.path)


def _texts(listed: Value) -> list[str]:
    return [each.text("") for each in listed.items()]
