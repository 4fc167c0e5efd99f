"""What lies in the cluster, as the platform composes it: below it, with its provider; sharing reaches the nodes."""

from __future__ import annotations

from typing import Any

from tests.components.kubernetes_objects import objects
from tests.components.platform_recording import Run, config_with_cluster, run_program

NODE_GROUP = "aws:eks/nodeGroup:NodeGroup"
_POOLS = {
    "turns": {"workload": "inference", "instance_types": ["g6.12xlarge"], "max_size": 2},
    "whole": {"workload": "inference", "instance_types": ["g6.12xlarge"], "max_size": 2},
}


def _dev(*, kubernetes_resources: bool = True, **sections: Any) -> Run:
    config = config_with_cluster("dev", {"node_pools": _POOLS, "kubernetes_resources": kubernetes_resources})
    config |= {f"bedplate:{name}": section for name, section in sections.items()}
    return run_program(config, "dev")


def test_what_lies_in_the_cluster_is_below_the_platform_and_uses_its_provider() -> None:
    run = _dev(scheduling={"teams": {"vision": {"queues": {"whole": {"gpus": 8}}}}})
    (provider,) = run.of("pulumi:providers:kubernetes")
    made = objects(run)
    assert len(made) > 40
    for each in made:
        assert each.provider.startswith(f"{provider.urn}::"), each.urn
        assert "bedplate:platform:Platform" in each.urn or "bedplate:" in each.parent, each.urn
    assert {each.inputs["metadata"]["labels"]["Environment"] for each in made} == {"dev"}


def test_of_aws_alone_nothing_in_the_cluster_is_declared() -> None:
    run = _dev(kubernetes_resources=False, scheduling={"teams": {"vision": {}}})
    assert not [each for each in run.resources if each.type.startswith(("kubernetes:", "pulumi:providers:kubernetes"))]


def test_the_nodes_of_a_pool_carry_the_name_of_how_it_is_shared() -> None:
    run = _dev(gpu={"sharing": {"turns": {"time_slicing": 4}}})
    labels = {each.inputs["labels"]["bedplate.dev/pool"]: each.inputs["labels"] for each in run.of(NODE_GROUP)}
    assert labels["turns"]["nvidia.com/device-plugin.config"] == "turns"
    assert "nvidia.com/device-plugin.config" not in labels["whole"]


def test_kueue_waits_for_what_drives_gpus() -> None:
    run = _dev(scheduling={"teams": {"vision": {}}})
    (scheduling,) = (each for each in run.resources if each.name == "scheduling")
    plugin = [each.urn for each in run.of("kubernetes:apps/v1:DaemonSet")]
    assert set(plugin) <= set(scheduling.depends_on)
