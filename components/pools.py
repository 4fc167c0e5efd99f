"""What an environment decides about a node pool, and the names that AWS has for it."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from components.instance_types import InstanceType
from components.nodepools import Taint, Workload, labels_of_nodes, taints_of_nodes


class Capacity(enum.StrEnum):
    """How instances are bought; the values are Karpenter's names."""

    RESERVED = "reserved"
    SPOT = "spot"
    ON_DEMAND = "on-demand"


class ImageFamily(enum.StrEnum):
    """The nodes' operating system."""

    AL2023 = "al2023"
    BOTTLEROCKET = "bottlerocket"


@dataclass(frozen=True)
class Size:
    """Numbers of nodes."""

    minimum: int
    desired: int
    maximum: int


@dataclass(frozen=True)
class Reservations:
    """``ids`` exist, ``count`` instances are to be reserved by us, ``block_id`` is that of a Capacity Block."""

    ids: Sequence[str] = ()
    count: int | None = None
    block_id: str | None = None


@dataclass(frozen=True)
class Schedule:
    """The pool has its desired size from ``start`` to ``stop`` (cron) in ``time_zone``, and no nodes otherwise."""

    start: str
    stop: str
    time_zone: str


@dataclass(frozen=True)
class Disruption:
    """How Karpenter may take nodes away; ``expire_after_days`` None: nodes get as old as they like."""

    after_minutes: int
    budget_percent: int
    expire_after_days: int | None


@dataclass(frozen=True)
class PoolChoices:
    """One pool. ``kinds`` are its instance types, the preferred one first; ``capacity`` is an order, too."""

    workload: Workload
    kinds: Sequence[InstanceType]
    capacity: Sequence[Capacity]
    size: Size
    image: ImageFamily
    release: str
    disk_gib: int
    raid0: bool = False
    efa: bool = False
    placement_group: bool = False
    zones: Sequence[int] = ()
    reservations: Reservations = Reservations()
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: Sequence[Taint] = ()
    schedule: Schedule | None = None
    disruption: Disruption = Disruption(after_minutes=5, budget_percent=10, expire_after_days=30)

    @property
    def has_gpus(self) -> bool:
        return bool(self.kinds[0].gpu_name)

    @property
    def instance_types(self) -> list[str]:
        return [kind.name for kind in self.kinds]

    def node_labels(self, pool: str) -> dict[str, str]:
        """The labels on the nodes of the pool called ``pool``."""
        return {**self.labels, **labels_of_nodes(pool, self.workload, self.kinds)}

    def node_taints(self) -> list[Taint]:
        """The taints on the nodes."""
        return taints_of_nodes(self.kinds, self.taints)

    def ami_type(self) -> str:
        """The AMI type of EKS: of the architecture, with the drivers that the devices need."""
        # Source: Amazon EKS API reference, CreateNodegroup, amiType, 2026-11.
        kind = self.kinds[0]
        devices = "NVIDIA" if kind.gpu_name else "NEURON" if kind.accelerator_count else ""
        architecture = {"amd64": "x86_64", "arm64": "ARM_64"}[kind.architecture]
        if self.image is ImageFamily.BOTTLEROCKET:
            return "_".join(filter(None, ("BOTTLEROCKET", architecture, devices)))
        return f"AL2023_{architecture}_{devices or 'STANDARD'}"


# Source: Amazon EKS API reference, Taint, effect.
EFFECTS_OF_EKS = {"NoSchedule": "NO_SCHEDULE", "PreferNoSchedule": "PREFER_NO_SCHEDULE", "NoExecute": "NO_EXECUTE"}
