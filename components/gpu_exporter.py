"""NVIDIA's DCGM exporter: what each GPU does, by pod, as metrics for Prometheus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_kubernetes.apps.v1 import DaemonSet
from pulumi_kubernetes.core.v1 import (
    ConfigMap,
    ContainerArgsDict,
    EnvVarArgsDict,
    PodSpecArgsDict,
    Service,
    ServiceAccount,
    VolumeArgsDict,
    VolumeMountArgsDict,
)
from pulumi_kubernetes.rbac.v1 import ClusterRole, ClusterRoleBinding

from components.gpu_metrics import metrics_file
from components.gpu_pods import (
    amounts,
    daemon_set,
    host_folder,
    node_name,
    on_gpu_nodes,
    paused_for_mig,
    scratch,
)
from components.kubernetes import KubernetesComponent, hardened
from components.observability.images import DCGM_EXPORTER
from components.pod_facts import APP_LABEL

METRICS_PORT: Final = 9400
_APP = "dcgm-exporter"
EXPORTER_PODS: Final = {APP_LABEL: _APP}
_METRICS_FOLDER = "/etc/dcgm-exporter"


@dataclass(frozen=True)
class GpuExporterArgs:
    """``profiling`` adds metrics of the GPU's units, ``pod_labels`` the labels of the pods that use a GPU.

    ``partitions``: GPUs are partitioned somewhere (MIG), and the exporter lets go of them for that.
    """

    labels: Mapping[str, str]
    namespace: str
    profiling: bool
    pod_labels: bool
    partitions: bool


class GpuExporter(KubernetesComponent, area="gpu"):
    """The exporter on every node with a GPU, its list of metrics, and a service by which it is found."""

    def __init__(self, name: str, args: GpuExporterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, args.labels, opts)
        self._args = args
        needs = [self._account(), *(self._may_read_pods() if args.pod_labels else [])]
        DaemonSet(
            name,
            metadata={"name": _APP, "namespace": args.namespace},
            spec=daemon_set(_APP, self._pod(self._metrics())),
            opts=self.options(depends_on=needs),
        )
        self._service()
        self.register_outputs({})

    def _account(self) -> ServiceAccount:
        return ServiceAccount(
            self.component_name,
            metadata={"name": _APP, "namespace": self._args.namespace},
            automount_service_account_token=False,
            opts=self.options(),
        )

    def _metrics(self) -> ConfigMap:
        # Pulumi names it, and another content gets another name: pods that read the old one are replaced.
        return ConfigMap(
            self.child("metrics"),
            metadata={"namespace": self._args.namespace},
            data={"metrics.csv": metrics_file(profiling=self._args.profiling)},
            immutable=True,
            opts=self.options(),
        )

    def _may_read_pods(self) -> list[pulumi.Resource]:
        # Which pod has which GPU, the kubelet says; only the pods' labels take the API server.
        role = ClusterRole(
            self.child("pods"),
            metadata={"name": _APP},
            rules=[{"api_groups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}],
            opts=self.options(),
        )
        binding = ClusterRoleBinding(
            self.child("pods"),
            metadata={"name": _APP},
            role_ref={"api_group": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": _APP},
            subjects=[{"kind": "ServiceAccount", "name": _APP, "namespace": self._args.namespace}],
            opts=self.options(depends_on=[role]),
        )
        return [role, binding]

    def _service(self) -> None:
        Service(
            self.component_name,
            metadata={"name": _APP, "namespace": self._args.namespace, "labels": EXPORTER_PODS},
            spec={
                "type": "ClusterIP",
                # Every pod is a target of its own: Prometheus wants their addresses, not one for all.
                "cluster_ip": "None",
                "selector": EXPORTER_PODS,
                "ports": [{"name": "metrics", "port": METRICS_PORT, "target_port": "metrics", "protocol": "TCP"}],
            },
            opts=self.options(),
        )

    def _pod(self, metrics: ConfigMap) -> PodSpecArgsDict:
        resources, resources_mount = host_folder("pod-resources", "/var/lib/kubelet/pod-resources", read_only=True)
        # DCGM keeps its socket, its lock and its log in these; the rest of its file system is read-only.
        written = [scratch("run", "/run"), scratch("tmp", "/tmp"), scratch("log", "/var/log")]  # noqa: S108
        volumes: list[VolumeArgsDict] = [
            resources,
            {"name": "metrics", "config_map": {"name": metrics.metadata.name}},
            *(volume for volume, _ in written),
        ]
        mounts: list[VolumeMountArgsDict] = [
            resources_mount,
            {"name": "metrics", "mount_path": _METRICS_FOLDER, "read_only": True},
            *(mount for _, mount in written),
        ]
        return {
            **on_gpu_nodes([paused_for_mig("dcgm-exporter")] if self._args.partitions else []),
            "service_account_name": _APP,
            "automount_service_account_token": self._args.pod_labels,
            "volumes": volumes,
            "containers": [self._container(mounts)],
        }

    def _container(self, mounts: Sequence[VolumeMountArgsDict]) -> ContainerArgsDict:
        env: list[EnvVarArgsDict] = [
            node_name(),
            {"name": "DCGM_EXPORTER_LISTEN", "value": f":{METRICS_PORT}"},
            {"name": "DCGM_EXPORTER_KUBERNETES", "value": "true"},
        ]
        if self._args.pod_labels:
            env.append({"name": "DCGM_EXPORTER_KUBERNETES_ENABLE_POD_LABELS", "value": "true"})
        # Root, because the kubelet's socket belongs to root. Profiling reads counters that the driver keeps for
        # administrators. Source: the exporter's chart 4.8.1, securityContext.
        capabilities = {"drop": ["ALL"], "add": ["SYS_ADMIN"]} if self._args.profiling else {"drop": ["ALL"]}
        return {
            "name": "exporter",
            "image": DCGM_EXPORTER,
            "args": ["-f", f"{_METRICS_FOLDER}/metrics.csv"],
            "env": env,
            "ports": [{"name": "metrics", "container_port": METRICS_PORT, "protocol": "TCP"}],
            "security_context": hardened(run_as_non_root=False, run_as_user=0, capabilities=capabilities),
            "volume_mounts": list(mounts),
            "resources": amounts("100m", "256Mi", "512Mi"),
            # DCGM takes up to a minute to find the GPUs of a large node.
            "startup_probe": {
                "http_get": {"path": "/health", "port": "metrics"},
                "failure_threshold": 30,
                "period_seconds": 5,
            },
            "liveness_probe": {"http_get": {"path": "/health", "port": "metrics"}, "period_seconds": 15},
            "readiness_probe": {"http_get": {"path": "/health", "port": "metrics"}, "period_seconds": 15},
        }
