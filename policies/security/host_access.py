"""Rows 57 to 59: pods stay off their node. Fields and allowed values are those of the Pod Security Standard "baseline".

Source: kubernetes.io/docs/concepts/security/pod-security-standards and k8s.io/pod-security-admission v0.37, 2026-07.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import Final

from policies.kit import Finding, Value
from policies.security.pack import SECURITY
from policies.subjects.mending import Mend, Patch, mending
from policies.subjects.pods import Container, PodTemplate

# Sockets by which whoever reaches one is root on the node.
_RUNTIME_SOCKETS: Final = frozenset(
    {
        "/run/containerd/containerd.sock",
        "/run/cri-dockerd.sock",
        "/run/crio/crio.sock",
        "/run/docker.sock",
        "/run/k3s/containerd/containerd.sock",
        "/run/podman/podman.sock",
    }
)
_SAFE_VOLUMES: Final = frozenset(
    {
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "image",
        "persistentVolumeClaim",
        "projected",
        "secret",
    }
)
_OTHERS_BUSINESS: Final = ("name", "hostPath")
_PROBES: Final = ("livenessProbe", "readinessProbe", "startupProbe")
_HOOKS: Final = ("postStart", "preStop")
_HANDLERS: Final = ("httpGet", "tcpSocket")


def _without_privilege(container: Container) -> Patch:
    return {"securityContext": {"privileged": False}} if container.security.get("privileged").boolean() else None


@SECURITY.rule(
    "privileged-container",
    number=57,
    title="No container is privileged",
    severity="high",
    fix="Remove securityContext.privileged, and add the single capability or device that the container needs.",
    frameworks=("PSS-B:privileged", "NSA:1.2", "CISE:4.2.1"),
    tags=("checkov:CKV_K8S_16", "trivy:KSV-0017", "gatekeeper:privileged-containers"),
    mend=mending(Container, _without_privilege),
)
def privileged_container(container: Container) -> Iterator[Finding]:
    """A privileged container has all of the node's devices and capabilities: it is root on the node.

    Judged are containers, init containers and ephemeral containers; absent and false are the same.
    """
    privileged = container.security.get("privileged")
    if privileged.boolean():
        yield Finding(f"container '{container.name}' is privileged", privileged.path)


def _mend_namespace(field: str) -> Mend:
    def patch(pod: PodTemplate) -> Patch:
        return {field: False} if pod.get(field).boolean() else None

    return mending(PodTemplate, patch)


@SECURITY.rule(
    "host-pid",
    number=58,
    title="Pods don't see the node's processes",
    severity="high",
    fix="Remove hostPID.",
    frameworks=("PSS-B:hostNamespaces", "NSA:1.3", "CISE:4.2.2"),
    tags=("checkov:CKV_K8S_17", "trivy:KSV-0010", "gatekeeper:host-namespaces"),
    mend=_mend_namespace("hostPID"),
)
def host_pid(pod: PodTemplate) -> Iterator[Finding]:
    """With hostPID a container can read the environment and memory of every process of the node, and signal them."""
    yield from _shared(pod, "hostPID", "process IDs")


@SECURITY.rule(
    "host-ipc",
    number=58,
    title="Pods don't share the node's memory segments",
    severity="high",
    fix="Remove hostIPC; processes of one pod share memory without it, and NCCL takes an emptyDir of medium Memory.",
    frameworks=("PSS-B:hostNamespaces", "NSA:1.4", "CISE:4.2.3"),
    tags=("checkov:CKV_K8S_18", "trivy:KSV-0008", "gatekeeper:host-namespaces"),
    mend=_mend_namespace("hostIPC"),
)
def host_ipc(pod: PodTemplate) -> Iterator[Finding]:
    """With hostIPC a container can read and write the shared memory of all other pods of its node that have it, too."""
    yield from _shared(pod, "hostIPC", "IPC")


@SECURITY.rule(
    "host-network",
    number=58,
    title="Pods don't use the node's network",
    severity="high",
    fix="Remove hostNetwork; EFA and the instance metadata service need no hostNetwork where pods have roles.",
    frameworks=("PSS-B:hostNamespaces", "NSA:1.5", "CISE:4.2.4"),
    tags=("checkov:CKV_K8S_19", "trivy:KSV-0009", "gatekeeper:host-namespaces"),
    mend=_mend_namespace("hostNetwork"),
)
def host_network(pod: PodTemplate) -> Iterator[Finding]:
    """With hostNetwork network policies don't hold, and the node's loopback and its role's credentials are in reach."""
    yield from _shared(pod, "hostNetwork", "network")


def _shared(pod: PodTemplate, field: str, what: str) -> Iterator[Finding]:
    value = pod.get(field)
    if value.boolean():
        yield Finding(f"the pod shares the {what} namespace of its node", value.path)


@SECURITY.rule(
    "host-path",
    number=59,
    title="Pods mount no folder of the node",
    severity="medium",
    fix="Use a volume claim, an emptyDir, a ConfigMap or a CSI driver in place of the hostPath volume.",
    frameworks=("PSS-B:hostPathVolumes", "PSS-R:restrictedVolumes"),
    tags=("trivy:KSV-0023", "gatekeeper:host-filesystem"),
)
def host_path(pod: PodTemplate) -> Iterator[Finding]:
    """Through a hostPath volume a container reads and changes what belongs to the node and to other pods there."""
    for volume in pod.volumes:
        folder = volume.get("hostPath")
        if folder.present:
            where = folder.get("path").shown() if folder.kind == "an object" else folder.shown()
            yield Finding(f"volume '{_named(volume)}' is the node's {where}", folder.path)


@SECURITY.rule(
    "runtime-socket",
    number=59,
    title="Pods don't reach the node's container runtime",
    severity="high",
    fix="Don't mount the socket; build images with a rootless builder, and ask the API server about pods.",
    frameworks=("PSS-B:hostPathVolumes",),
    tags=("checkov:CKV_K8S_27", "trivy:KSV-0006"),
)
def runtime_socket(pod: PodTemplate) -> Iterator[Finding]:
    """Whoever reaches the socket of Docker, containerd, CRI-O or Podman can start a privileged container there."""
    for volume in pod.volumes:
        path = volume.get("hostPath", "path")
        if _real(path.text("")) in _RUNTIME_SOCKETS:
            yield Finding(
                f"volume '{_named(volume)}' is the socket of the container runtime, {path.shown()}", path.path
            )


def _real(path: str) -> str:
    """The path as the node sees it: /var/run is a link to /run."""
    normal = posixpath.normpath(path) if path else ""
    return normal.removeprefix("/var") if normal.startswith("/var/run/") else normal


@SECURITY.rule(
    "volume-types",
    number=59,
    title="Pods mount volumes of safe kinds only",
    severity="low",
    fix="Use configMap, csi, downwardAPI, emptyDir, ephemeral, image, persistentVolumeClaim, projected or secret.",
    frameworks=("PSS-R:restrictedVolumes",),
    tags=("trivy:KSV-0028", "gatekeeper:volumes"),
)
def volume_types(pod: PodTemplate) -> Iterator[Finding]:
    """Other volumes, such as nfs or iscsi, are mounted by the node with its own rights, past storage classes.

    A volume that names no kind is an emptyDir; folders of the node are the rule host-path's.
    """
    for volume in pod.volumes:
        kinds = [name for name, value in volume.entries() if name not in _OTHERS_BUSINESS and value.present]
        if kinds and not any(kind in _SAFE_VOLUMES for kind in kinds):
            yield Finding(f"volume '{_named(volume)}' is of kind {', '.join(kinds)}", volume.path)


@SECURITY.rule(
    "host-ports",
    number=58,
    title="Containers take no port of the node",
    severity="medium",
    fix="Remove hostPort; publish the port with a Service.",
    frameworks=("PSS-B:hostPorts",),
    tags=("checkov:CKV_K8S_26", "trivy:KSV-0024", "gatekeeper:host-network-ports"),
)
def host_ports(container: Container) -> Iterator[Finding]:
    """A port of the node is reached past network policies, and only one pod of each node can have it; 0 is none."""
    for port in container.get("ports").items():
        number = port.get("hostPort")
        if number.number(0) != 0:
            yield Finding(f"container '{container.name}' takes port {number.shown()} of its node", number.path)


@SECURITY.rule(
    "windows-host-process",
    number=57,
    title="No Windows container is a process of its node",
    severity="high",
    fix="Remove windowsOptions.hostProcess.",
    frameworks=("PSS-B:windowsHostProcess",),
    tags=("trivy:KSV-0103",),
)
def windows_host_process(pod: PodTemplate) -> Iterator[Finding]:
    """A HostProcess container runs on the Windows node itself, with its network and its file system."""
    own = pod.get("securityContext", "windowsOptions", "hostProcess")
    if own.boolean():
        yield Finding("the pod's containers are processes of their node", own.path)
    for container in pod.containers:
        each = container.security.get("windowsOptions", "hostProcess")
        if each.boolean():
            yield Finding(f"container '{container.name}' is a process of its node", each.path)


@SECURITY.rule(
    "probe-hosts",
    number=58,
    title="Probes and hooks ask their own pod",
    severity="medium",
    fix="Remove `host` from httpGet and tcpSocket: without it the pod itself is asked.",
    frameworks=("PSS-B:hostProbesAndHostLifecycle",),
)
def probe_hosts(container: Container) -> Iterator[Finding]:
    """The kubelet asks from the node: a probe with another host reaches what the pod may not. Since Kubernetes 1.34."""
    asked = [container.get(probe) for probe in _PROBES]
    asked += [container.get("lifecycle", hook) for hook in _HOOKS]
    for value in asked:
        for handler in _HANDLERS:
            host = value.get(handler, "host")
            if host.text(""):
                yield Finding(f"container '{container.name}' has another host asked, {host.shown()}", host.path)


def _named(volume: Value) -> str:
    return volume.get("name").shown().strip('"')
