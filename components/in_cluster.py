"""What the platform has in its cluster, in the order in which it comes: what drives GPUs, monitoring, teams, queues."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from components.gpu import GpuChoices, GpuSupport, GpuSupportArgs
from components.observability.aws_access import AwsPlaces
from components.observability.stack import MonitoringChoices, Observability, ObservabilityArgs
from components.scheduling import Scheduling, SchedulingArgs, SchedulingChoices


@dataclass(frozen=True)
class InClusterChoices:
    """What an environment decides; ``network``: ranges (CIDR) in which the API server has its addresses."""

    network: Sequence[str]
    gpu: GpuChoices | None
    monitoring: MonitoringChoices | None
    scheduling: SchedulingChoices


@dataclass(frozen=True)
class ClusterSetting:
    """Where that is: ``labels`` of the deployment, and what monitoring has in AWS if the cluster is our own."""

    labels: Mapping[str, str]
    region: str
    aws: AwsPlaces | None


def declare_in_cluster(choices: InClusterChoices, setting: ClusterSetting, opts: pulumi.ResourceOptions) -> Scheduling:
    """Declares all of it below ``opts``, which hold the provider of the cluster."""
    labels, network = setting.labels, choices.network
    first: list[pulumi.Resource] = []
    if choices.gpu is not None:
        first.append(GpuSupport("gpu", GpuSupportArgs(labels, setting.region, network, choices.gpu), opts))
    if choices.monitoring is not None:
        monitoring = ObservabilityArgs(labels, network, setting.aws, choices.monitoring)
        first.append(Observability("monitoring", monitoring, opts))
    # Kueue's webhooks are asked about new workloads: whatever has any comes before.
    after = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=first))
    return Scheduling("scheduling", SchedulingArgs(labels, network, choices.scheduling), after)
