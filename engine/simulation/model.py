"""The values that a simulation is made of: machines, pools, and what was taken for granted."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final, NamedTuple, Protocol, TypeAlias

GPU: Final = "nvidia.com/gpu"
EFA: Final = "vpc.amazonaws.com/efa"
_PARTS: Final = "nvidia.com/mig-"
POOL_LABEL: Final = (
    "bedplate.dev/simulated-pool"  # on simulated nodes alone, so that a pool's own labels stay as they are
)


class Machine(Protocol):
    """What is known of an instance type; ``components.instance_types.InstanceType`` is one."""

    @property
    def name(self) -> str: ...
    @property
    def architecture(self) -> str: ...
    @property
    def vcpu(self) -> int: ...
    @property
    def memory_gib(self) -> float: ...
    @property
    def gpu_name(self) -> str: ...
    @property
    def gpu_count(self) -> int: ...
    @property
    def gpu_memory_gib(self) -> float | None: ...
    @property
    def accelerator_name(self) -> str: ...
    @property
    def accelerator_count(self) -> int: ...
    @property
    def efa_interfaces(self) -> int: ...
    @property
    def nvme_gb(self) -> int: ...
    @property
    def max_pods(self) -> int: ...
    @property
    def usd_per_hour(self) -> float | None: ...


Catalogue: TypeAlias = Mapping[str, Machine]  # by the instance type's name


class Size(enum.StrEnum):
    """At which of its sizes each pool is simulated."""

    MIN = "min"
    DESIRED = "desired"
    MAX = "max"


class PoolKind(enum.StrEnum):
    MANAGED = "managed node group"
    KARPENTER = "Karpenter NodePool"


class Taint(NamedTuple):
    key: str
    value: str
    effect: str

    def __str__(self) -> str:
        return f"{self.key}={self.value}:{self.effect}" if self.value else f"{self.key}:{self.effect}"


@dataclass(frozen=True)
class Pool:
    """A node pool as the plan declares it. ``sizes`` are numbers of nodes; None where the plan does not tell.

    ``machine`` is what its nodes are simulated as, the first of ``instance_types`` that the table knows. ``resources``
    are those that its nodes offer beside the machine's own (``vpc.amazonaws.com/efa``), ``disk_gib`` is their storage.
    """

    name: str
    kind: PoolKind
    machine: Machine
    instance_types: Sequence[str]
    sizes: Mapping[Size, int | None]
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    taints: Sequence[Taint] = ()
    capacity_type: str = "on-demand"
    zones: Sequence[str] = ()
    disk_gib: float = 20
    resources: Mapping[str, int] = field(default_factory=dict[str, int])
    pods: int = 110
    urn: str = ""

    def nodes_at(self, size: Size) -> int:
        return self.sizes.get(size) or 0

    @property
    def usd_per_hour(self) -> float | None:
        """What a node costs on demand, which is what a spot node costs at most."""
        return self.machine.usd_per_hour


@dataclass(frozen=True)
class Assumption:
    """Something that the plan leaves open and the simulation had to settle: where, and what was taken instead."""

    place: str
    text: str


@dataclass(frozen=True)
class Pools:
    """All pools of a plan, and what their reading has to say beside them."""

    pools: Sequence[Pool]
    assumptions: Sequence[Assumption] = ()
    notes: Sequence[str] = ()


def gpu_names(resources: Mapping[str, Fraction]) -> list[str]:
    """The resources that are GPUs or parts of them: MIG gives each profile a name of its own."""
    return sorted(name for name in resources if name == GPU or name.startswith(_PARTS))


def amount(resources: Mapping[str, Fraction], name: str) -> Fraction:
    """How much there is of ``name``; 0 where it is not mentioned."""
    return resources.get(name, Fraction(0))
