"""What makes the GPUs of the cluster usable and visible: device plugin, exporter, EFA plugin, and the operator for MIG.

All of it is ours as typed resources, so that policies and costs see every pod; only MIG takes NVIDIA's operator, with
all its other parts off. Nothing is made where no pool has a GPU.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes.networking.v1 import NetworkPolicySpecArgsDict as PolicySpec

from components.gpu_efa import EfaPlugin, EfaPluginArgs
from components.gpu_exporter import EXPORTER_PODS, METRICS_PORT, GpuExporter, GpuExporterArgs
from components.gpu_operator import GpuOperator, GpuOperatorArgs
from components.gpu_plugin import PLUGIN_PODS, DevicePlugin, DevicePluginArgs
from components.gpu_sharing import Sharing
from components.kubernetes import KubernetesComponent
from components.namespace_names import GPU_NAMESPACE
from components.namespaces import GuardedNamespace, GuardedNamespaceArgs, PodSecurity
from components.network_policies import allow_api_server, allow_dns, allow_from_namespace


@dataclass(frozen=True)
class GpuPool:
    """A pool with GPUs, as far as what runs on it needs to know: whether it has EFA, and how its GPUs are shared."""

    efa: bool
    sharing: Sharing
    # Bottlerocket brings a device plugin of its own, which ours would fight over the GPUs with.
    has_own_plugin: bool = False


@dataclass(frozen=True)
class GpuChoices:
    """What an environment decides about its GPUs; ``pools`` by name."""

    pools: Mapping[str, GpuPool]
    exporter: bool
    profiling_metrics: bool
    pod_labels: bool
    efa_plugin: bool
    monitoring_namespace: str


@dataclass(frozen=True)
class GpuSupportArgs:
    """``network`` are the ranges (CIDR) in which the cluster's API server has its addresses."""

    labels: Mapping[str, str]
    region: str
    network: Sequence[str]
    choices: GpuChoices


class GpuSupport(KubernetesComponent, area="gpu"):
    """The namespace of what drives GPUs, and what runs in it."""

    def __init__(self, name: str, args: GpuSupportArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, args.labels, opts)
        self._args = args
        place = self._namespace()
        below = self.options(depends_on=list(place.guards))
        choices = args.choices
        sharing = {pool: each.sharing for pool, each in choices.pools.items()}
        own_plugin = sorted(pool for pool, each in choices.pools.items() if each.has_own_plugin)
        DevicePlugin(self.child("plugin"), DevicePluginArgs(args.labels, place.namespace, sharing, own_plugin), below)
        partitions = any(each.mig for each in sharing.values())
        if choices.exporter:
            GpuExporter(
                self.child("exporter"),
                GpuExporterArgs(
                    args.labels, place.namespace, choices.profiling_metrics, choices.pod_labels, partitions
                ),
                below,
            )
        efa = sorted(pool for pool, each in choices.pools.items() if each.efa)
        if choices.efa_plugin and efa:
            EfaPlugin(self.child("efa"), EfaPluginArgs(args.labels, place.namespace, args.region, efa), below)
        if partitions:
            GpuOperator(self.child("operator"), GpuOperatorArgs(args.labels, place.namespace, sharing), below)
        self.register_outputs({})

    def _namespace(self) -> GuardedNamespace:
        return GuardedNamespace(
            GPU_NAMESPACE,
            GuardedNamespaceArgs(
                GPU_NAMESPACE,
                self._args.labels,
                # Device plugins talk to the kubelet through a directory of the node, which `baseline` refuses.
                PodSecurity.PRIVILEGED,
                quota={"persistentvolumeclaims": "0"},
                allowed=self._allowed(),
            ),
            self.options(),
        )

    def _allowed(self) -> dict[str, PolicySpec]:
        """Metrics go to those who collect them; only who asks the API server for something reaches it."""
        choices, network = self._args.choices, self._args.network
        allowed: dict[str, PolicySpec] = {}
        if choices.exporter:
            allowed["scrape"] = allow_from_namespace(choices.monitoring_namespace, [METRICS_PORT], EXPORTER_PODS)
        if any(pool.sharing.mig for pool in choices.pools.values()):
            return {**allowed, "dns": allow_dns(), "api-server": allow_api_server(network)}
        if any(pool.sharing.shares for pool in choices.pools.values()):
            allowed["plugin-to-api-server"] = allow_api_server(network, PLUGIN_PODS)
        if choices.exporter and choices.pod_labels:
            allowed["exporter-to-api-server"] = allow_api_server(network, EXPORTER_PODS)
        return allowed
