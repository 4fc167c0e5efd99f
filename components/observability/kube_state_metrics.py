"""kube-state-metrics: what the cluster's objects say of themselves (pods, nodes, jobs, quotas, claims), as metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_kubernetes.apps.v1 import Deployment
from pulumi_kubernetes.core.v1 import ContainerArgsDict, PodSpecArgsDict, Service, ServiceAccount, VolumeMountArgsDict
from pulumi_kubernetes.networking.v1 import NetworkPolicySpecArgsDict as PolicySpec
from pulumi_kubernetes.rbac.v1 import ClusterRole, ClusterRoleBinding, PolicyRuleArgsDict

from components.kubernetes import KubernetesComponent, hardened
from components.network_policies import allow_api_server, allow_from_pods
from components.nodepools import POOL_LABEL
from components.observability.images import KUBE_STATE_METRICS
from components.observability.workloads import api_token, http_probe, resources, service_of, unprivileged
from components.pod_facts import APP_LABEL
from components.scheduling_teams import TEAM_LABEL

PORT: Final = 8080
APP: Final = "kube-state-metrics"
PODS: Final = {APP_LABEL: APP}
_OWN_PORT: Final = 8081  # metrics of itself, and whether it is ready
# What is exported, and so what it may read: one table for both. No secrets and no ConfigMaps, which its defaults read.
EXPORTED: Final[Mapping[str, Sequence[str]]] = {
    "": ("namespaces", "nodes", "persistentvolumeclaims", "persistentvolumes", "pods", "resourcequotas"),
    "apps": ("daemonsets", "deployments", "statefulsets"),
    "autoscaling": ("horizontalpodautoscalers",),
    "batch": ("cronjobs", "jobs"),
}
# Labels of objects that become labels of kube_node_labels and kube_namespace_labels: whose it is, and in which pool.
_LABELS: Final = {"nodes": (POOL_LABEL,), "namespaces": (TEAM_LABEL,)}


@dataclass(frozen=True)
class KubeStateMetricsArgs:
    """``namespace`` is that of monitoring."""

    labels: Mapping[str, str]
    namespace: str


def policies(network: Sequence[str], scraper: Mapping[str, str]) -> dict[str, PolicySpec]:
    """Whom it reaches, and that the pods ``scraper`` reach it; ``network``: the API server's addresses (CIDR)."""
    return {
        "kube-state-metrics-to-api-server": allow_api_server(network, PODS),
        "scrape-kube-state-metrics": allow_from_pods(scraper, [PORT, _OWN_PORT], PODS),
    }


class KubeStateMetrics(KubernetesComponent, area="observability"):
    """One exporter for the whole cluster. Two would count everything twice."""

    def __init__(self, name: str, args: KubeStateMetricsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, args.labels, opts)
        self._args = args
        needs = [self._account(), *self._may_read(), self._service()]
        Deployment(
            name,
            metadata={"name": APP, "namespace": args.namespace},
            spec={
                "replicas": 1,
                "selector": {"match_labels": PODS},
                # The old one goes first, for the same reason that there is one.
                "strategy": {"type": "Recreate"},
                "template": {"metadata": {"labels": PODS}, "spec": self._pod()},
            },
            opts=self.options(depends_on=needs),
        )
        self.register_outputs({})

    def _account(self) -> ServiceAccount:
        return ServiceAccount(
            self.component_name,
            metadata={"name": APP, "namespace": self._args.namespace},
            automount_service_account_token=False,
            opts=self.options(),
        )

    def _may_read(self) -> list[pulumi.Resource]:
        name = f"{self._args.namespace}-{APP}"
        role = ClusterRole(self.child("reader"), metadata={"name": name}, rules=_rules(), opts=self.options())
        binding = ClusterRoleBinding(
            self.child("reader"),
            metadata={"name": name},
            role_ref={"api_group": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
            subjects=[{"kind": "ServiceAccount", "name": APP, "namespace": self._args.namespace}],
            opts=self.options(depends_on=[role]),
        )
        return [role, binding]

    def _service(self) -> Service:
        return Service(
            self.component_name,
            metadata={"name": APP, "namespace": self._args.namespace, "labels": PODS},
            spec=service_of(PODS, "metrics", PORT),
            opts=self.options(),
        )

    def _pod(self) -> PodSpecArgsDict:
        token, mount = api_token()
        return {
            **unprivileged(),
            "service_account_name": APP,
            "automount_service_account_token": False,
            "volumes": [token],
            "containers": [self._container(mount)],
        }

    def _container(self, token: VolumeMountArgsDict) -> ContainerArgsDict:
        return {
            "name": APP,
            "image": KUBE_STATE_METRICS,
            "args": _flags(),
            "ports": [
                {"name": "metrics", "container_port": PORT, "protocol": "TCP"},
                {"name": "self", "container_port": _OWN_PORT, "protocol": "TCP"},
            ],
            "security_context": hardened(),
            "volume_mounts": [token],
            # Source: kube-state-metrics 2.20, README, "Resource recommendation", 2026-08. Too little CPU costs memory.
            "resources": resources("100m", "256Mi", "500m", "512Mi"),
            # Not /livez, which asks the API server: when that is away, a restart helps nobody.
            "liveness_probe": http_probe("/healthz", "metrics"),
            "readiness_probe": http_probe("/readyz", "self"),
        }


def _flags() -> list[str]:
    exported = [resource for group in EXPORTED.values() for resource in group]
    labels = [f"{resource}=[{','.join(keys)}]" for resource, keys in _LABELS.items()]
    return [
        f"--port={PORT}",
        f"--telemetry-port={_OWN_PORT}",
        f"--resources={','.join(sorted(exported))}",
        f"--metric-labels-allowlist={','.join(labels)}",
    ]


def _rules() -> list[PolicyRuleArgsDict]:
    return [
        {"api_groups": [group], "resources": list(names), "verbs": ["list", "watch"]}
        for group, names in EXPORTED.items()
    ]
