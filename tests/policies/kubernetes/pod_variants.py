"""Pods that differ from one that every standard allows: in one field each, or in several at once."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator, Mapping
from typing import Any, Final

Pod = dict[str, Any]
Change = tuple[str, Mapping[str, Any]]

# What a container's security context can say, good and bad; None takes the field away.
CONTEXTS: Final[tuple[Mapping[str, Any], ...]] = (
    {"privileged": True, "allowPrivilegeEscalation": True},
    {"privileged": False},
    {"allowPrivilegeEscalation": True},
    {"allowPrivilegeEscalation": None},
    {"runAsNonRoot": False},
    {"runAsNonRoot": None},
    {"runAsUser": 0},
    {"runAsUser": 1},
    {"capabilities": None},
    {"capabilities": {"drop": ["all"]}},
    {"capabilities": {"drop": ["NET_RAW", "ALL"]}},
    {"capabilities": {"drop": ["NET_RAW"]}},
    {"capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}},
    *(
        {"capabilities": {"drop": ["ALL"], "add": [name]}}
        for name in (
            *("ALL", "AUDIT_WRITE", "CAP_CHOWN", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD"),
            *("NET_ADMIN", "NET_RAW", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_ADMIN", "SYS_CHROOT", "SYS_TIME"),
        )
    ),
    {"seccompProfile": None},
    {"seccompProfile": {"type": "RuntimeDefault"}},
    {"seccompProfile": {"type": "Unconfined"}},
    {"seccompProfile": {"type": "Localhost", "localhostProfile": "a.json"}},
    {"appArmorProfile": {"type": "RuntimeDefault"}},
    {"appArmorProfile": {"type": "Unconfined"}},
    {"appArmorProfile": {"type": "Localhost", "localhostProfile": "a"}},
    *(
        {"seLinuxOptions": {"type": name}}
        for name in ("", "container_t", "container_init_t", "container_kvm_t", "container_engine_t", "spc_t", "a")
    ),
    {"seLinuxOptions": {"user": "system_u"}},
    {"seLinuxOptions": {"role": "system_r"}},
    {"seLinuxOptions": {"level": "s0:c123,c456"}},
    {"procMount": "Default"},
    {"procMount": "Unmasked"},
    {"windowsOptions": {"hostProcess": True}},
    {"windowsOptions": {"hostProcess": False}},
    {"windowsOptions": {"runAsUserName": "NT AUTHORITY"}},
    {"readOnlyRootFilesystem": False},
)
# Those of them that a pod's own security context can say, too.
_OF_PODS: Final = frozenset(
    ("appArmorProfile", "runAsNonRoot", "runAsUser", "seLinuxOptions", "seccompProfile", "windowsOptions")
)


def _of_pods(context: Mapping[str, Any]) -> bool:
    return set(context) <= _OF_PODS


CONTAINERS: Final[tuple[Mapping[str, Any], ...]] = (
    {"securityContext": None},
    {"ports": [{"containerPort": 80}]},
    {"ports": [{"containerPort": 80, "hostPort": 0}]},
    {"ports": [{"containerPort": 80}, {"containerPort": 81, "hostPort": 81}]},
    *(
        {probe: {handler: {"port": 80, "host": host}}}
        for probe in ("livenessProbe", "readinessProbe", "startupProbe")
        for handler in ("httpGet", "tcpSocket")
        for host in ("", "127.0.0.1")
    ),
    *(
        {"lifecycle": {hook: {handler: {"port": 80, "host": "10.0.0.1"}}}}
        for hook in ("postStart", "preStop")
        for handler in ("httpGet", "tcpSocket")
    ),
    {"lifecycle": {"preStop": {"httpGet": {"port": 80}}}},
)
_SAFE_SYSCTLS: Final = (
    *("kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_local_reserved_ports"),
    *("net.ipv4.ip_unprivileged_port_start", "net.ipv4.ping_group_range", "net.ipv4.tcp_fin_timeout"),
    *("net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_keepalive_time"),
    *("net.ipv4.tcp_notsent_lowat", "net.ipv4.tcp_rmem", "net.ipv4.tcp_slow_start_after_idle"),
    *("net.ipv4.tcp_syncookies", "net.ipv4.tcp_wmem"),
)
_VOLUMES: Final[tuple[Mapping[str, Any], ...]] = (
    {},
    {"awsElasticBlockStore": {"volumeID": "a"}},
    {"azureDisk": {"diskName": "a", "diskURI": "https://a.blob.core.windows.net/b/c.vhd", "kind": "Dedicated"}},
    {"azureFile": {"secretName": "a", "shareName": "b"}},
    {"cephfs": {"monitors": ["a"]}},
    {"cinder": {"volumeID": "a"}},
    {"configMap": {"name": "a"}},
    {"csi": {"driver": "a"}},
    {"downwardAPI": {}},
    {"emptyDir": {}},
    {"ephemeral": {"volumeClaimTemplate": {"spec": {
        "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}},
    }}}},
    {"fc": {"wwids": ["a"]}},
    {"flexVolume": {"driver": "a/b"}},
    {"flocker": {"datasetName": "a"}},
    {"gcePersistentDisk": {"pdName": "a"}},
    {"gitRepo": {"repository": "a"}},
    {"glusterfs": {"endpoints": "a", "path": "b"}},
    {"hostPath": {"path": "/"}},
    {"image": {"reference": "a"}},
    {"iscsi": {"targetPortal": "1.2.3.4", "iqn": "iqn.2001-04.com.example:a", "lun": 0}},
    {"nfs": {"server": "a", "path": "/b"}},
    {"persistentVolumeClaim": {"claimName": "a"}},
    {"photonPersistentDisk": {"pdID": "a"}},
    {"portworxVolume": {"volumeID": "a"}},
    {"projected": {"sources": [{"configMap": {"name": "a"}}]}},
    {"quobyte": {"registry": "a:1", "volume": "b"}},
    {"rbd": {"monitors": ["a"], "image": "b"}},
    {"scaleIO": {"gateway": "a", "system": "b", "secretRef": {"name": "c"}, "volumeName": "d"}},
    {"secret": {"secretName": "a"}},
    {"storageos": {"volumeName": "a"}},
    {"vsphereVolume": {"volumePath": "a"}},
)  # fmt: skip
_HOST_PROCESS: Final = {"runAsNonRoot": True, "windowsOptions": {"hostProcess": True, "runAsUserName": "a"}}
PODS: Final[tuple[Mapping[str, Any], ...]] = (
    *({field: value} for field in ("hostPID", "hostIPC", "hostNetwork") for value in (True, False)),
    {"hostUsers": False},
    {"hostUsers": True},
    {"os": {"name": "linux"}},
    {"os": {"name": "windows"}, "securityContext": {"runAsNonRoot": True}, "bare": True},
    {"os": {"name": "windows"}, "securityContext": {}, "bare": True},
    {"os": {"name": "windows"}, "hostNetwork": True, "bare": True, "securityContext": _HOST_PROCESS},
    {"securityContext": None},
    *({"volumes": [{"name": "data", **volume}]} for volume in _VOLUMES),
    *({"securityContext": {"sysctls": [{"name": name, "value": "1"}]}} for name in (*_SAFE_SYSCTLS, "kernel.msgmax")),
    *({"securityContext": context} for context in CONTEXTS if _of_pods(context)),
    {"securityContext": {"supplementalGroups": [0], "fsGroup": 0, "runAsGroup": 0}},
)  # fmt: skip
_APPARMOR: Final = "container.apparmor.security.beta.kubernetes.io/main"
ANNOTATIONS: Final[tuple[Mapping[str, str], ...]] = tuple(
    {_APPARMOR: value} for value in ("runtime/default", "localhost/a", "unconfined")
)


def allowed() -> Pod:
    """A pod that the restricted standard allows, with a container of each kind that a new pod may have."""
    context = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }

    def container(name: str, **more: Any) -> Pod:
        return {"name": name, "image": "a", "securityContext": copy.deepcopy(context), **more}

    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "app"},
        "spec": {
            "initContainers": [container("first"), container("beside", restartPolicy="Always")],
            "containers": [container("main")],
        },
    }


def variants(seed: int, combined: int) -> Iterator[Pod]:
    """One for each change of each place, then ``combined`` pods with two to four changes at once."""
    changes = [*_changes()]
    yield allowed()
    for change in changes:
        yield _with(allowed(), change)
    draw = random.Random(seed)
    for _ in range(combined):
        pod = allowed()
        for change in draw.sample(changes, draw.randint(2, 4)):
            pod = _with(pod, change)
        yield pod


def _changes() -> Iterator[Change]:
    yield from (("pod", change) for change in PODS)
    yield from (("annotations", change) for change in ANNOTATIONS)
    for place in ("initContainers.0", "initContainers.1", "containers.0"):
        yield from ((place, {"securityContext": context}) for context in CONTEXTS)
    yield from ((place, change) for place in ("initContainers.1", "containers.0") for change in CONTAINERS)
    # With users of its own a pod may do more.
    yield from (("containers.0", {"securityContext": context, "own users": True}) for context in CONTEXTS)
    yield from (("pod", {"securityContext": context, "hostUsers": False}) for context in CONTEXTS if _of_pods(context))
    # A pod's word holds where its containers say nothing.
    yield from (("defaults", context) for context in CONTEXTS if _of_pods(context))


def _with(pod: Pod, change: Change) -> Pod:
    place, fields = change
    spec = pod["spec"]
    if place == "pod":
        fields = dict(fields)
        if fields.pop("bare", False):  # Linux's fields are refused on Windows
            for container in (*spec["initContainers"], *spec["containers"]):
                container.pop("securityContext", None)
        _lay_over(spec, fields)
    elif place == "annotations":
        pod["metadata"]["annotations"] = dict(fields)
    elif place == "defaults":
        _lay_over(spec, {"securityContext": fields})
        for container in (*spec["initContainers"], *spec["containers"]):
            for field in fields:
                (container.get("securityContext") or {}).pop(field, None)
    else:
        kind, _, index = place.partition(".")
        fields = dict(fields)
        if fields.pop("own users", False):
            spec["hostUsers"] = False
        _lay_over(spec[kind][int(index)], fields)
    return pod


def _lay_over(target: Pod, change: Mapping[str, Any]) -> None:
    for key, value in change.items():
        if value is None:
            target.pop(key, None)
        elif isinstance(value, Mapping) and key == "securityContext":
            _lay_over(target.setdefault(key, {}), value)
        else:
            target[key] = copy.deepcopy(value)
