"""Prometheus: collects metrics, evaluates rules, and keeps both on a volume."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
import yaml
from pulumi_kubernetes.apps.v1 import StatefulSet
from pulumi_kubernetes.core.v1 import (
    ConfigMap,
    ContainerArgsDict,
    PodSpecArgsDict,
    Service,
    ServiceAccount,
    VolumeMountArgsDict,
)
from pulumi_kubernetes.networking.v1 import NetworkPolicySpecArgsDict as PolicySpec
from pulumi_kubernetes.rbac.v1 import ClusterRole, ClusterRoleBinding, PolicyRuleArgsDict

from components.kubernetes import KubernetesComponent, hardened
from components.network_policies import allow_api_server
from components.observability.images import PROMETHEUS
from components.observability.prometheus_config import RULES_FOLDER, prometheus_config
from components.observability.workloads import (
    APP_LABEL,
    api_token,
    claim,
    http_probe,
    resources,
    retention,
    unprivileged,
)

PORT: Final = 9090
APP: Final = "prometheus"
PODS: Final = {APP_LABEL: APP}
_DATA, _CONFIG = "/prometheus", "/etc/prometheus/config"


@dataclass(frozen=True)
class PrometheusChoices:
    """What an environment decides: how long samples are kept, on how much, and what the server may take.

    ``storage_class`` None: the cluster's default one.
    """

    retention_days: int = 15
    volume_gib: int = 50
    storage_class: str | None = None
    cpu: str = "500m"
    memory: str = "2Gi"
    memory_limit: str = "4Gi"


@dataclass(frozen=True)
class PrometheusArgs:
    """``rules``: files of rules by name; ``external_labels`` say of which environment series and alerts are.

    ``keep_volume``: samples stay when the server is deleted or made anew.
    """

    labels: Mapping[str, str]
    namespace: str
    external_labels: Mapping[str, str]
    rules: Mapping[str, str]
    choices: PrometheusChoices
    keep_volume: bool


def policies(network: Sequence[str]) -> dict[str, PolicySpec]:
    """Whom it reaches; ``network`` are the ranges (CIDR) of the API server's addresses."""
    return {"prometheus-to-api-server": allow_api_server(network, PODS)}


class Prometheus(KubernetesComponent, area="observability"):
    """One server with its volume. Rules and configuration are read again when they change, without a restart."""

    def __init__(self, name: str, args: PrometheusArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, args.labels, opts)
        self._args = args
        needs = [self._account(), *self._may_discover(), *self._files(), self._service()]
        StatefulSet(
            name,
            metadata={"name": APP, "namespace": args.namespace},
            spec={
                "replicas": 1,
                "service_name": APP,
                "selector": {"match_labels": PODS},
                "template": {"metadata": {"labels": PODS}, "spec": self._pod()},
                "volume_claim_templates": [claim("data", args.choices.volume_gib, args.choices.storage_class)],
                "persistent_volume_claim_retention_policy": retention(keep=args.keep_volume),
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

    def _may_discover(self) -> list[pulumi.Resource]:
        name = f"{self._args.namespace}-{APP}"
        role = ClusterRole(
            self.child("discovery"), metadata={"name": name}, rules=_discovery_rules(), opts=self.options()
        )
        binding = ClusterRoleBinding(
            self.child("discovery"),
            metadata={"name": name},
            role_ref={"api_group": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
            subjects=[{"kind": "ServiceAccount", "name": APP, "namespace": self._args.namespace}],
            opts=self.options(depends_on=[role]),
        )
        return [role, binding]

    def _files(self) -> list[pulumi.Resource]:
        config = yaml.safe_dump(prometheus_config(self._args.external_labels), sort_keys=False)
        return [self._file("config", {"prometheus.yml": config}), self._file("rules", self._args.rules)]

    def _file(self, part: str, data: Mapping[str, str]) -> ConfigMap:
        # It keeps its name, so that what changes reaches the running server, which reads it again.
        return ConfigMap(
            self.child(part),
            metadata={"name": f"{APP}-{part}", "namespace": self._args.namespace},
            data=data,
            opts=self.options(),
        )

    def _service(self) -> Service:
        return Service(
            self.component_name,
            metadata={"name": APP, "namespace": self._args.namespace, "labels": PODS},
            spec={
                "type": "ClusterIP",
                "selector": PODS,
                "ports": [{"name": "http", "port": PORT, "target_port": "http", "protocol": "TCP"}],
            },
            opts=self.options(),
        )

    def _pod(self) -> PodSpecArgsDict:
        token, token_mount = api_token()
        return {
            **unprivileged(),
            "service_account_name": APP,
            "automount_service_account_token": False,
            # It writes what it holds to the volume before it ends.
            "termination_grace_period_seconds": 300,
            "volumes": [
                token,
                {"name": "config", "config_map": {"name": f"{APP}-config"}},
                {"name": "rules", "config_map": {"name": f"{APP}-rules"}},
            ],
            "containers": [self._container(token_mount)],
        }

    def _container(self, token: VolumeMountArgsDict) -> ContainerArgsDict:
        choices = self._args.choices
        return {
            "name": APP,
            "image": PROMETHEUS,
            "args": _flags(choices),
            "ports": [{"name": "http", "container_port": PORT, "protocol": "TCP"}],
            "security_context": hardened(),
            "volume_mounts": [
                token,
                {"name": "data", "mount_path": _DATA},
                {"name": "config", "mount_path": _CONFIG, "read_only": True},
                {"name": "rules", "mount_path": RULES_FOLDER, "read_only": True},
            ],
            "resources": resources(choices.cpu, choices.memory, "2", choices.memory_limit),
            # After a crash it reads its log again first, which takes minutes where there are many series.
            "startup_probe": http_probe("/-/ready", "http", period=15, failures=60),
            "liveness_probe": http_probe("/-/healthy", "http", failures=6),
            "readiness_probe": http_probe("/-/ready", "http"),
        }


def _flags(choices: PrometheusChoices) -> list[str]:
    return [
        f"--config.file={_CONFIG}/prometheus.yml",
        f"--storage.tsdb.path={_DATA}",
        f"--storage.tsdb.retention.time={choices.retention_days}d",
        # A volume that is full stops the server. A tenth is for the log, and for blocks while they are made.
        f"--storage.tsdb.retention.size={choices.volume_gib * 9 // 10}GiB",
        "--enable-feature=auto-reload-config",
    ]


def _discovery_rules() -> list[PolicyRuleArgsDict]:
    return [
        {"api_groups": [""], "resources": ["pods", "nodes"], "verbs": ["get", "list", "watch"]},
        {"api_groups": [""], "resources": ["nodes/metrics"], "verbs": ["get"]},
    ]
