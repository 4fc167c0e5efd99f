"""Row 63 and its neighbours: what stands between a container and the kernel, such as seccomp, AppArmor and SELinux.

Fields and allowed values are those of the Pod Security Standards.
Source: kubernetes.io/docs/concepts/security/pod-security-standards and k8s.io/pod-security-admission v0.37, 2026-07.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.kit import Finding, Value
from policies.security.pack import SECURITY
from policies.subjects.mending import Patch, mending
from policies.subjects.pods import Container, PodTemplate

_CONFINED: Final = ("RuntimeDefault", "Localhost")
_SELINUX_TYPES: Final = ("container_t", "container_init_t", "container_kvm_t", "container_engine_t")
_APPARMOR_ANNOTATION: Final = "container.apparmor.security.beta.kubernetes.io/"
# Sysctls that belong to the pod alone, with the version of Kubernetes that first called them safe.
_SAFE_SYSCTLS: Final[Mapping[str, int]] = {
    "kernel.shm_rmid_forced": 0,
    "net.ipv4.ip_local_port_range": 0,
    "net.ipv4.tcp_syncookies": 0,
    "net.ipv4.ping_group_range": 0,
    "net.ipv4.ip_unprivileged_port_start": 0,
    "net.ipv4.ip_local_reserved_ports": 27,
    "net.ipv4.tcp_keepalive_time": 29,
    "net.ipv4.tcp_fin_timeout": 29,
    "net.ipv4.tcp_keepalive_intvl": 29,
    "net.ipv4.tcp_keepalive_probes": 29,
    "net.ipv4.tcp_rmem": 32,
    "net.ipv4.tcp_wmem": 32,
    "net.ipv4.tcp_slow_start_after_idle": 37,
    "net.ipv4.tcp_notsent_lowat": 37,
}
_LATEST: Final = "latest"
_VERSION: Final[Mapping[str, Any]] = {
    "type": "string",
    "pattern": r"^(latest|1\.[0-9]+)$",
    "default": _LATEST,
    "description": "The version of the standard, as in the label enforce-version; `latest` is 1.37.",
}


def _with_profile(container: Container) -> Patch:
    profile = _profile_type(container)
    if container.pod.is_windows or profile.text("") in _CONFINED or (profile.missing and container.partial):
        return None
    return {"securityContext": {"seccompProfile": {"type": "RuntimeDefault"}}}


@SECURITY.rule(
    "seccomp-profile",
    number=63,
    title="Containers have a seccomp profile",
    severity="low",
    fix="Set securityContext.seccompProfile.type: RuntimeDefault on the pod.",
    frameworks=("PSS-R:seccompProfile_restricted", "NSA:1.9"),
    tags=("checkov:CKV_K8S_31", "trivy:KSV-0030", "gatekeeper:seccompv2"),
    mend=mending(Container, _with_profile),
)
def seccomp_profile(container: Container) -> Iterator[Finding]:
    """seccomp keeps a container from system calls that it has no use for; without a profile it may call them all.

    RuntimeDefault and Localhost pass; a container without a profile has its pod's. Windows has no seccomp.
    """
    profile = _profile_type(container)
    if profile.missing and container.partial:
        return
    if profile.text("") not in _CONFINED and not container.pod.is_windows:
        state = f"has the seccomp profile {profile.shown()}" if profile.present else "has no seccomp profile"
        yield Finding(f"container '{container.name}' {state}", profile.path)


def _profile_type(container: Container) -> Value:
    return container.effective("seccompProfile").get("type")


@SECURITY.rule(
    "seccomp-unconfined",
    number=63,
    title="No pod switches seccomp off",
    severity="medium",
    fix="Remove the seccompProfile, or set its type to RuntimeDefault.",
    frameworks=("PSS-B:seccompProfile_baseline",),
    tags=("trivy:KSV-0104",),
)
def seccomp_unconfined(pod: PodTemplate) -> Iterator[Finding]:
    """Whatever a pod or a container says of seccomp must be RuntimeDefault or Localhost; saying nothing is allowed."""
    for who, context in _contexts(pod):
        profile = context.get("seccompProfile")
        kind = profile.get("type")
        if profile.present and kind.text("") not in _CONFINED:
            yield Finding(f"{who} sets the seccomp profile to {kind.shown()}", kind.path)


@SECURITY.rule(
    "apparmor-profile",
    number=63,
    title="No pod switches AppArmor off",
    severity="medium",
    fix="Remove the appArmorProfile or annotation, or set it to RuntimeDefault.",
    frameworks=("PSS-B:appArmorProfile", "NSA:1.9"),
    tags=("trivy:KSV-0002", "gatekeeper:apparmor"),
)
def apparmor_profile(pod: PodTemplate) -> Iterator[Finding]:
    """RuntimeDefault, Localhost and saying nothing are allowed, in the fields and in the annotations before 1.30."""
    for who, context in _contexts(pod):
        profile = context.get("appArmorProfile")
        kind = profile.get("type")
        if profile.present and kind.text("") not in _CONFINED:
            yield Finding(f"{who} sets the AppArmor profile to {kind.shown()}", kind.path)
    for key, value in pod.metadata.get("annotations").entries():
        if key.startswith(_APPARMOR_ANNOTATION) and not _is_allowed_annotation(value.text("")):
            yield Finding(f"the annotation sets the AppArmor profile to {value.shown()}", value.path)


def _is_allowed_annotation(profile: str) -> bool:
    return profile in ("", "runtime/default") or profile.startswith("localhost/")


@SECURITY.rule(
    "selinux-options",
    number=63,
    title="Pods keep their SELinux type",
    severity="medium",
    fix="Remove user and role from seLinuxOptions, and any type that is not one of containers.",
    frameworks=("PSS-B:seLinuxOptions",),
    tags=("trivy:KSV-0025", "gatekeeper:selinux"),
    parameters={"version": _VERSION},
)
def selinux_options(pod: PodTemplate, parameters: Mapping[str, Any]) -> Iterator[Finding]:
    """Types other than container_t and its kin, and any user or role, lift what SELinux holds a container to."""
    allowed = _SELINUX_TYPES if _minor(parameters) >= 31 else _SELINUX_TYPES[:3]
    for who, context in _contexts(pod):
        options = context.get("seLinuxOptions")
        if options.get("type").text("") not in ("", *allowed):
            yield Finding(f"{who} sets the SELinux type {options.get('type').shown()}", options.get("type").path)
        for field in ("user", "role"):
            if options.get(field).text(""):
                yield Finding(f"{who} sets the SELinux {field} {options.get(field).shown()}", options.get(field).path)


@SECURITY.rule(
    "proc-mount",
    number=63,
    title="Containers keep the masks over /proc",
    severity="medium",
    fix="Remove securityContext.procMount, or set it to Default.",
    frameworks=("PSS-R:procMount_restricted", "PSS-B:procMount"),
    tags=("trivy:KSV-0027", "gatekeeper:proc-mount"),
    parameters={
        "level": {
            "type": "string",
            "enum": ["baseline", "restricted"],
            "default": "restricted",
            "description": "baseline lets pods with a user namespace have any mount (since Kubernetes 1.35).",
        }
    },
)
def proc_mount(container: Container, parameters: Mapping[str, Any]) -> Iterator[Finding]:
    """Unmasked shows a container the kernel's own files in /proc. The restricted standard allows it to nobody."""
    mount = container.security.get("procMount")
    if mount.text("Default") == "Default":
        return
    if parameters["level"] == "restricted" or not container.pod.has_own_users:
        yield Finding(f"container '{container.name}' has /proc mounted {mount.shown()}", mount.path)


@SECURITY.rule(
    "unsafe-sysctls",
    number=63,
    title="Pods set no sysctl that others feel",
    severity="medium",
    fix="Remove the sysctl, or set it on the node pool.",
    frameworks=("PSS-B:sysctls",),
    tags=("trivy:KSV-0026", "gatekeeper:forbidden-sysctls"),
    parameters={"version": _VERSION},
)
def unsafe_sysctls(pod: PodTemplate, parameters: Mapping[str, Any]) -> Iterator[Finding]:
    """Only those sysctls are safe that a pod has for itself; the list grows with Kubernetes' versions."""
    version = _minor(parameters)
    for sysctl in pod.get("securityContext", "sysctls").items():
        name = sysctl.get("name")
        since = _SAFE_SYSCTLS.get(name.text(""))
        if since is None or since > version:
            yield Finding(f"the pod sets the sysctl {name.shown()}", name.path)


def _minor(parameters: Mapping[str, Any]) -> int:
    version: str = parameters["version"]
    return 1_000 if version == _LATEST else int(version.removeprefix("1."))


def _contexts(pod: PodTemplate) -> Iterator[tuple[str, Value]]:
    """The pod's own security context and those of its containers, by whom they are of."""
    yield "the pod", pod.get("securityContext")
    for container in pod.containers:
        yield f"container '{container.name}'", container.security
