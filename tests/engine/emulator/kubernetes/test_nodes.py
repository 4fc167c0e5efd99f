"""Node groups of the EKS emulator as nodes of its Kubernetes API."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest

from tests.engine.emulator.kubernetes.http import Http

PATH = "/_bedplate/kubernetes"


@dataclass
class Sandbox:
    """The emulator's process with both of its APIs, and a VPC in it."""

    aws: str
    kubernetes: Http
    made: dict[str, Any] = field(default_factory=dict[str, Any])

    def client(self, service: str) -> Any:
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
        return boto3.client(service, endpoint_url=self.aws, **keys)  # pyright: ignore[reportCallIssue, reportArgumentType]

    def tell(self, server: str, **more: str) -> None:
        body = json.dumps({"server": server} | more).encode()
        with urllib.request.urlopen(urllib.request.Request(self.aws + PATH, body, method="PUT")) as answer:
            assert answer.status == 200

    def nodes(self, group: str) -> list[Any]:
        said = self.kubernetes.get(f"/api/v1/nodes?labelSelector=eks.amazonaws.com/nodegroup%3D{group}")
        return said.body["items"]

    def cluster(self, name: str, **more: Any) -> None:
        network = {"subnetIds": self.made["subnets"]}
        self.client("eks").create_cluster(name=name, roleArn=self.made["role"], resourcesVpcConfig=network, **more)

    def group(self, cluster: str, name: str, size: int, **more: Any) -> Any:
        scaling = {"minSize": 0, "maxSize": 10, "desiredSize": size}
        wanted = {"nodeRole": self.made["role"], "subnets": self.made["subnets"], "scalingConfig": scaling}
        made = self.client("eks").create_nodegroup(clusterName=cluster, nodegroupName=name, **wanted, **more)
        return made["nodegroup"]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    command = [sys.executable, "-m", "engine.emulator", "--kubernetes-port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as emulator:
        assert emulator.stdout is not None
        said = json.loads(emulator.stdout.readline())
        started = Sandbox(said["endpoint"], Http(said["kubernetes"]))
        ec2 = started.client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        zones = {"10.0.0.0/24": "us-east-1a", "10.0.1.0/24": "us-east-1b"}
        subnets = [ec2.create_subnet(VpcId=vpc, CidrBlock=cidr, AvailabilityZone=zone) for cidr, zone in zones.items()]
        started.made["subnets"] = [made["Subnet"]["SubnetId"] for made in subnets]
        made = started.client("iam").create_role(RoleName="nodes", AssumeRolePolicyDocument="{}")
        started.made["role"] = made["Role"]["Arn"]
        started.tell(said["kubernetes"])
        started.cluster("c")
        yield started
        emulator.terminate()
        assert emulator.wait(10) == 0


def test_a_group_becomes_nodes_with_what_its_machines_have(sandbox: Sandbox) -> None:
    taints = [{"key": "nvidia.com/gpu", "value": "true", "effect": "NO_SCHEDULE"}]
    more: dict[str, Any] = {"instanceTypes": ["g6.12xlarge", "g6.24xlarge"], "amiType": "AL2023_x86_64_NVIDIA"}
    group = sandbox.group("c", "train", 3, taints=taints, labels={"pool": "train"}, capacityType="SPOT", **more)
    assert group["status"] == "ACTIVE"
    nodes = sandbox.nodes("train")
    assert len(nodes) == 3
    zones = sorted(node["metadata"]["labels"]["topology.kubernetes.io/zone"] for node in nodes)
    assert sorted({zone: zones.count(zone) for zone in zones}.items()) == [("us-east-1a", 2), ("us-east-1b", 1)]
    node = nodes[0]
    assert node["metadata"]["name"].startswith("ip-10-0-")
    assert node["metadata"]["name"].endswith(".ec2.internal")
    labels = node["metadata"]["labels"]
    assert labels["node.kubernetes.io/instance-type"] == "g6.12xlarge"
    assert (labels["pool"], labels["eks.amazonaws.com/capacityType"]) == ("train", "SPOT")
    assert labels["kubernetes.io/arch"] == "amd64"
    assert node["spec"]["taints"] == [{"key": "nvidia.com/gpu", "value": "true", "effect": "NoSchedule"}]
    assert node["spec"]["providerID"].startswith(f"aws:///{labels['topology.kubernetes.io/zone']}/i-")
    capacity, allocatable = node["status"]["capacity"], node["status"]["allocatable"]
    assert (capacity["cpu"], capacity["nvidia.com/gpu"], capacity["pods"]) == ("48", "4", "234")
    assert allocatable["nvidia.com/gpu"] == "4"
    assert allocatable["cpu"] == "47810m"
    assert int(allocatable["memory"][:-2]) < int(capacity["memory"][:-2]) < 192 * 1024 * 1024
    assert [each["status"] for each in node["status"]["conditions"] if each["type"] == "Ready"] == ["True"]


def test_the_nodes_follow_the_group(sandbox: Sandbox) -> None:
    eks, group = sandbox.client("eks"), sandbox.group("c", "web", 2)
    before = {node["metadata"]["uid"] for node in sandbox.nodes("web")}
    changes = {"labels": {"addOrUpdateLabels": {"tier": "web"}}, "scalingConfig": {"desiredSize": 4}}
    eks.update_nodegroup_config(clusterName="c", nodegroupName="web", **changes)
    nodes = sandbox.nodes("web")
    assert len(nodes) == 4
    assert before < {node["metadata"]["uid"] for node in nodes}
    assert {node["metadata"]["labels"].get("tier") for node in nodes} == {"web"}
    eks.update_nodegroup_config(clusterName="c", nodegroupName="web", labels={"removeLabels": ["tier"]})
    assert {node["metadata"]["labels"].get("tier") for node in sandbox.nodes("web")} == {None}
    scaling = sandbox.client("autoscaling")
    name = group["resources"]["autoScalingGroups"][0]["name"]
    scaling.set_desired_capacity(AutoScalingGroupName=name, DesiredCapacity=1)
    assert len(sandbox.nodes("web")) == 1
    kept = sandbox.nodes("web")[0]["metadata"]["uid"]
    eks.update_nodegroup_version(clusterName="c", nodegroupName="web", releaseVersion="1.35.1-20260101")
    renewed = sandbox.nodes("web")
    assert [node["status"]["nodeInfo"]["kubeletVersion"] for node in renewed] == ["v1.35.1-eks-bedplate"]
    assert renewed[0]["metadata"]["uid"] != kept
    eks.delete_nodegroup(clusterName="c", nodegroupName="web")
    assert sandbox.nodes("web") == []


def test_efa_interfaces_and_disks_of_a_launch_template(sandbox: Sandbox) -> None:
    interfaces = [{"DeviceIndex": 0, "InterfaceType": "efa"}, {"DeviceIndex": 1, "InterfaceType": "efa-only"}]
    disks = [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 200}}]
    data = {"InstanceType": "p5.48xlarge", "NetworkInterfaces": interfaces, "BlockDeviceMappings": disks}
    made = sandbox.client("ec2").create_launch_template(LaunchTemplateName="efa", LaunchTemplateData=data)
    template = {"id": made["LaunchTemplate"]["LaunchTemplateId"], "version": "1"}
    sandbox.group("c", "efa", 1, launchTemplate=template, amiType="AL2023_x86_64_NVIDIA")
    (node,) = sandbox.nodes("efa")
    capacity = node["status"]["capacity"]
    assert (capacity["vpc.amazonaws.com/efa"], capacity["nvidia.com/gpu"]) == ("2", "8")
    assert capacity["ephemeral-storage"] == f"{200 * 1024 * 1024}Ki"
    assert node["metadata"]["labels"]["eks.amazonaws.com/sourceLaunchTemplateId"] == template["id"]


def test_daemons_run_on_the_nodes_that_they_may_run_on(sandbox: Sandbox) -> None:
    sandbox.group("c", "gpus", 2, instanceTypes=["g6.xlarge"], amiType="AL2023_x86_64_NVIDIA", labels={"d": "1"})
    pod = {"nodeSelector": {"d": "1"}, "containers": [{"name": "plugin", "image": "x:1"}]}
    template = {"metadata": {"labels": {"app": "plugin"}}, "spec": pod}
    spec = {"selector": {"matchLabels": {"app": "plugin"}}, "template": template}
    body = {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "plugin"}, "spec": spec}
    path = "/apis/apps/v1/namespaces/kube-system/daemonsets"
    sandbox.kubernetes.post(path, body)
    status = sandbox.kubernetes.get(f"{path}/plugin").body["status"]
    assert (status["desiredNumberScheduled"], status["numberReady"]) == (2, 2)
    sandbox.client("eks").delete_nodegroup(clusterName="c", nodegroupName="gpus")
    assert sandbox.kubernetes.get(f"{path}/plugin").body["status"]["desiredNumberScheduled"] == 0


def test_coredns_waits_for_a_node_and_nodes_wait_for_the_network_plugin(sandbox: Sandbox) -> None:
    """The trap: vpc-cni must come before the nodes, CoreDNS needs them."""
    eks = sandbox.client("eks")
    sandbox.cluster("bare", bootstrapSelfManagedAddons=False)

    def addon(name: str) -> str:
        return eks.describe_addon(clusterName="bare", addonName=name)["addon"]["status"]

    def group() -> str:
        return eks.describe_nodegroup(clusterName="bare", nodegroupName="system")["nodegroup"]["status"]

    eks.create_addon(clusterName="bare", addonName="coredns")
    assert addon("coredns") == "CREATING"
    assert sandbox.group("bare", "system", 1)["status"] == "CREATING"
    (node,) = sandbox.nodes("system")
    assert [each["status"] for each in node["status"]["conditions"] if each["type"] == "Ready"] == ["False"]
    assert node["spec"]["taints"] == [{"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}]
    assert (addon("coredns"), group()) == ("CREATING", "CREATING")
    assert eks.create_addon(clusterName="bare", addonName="vpc-cni")["addon"]["status"] == "ACTIVE"
    (node,) = sandbox.nodes("system")
    assert [each["status"] for each in node["status"]["conditions"] if each["type"] == "Ready"] == ["True"]
    assert "taints" not in node["spec"]
    assert (addon("coredns"), group()) == ("ACTIVE", "ACTIVE")


def test_coredns_does_not_run_on_a_gpu_node(sandbox: Sandbox) -> None:
    eks = sandbox.client("eks")
    sandbox.cluster("tainted")
    taints = [{"key": "nvidia.com/gpu", "value": "true", "effect": "NO_SCHEDULE"}]
    sandbox.group("tainted", "only-gpus", 1, taints=taints)
    assert eks.create_addon(clusterName="tainted", addonName="coredns")["addon"]["status"] == "CREATING"
    critical = [{"key": "CriticalAddonsOnly", "value": "true", "effect": "NO_SCHEDULE"}]
    sandbox.group("tainted", "critical", 1, taints=critical)
    assert eks.describe_addon(clusterName="tainted", addonName="coredns")["addon"]["status"] == "ACTIVE"


def test_a_full_subnet_holds_up_no_other_group(sandbox: Sandbox) -> None:
    ec2, eks = sandbox.client("ec2"), sandbox.client("eks")
    vpc = ec2.describe_subnets(SubnetIds=sandbox.made["subnets"])["Subnets"][0]["VpcId"]
    small = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.9.0/28", AvailabilityZone="us-east-1a")["Subnet"]["SubnetId"]
    scaling = {"minSize": 0, "maxSize": 12, "desiredSize": 12}
    wanted = {"nodeRole": sandbox.made["role"], "subnets": [small], "scalingConfig": scaling}
    eks.create_nodegroup(clusterName="c", nodegroupName="crowded", **wanted)
    (issue,) = eks.describe_nodegroup(clusterName="c", nodegroupName="crowded")["nodegroup"]["health"]["issues"]
    assert issue["code"] == "InsufficientFreeAddresses"
    assert issue["message"] == "10.0.9.0/28 has no free address for a node; choose a larger subnet"
    sandbox.group("c", "roomy", 1)
    assert len(sandbox.nodes("roomy")) == 1
    eks.delete_nodegroup(clusterName="c", nodegroupName="crowded")
    assert not sandbox.nodes("crowded")


def test_an_api_that_cannot_be_reached_breaks_nothing_and_is_tried_again(sandbox: Sandbox) -> None:
    eks = sandbox.client("eks")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        closed = f"http://127.0.0.1:{taken.getsockname()[1]}"
    sandbox.tell(closed)
    made = sandbox.group("c", "later", 2)
    assert made["status"] == "ACTIVE"
    (issue,) = eks.describe_nodegroup(clusterName="c", nodegroupName="later")["nodegroup"]["health"]["issues"]
    assert issue["code"] == "ClusterUnreachable"
    assert closed in issue["message"]
    sandbox.tell(sandbox.kubernetes.url)
    deadline = time.monotonic() + 20
    while len(sandbox.nodes("later")) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(sandbox.nodes("later")) == 2
    while issue and time.monotonic() < deadline:
        issue = eks.describe_nodegroup(clusterName="c", nodegroupName="later")["nodegroup"]["health"]["issues"]
    assert issue == []


def test_credentials_are_taken_and_not_given_back(sandbox: Sandbox) -> None:
    sandbox.tell(sandbox.kubernetes.url, token="secret-token", clientKey="c2VjcmV0")
    with urllib.request.urlopen(sandbox.aws + PATH) as answer:
        said = answer.read().decode()
    assert "secret" not in said
    assert "c2VjcmV0" not in said
    assert json.loads(said)["server"] == sandbox.kubernetes.url


def test_what_is_in_a_cluster_goes_with_the_last_one_and_what_was_there_before_stays(sandbox: Sandbox) -> None:
    eks, kubernetes = sandbox.client("eks"), sandbox.kubernetes

    def delete(cluster: str) -> None:
        for group in eks.list_nodegroups(clusterName=cluster)["nodegroups"]:
            eks.delete_nodegroup(clusterName=cluster, nodegroupName=group)
        eks.delete_cluster(name=cluster)

    def namespaces() -> set[str]:
        names = {each["metadata"]["name"] for each in kubernetes.get("/api/v1/namespaces").body["items"]}
        return names - {"default", "kube-system", "kube-public", "kube-node-lease"}

    def namespace(name: str) -> None:
        assert kubernetes.post("/api/v1/namespaces", {"metadata": {"name": name}}).status == 201

    for left in eks.list_clusters()["clusters"]:
        delete(left)
    namespace("before")
    sandbox.cluster("c")
    sandbox.cluster("other")
    namespace("in-a-cluster")
    deployment = {
        "metadata": {"name": "web", "finalizers": ["example.org/never"]},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "web", "image": "web"}]},
            },
        },
    }
    assert kubernetes.post("/apis/apps/v1/namespaces/in-a-cluster/deployments", deployment).status == 201
    sandbox.group("other", "last", 1)
    delete("c")
    assert namespaces() == {"before", "in-a-cluster"}, "it may be the other's"
    delete("other")
    assert namespaces() == {"before"}
    for path in ("/api/v1/nodes", "/api/v1/pods", "/apis/apps/v1/replicasets", "/apis/apps/v1/deployments"):
        assert kubernetes.get(path).body["items"] == [], path
    assert kubernetes.get("/api/v1/namespaces/before/serviceaccounts/default").status == 200
    sandbox.cluster("c")
