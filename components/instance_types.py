"""EC2 instance types as a table: what a node of each type has, and its price on demand.

Source: ``data/ec2_us_east_1.csv``: EC2 ``DescribeInstanceTypes`` as shipped in moto 5.2.5, gaps from Karpenter's
reference of 2026-08-21; prices of us-east-1 from the AWS price list as Karpenter generated it on 2026-07-20.

UnknownInstanceType     no type in the table has this name
"""

from __future__ import annotations

import csv
import difflib
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal, cast

Architecture = Literal["amd64", "arm64"]

TABLE: Final = Path(__file__).parent / "data" / "ec2_us_east_1.csv"
# What the kubelet takes where it is told nothing. Source: Kubernetes, KubeletConfiguration v1beta1, maxPods.
_PODS_BY_DEFAULT = 110


@dataclass(frozen=True)
class InstanceType:
    """What one instance has. ``usd_per_hour`` is None where AWS sells none on demand: that is not "free".

    A fraction of a GPU (g6f, gr6f) has a ``gpu_name`` and ``gpu_count`` 0. ``accelerator_*`` are those that are no GPU
    (Inferentia, Trainium). ``nvme_gb`` is local storage in GB, ``efa_interfaces`` the most that the type takes.
    """

    name: str
    architecture: Architecture
    vcpu: int
    memory_gib: float
    gpu_name: str
    gpu_count: int
    gpu_memory_gib: float | None
    accelerator_name: str
    accelerator_count: int
    efa_interfaces: int
    nvme_gb: int
    max_pods: int
    usd_per_hour: float | None

    @property
    def family(self) -> str:
        """``p5`` of ``p5.48xlarge``."""
        return self.name.partition(".")[0]

    @property
    def has_fraction_of_gpu(self) -> bool:
        """True where the GPU is shared with other instances: no whole one can be asked for."""
        return bool(self.gpu_name) and self.gpu_count == 0


class UnknownInstanceType(LookupError):
    """No instance type is called ``name``; ``near`` are those whose names are most like it, best first."""

    def __init__(self, name: str, near: Sequence[str]) -> None:
        self.name, self.near = name, tuple(near)
        guess = f"; did you mean '{near[0]}'?" if near else ""
        super().__init__(f"unknown instance type '{name}'{guess}")


def instance_type(name: str) -> InstanceType:
    """The type called ``name``. Raises UnknownInstanceType with the nearest names."""
    known = instance_types()
    if name not in known:
        raise UnknownInstanceType(name, difflib.get_close_matches(name, known, n=3, cutoff=0.6))
    return known[name]


@functools.cache
def instance_types() -> Mapping[str, InstanceType]:
    """All types of the table, by name."""
    with TABLE.open(encoding="utf-8", newline="") as lines:
        return MappingProxyType({row["instance_type"]: _read(row) for row in csv.DictReader(lines)})


def _read(row: Mapping[str, str]) -> InstanceType:
    return InstanceType(
        name=row["instance_type"],
        architecture=cast("Architecture", row["architecture"]),
        vcpu=int(row["vcpu"]),
        memory_gib=float(row["memory_gib"]),
        gpu_name=row["gpu_name"],
        gpu_count=int(row["gpu_count"]),
        gpu_memory_gib=_number(row["gpu_memory_gib_each"]),
        accelerator_name=row["accelerator_name"],
        accelerator_count=int(row["accelerator_count"]),
        efa_interfaces=int(row["efa_interfaces_max"]),
        nvme_gb=int(row["nvme_gb"]),
        max_pods=int(row["max_pods"] or _PODS_BY_DEFAULT),
        usd_per_hour=_number(row["usd_per_hour_on_demand"]),
    )


def _number(text: str) -> float | None:
    return float(text) if text else None
