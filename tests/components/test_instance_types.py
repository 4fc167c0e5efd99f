"""The table of instance types: every row makes sense by itself, and a name that is not in it gets the nearest named."""

from __future__ import annotations

import pytest

from components.instance_types import InstanceType, UnknownInstanceType, instance_type, instance_types
from components.nodepools import GPU_TAINT, Taint, gpu_label_value, labels_of_nodes, taints_of_nodes


@pytest.mark.parametrize("kind", instance_types().values(), ids=lambda kind: kind.name)
def test_every_row_makes_sense(kind: InstanceType) -> None:
    assert kind.architecture in ("amd64", "arm64")
    assert kind.vcpu >= 1
    assert kind.memory_gib >= 0.5
    assert kind.max_pods >= 4
    assert bool(kind.gpu_name) == (kind.gpu_memory_gib is not None)
    assert kind.gpu_count == 0 or kind.gpu_name
    assert kind.accelerator_count == 0 or kind.accelerator_name
    assert kind.usd_per_hour is None or kind.usd_per_hour > 0


def test_what_a_training_node_has() -> None:
    kind = instance_type("p5.48xlarge")
    assert (kind.gpu_name, kind.gpu_count, kind.gpu_memory_gib) == ("H100", 8, 80.0)
    assert (kind.vcpu, kind.memory_gib, kind.efa_interfaces, kind.nvme_gb) == (192, 2048.0, 32, 30400)
    assert kind.usd_per_hour == 55.04
    assert kind.family == "p5"


def test_a_type_that_is_not_sold_on_demand_has_no_price() -> None:
    assert instance_type("p5e.48xlarge").usd_per_hour is None


def test_a_fraction_of_a_gpu_is_no_gpu_that_can_be_asked_for() -> None:
    assert instance_type("g6f.large").has_fraction_of_gpu
    assert not instance_type("g6.xlarge").has_fraction_of_gpu
    assert not instance_type("m5.large").has_fraction_of_gpu


def test_a_misspelt_type_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownInstanceType, match=r"'p5\.48xlrage'; did you mean 'p5\.48xlarge'\?") as caught:
        instance_type("p5.48xlrage")
    assert caught.value.near[0] == "p5.48xlarge"


def test_a_type_unlike_any_other_gets_no_guess() -> None:
    with pytest.raises(UnknownInstanceType, match=r"'warehouse'$"):
        instance_type("warehouse")


def test_gpu_nodes_carry_what_pods_and_nvidias_components_look_for() -> None:
    kinds = [instance_type("p5.48xlarge"), instance_type("p5.4xlarge")]
    assert labels_of_nodes("train", "training", kinds) == {
        "bedplate.dev/pool": "train",
        "bedplate.dev/workload": "training",
        "bedplate.dev/gpu": "h100",
        "nvidia.com/gpu.present": "true",
    }
    own = Taint("team", "vision", "NoSchedule")
    assert taints_of_nodes(kinds, [own]) == [Taint("nvidia.com/gpu", "true", "NoSchedule"), own]


def test_other_nodes_carry_nothing_of_gpus() -> None:
    kinds = [instance_type("m5.large")]
    assert labels_of_nodes("cpu", "cpu", kinds) == {"bedplate.dev/pool": "cpu", "bedplate.dev/workload": "cpu"}
    assert GPU_TAINT not in taints_of_nodes(kinds)


def test_a_label_names_every_gpu_that_a_node_of_the_pool_may_have() -> None:
    assert gpu_label_value(["L40S", "L4", "L4"]) == "l4-or-l40s"
    assert gpu_label_value(["RTX PRO 4500"]) == "rtx-pro-4500"
