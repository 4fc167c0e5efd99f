"""Prometheus's node exporter: how each node's processors, memory and disks are.

It has neither the node's network nor its processes, so collectors that would tell of its own network are off: what goes
through a node's interfaces, the kubelet tells (cAdvisor, ``container_network_*`` of the cgroup ``/``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_kubernetes.apps.v1 import DaemonSet
from pulumi_kubernetes.core.v1 import (
    ContainerArgsDict,
    PodSpecArgsDict,
    Service,
    ServiceAccount,
    VolumeArgsDict,
    VolumeMountArgsDict,
)

from components.gpu_pods import PRIORITY, host_folder
from components.kubernetes import KubernetesComponent, hardened
from components.namespace_names import NODE_METRICS_NAMESPACE
from components.namespaces import GuardedNamespace, GuardedNamespaceArgs, PodSecurity
from components.network_policies import allow_from_namespace
from components.observability.images import NODE_EXPORTER
from components.observability.workloads import NOBODY, http_probe, resources
from components.pod_facts import APP_LABEL

PORT: Final = 9100
APP: Final = "node-exporter"
PODS: Final = {APP_LABEL: APP}
# What is collected; all else is off. Source of the names: node_exporter 1.12, README, "Collectors", 2026-08.
COLLECTORS: Final = (
    "cpu", "diskstats", "filefd", "filesystem", "kernel_hung", "loadavg", "meminfo", "os", "pressure", "stat", "time",
    "timex", "uname", "vmstat",
)  # fmt: skip
_HOST: Final = "/host"
# File systems of single pods are not the node's: the kubelet tells how full a volume is.
_NOT_MOUNTS: Final = r"^/(dev|proc|run|sys|var/lib/(containerd|kubelet)/.+)($|/)"


@dataclass(frozen=True)
class NodeExporterArgs:
    """``monitoring_namespace`` is where Prometheus is."""

    labels: Mapping[str, str]
    monitoring_namespace: str


class NodeExporter(KubernetesComponent, area="observability"):
    """The exporter on every node, GPU nodes too, in a namespace of its own: host folders need a privileged one."""

    def __init__(self, name: str, args: NodeExporterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, args.labels, opts)
        place = self._namespace(args)
        below = self.options(depends_on=list(place.guards))
        account = ServiceAccount(
            name,
            metadata={"name": APP, "namespace": place.namespace},
            automount_service_account_token=False,
            opts=below,
        )
        self._service(below)
        DaemonSet(
            name,
            metadata={"name": APP, "namespace": place.namespace},
            spec={
                "selector": {"match_labels": PODS},
                "update_strategy": {"type": "RollingUpdate", "rolling_update": {"max_unavailable": "10%"}},
                "template": {"metadata": {"labels": PODS}, "spec": _pod()},
            },
            opts=self.options(depends_on=[*place.guards, account]),
        )
        self.register_outputs({})

    def _namespace(self, args: NodeExporterArgs) -> GuardedNamespace:
        return GuardedNamespace(
            NODE_METRICS_NAMESPACE,
            GuardedNamespaceArgs(
                NODE_METRICS_NAMESPACE,
                args.labels,
                PodSecurity.PRIVILEGED,
                quota={"persistentvolumeclaims": "0"},
                # Nothing goes out: it answers, and asks nobody.
                allowed={"scrape": allow_from_namespace(args.monitoring_namespace, [PORT], PODS)},
            ),
            self.options(),
        )

    def _service(self, below: pulumi.ResourceOptions) -> None:
        Service(
            self.component_name,
            metadata={"name": APP, "namespace": NODE_METRICS_NAMESPACE, "labels": PODS},
            spec={
                "type": "ClusterIP",
                # Every pod is a target of its own: Prometheus wants their addresses, not one for all.
                "cluster_ip": "None",
                "selector": PODS,
                "ports": [{"name": "metrics", "port": PORT, "target_port": "metrics", "protocol": "TCP"}],
            },
            opts=below,
        )


def _pod() -> PodSpecArgsDict:
    folders = [_folder("proc", "/proc"), _folder("sys", "/sys"), _folder("root", "/")]
    return {
        "node_selector": {"kubernetes.io/os": "linux"},
        # Whatever a node is kept free for, it is watched.
        "tolerations": [{"operator": "Exists"}],
        "priority_class_name": PRIORITY,
        "service_account_name": APP,
        "automount_service_account_token": False,
        "enable_service_links": False,
        "security_context": {
            "run_as_non_root": True,
            "run_as_user": NOBODY,
            "run_as_group": NOBODY,
            "seccomp_profile": {"type": "RuntimeDefault"},
        },
        "volumes": [volume for volume, _ in folders],
        "containers": [_container([mount for _, mount in folders])],
    }


def _folder(name: str, path: str) -> tuple[VolumeArgsDict, VolumeMountArgsDict]:
    volume, mount = host_folder(name, path, f"{_HOST}/{name}", read_only=True)
    # A volume that the node lets go of would stay mounted here otherwise, and could not be detached.
    return volume, {**mount, "mount_propagation": "HostToContainer"} if name == "root" else mount


def _container(mounts: list[VolumeMountArgsDict]) -> ContainerArgsDict:
    return {
        "name": APP,
        "image": NODE_EXPORTER,
        "args": _flags(),
        "ports": [{"name": "metrics", "container_port": PORT, "protocol": "TCP"}],
        "security_context": hardened(),
        "volume_mounts": mounts,
        "resources": resources("50m", "32Mi", "250m", "64Mi"),
        "liveness_probe": http_probe("/", "metrics"),
        "readiness_probe": http_probe("/", "metrics"),
    }


def _flags() -> list[str]:
    return [
        f"--web.listen-address=:{PORT}",
        "--web.disable-exporter-metrics",
        f"--path.procfs={_HOST}/proc",
        f"--path.sysfs={_HOST}/sys",
        f"--path.rootfs={_HOST}/root",
        "--collector.disable-defaults",
        *(f"--collector.{name}" for name in COLLECTORS),
        f"--collector.filesystem.mount-points-exclude={_NOT_MOUNTS}",
    ]
