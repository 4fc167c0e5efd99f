"""What the platform has in its cluster, in the order in which it comes: what drives GPUs, then teams and queues."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from components.gpu import GpuChoices, GpuSupport, GpuSupportArgs
from components.scheduling import Scheduling, SchedulingArgs, SchedulingChoices


@dataclass(frozen=True)
class InClusterChoices:
    """What an environment decides; ``network``: ranges (CIDR) in which the API server has its addresses."""

    network: Sequence[str]
    gpu: GpuChoices | None
    scheduling: SchedulingChoices


def declare_in_cluster(
    choices: InClusterChoices, labels: Mapping[str, str], region: str, opts: pulumi.ResourceOptions
) -> Scheduling:
    """Declares all of it below ``opts``, which hold the provider of the cluster."""
    gpu: list[pulumi.Resource] = []
    if choices.gpu is not None:
        gpu = [GpuSupport("gpu", GpuSupportArgs(labels, region, choices.network, choices.gpu), opts)]
    # Kueue's webhooks are asked about new workloads: whatever has any comes before.
    after = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=gpu))
    return Scheduling("scheduling", SchedulingArgs(labels, choices.network, choices.scheduling), after)
