"""What a node has, and what of it pods may use: the machine's resources less what EKS keeps back.

Sources: Karpenter's AWS provider 1.14 (``pkg/providers/instancetype/types.go``), which computes what a node of EKS's
images will report before there is one: memory without 7.5 % for the hypervisor and the kernel (its
``vm-memory-overhead-percent``), kube-reserved CPU and memory as ``nodeadm`` and Bottlerocket set them, 1 GiB of
storage, and the kubelet's hard eviction thresholds (100 MiB of memory, 10 % of storage). System-reserved is 0 there.
A managed node group never takes more than 110 pods on a node of under 30 vCPUs, else 250 (EKS user guide, "Choose an
optimal Amazon EC2 node instance type", read 2026-08).
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil
from typing import Final

from engine.simulation.model import GPU, Machine, Pool, PoolKind
from engine.simulation.quantities import GIB

NEURON: Final = "aws.amazon.com/neuron"
_NEURON_DEVICES: Final = ("inferentia", "trainium")
_MIB: Final = 1024**2
_OVERHEAD: Final = Fraction(75, 1000)
_ARM_KEEPS: Final = 64 * _MIB  # Graviton reserves it for contiguous allocation
_EVICTION_MEMORY: Final = 100 * _MIB
_EVICTION_STORAGE: Final = Fraction(1, 10)
_RESERVED_STORAGE: Final = GIB
# Of the cores from, to (excluded): the share that is kept back.
_RESERVED_CPU: Final = (
    (0, 1, Fraction(6, 100)),
    (1, 2, Fraction(1, 100)),
    (2, 4, Fraction(1, 200)),
    (4, 1 << 31, Fraction(1, 400)),
)
_MANAGED_PODS: Final = ((30, 110), (1 << 31, 250))  # under that many vCPUs, at most that many pods


def max_pods(machine: Machine, kind: PoolKind) -> int:
    """How many pods a node takes: as many as the machine has addresses for, and what EKS allows."""
    if kind is not PoolKind.MANAGED:
        return machine.max_pods
    return min(machine.max_pods, next(most for vcpu, most in _MANAGED_PODS if machine.vcpu < vcpu))


def capacity(pool: Pool) -> dict[str, Fraction]:
    """All that a node of ``pool`` has: CPU in cores, memory and storage in bytes, everything else in pieces."""
    machine = pool.machine
    found = {
        "cpu": Fraction(machine.vcpu),
        "memory": Fraction(_memory(machine)),
        "ephemeral-storage": Fraction(str(pool.disk_gib)) * GIB,
        "pods": Fraction(pool.pods),
    }
    neuron = machine.accelerator_count if machine.accelerator_name.startswith(_NEURON_DEVICES) else 0
    devices = {GPU: machine.gpu_count, NEURON: neuron} | dict(pool.resources)
    return found | {name: Fraction(count) for name, count in devices.items() if count}


def allocatable(pool: Pool) -> dict[str, Fraction]:
    """What of ``capacity`` is left for pods."""
    found = capacity(pool)
    storage = found["ephemeral-storage"]
    return found | {
        "cpu": found["cpu"] - _reserved_cpu(pool.machine.vcpu),
        "memory": found["memory"] - (255 + 11 * pool.pods) * _MIB - _EVICTION_MEMORY,
        "ephemeral-storage": max(storage - _RESERVED_STORAGE - storage * _EVICTION_STORAGE, Fraction(0)),
    }


def _memory(machine: Machine) -> int:
    given = int(machine.memory_gib * GIB) - (_ARM_KEEPS if machine.architecture == "arm64" else 0)
    return given - ceil(given * _OVERHEAD / _MIB) * _MIB


def _reserved_cpu(cores: int) -> Fraction:
    return sum((share * (min(cores, end) - start) for start, end, share in _RESERVED_CPU if cores > start), Fraction(0))
