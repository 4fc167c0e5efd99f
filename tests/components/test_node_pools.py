"""Managed node pools: what a node has, where its capacity comes from, and what a launch template must say of it."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from components.fabric import interfaces
from components.instance_types import instance_type, instance_types
from tests.components.platform_recording import Recorded, Run
from tests.components.test_cluster import dev, named, needs

NODE_GROUP, TEMPLATE = "aws:eks/nodeGroup:NodeGroup", "aws:ec2/launchTemplate:LaunchTemplate"
RESERVATION, PLACEMENT = "aws:ec2/capacityReservation:CapacityReservation", "aws:ec2/placementGroup:PlacementGroup"
SCHEDULE = "aws:autoscaling/schedule:Schedule"


def pool(**settings: Any) -> tuple[Run, Recorded, Mapping[str, Any]]:
    """The dev environment with one pool ``p``: the run, the node group, and the launch template's inputs."""
    run = dev(node_pools={"p": {"workload": "training", "max_size": 4, **settings}})
    return run, named(run, NODE_GROUP, "node-pools-p-nodes"), named(run, TEMPLATE, "node-pools-p-nodes").inputs


def test_every_node_is_reached_by_imds_v2_only_and_keeps_it_from_pods(run: Run) -> None:
    for template in run.of(TEMPLATE):
        options = template.inputs["metadataOptions"]
        assert (options["httpTokens"], options["httpPutResponseHopLimit"]) == ("required", 1), template.name


def test_every_disk_is_encrypted_and_goes_with_its_node(run: Run) -> None:
    for template in run.of(TEMPLATE):
        for device in template.inputs["blockDeviceMappings"]:
            disk = device["ebs"]
            assert (disk["encrypted"], disk["deleteOnTermination"], disk["volumeType"]) == ("true", "true", "gp3")


def test_no_node_has_a_public_address(run: Run) -> None:
    for template in run.of(TEMPLATE):
        first, *others = template.inputs["networkInterfaces"]
        # AWS takes the choice only for a sole interface; the subnets give no addresses either.
        assert first.get("associatePublicIpAddress") == (None if others else "false"), template.name
        assert first["deviceIndex"] == first["networkCardIndex"] == 0
        assert first["securityGroups"]


def test_what_nodes_make_has_the_deployments_tags(run: Run, environment: str) -> None:
    for template in run.of(TEMPLATE):
        specifications = template.inputs["tagSpecifications"]
        assert {each["resourceType"] for each in specifications} == {"instance", "volume", "network-interface"}
        for each in specifications:
            assert each["tags"]["DeploymentId"] == f"bedplate-{environment}"
            assert each["tags"]["Name"].startswith(f"bedplate-{environment}-")


def test_no_ami_drifts(run: Run) -> None:
    asked = [token for token, _ in run.calls if "Ami" in token or "getParameter" in token or "Version" in token]
    assert not asked
    for group in run.of(NODE_GROUP):
        assert re.fullmatch(r"\d+\.\d+\.\d+-\d{8}", group.inputs["releaseVersion"]), group.name
        assert group.inputs["releaseVersion"].startswith(f"{group.inputs['version']}.")
    for template in run.of(TEMPLATE):
        assert "imageId" not in template.inputs


def test_gpu_nodes_keep_other_pods_off_and_others_do_not(run: Run) -> None:
    guard = {"key": "nvidia.com/gpu", "value": "true", "effect": "NO_SCHEDULE"}
    for group in run.of(NODE_GROUP):
        has_gpus = group.inputs["labels"].get("nvidia.com/gpu.present") == "true"
        assert (guard in group.inputs.get("taints", [])) is has_gpus, group.name
        assert group.inputs["amiType"].endswith("_NVIDIA") is has_gpus
        assert group.inputs["labels"]["bedplate.dev/pool"]


def test_every_spot_pool_has_a_second_type(run: Run) -> None:
    for group in run.of(NODE_GROUP):
        if group.inputs["capacityType"] == "SPOT":
            assert len(set(group.inputs["instanceTypes"])) >= 2, group.name


def test_names_are_left_to_pulumi(run: Run) -> None:
    for group in run.of(NODE_GROUP):
        assert "nodeGroupName" not in group.inputs, "one that is named could not be replaced before it goes"


def test_the_longest_name_leaves_room_for_what_pulumi_adds() -> None:
    longest = "a-pool-with-a-name-as-long-as-it-may-b"
    run = dev(node_pools={longest: {"workload": "cpu", "instance_types": ["m7i.large"], "max_size": 1}})
    (group,) = (each for each in run.of(NODE_GROUP) if longest in each.name)
    assert len(f"{group.name}-0123abc") == 63


@pytest.mark.parametrize(
    ("types", "more", "expected"),
    [
        (["p5.48xlarge"], {}, "AL2023_x86_64_NVIDIA"),
        (["g5g.xlarge"], {}, "AL2023_ARM_64_NVIDIA"),
        (["m7g.xlarge"], {}, "AL2023_ARM_64_STANDARD"),
        (["trn1.32xlarge"], {}, "AL2023_x86_64_NEURON"),
        (["g6.xlarge"], {"ami": "bottlerocket", "ami_release": "1.64.0-3f9b2c1a"}, "BOTTLEROCKET_x86_64_NVIDIA"),
        (["m7g.xlarge"], {"ami": "bottlerocket", "ami_release": "1.64.0-3f9b2c1a"}, "BOTTLEROCKET_ARM_64"),
    ],
)
def test_the_ami_fits_architecture_and_devices(types: list[str], more: dict[str, str], expected: str) -> None:
    _, group, template = pool(instance_types=types, **more)
    assert group.inputs["amiType"] == expected
    assert group.inputs["releaseVersion"] == more.get("ami_release", group.inputs["releaseVersion"])
    device = "/dev/xvdb" if "BOTTLEROCKET" in expected else "/dev/xvda"
    assert [each["deviceName"] for each in template["blockDeviceMappings"]] == [device]


def test_labels_and_taints_of_the_settings_come_beside_ours() -> None:
    taint = {"key": "team", "value": "vision", "effect": "NoExecute"}
    _, group, _ = pool(instance_types=["g6.xlarge"], labels={"example.com/tier": "lab"}, taints=[taint])
    assert group.inputs["labels"] == {
        "example.com/tier": "lab",
        "bedplate.dev/pool": "p",
        "bedplate.dev/workload": "training",
        "bedplate.dev/gpu": "l4",
        "nvidia.com/gpu.present": "true",
    }
    assert {"key": "team", "value": "vision", "effect": "NO_EXECUTE"} in group.inputs["taints"]


def test_a_p5_has_32_efa_interfaces_beside_its_ordinary_one() -> None:
    run, group, template = pool(instance_types=["p5.48xlarge"], efa=True, zones=[2])
    first, *fabric = template["networkInterfaces"]
    assert first["interfaceType"] == "interface"
    assert len(fabric) == 32
    assert {each["interfaceType"] for each in fabric} == {"efa-only"}
    assert [(each["networkCardIndex"], each["deviceIndex"]) for each in fabric[:3]] == [(0, 1), (1, 0), (2, 0)]
    peers = named(run, "aws:ec2/securityGroup:SecurityGroup", "node-pools-p-fabric")
    for direction in ("Ingress", "Egress"):
        rule = named(run, f"aws:vpc/securityGroup{direction}Rule:SecurityGroup{direction}Rule", "node-pools-p-fabric")
        assert rule.inputs["securityGroupId"] == rule.inputs["referencedSecurityGroupId"] == f"{peers.name}-id"
        assert rule.inputs["ipProtocol"] == "-1"
    assert first["securityGroups"] == ["sg-cluster", f"{peers.name}-id"]
    assert group.inputs["subnetIds"] == ["network-private-2-id"]
    (placement,) = run.of(PLACEMENT)
    assert placement.inputs["strategy"] == "cluster"
    assert template["placement"] == {"groupName": placement.inputs["name"]}


@pytest.mark.parametrize("name", [kind.name for kind in instance_types().values() if kind.efa_interfaces])
def test_efa_is_laid_out_as_ec2_takes_it(name: str) -> None:
    kind = instance_type(name)
    first, *fabric = interfaces(kind, efa=True)
    assert (first.network_card, first.device, first.kind) == (0, 0, "interface")
    assert len(fabric) == kind.efa_interfaces
    assert len({each.network_card for each in fabric}) == len(fabric), "a card takes one EFA"
    assert all(each.device == (0 if each.network_card else 1) for each in fabric)
    assert (0 in {each.network_card for each in fabric}) is (name != "p6-b300.48xlarge")


def test_nodes_without_efa_are_spread_over_all_zones() -> None:
    run, group, template = pool(instance_types=["g6.xlarge"])
    assert len(group.inputs["subnetIds"]) == 3
    assert "placement" not in template
    assert not run.of(PLACEMENT)
    assert len(template["networkInterfaces"]) == 1


def test_raid_0_over_nvme_is_said_to_nodeadm() -> None:
    _, _, template = pool(instance_types=["g6.xlarge"], local_storage="raid0")
    text = base64.b64decode(template["userData"]).decode()
    assert "Content-Type: application/node.eks.aws" in text
    config = yaml.safe_load(text.split("---\n", 1)[1].split("\n--//--")[0])
    assert config["kind"] == "NodeConfig"
    assert config["spec"]["instance"]["localStorage"] == {"strategy": "RAID0"}
    _, _, template = pool(instance_types=["g6.xlarge"])
    assert "userData" not in template


def test_a_reservation_that_exists_is_named_and_none_is_made() -> None:
    run, group, template = pool(
        instance_types=["p5.48xlarge"],
        capacity="reserved",
        capacity_reservation_ids=["cr-0123456789abcdef0"],
        zones=[1],
    )
    target = template["capacityReservationSpecification"]["capacityReservationTarget"]
    assert target == {"capacityReservationId": "cr-0123456789abcdef0"}
    assert group.inputs["capacityType"] == "ON_DEMAND"
    assert not run.of(RESERVATION)


def test_a_reservation_is_made_in_the_pools_own_zone_and_for_it_alone() -> None:
    run, _, template = pool(instance_types=["p5.48xlarge"], capacity="reserved", reserve=2, zones=[1], efa=True)
    (reservation,) = run.of(RESERVATION)
    assert reservation.inputs["instanceCount"] == 2
    assert reservation.inputs["instanceType"] == "p5.48xlarge"
    assert reservation.inputs["availabilityZone"] == "us-east-1a"
    assert reservation.inputs["instanceMatchCriteria"] == "targeted"
    assert reservation.inputs["placementGroupArn"].endswith("node-pools-p-side-by-side")
    assert ("aws:ec2/getSubnet:getSubnet", {"id": "network-private-1-id"}) in run.calls
    target = template["capacityReservationSpecification"]["capacityReservationTarget"]
    assert target == {"capacityReservationId": f"{reservation.name}-id"}


def test_a_capacity_block_is_bought_from_and_its_type_said_once() -> None:
    _, group, template = pool(
        instance_types=["p5.48xlarge"],
        capacity="reserved",
        capacity_block={"reservation_id": "cr-0123456789abcdef1"},
        zones=[1],
    )
    assert group.inputs["capacityType"] == "CAPACITY_BLOCK"
    assert "instanceTypes" not in group.inputs
    assert template["instanceType"] == "p5.48xlarge"
    assert template["instanceMarketOptions"] == {"marketType": "capacity-block"}
    target = template["capacityReservationSpecification"]["capacityReservationTarget"]
    assert target == {"capacityReservationId": "cr-0123456789abcdef1"}


def test_a_schedule_takes_a_pool_to_zero_and_back() -> None:
    hours = {"start": "0 7 * * MON-FRI", "stop": "0 19 * * MON-FRI", "time_zone": "Europe/Berlin"}
    run, group, _ = pool(instance_types=["g6.xlarge"], desired_size=3, schedule=hours)
    actions = {each.inputs["scheduledActionName"]: each.inputs for each in run.of(SCHEDULE) if "-p-" in each.name}
    assert {name: action["desiredCapacity"] for name, action in actions.items()} == {"start": 3, "stop": 0}
    assert actions["stop"]["recurrence"] == "0 19 * * MON-FRI"
    for action in actions.values():
        assert (action["minSize"], action["maxSize"], action["timeZone"]) == (-1, -1, "Europe/Berlin")
        assert action["autoscalingGroupName"] == "eks-nodes"
    assert group.inputs["scalingConfig"] == {"minSize": 0, "desiredSize": 3, "maxSize": 4}
    assert group.ignore_changes == ("scalingConfig.desiredSize",)


def test_without_a_clock_the_size_is_that_of_the_settings() -> None:
    _, group, _ = pool(instance_types=["g6.xlarge"], desired_size=3)
    assert group.ignore_changes == ()


def test_nodes_come_with_their_rights_and_go_before_them() -> None:
    run, group, _ = pool(instance_types=["g6.xlarge"])
    assert {"cluster-nodes-AmazonEKSWorkerNodePolicy", "cluster-nodes-AmazonEC2ContainerRegistryPullOnly"} <= needs(
        run, group
    )
    assert "cluster-control-plane" in needs(run, group)
