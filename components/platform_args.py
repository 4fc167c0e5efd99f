"""What an environment decides about its platform, part by part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from components.cluster import ClusterChoices
from components.cost import CostChoices
from components.flowlogs import FlowLogChoices
from components.in_cluster import InClusterChoices
from components.keys import KeyChoices
from components.network import NetworkArgs
from components.observability.cloudwatch import CloudWatchChoices
from components.observability.stack import MonitoringChoices
from components.pools import PoolChoices
from components.registry import RegistryChoices
from components.roles import BoundaryArgs
from components.storage import StorageChoices
from components.tags import Ownership


@dataclass(frozen=True)
class ExistingCluster:
    """A cluster that somebody else runs: the path of a kubeconfig file, and a context in it (None: its current one)."""

    kubeconfig: str
    context: str | None


@dataclass(frozen=True)
class KarpenterChoices:
    """Karpenter with this number of controllers, and the pools that it makes nodes for, by name."""

    replicas: int
    pools: Mapping[str, PoolChoices]


@dataclass(frozen=True)
class PlatformArgs:
    """What an environment decides about its platform."""

    region: str
    account_id: str | None  # None: ask AWS; a preview without credentials then doesn't know it
    ownership: Ownership
    keys: KeyChoices
    boundary: BoundaryArgs
    log_retention_days: int
    existing_vpc_id: str | None  # takes the place of `network`
    network: NetworkArgs
    flow_logs: FlowLogChoices | None
    existing_cluster: ExistingCluster | None  # takes the place of `cluster` and `node_pools`
    in_cluster: InClusterChoices | None  # None: what lies in the cluster is not declared
    cluster: ClusterChoices
    node_pools: Mapping[str, PoolChoices]
    karpenter: KarpenterChoices | None
    storage: StorageChoices
    registry: RegistryChoices
    cost: CostChoices
    cloudwatch: CloudWatchChoices | None

    @property
    def monitoring_of_ours(self) -> MonitoringChoices | None:
        """Monitoring whose pods have roles in AWS: those in a cluster of our own."""
        if self.existing_cluster is not None or self.in_cluster is None:
            return None
        return self.in_cluster.monitoring
