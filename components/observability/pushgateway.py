"""Pushgateway: holds what batch jobs push (a model's accuracy, the drift of its features) until Prometheus collects it.

It keeps that on a volume. Such jobs run once a day or less, and nobody else knows what they found: without it, each
move of the pod to another node would look like jobs that have stopped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_kubernetes.apps.v1 import StatefulSet
from pulumi_kubernetes.core.v1 import ContainerArgsDict, PodSpecArgsDict, Service, ServiceAccount
from pulumi_kubernetes.networking.v1 import NetworkPolicySpecArgsDict as PolicySpec

from components.kubernetes import KubernetesComponent, hardened
from components.network_policies import allow_from_pods
from components.observability.images import PUSHGATEWAY
from components.observability.pushing import PUSHGATEWAY_PODS, PUSHGATEWAY_PORT, allow_push_from
from components.observability.workloads import claim, http_probe, resources, retention, service_of, unprivileged
from components.scheduling_teams import TEAM_LABEL

APP: Final = "pushgateway"
PORT: Final = PUSHGATEWAY_PORT
PODS: Final = PUSHGATEWAY_PODS
_DATA: Final = "/data"
_VOLUME_GIB: Final = 1  # the smallest that EBS has; a thousand models take some megabytes


@dataclass(frozen=True)
class PushgatewayArgs:
    """``namespace`` is that of monitoring; ``storage_class`` None: the cluster's default one.

    ``keep_volume``: what was pushed stays when the gateway is deleted or made anew.
    """

    labels: Mapping[str, str]
    namespace: str
    storage_class: str | None
    keep_volume: bool


def policies(scraper: Mapping[str, str]) -> dict[str, PolicySpec]:
    """Who reaches it: the pods ``scraper``, and pods of teams that say that they push."""
    return {
        "scrape-pushgateway": allow_from_pods(scraper, [PORT], PODS),
        "push": allow_push_from(TEAM_LABEL),
    }


class Pushgateway(KubernetesComponent, area="observability"):
    """One gateway with its volume. Its API for deleting everything is off; a job deletes what it pushed itself."""

    def __init__(self, name: str, args: PushgatewayArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, args.labels, opts)
        self._args = args
        account = ServiceAccount(
            name,
            metadata={"name": APP, "namespace": args.namespace},
            automount_service_account_token=False,
            opts=self.options(),
        )
        StatefulSet(
            name,
            metadata={"name": APP, "namespace": args.namespace},
            spec={
                "replicas": 1,
                "service_name": APP,
                "selector": {"match_labels": PODS},
                "template": {"metadata": {"labels": PODS}, "spec": _pod()},
                "volume_claim_templates": [claim("data", _VOLUME_GIB, args.storage_class)],
                "persistent_volume_claim_retention_policy": retention(keep=args.keep_volume),
            },
            opts=self.options(depends_on=[account, self._service()]),
        )
        self.register_outputs({})

    def _service(self) -> Service:
        return Service(
            self.component_name,
            metadata={"name": APP, "namespace": self._args.namespace, "labels": PODS},
            spec=service_of(PODS, "metrics", PORT),
            opts=self.options(),
        )


def _pod() -> PodSpecArgsDict:
    return {
        **unprivileged(),
        "service_account_name": APP,
        "automount_service_account_token": False,
        "containers": [_container()],
    }


def _container() -> ContainerArgsDict:
    return {
        "name": APP,
        "image": PUSHGATEWAY,
        "args": [
            f"--web.listen-address=:{PORT}",
            f"--persistence.file={_DATA}/metrics",
            # At most so much is lost in a crash; at a stop it writes everything. Default: 5m.
            "--persistence.interval=1m",
        ],
        "ports": [{"name": "metrics", "container_port": PORT, "protocol": "TCP"}],
        "security_context": hardened(),
        "volume_mounts": [{"name": "data", "mount_path": _DATA}],
        "resources": resources("50m", "64Mi", "250m", "256Mi"),
        "liveness_probe": http_probe("/-/healthy", "metrics"),
        "readiness_probe": http_probe("/-/ready", "metrics"),
    }
