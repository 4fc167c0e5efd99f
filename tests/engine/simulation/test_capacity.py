"""What a node leaves to pods."""

from __future__ import annotations

import pytest

from engine.simulation.capacity import NEURON, allocatable, capacity, max_pods
from engine.simulation.model import GPU, Pool, PoolKind, Size
from tests.engine.simulation.machines import CATALOGUE


def _pool(type_: str, pods: int | None = None) -> Pool:
    machine = CATALOGUE[type_]
    return Pool("pool", PoolKind.MANAGED, machine, [type_], {Size.DESIRED: 1}, pods=pods or machine.max_pods)


@pytest.mark.parametrize(
    ("cores", "type_", "kept"),
    # 6 % of the first core, 1 % of the second, 0.5 % of the next two, 0.25 % of all others.
    [(2, "m5.large", "0.07"), (4, "m5.xlarge", "0.08"), (8, "m5.2xlarge", "0.09"), (192, "p5.48xlarge", "0.55")],
)
def test_cpu_that_eks_keeps_back(cores: int, type_: str, kept: str) -> None:
    pool = _pool(type_)
    assert capacity(pool)["cpu"] == cores
    assert str(float(capacity(pool)["cpu"] - allocatable(pool)["cpu"])) == kept


def test_memory_that_eks_keeps_back_grows_with_the_pods() -> None:
    """m5.large: 8192 MiB less 7.5 % are 7577 MiB; 255 + 11 * 29 are reserved, 100 are the eviction threshold."""
    pool = _pool("m5.large")
    assert capacity(pool)["memory"] / 2**20 == 7577
    assert allocatable(pool)["memory"] / 2**20 == 7577 - 255 - 11 * 29 - 100


def test_graviton_keeps_memory_of_its_own() -> None:
    assert capacity(_pool("m7g.large"))["memory"] / 2**20 == (8192 - 64) - 610


def test_storage_without_what_the_kubelet_keeps() -> None:
    assert allocatable(_pool("m5.large"))["ephemeral-storage"] / 2**30 == 20 - 1 - 2


def test_devices_by_their_makers() -> None:
    assert capacity(_pool("p5.48xlarge"))[GPU] == 8
    assert GPU not in capacity(_pool("m5.large"))
    neuron = [one for one in CATALOGUE.values() if one.accelerator_name.startswith(("inferentia", "trainium"))]
    assert {one.name for one in neuron if capacity(_pool(one.name)).get(NEURON) != one.accelerator_count} == set()
    other = [one for one in CATALOGUE.values() if one.accelerator_name and one not in neuron]
    assert other
    assert [one.name for one in other if NEURON in capacity(_pool(one.name))] == []


@pytest.mark.parametrize(
    ("type_", "kind", "pods"),
    [("m5.large", PoolKind.MANAGED, 29), ("m5.24xlarge", PoolKind.MANAGED, 250),
     ("m5.24xlarge", PoolKind.KARPENTER, 737),
     ("g5.16xlarge", PoolKind.MANAGED, 234), ("c5.9xlarge", PoolKind.MANAGED, 234)],
)  # fmt: skip
def test_pods_of_a_node(type_: str, kind: PoolKind, pods: int) -> None:
    assert max_pods(CATALOGUE[type_], kind) == pods


@pytest.mark.parametrize("type_", sorted(CATALOGUE))
def test_every_machine_leaves_something_to_pods(type_: str) -> None:
    left = allocatable(_pool(type_, max_pods(CATALOGUE[type_], PoolKind.MANAGED)))
    assert left["cpu"] > 0
    assert left["memory"] > 0
