"""The monitoring stack: its namespace, its servers, and who of them talks to whom.

Each part has a component, its choices, and ``policies``: the network policies that it needs, by what they are for. To
add a part is to add its choices to ``MonitoringChoices``, a line to ``_allowed`` and a line to ``_servers``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes.networking.v1 import NetworkPolicySpecArgsDict as PolicySpec

from components import names
from components.kubernetes import KubernetesComponent
from components.namespaces import GuardedNamespace, GuardedNamespaceArgs
from components.network_policies import allow_dns
from components.observability import alertmanager_reach, grafana, kube_state_metrics, prometheus_reach, pushgateway
from components.observability.alertmanager import APP as ALERTMANAGER
from components.observability.alertmanager import Alertmanager, AlertmanagerArgs, AlertmanagerChoices, addresses
from components.observability.amp import AmpChoices
from components.observability.aws_access import AmpPlace, AwsPlaces
from components.observability.dashboards.boards import declared_boards, uid_of_area
from components.observability.grafana import Grafana, GrafanaArgs, GrafanaChoices
from components.observability.kube_state_metrics import KubeStateMetrics, KubeStateMetricsArgs
from components.observability.model_monitor import ModelMonitor
from components.observability.models import Watched
from components.observability.node_exporter import NodeExporter, NodeExporterArgs
from components.observability.prometheus import Prometheus, PrometheusArgs, PrometheusChoices
from components.observability.prometheus_config import Collected
from components.observability.pushgateway import Pushgateway, PushgatewayArgs
from components.observability.rules import parcels, rule_files


@dataclass(frozen=True)
class MonitoringChoices:
    """What an environment decides about its monitoring; ``amp`` None: its metrics stay in the cluster.

    ``grafana`` None: nobody looks, and alerts are sent all the same. ``keep_volumes``: what is on a server's volume
    stays when that is deleted or made anew.
    """

    watched: Watched
    prometheus: PrometheusChoices
    alertmanager: AlertmanagerChoices
    keep_volumes: bool
    amp: AmpChoices | None = None
    grafana: GrafanaChoices | None = None


@dataclass(frozen=True)
class ObservabilityArgs:
    """``network`` are the ranges (CIDR) of the API server's addresses; ``aws`` None: the cluster is somebody else's."""

    labels: Mapping[str, str]
    network: Sequence[str]
    aws: AwsPlaces | None
    choices: MonitoringChoices


class Observability(KubernetesComponent, area="observability"):
    """The namespace of monitoring, and all that runs in it."""

    def __init__(self, name: str, args: ObservabilityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, args.labels, opts)
        self._args = args
        place = self._namespace()
        self._servers(self.options(depends_on=list(place.guards)))
        self.register_outputs({})

    def _namespace(self) -> GuardedNamespace:
        namespace = self._args.choices.watched.namespace
        return GuardedNamespace(
            self.child("namespace"),
            GuardedNamespaceArgs(namespace, self._args.labels, allowed=self._allowed()),
            self.options(),
        )

    def _allowed(self) -> dict[str, PolicySpec]:
        network, choices = self._args.network, self._args.choices
        found = {
            "dns": allow_dns(),
            **prometheus_reach.policies(self._collected(), network, to_aws=self._amp() is not None),
            **alertmanager_reach.policies(
                choices.alertmanager.notified, choices.alertmanager.replicas, prometheus_reach.PODS
            ),
            **kube_state_metrics.policies(network, prometheus_reach.PODS),
            **pushgateway.policies(prometheus_reach.PODS),
        }
        if choices.grafana is not None:
            asked = {prometheus_reach.APP: prometheus_reach.PORT, ALERTMANAGER: alertmanager_reach.PORT}
            found |= grafana.policies(choices.watched.namespace, choices.grafana, asked)
        return found

    def _servers(self, below: pulumi.ResourceOptions) -> None:
        choices = self._args.choices
        server = PrometheusArgs(
            labels=self._args.labels,
            collected=self._collected(),
            rules=parcels(rule_files(choices.watched)),
            amp=self._amp(),
            choices=choices.prometheus,
            keep_volume=choices.keep_volumes,
        )
        Prometheus("prometheus", server, below)
        notifier = AlertmanagerArgs(
            labels=self._args.labels,
            namespace=choices.watched.namespace,
            storage_class=choices.prometheus.storage_class,
            keep_volume=choices.keep_volumes,
            topic=self._args.aws.topic if self._args.aws is not None else None,
            choices=choices.alertmanager,
        )
        Alertmanager("alertmanager", notifier, below)
        for _, model in sorted(choices.watched.models.items()):
            ModelMonitor(model, self.options())
        self._exporters(below)
        if choices.grafana is not None:
            self._grafana(choices.grafana, below)

    def _exporters(self, below: pulumi.ResourceOptions) -> None:
        labels, choices, namespace = self._args.labels, self._args.choices, self._args.choices.watched.namespace
        KubeStateMetrics("kube-state-metrics", KubeStateMetricsArgs(labels, namespace), below)
        NodeExporter("node-exporter", NodeExporterArgs(labels, namespace), self.options())
        pushed = PushgatewayArgs(labels, namespace, choices.prometheus.storage_class, choices.keep_volumes)
        Pushgateway("pushgateway", pushed, below)

    def _grafana(self, choices: GrafanaChoices, below: pulumi.ResourceOptions) -> None:
        args, watched = self._args, self._args.choices.watched
        viewer = GrafanaArgs(
            labels=args.labels,
            namespace=watched.namespace,
            boards=declared_boards(watched),
            home=uid_of_area("models"),
            prometheus=f"http://{prometheus_reach.APP}:{prometheus_reach.PORT}",
            alertmanager=f"http://{ALERTMANAGER}:{alertmanager_reach.PORT}",
            choices=choices,
        )
        Grafana("grafana", viewer, below)

    def _amp(self) -> AmpPlace | None:
        return self._args.aws.amp if self._args.aws is not None else None

    def _collected(self) -> Collected:
        choices = self._args.choices
        return Collected(
            watched=choices.watched,
            cluster=self.naming.dashed(names.CLUSTER),
            parts=choices.prometheus.parts,
            alertmanagers=addresses(choices.watched.namespace, choices.alertmanager.replicas),
        )
