"""Karpenter: what it may buy and how much, when its nodes go, and that nothing of it outlives a destroy."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

import pytest

from components.karpenter_interruptions import EVENTS
from components.karpenter_nodes import node_pool_spec
from stacks.cluster_choices import pool_choices
from stacks.settings import PlatformSettings, load
from tests.components.platform_recording import Run, config_of, run_program
from tests.components.test_cluster import dev, named, needs

NODE_POOL, NODE_CLASS = "kubernetes:karpenter.sh/v1:NodePool", "kubernetes:karpenter.k8s.aws/v1:EC2NodeClass"
RELEASE = "kubernetes:helm.sh/v3:Release"


@cache
def prod() -> Run:
    config = config_of("prod")
    return run_program(config, "prod")


def nodes(**settings: Any) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The specs of the NodePool and the EC2NodeClass of one pool."""
    pool = {"workload": "inference", "provisioner": "karpenter", "max_size": 4, **settings}
    run = dev(node_pools={"p": pool}, karpenter={"enabled": True})
    return run.of(NODE_POOL)[0].inputs["spec"], run.of(NODE_CLASS)[0].inputs["spec"]


def requirement(spec: Mapping[str, Any], key: str) -> list[str]:
    (found,) = (each for each in spec["template"]["spec"]["requirements"] if each["key"] == key)
    assert found["operator"] == "In"
    return found["values"]


def test_nodes_end_before_karpenter_and_karpenter_before_its_rights_and_the_network() -> None:
    run = prod()
    (release,) = (each for each in run.of(RELEASE) if each.name == "karpenter-nodes-controller")
    assert len(run.of(NODE_POOL)) == len(run.of(NODE_CLASS)) == 3
    for pool in run.of(NODE_POOL):
        outlive = needs(run, pool)
        assert {release.name, pool.name.replace("-pool", "-class")} <= outlive
    outlive = needs(run, release)
    assert {"karpenter-controller", "karpenter-nodes", "karpenter-interruptions-queue"} <= outlive
    assert {f"karpenter-interruptions-{part}" for part in EVENTS} <= outlive
    assert {"cluster-access-deployer", "cluster-system-nodes", "cluster-control-plane"} <= outlive
    assert {each.name for each in run.of("aws:ec2/natGateway:NatGateway")} <= outlive


def test_the_controller_runs_on_nodes_that_it_does_not_make() -> None:
    values = named(prod(), RELEASE, "karpenter-nodes-controller").inputs["values"]
    assert values["nodeSelector"]["bedplate.dev/pool"] == "system"
    assert values["settings"]["clusterName"] == "bedplate-prod"
    assert values["settings"]["interruptionQueue"] == "bedplate-prod-interruptions"
    assert named(prod(), RELEASE, "karpenter-nodes-controller").inputs["version"] == "1.14.0"


def test_training_is_never_moved_to_save_a_node_and_idle_inference_is() -> None:
    training, _ = nodes(workload="training", instance_types=["g6.xlarge"])
    assert training["disruption"]["consolidationPolicy"] == "WhenEmpty"
    assert training["template"]["spec"]["expireAfter"] == "Never"
    inference, _ = nodes(instance_types=["g6.xlarge"])
    assert inference["disruption"] == {
        "consolidationPolicy": "WhenEmptyOrUnderutilized",
        "consolidateAfter": "15m",
        "budgets": [{"nodes": "10%"}],
    }


def test_a_pool_says_the_sizes_that_karpenter_has_no_field_for() -> None:
    """What simulates and prices a pool has nowhere else to read them."""
    said = {"bedplate.dev/desired-nodes", "bedplate.dev/min-nodes"}
    pools = list(prod().of(NODE_POOL))
    assert pools
    for pool in pools:
        sizes = pool.inputs["metadata"]["annotations"]
        assert set(sizes) == said
        assert all(value.isdecimal() for value in sizes.values())


def test_cpu_pods_cannot_pin_a_gpu_node_and_gpus_are_limited() -> None:
    spec, _ = nodes(instance_types=["g6.12xlarge", "g5.12xlarge"], max_size=3)
    assert {"key": "nvidia.com/gpu", "value": "true", "effect": "NoSchedule"} in spec["template"]["spec"]["taints"]
    assert spec["limits"] == {"cpu": "144", "memory": "576Gi", "nvidia.com/gpu": "12"}
    assert spec["template"]["metadata"]["labels"]["bedplate.dev/gpu"] == "a10g-or-l4"
    spec, _ = nodes(workload="cpu", instance_types=["m7i.large"])
    assert "nvidia.com/gpu" not in spec["limits"]
    assert spec["template"]["spec"]["taints"] == []


def test_capacity_falls_back_from_what_is_reserved_to_spot_to_on_demand() -> None:
    spec, node_class = nodes(
        workload="training",
        instance_types=["p5.48xlarge", "p5e.48xlarge"],
        capacity="reserved",
        capacity_reservation_ids=["cr-0123456789abcdef0", "cr-0123456789abcdef1"],
        fallback=["spot", "on-demand"],
    )
    assert requirement(spec, "karpenter.sh/capacity-type") == ["reserved", "spot", "on-demand"]
    assert requirement(spec, "node.kubernetes.io/instance-type") == ["p5.48xlarge", "p5e.48xlarge"]
    assert node_class["capacityReservationSelectorTerms"] == [
        {"id": "cr-0123456789abcdef0"},
        {"id": "cr-0123456789abcdef1"},
    ]


def test_every_spot_pool_of_every_environment_has_a_second_type() -> None:
    for pool in prod().of(NODE_POOL):
        if "spot" in requirement(pool.inputs["spec"], "karpenter.sh/capacity-type"):
            assert len(requirement(pool.inputs["spec"], "node.kubernetes.io/instance-type")) >= 2


def test_nodes_are_as_guarded_as_managed_ones_and_their_ami_is_pinned() -> None:
    _, node_class = nodes(instance_types=["g6.xlarge"], local_storage="raid0", disk_gib=150)
    assert node_class["amiSelectorTerms"] == [{"alias": "al2023@v20261110"}]
    assert node_class["metadataOptions"]["httpTokens"] == "required"
    assert node_class["metadataOptions"]["httpPutResponseHopLimit"] == 1
    assert node_class["associatePublicIPAddress"] is False
    assert node_class["instanceStorePolicy"] == "RAID0"
    (disk,) = node_class["blockDeviceMappings"]
    assert disk["ebs"]["encrypted"] is True
    assert disk["ebs"]["volumeSize"] == "150Gi"
    assert node_class["subnetSelectorTerms"] == [{"id": f"network-private-{number}-id"} for number in (1, 2, 3)]
    assert node_class["securityGroupSelectorTerms"] == [{"id": "sg-cluster"}]
    assert node_class["tags"]["DeploymentId"] == "bedplate-dev"
    assert node_class["instanceProfile"] == "bedplate-dev-karpenter-nodes"


def test_nodes_with_efa_stand_side_by_side() -> None:
    _, node_class = nodes(workload="training", instance_types=["p4d.24xlarge", "p4de.24xlarge"], efa=True, zones=[1])
    kinds = [each["interfaceType"] for each in node_class["networkInterfaces"]]
    assert kinds == ["interface", *["efa-only"] * 4]
    assert node_class["placementGroupSelector"] == {"name": "bedplate-dev-karpenter-nodes-p"}
    assert node_class["subnetSelectorTerms"] == [{"id": "network-private-1-id"}]
    assert len(node_class["securityGroupSelectorTerms"]) == 2
    assert "associatePublicIPAddress" not in node_class


def test_a_bottlerocket_release_is_named_as_karpenter_does() -> None:
    _, node_class = nodes(instance_types=["g6.xlarge"], ami="bottlerocket", ami_release="1.64.0-3f9b2c1a")
    assert node_class["amiSelectorTerms"] == [{"alias": "bottlerocket@v1.64.0"}]
    assert node_class["blockDeviceMappings"][0]["deviceName"] == "/dev/xvdb"


def test_interruptions_reach_the_queue_and_nothing_else_does(recorded: Callable[[str], Run]) -> None:
    run = recorded("prod")
    rules = run.of("aws:cloudwatch/eventRule:EventRule")
    assert len(rules) == len(run.of("aws:cloudwatch/eventTarget:EventTarget")) == len(EVENTS)
    (policy,) = run.of("aws:sqs/queuePolicy:QueuePolicy")
    allow, deny = json.loads(policy.inputs["policy"])["Statement"]
    assert allow["Condition"]["StringEquals"] == {"aws:SourceAccount": "123456789012"}
    assert len(allow["Condition"]["ArnEquals"]["aws:SourceArn"]) == len(rules)
    assert (deny["Effect"], deny["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    for target in run.of("aws:cloudwatch/eventTarget:EventTarget"):
        assert policy.urn in target.depends_on


def test_the_controller_ends_only_instances_of_its_own_cluster(recorded: Callable[[str], Run]) -> None:
    policy = named(recorded("prod"), "aws:iam/rolePolicy:RolePolicy", "karpenter-controller")
    statements = json.loads(policy.inputs["policy"])["Statement"]
    for statement in statements:
        assert statement["Effect"] == "Allow"
        for action in statement["Action"]:
            assert "*" not in action
            if action.startswith(("ec2:Terminate", "ec2:Delete")):
                owned = statement["Condition"]["StringEquals"]
                assert owned == {"aws:ResourceTag/kubernetes.io/cluster/bedplate-prod": "owned"}
            if statement["Resource"] == "*":
                assert any(fnmatchcase(action.split(":")[1], read) for read in ("Describe*", "Get*", "List*"))
    (pass_role,) = (each for each in statements if each["Action"] == ["iam:PassRole"])
    nodes = named(recorded("prod"), "aws:iam/role:Role", "karpenter-nodes")
    assert pass_role["Resource"] == f"arn:aws:iam::123456789012:role/{nodes.inputs['name']}"
    assert pass_role["Condition"] == {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}
    (role_of_spot,) = (each for each in statements if each["Action"] == ["iam:CreateServiceLinkedRole"])
    assert role_of_spot["Resource"].endswith(":role/aws-service-role/spot.amazonaws.com/AWSServiceRoleForEC2Spot")
    assert role_of_spot["Condition"] == {"StringEquals": {"iam:AWSServiceName": "spot.amazonaws.com"}}
    others = [action for each in statements if each not in (pass_role, role_of_spot) for action in each["Action"]]
    assert not any("iam:" in action and "Instance" not in action for action in others)


def test_karpenters_nodes_join_by_an_entry_of_their_own(recorded: Callable[[str], Run]) -> None:
    run = recorded("prod")
    entry = named(run, "aws:eks/accessEntry:AccessEntry", "karpenter-nodes").inputs
    assert (entry["type"], entry["principalArn"].rpartition(":")[2]) == ("EC2_LINUX", "karpenter-nodes")
    managed = {each.inputs["nodeRoleArn"] for each in run.of("aws:eks/nodeGroup:NodeGroup")}
    assert entry["principalArn"] not in managed, "EKS makes the entry of that role itself"


def test_claims_for_volumes_get_gp3_encrypted_with_our_key() -> None:
    (storage,) = prod().of("kubernetes:storage.k8s.io/v1:StorageClass")
    assert storage.inputs["metadata"]["annotations"] == {"storageclass.kubernetes.io/is-default-class": "true"}
    parameters = storage.inputs["parameters"]
    assert (parameters["type"], parameters["encrypted"]) == ("gp3", "true")
    assert parameters["kmsKeyId"].endswith(":keys-volumes")
    assert "DeploymentId=bedplate-prod" in parameters.values()
    assert storage.inputs["volumeBindingMode"] == "WaitForFirstConsumer"


@pytest.mark.parametrize("environment", ["prod", "staging"])
def test_limits_hold_what_the_settings_call_the_most(environment: str) -> None:
    settings: PlatformSettings = load(environment)
    for name, pool in pool_choices(settings, "karpenter").items():
        limits = node_pool_spec(name, pool)["limits"]
        for kind in pool.kinds:
            assert int(limits["cpu"]) >= pool.size.maximum * kind.vcpu
            assert int(limits.get("nvidia.com/gpu", 0)) == pool.size.maximum * kind.gpu_count
