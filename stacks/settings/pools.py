"""Settings of one node pool: which instances, how many, how they are bought, and what they carry."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field

from components.instance_types import InstanceType, instance_types
from components.nodepools import Taint
from stacks.settings.base import Contradiction, Section
from stacks.settings.node_labels import LabelKey, LabelValue, TaintSettings, about_labels, about_taints
from stacks.settings.pool_rules import about_capacity, about_karpenter, about_network, about_size, about_types
from stacks.settings.schedules import ScheduleSettings

Capacity = Literal["on-demand", "spot", "reserved"]
ReservationId = Annotated[str, Field(pattern=r"^cr-([0-9a-f]{8}|[0-9a-f]{17})$")]


class CapacityBlockSettings(Section):
    """A Capacity Block for ML: GPUs that were bought for a span of days."""

    reservation_id: ReservationId
    """The reservation that AWS gave for the block, cr-...; blocks are bought outside: a purchase can't be undone."""


class DisruptionSettings(Section):
    """How Karpenter may take nodes away. Training pools lose empty nodes only, others hardly used ones, too."""

    after_minutes: int | None = Field(default=None, ge=0)
    """Minutes without a change before a node goes; default: 15 for inference, 5 for others."""
    budget_percent: int = Field(default=10, ge=0, le=100)
    """Percent of the pool's nodes that may go at the same time."""
    expire_after_days: int | None = Field(default=None, ge=1)
    """Days after which a node is replaced by a new one; default: never for training, 30 for others."""


class NodePoolSettings(Section):
    """Nodes of one kind. All instance types of a pool have one architecture and one number of GPUs."""

    workload: Literal["cpu", "training", "inference"]
    """What runs there."""
    provisioner: Literal["managed", "karpenter"] = "managed"
    """Who makes the nodes: a managed node group of a fixed size, or Karpenter as pods need them."""
    instance_types: tuple[str, ...] = Field(min_length=1, max_length=20)
    """Instance types, the preferred one first; a spot pool has at least two, for when the first is out."""
    capacity: Capacity = "on-demand"
    """How instances are bought."""
    fallback: tuple[Literal["spot", "on-demand"], ...] = ()
    """What Karpenter buys when `capacity` is out, in this order."""
    min_size: int = Field(default=0, ge=0)
    """Fewest nodes."""
    desired_size: int | None = Field(default=None, ge=0)
    """Nodes that there are (for Karpenter: that are expected, for cost and simulation); default: min_size."""
    max_size: int = Field(ge=1, le=450)
    """Most nodes (EKS: at most 450 in a node group); with Karpenter, limits of CPU, memory and GPUs follow from it."""
    ami: Literal["al2023", "bottlerocket"] = "al2023"
    """Operating system; nodes with GPUs get its NVIDIA variant."""
    ami_release: str | None = Field(default=None, pattern=r"^\d+\.\d+\.\d+-[0-9a-f]+$")
    """Release of the AMI, such as 1.35.8-20261110; default for al2023: the one pinned for the Kubernetes version."""
    disk_gib: int = Field(default=100, ge=20, le=16384)
    """Size of the root volume (GiB)."""
    local_storage: Literal["none", "raid0"] = "none"
    """What becomes of the instances' NVMe disks: nothing, or one RAID 0 for pods' ephemeral storage."""
    efa: bool = False
    """Elastic Fabric Adapter interfaces, as many as the type has, for training over several nodes."""
    placement_group: bool = True
    """With efa: place the nodes side by side, in one zone."""
    zones: tuple[Annotated[int, Field(ge=1, le=6)], ...] = ()
    """Availability zones by number (1 is the network's first); default: all."""
    capacity_reservation_ids: tuple[ReservationId, ...] = ()
    """Capacity reservations that exist, for capacity `reserved`."""
    reserve: int | None = Field(default=None, ge=1)
    """Instances to reserve for the pool, for capacity `reserved`; they are billed whether they run or not."""
    capacity_block: CapacityBlockSettings | None = None
    """The Capacity Block, for capacity `reserved`."""
    labels: dict[LabelKey, LabelValue] = Field(default_factory=dict)
    """More labels on the nodes."""
    taints: tuple[TaintSettings, ...] = ()
    """More taints on the nodes; those with GPUs have nvidia.com/gpu=true:NoSchedule anyway."""
    schedule: ScheduleSettings | None = None
    """Hours in which the pool has nodes; default: always."""
    disruption: DisruptionSettings = DisruptionSettings()
    """How Karpenter may take nodes away."""

    @property
    def desired(self) -> int:
        """The size that is asked for."""
        return self.min_size if self.desired_size is None else self.desired_size

    @property
    def kinds(self) -> tuple[InstanceType, ...]:
        """The instance types as the table knows them, the preferred one first."""
        return tuple(instance_types()[name] for name in self.instance_types)

    @property
    def own_taints(self) -> tuple[Taint, ...]:
        """The taints that the settings add."""
        return tuple(Taint(taint.key, taint.value, taint.effect) for taint in self.taints)

    def contradictions(self) -> Iterable[Contradiction]:
        unknown = list(about_types(self))
        yield from unknown
        yield from about_size(self)
        if not unknown:
            yield from about_network(self)
            yield from about_taints(self)
        yield from about_labels(self)
        yield from about_capacity(self)
        if self.provisioner == "karpenter":
            yield from about_karpenter(self)
