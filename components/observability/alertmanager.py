"""Alertmanager: groups alerts, keeps back what others explain, and tells those who have to act."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

import pulumi
from pulumi_kubernetes.apps.v1 import StatefulSet
from pulumi_kubernetes.core.v1 import (
    ConfigMap,
    ContainerArgsDict,
    PodSpecArgsDict,
    SecretVolumeSourceArgsDict,
    Service,
    ServiceAccount,
    VolumeArgsDict,
    VolumeMountArgsDict,
)
from pulumi_kubernetes.policy.v1 import PodDisruptionBudget

from components.kubernetes import KubernetesComponent, hardened
from components.observability.alertmanager_config import (
    SECRET_FILE,
    SECRETS_FOLDER,
    TEMPLATES_FILE,
    Notified,
    Topic,
    alertmanager_config,
    templates,
)
from components.observability.alertmanager_reach import GOSSIP_PORT, PODS, PORT
from components.observability.aws_access import TopicPlace
from components.observability.config_text import config_text
from components.observability.images import ALERTMANAGER
from components.observability.secrets import SecretPlace, SecretSource
from components.observability.workloads import claim, http_probe, resources, retention, service_of, unprivileged

APP: Final = "alertmanager"
_PEERS: Final = f"{APP}-peers"
_DATA, _CONFIG = "/alertmanager", "/etc/alertmanager/config"
_VOLUME_GIB: Final = 1  # the smallest that EBS has; silences and what was sent are some megabytes


@dataclass(frozen=True)
class AlertmanagerChoices:
    """What an environment decides: how many there are, who hears of what, and where secrets are, by ``secret_name``."""

    replicas: int
    notified: Notified
    secrets: Mapping[str, SecretSource]


@dataclass(frozen=True)
class AlertmanagerArgs:
    """``topic`` None: there is none that may be published to; ``keep_volume``: silences outlive the server."""

    labels: Mapping[str, str]
    namespace: str
    storage_class: str | None
    keep_volume: bool
    topic: TopicPlace | None
    choices: AlertmanagerChoices


def addresses(namespace: str, replicas: int) -> list[str]:
    """Where each of them is (host:port): Prometheus tells all, and they agree on who sends."""
    return [f"{host}:{PORT}" for host in _hosts(namespace, replicas)]


class Alertmanager(KubernetesComponent, area="observability"):
    """Its servers with their volumes. Another configuration makes them anew, one after the other."""

    def __init__(self, name: str, args: AlertmanagerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, args.labels, opts)
        self._args = args
        config = self._config()
        secrets = {each: self._secret(each, source) for each, source in args.choices.secrets.items()}
        needs = [self._account(), *self._services()]
        needs += [made for place in secrets.values() for made in place.made]
        StatefulSet(
            name,
            metadata={"name": APP, "namespace": args.namespace},
            spec={
                "replicas": args.choices.replicas,
                "service_name": _PEERS,
                "pod_management_policy": "Parallel",
                "selector": {"match_labels": PODS},
                "template": {"metadata": {"labels": PODS}, "spec": self._pod(config, secrets)},
                "volume_claim_templates": [claim("data", _VOLUME_GIB, args.storage_class)],
                "persistent_volume_claim_retention_policy": retention(keep=args.keep_volume),
            },
            opts=self.options(depends_on=[*needs, *(args.topic.ready if args.topic else ())]),
        )
        if args.choices.replicas > 1:
            self._budget()
        self.register_outputs({})

    def _config(self) -> ConfigMap:
        # Pulumi names it, and another content gets another name: servers that read the old one are replaced.
        return ConfigMap(
            self.child("config"),
            metadata={"namespace": self._args.namespace},
            data={"alertmanager.yml": self._config_text(), TEMPLATES_FILE: templates()},
            immutable=True,
            opts=self.options(),
        )

    def _config_text(self) -> pulumi.Input[str]:
        notified, place = self._args.choices.notified, self._args.topic
        if place is None:
            return config_text(alertmanager_config(notified, None))
        region = place.region
        return place.arn.apply(lambda arn: config_text(alertmanager_config(notified, Topic(arn, region))))

    def _secret(self, name: str, source: SecretSource) -> SecretPlace:
        return source.place(self.child(name), self._args.namespace, self.options())

    def _account(self) -> ServiceAccount:
        return ServiceAccount(
            self.component_name,
            metadata={"name": APP, "namespace": self._args.namespace},
            automount_service_account_token=False,
            opts=self.options(),
        )

    def _services(self) -> list[pulumi.Resource]:
        return [
            Service(
                self.component_name,
                metadata={"name": APP, "namespace": self._args.namespace, "labels": PODS},
                spec=service_of(PODS, "http", PORT),
                opts=self.options(),
            ),
            Service(
                self.child("peers"),
                metadata={"name": _PEERS, "namespace": self._args.namespace, "labels": PODS},
                spec={
                    "type": "ClusterIP",
                    "cluster_ip": "None",
                    # They have to find each other before they are ready.
                    "publish_not_ready_addresses": True,
                    "selector": PODS,
                    "ports": [
                        {"name": "http", "port": PORT, "target_port": "http", "protocol": "TCP"},
                        {"name": "gossip", "port": GOSSIP_PORT, "target_port": "gossip", "protocol": "TCP"},
                        {"name": "gossip-udp", "port": GOSSIP_PORT, "target_port": "gossip-udp", "protocol": "UDP"},
                    ],
                },
                opts=self.options(),
            ),
        ]

    def _budget(self) -> None:
        PodDisruptionBudget(
            self.component_name,
            metadata={"name": APP, "namespace": self._args.namespace},
            spec={"max_unavailable": 1, "selector": {"match_labels": PODS}},
            opts=self.options(),
        )

    def _pod(self, config: ConfigMap, secrets: Mapping[str, SecretPlace]) -> PodSpecArgsDict:
        volumes: list[VolumeArgsDict] = [
            {"name": "config", "config_map": {"name": config.metadata.name}},
            *(_optional(place.volume(name, SECRET_FILE)) for name, place in secrets.items()),
        ]
        mounts: list[VolumeMountArgsDict] = [
            {"name": "data", "mount_path": _DATA},
            {"name": "config", "mount_path": _CONFIG, "read_only": True},
            *({"name": name, "mount_path": f"{SECRETS_FOLDER}/{name}", "read_only": True} for name in secrets),
        ]
        return {
            **unprivileged(),
            "service_account_name": APP,
            "automount_service_account_token": False,
            # Two on one node would be one when it goes.
            "topology_spread_constraints": [
                {
                    "max_skew": 1,
                    "topology_key": "kubernetes.io/hostname",
                    "when_unsatisfiable": "ScheduleAnyway",
                    "label_selector": {"match_labels": PODS},
                }
            ],
            "volumes": volumes,
            "containers": [self._container(mounts)],
        }

    def _container(self, mounts: Sequence[VolumeMountArgsDict]) -> ContainerArgsDict:
        return {
            "name": APP,
            "image": ALERTMANAGER,
            "args": flags(self._args.namespace, self._args.choices.replicas),
            "env": [{"name": "POD_IP", "value_from": {"field_ref": {"field_path": "status.podIP"}}}],
            "ports": [
                {"name": "http", "container_port": PORT, "protocol": "TCP"},
                {"name": "gossip", "container_port": GOSSIP_PORT, "protocol": "TCP"},
                {"name": "gossip-udp", "container_port": GOSSIP_PORT, "protocol": "UDP"},
            ],
            "security_context": hardened(),
            "volume_mounts": list(mounts),
            "resources": resources("25m", "64Mi", "250m", "256Mi"),
            "liveness_probe": http_probe("/-/healthy", "http"),
            "readiness_probe": http_probe("/-/ready", "http"),
        }


def flags(namespace: str, replicas: int) -> list[str]:
    """A server's arguments."""
    peers = [f"--cluster.peer={host}:{GOSSIP_PORT}" for host in _hosts(namespace, replicas)]
    # Pods have addresses of 100.64.0.0/10, which it takes for public ones, and then finds none to tell its peers.
    together = [
        f"--cluster.listen-address=0.0.0.0:{GOSSIP_PORT}",
        f"--cluster.advertise-address=$(POD_IP):{GOSSIP_PORT}",
        *peers,
    ]
    return [
        f"--config.file={_CONFIG}/alertmanager.yml",
        f"--storage.path={_DATA}",
        f"--web.external-url=http://{APP}.{namespace}.svc:{PORT}/",
        *(together if replicas > 1 else ["--cluster.listen-address="]),
    ]


def _hosts(namespace: str, replicas: int) -> list[str]:
    return [f"{APP}-{number}.{_PEERS}.{namespace}.svc" for number in range(replicas)]


def _optional(volume: VolumeArgsDict) -> VolumeArgsDict:
    """A secret that is not there yet: whom it is for can't be told, but everybody else can."""
    assert "secret" in volume, "made from a secret"
    secret = cast("SecretVolumeSourceArgsDict", volume["secret"])
    return {**volume, "secret": {**secret, "optional": True}}
