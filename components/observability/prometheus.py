"""Prometheus: collects metrics, evaluates rules, and keeps both on a volume."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pulumi
from pulumi_kubernetes.apps.v1 import StatefulSet
from pulumi_kubernetes.core.v1 import (
    ConfigMap,
    ContainerArgsDict,
    PodSpecArgsDict,
    Service,
    ServiceAccount,
    VolumeProjectionArgsDict,
)
from pulumi_kubernetes.rbac.v1 import ClusterRole, ClusterRoleBinding

from components.kubernetes import KubernetesComponent, hardened
from components.observability.aws_access import AmpPlace
from components.observability.config_text import config_text
from components.observability.images import PROMETHEUS
from components.observability.prometheus_config import RULES_FOLDER, Collected, RemoteWrite, prometheus_config
from components.observability.prometheus_reach import APP, PODS, PORT, rights
from components.observability.workloads import (
    api_token,
    claim,
    http_probe,
    resources,
    retention,
    service_of,
    unprivileged,
)

_DATA, _CONFIG = "/prometheus", "/etc/prometheus/config"


@dataclass(frozen=True)
class PrometheusChoices:
    """What an environment decides: how long samples are kept and on how much, what the server may take and scrapes.

    ``storage_class`` None: the cluster's default one. ``parts`` are those of the platform that are scraped, by the
    names of their jobs (see ``scrape_jobs``).
    """

    retention_days: int
    volume_gib: int
    storage_class: str | None
    cpu_milli: int
    memory_gib: int
    parts: Sequence[str]


@dataclass(frozen=True)
class PrometheusArgs:
    """``rules``: files by name, in parcels of what fits a ConfigMap; ``amp`` None: samples stay on the volume.

    ``keep_volume``: they stay there when the server is deleted or made anew.
    """

    labels: Mapping[str, str]
    collected: Collected
    rules: Sequence[Mapping[str, str]]
    amp: AmpPlace | None
    choices: PrometheusChoices
    keep_volume: bool


class Prometheus(KubernetesComponent, area="observability"):
    """One server with its volume. Rules and configuration are read again when they change, without a restart."""

    def __init__(self, name: str, args: PrometheusArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, args.labels, opts)
        self._args, self._namespace = args, args.collected.watched.namespace
        needs = [self._account(), *self._may_discover(), *self._files(), self._service()]
        StatefulSet(
            name,
            metadata={"name": APP, "namespace": self._namespace},
            spec={
                "replicas": 1,
                "service_name": APP,
                "selector": {"match_labels": PODS},
                "template": {"metadata": {"labels": PODS}, "spec": self._pod()},
                "volume_claim_templates": [claim("data", args.choices.volume_gib, args.choices.storage_class)],
                "persistent_volume_claim_retention_policy": retention(keep=args.keep_volume),
            },
            opts=self.options(depends_on=[*needs, *(args.amp.ready if args.amp else ())]),
        )
        self.register_outputs({})

    def _account(self) -> ServiceAccount:
        return ServiceAccount(
            self.component_name,
            metadata={"name": APP, "namespace": self._namespace},
            automount_service_account_token=False,
            opts=self.options(),
        )

    def _may_discover(self) -> list[pulumi.Resource]:
        name = f"{self._namespace}-{APP}"
        rules = rights(self._args.choices.parts)
        role = ClusterRole(self.child("discovery"), metadata={"name": name}, rules=rules, opts=self.options())
        binding = ClusterRoleBinding(
            self.child("discovery"),
            metadata={"name": name},
            role_ref={"api_group": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
            subjects=[{"kind": "ServiceAccount", "name": APP, "namespace": self._namespace}],
            opts=self.options(depends_on=[role]),
        )
        return [role, binding]

    def _files(self) -> list[pulumi.Resource]:
        rules = zip(self._rule_parts(), self._args.rules, strict=True)
        return [self._file("config", {"prometheus.yml": self._config()}), *(self._file(*each) for each in rules)]

    def _rule_parts(self) -> list[str]:
        return [f"rules-{number}" for number in range(1, len(self._args.rules) + 1)]

    def _config(self) -> pulumi.Input[str]:
        collected, amp = self._args.collected, self._args.amp
        if amp is None:
            return config_text(prometheus_config(collected))
        region = amp.region
        remote = amp.url.apply(lambda url: replace(collected, remote_write=RemoteWrite(url, region)))
        return remote.apply(lambda known: config_text(prometheus_config(known)))

    def _file(self, part: str, data: Mapping[str, pulumi.Input[str]]) -> ConfigMap:
        # It keeps its name, so that what changes reaches the running server, which reads it again.
        return ConfigMap(
            self.child(part),
            metadata={"name": f"{APP}-{part}", "namespace": self._namespace},
            data=data,
            opts=self.options(),
        )

    def _service(self) -> Service:
        return Service(
            self.component_name,
            metadata={"name": APP, "namespace": self._namespace, "labels": PODS},
            spec=service_of(PODS, "http", PORT),
            opts=self.options(),
        )

    def _pod(self) -> PodSpecArgsDict:
        token, token_mount = api_token()
        container = _container(self._args.choices, self._namespace)
        rules: list[VolumeProjectionArgsDict] = [
            {"config_map": {"name": f"{APP}-{part}"}} for part in self._rule_parts()
        ]
        return {
            **unprivileged(),
            "service_account_name": APP,
            "automount_service_account_token": False,
            # It writes what it holds to the volume before it ends.
            "termination_grace_period_seconds": 300,
            "volumes": [
                token,
                {"name": "config", "config_map": {"name": f"{APP}-config"}},
                {"name": "rules", "projected": {"sources": rules}},
            ],
            "containers": [
                {
                    **container,
                    "volume_mounts": [
                        token_mount,
                        {"name": "data", "mount_path": _DATA},
                        {"name": "config", "mount_path": _CONFIG, "read_only": True},
                        {"name": "rules", "mount_path": RULES_FOLDER, "read_only": True},
                    ],
                }
            ],
        }


def _container(choices: PrometheusChoices, namespace: str) -> ContainerArgsDict:
    memory = f"{choices.memory_gib}Gi"
    return {
        "name": APP,
        "image": PROMETHEUS,
        "args": flags(choices, namespace),
        "ports": [{"name": "http", "container_port": PORT, "protocol": "TCP"}],
        "security_context": hardened(),
        # All of its memory is asked for: it is the one that must not be ended when a node is short of it.
        "resources": resources(f"{choices.cpu_milli}m", memory, f"{max(choices.cpu_milli, 2000)}m", memory),
        # After a crash it reads its log again first, which takes minutes where there are many series.
        "startup_probe": http_probe("/-/ready", "http", period=15, failures=60),
        "liveness_probe": http_probe("/-/healthy", "http", failures=6),
        "readiness_probe": http_probe("/-/ready", "http"),
    }


def flags(choices: PrometheusChoices, namespace: str) -> list[str]:
    """The server's arguments. Nothing may be changed over HTTP, so whoever reaches it can only read."""
    return [
        f"--config.file={_CONFIG}/prometheus.yml",
        f"--storage.tsdb.path={_DATA}",
        f"--storage.tsdb.retention.time={choices.retention_days}d",
        # A full volume stops the server: a fifth is for the log, which this doesn't count, and for blocks being made.
        f"--storage.tsdb.retention.size={choices.volume_gib * 4 // 5}GB",
        f"--web.external-url=http://{APP}.{namespace}.svc:{PORT}/",
        "--config.auto-reload",
    ]
