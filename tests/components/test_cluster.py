"""The cluster: who gets in, what is kept, and the order in which it is made and taken down."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.components.platform_recording import DEPLOYER, Recorded, Run, config_of, config_with_cluster, run_program

CLUSTER, ENTRY = "aws:eks/cluster:Cluster", "aws:eks/accessEntry:AccessEntry"
ASSOCIATION = "aws:eks/accessPolicyAssociation:AccessPolicyAssociation"
ADDON, NODE_GROUP = "aws:eks/addon:Addon", "aws:eks/nodeGroup:NodeGroup"


def dev(**cluster: Any) -> Run:
    """The dev environment with these settings of its cluster."""
    wanted = {**config_of("dev")["bedplate:cluster"], **cluster}
    config = config_with_cluster("dev", wanted) if "node_pools" in cluster else config_of("dev")
    if any(pool.get("ami") == "bottlerocket" for pool in wanted["node_pools"].values()):
        config = {**config, "bedplate:gpu": {"exporter": {"profiling": True}}}  # else it would see no GPU there
    return run_program({**config, "bedplate:cluster": wanted}, "dev")


def needs(run: Run, resource: Recorded) -> set[str]:
    """The names of all that ``resource`` depends on, directly or not: what outlives it."""
    by_urn = {each.urn: each for each in run.resources}

    def walk(one: Recorded) -> Iterator[str]:
        provider = one.provider.rpartition("::")[0]
        for urn in {*one.depends_on, *([provider] if provider else [])}:
            if urn in by_urn and urn not in seen:
                seen.add(urn)
                yield by_urn[urn].name
                yield from walk(by_urn[urn])

    seen: set[str] = set()
    return set(walk(resource))


def named(run: Run, type_: str, name: str) -> Recorded:
    (found,) = (each for each in run.of(type_) if each.name == name)
    return found


def test_only_the_vpc_reaches_the_api_unless_ranges_are_named(run: Run) -> None:
    (cluster,) = run.of(CLUSTER)
    network = cluster.inputs["vpcConfig"]
    assert network["endpointPrivateAccess"] is True
    assert network["endpointPublicAccess"] is bool(network.get("publicAccessCidrs"))


def test_ranges_that_are_named_reach_the_api() -> None:
    (cluster,) = dev(public_access_cidrs=["203.0.113.0/24"]).of(CLUSTER)
    assert cluster.inputs["vpcConfig"]["endpointPublicAccess"] is True
    assert cluster.inputs["vpcConfig"]["publicAccessCidrs"] == ["203.0.113.0/24"]


def test_a_cluster_goes_with_its_vpc_whose_subnets_are_all_it_can_have(run: Run) -> None:
    (cluster,), (vpc,) = run.of(CLUSTER), run.of("aws:ec2/vpc:Vpc")
    assert cluster.replacement_trigger == f"{vpc.name}-id"
    assert cluster.delete_before_replace, "its name is free once it is gone"


def test_secrets_are_encrypted_and_extended_support_is_never_paid_for(run: Run) -> None:
    (cluster,) = run.of(CLUSTER)
    key = named(run, "aws:kms/key:Key", "keys-cluster")
    assert cluster.inputs["encryptionConfig"] == {
        "provider": {"keyArn": f"arn:aws:test:us-east-1:123456789012:{key.name}"},
        "resources": ["secrets"],
    }
    assert cluster.inputs["upgradePolicy"] == {"supportType": "STANDARD"}
    assert cluster.inputs["accessConfig"]["authenticationMode"] == "API"


def test_only_production_refuses_to_be_deleted(run: Run, environment: str) -> None:
    (cluster,) = run.of(CLUSTER)
    assert cluster.inputs["deletionProtection"] is (environment == "prod")


def test_control_plane_logs_go_to_a_group_that_is_there_before(run: Run) -> None:
    (cluster,) = run.of(CLUSTER)
    group = named(run, "aws:cloudwatch/logGroup:LogGroup", "cluster-control-plane")
    assert set(cluster.inputs["enabledClusterLogTypes"]) >= {"api", "audit", "authenticator"}
    assert group.inputs["name"] == f"/aws/eks/{cluster.inputs['name']}/cluster"
    assert group.inputs["kmsKeyId"]
    assert group.inputs["retentionInDays"]
    assert group.urn in cluster.depends_on
    (logs,) = (key for key in run.of("aws:kms/key:Key") if key.name == "keys-logs")
    assert f":log-group:/aws/eks/{cluster.inputs['name']}/*" in logs.inputs["policy"]


def test_the_key_of_secrets_names_the_role_that_uses_it(run: Run) -> None:
    (cluster,) = run.of(CLUSTER)
    role = named(run, "aws:iam/role:Role", "cluster-control-plane")
    key = named(run, "aws:kms/key:Key", "keys-cluster")
    (statement,) = (each for each in json.loads(key.inputs["policy"])["Statement"] if each["Sid"] == "ControlPlaneUses")
    principal = statement["Condition"]["ArnEquals"]["aws:PrincipalArn"]
    assert principal == f"arn:aws:iam::123456789012:role/{role.inputs['name']}"
    assert cluster.inputs["roleArn"].endswith(role.name)


def test_the_creator_enters_by_an_entry_that_is_declared(run: Run) -> None:
    (cluster,) = run.of(CLUSTER)
    assert cluster.inputs["accessConfig"]["bootstrapClusterCreatorAdminPermissions"] is False
    entry, association = (
        named(run, ENTRY, "cluster-access-deployer"),
        named(run, ASSOCIATION, "cluster-access-deployer"),
    )
    assert entry.inputs["principalArn"] == association.inputs["principalArn"] == DEPLOYER
    assert association.inputs["policyArn"].endswith("/AmazonEKSClusterAdminPolicy")
    assert association.inputs["accessScope"] == {"type": "cluster"}


def test_a_deployer_that_is_named_is_not_looked_up() -> None:
    run = dev(deployer_arn="arn:aws:iam::123456789012:role/pipeline")
    assert named(run, ENTRY, "cluster-access-deployer").inputs["principalArn"].endswith("role/pipeline")
    assert "aws:iam/getSessionContext:getSessionContext" not in [token for token, _ in run.calls]


def test_others_enter_as_far_as_they_are_let_in() -> None:
    run = dev(
        access=[
            {
                "principal_arn": "arn:aws:iam::123456789012:role/teams/vision",
                "policy": "edit",
                "namespaces": ["vision"],
            },
            {"principal_arn": "arn:aws:iam::123456789012:role/readers", "groups": ["readers"]},
        ]
    )
    vision = named(run, ASSOCIATION, "cluster-access-role-teams-vision").inputs
    assert vision["accessScope"] == {"type": "namespace", "namespaces": ["vision"]}
    assert vision["policyArn"].endswith("/AmazonEKSEditPolicy")
    assert named(run, ENTRY, "cluster-access-role-readers").inputs["kubernetesGroups"] == ["readers"]
    assert not [each for each in run.of(ASSOCIATION) if "readers" in each.name]


def test_the_network_plug_in_comes_before_nodes_and_coredns_after_them(run: Run) -> None:
    system = named(run, NODE_GROUP, "cluster-system-nodes")
    before = needs(run, system)
    assert {f"cluster-foundation-{name}" for name in ("vpc-cni", "kube-proxy", "eks-pod-identity-agent")} <= before
    for name in ("coredns", "aws-ebs-csi-driver"):
        addon = named(run, ADDON, f"cluster-addons-{name}")
        assert system.name in needs(run, addon)
        assert addon.name not in before
    for group in run.of(NODE_GROUP):
        assert "cluster-foundation-vpc-cni" in needs(run, group), group.name
        assert not {each for each in needs(run, group) if each.startswith("cluster-addons-coredns")}


def test_a_cluster_brings_no_add_ons_of_its_own(run: Run) -> None:
    (cluster,) = run.of(CLUSTER)
    assert cluster.inputs["bootstrapSelfManagedAddons"] is False
    for addon in run.of(ADDON):
        assert addon.inputs["addonVersion"].startswith("v"), addon.name
        assert addon.inputs["clusterName"] == cluster.inputs["name"]


def test_an_add_ons_rights_are_there_before_it_and_are_its_own(run: Run) -> None:
    for name, account in (
        ("foundation-vpc-cni", "aws-node"),
        ("addons-aws-ebs-csi-driver", "ebs-csi-controller-sa"),
    ):
        addon = named(run, ADDON, f"cluster-{name}")
        role = named(run, "aws:iam/role:Role", f"cluster-{name}")
        assert addon.inputs["podIdentityAssociations"][0]["serviceAccount"] == account
        (statement,) = json.loads(role.inputs["assumeRolePolicy"])["Statement"]
        conditions = statement["Condition"]
        assert statement["Principal"] == {"Service": "pods.eks.amazonaws.com"}
        assert conditions["StringEquals"]["aws:RequestTag/kubernetes-service-account"] == account
        (cluster,) = run.of(CLUSTER)
        source = f"arn:aws:eks:us-east-1:123456789012:cluster/{cluster.inputs['name']}"
        assert conditions["ArnEquals"]["aws:SourceArn"] == source
        policies = [each for each in run.of("aws:iam/rolePolicyAttachment:RolePolicyAttachment") if name in each.name]
        assert policies
        assert {policy.urn for policy in policies} <= set(addon.depends_on)
    attached = {
        each.inputs["policyArn"].rpartition("/")[2]
        for each in run.of("aws:iam/rolePolicyAttachment:RolePolicyAttachment")
        if each.name.startswith("cluster-nodes-")
    }
    assert attached == {"AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly"}


def test_the_network_outlives_the_cluster_with_all_its_ways_out(run: Run) -> None:
    (cluster,) = run.of(CLUSTER)
    ways = [each for each in run.of("aws:ec2/route:Route") if "natGatewayId" in each.inputs]
    assert ways
    assert {each.name for each in ways} <= needs(run, cluster)
    assert "network-endpoints-s3" in needs(run, cluster)


def test_the_kubeconfig_holds_no_secret() -> None:
    from components.kubeconfig import kubeconfig
    from tests.components.platform_recording import run_component

    seen: list[str] = []
    run_component(lambda: kubeconfig("bedplate-dev", "us-east-1", "https://x", "Q0E=").apply(seen.append))
    config = json.loads(seen[0])
    assert config["clusters"][0]["cluster"] == {"server": "https://x", "certificate-authority-data": "Q0E="}
    (user,) = config["users"]
    assert user["user"] == {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1beta1",
            "command": "aws",
            "args": [
                "eks", "get-token", "--cluster-name", "bedplate-dev", "--region", "us-east-1", "--output", "json",
            ],
        }
    }  # fmt: skip


@pytest.mark.parametrize("offline", [False, True])
def test_an_existing_cluster_is_used_and_nothing_of_eks_is_made(offline: bool) -> None:
    existing = {"existing": {"kubeconfig": "/somewhere/config", "context": "shared"}}
    config = config_with_cluster("dev", existing)
    run = run_program(config, "dev", offline=offline)
    assert not [each for each in run.aws if each.type.startswith("aws:eks/") or "launchTemplate" in each.type]
    (provider,) = run.of("pulumi:providers:kubernetes")
    assert provider.inputs["enableConfigMapMutable"] in (True, "true")
    assert (provider.inputs["kubeconfig"], provider.inputs["context"]) == ("/somewhere/config", "shared")


def test_what_lies_in_the_cluster_goes_before_what_lets_us_in_and_before_its_nodes(
    recorded: Callable[[str], Run],
) -> None:
    run = recorded("dev")
    (provider,) = run.of("pulumi:providers:kubernetes")
    outlive = needs(run, provider)
    assert {"cluster-access-deployer", "cluster-system-nodes", "cluster-addons-coredns"} <= outlive
    assert {"cluster-addons-aws-ebs-csi-driver", "cluster-control-plane"} <= outlive
    for resource in run.resources:
        if resource.type.startswith("kubernetes:"):
            assert resource.provider.startswith(f"{provider.urn}::"), resource.urn
