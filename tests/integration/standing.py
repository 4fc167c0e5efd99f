"""What stands in a sandbox, by second opinions: AWS through boto3, the cluster with Kubernetes' official client."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from components.instance_types import instance_type
from tests.integration.commands import Workplace
from tests.integration.inventory import Client
from tests.integration.live_objects import Live, differences, objects_in
from tests.integration.presence import DEPLOYMENT_TAGS, managed, present, tags_of

OPERATION_MARK: Final = "bedplate:operation"  # by which an interrupted run finds what it was making
_NAMESPACES: Final = {"default", "kube-node-lease", "kube-public", "kube-system"}
_OF_KIND: Final = {"local-path-storage"}
_MONITORING: Final = {"monitoring", "node-metrics"}
_PRIORITIES: Final = {"system-cluster-critical", "system-node-critical"}
_NONE_OF: Final = (
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
    ("storage.k8s.io/v1", "StorageClass"),
    ("v1", "Node"),
    ("v1", "PersistentVolume"),
    ("v1", "PersistentVolumeClaim"),
    ("v1", "Pod"),
)


def check_inventory(work: Workplace, client: Client, environment: str, team: str) -> list[dict[str, Any]]:
    """Everything in the state, which is returned, is in AWS, with this deployment's tags where its type has tags."""
    state = work.state(environment)
    resources = managed(state)
    assert len(resources) > 100
    for resource in resources:
        tags = tags_of(client, resource)
        if tags is None:
            assert "tagsAll" not in resource["outputs"], f"{resource['urn']} can be tagged; nobody looked"
            continue
        declared = {key: value for key, value in tags.items() if key != OPERATION_MARK}
        assert declared == resource["outputs"]["tagsAll"], resource["urn"]
        assert tags.keys() >= DEPLOYMENT_TAGS, resource["urn"]
        expected = {"Environment": environment, "Team": team, "DeploymentId": f"bedplate-{environment}"}
        assert expected.items() <= tags.items(), resource["urn"]
    return state


def check_buckets(client: Client, names: dict[str, str], key_arn: str, lock: Mapping[str, object] | None) -> None:
    """What AWS itself says of the buckets' protection."""
    s3 = client("s3")
    for kind, name in names.items():
        assert all(s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"].values())
        assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
        rule = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"][0]
        by_default = rule["ApplyServerSideEncryptionByDefault"]
        if kind != "logs":  # AWS delivers access logs to no bucket that is encrypted with a key
            assert by_default == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key_arn}
        policy = json.loads(s3.get_bucket_policy(Bucket=name)["Policy"])
        insecure = {"Bool": {"aws:SecureTransport": "false"}}
        assert any(each["Effect"] == "Deny" and each.get("Condition") == insecure for each in policy["Statement"])
    if lock is not None:
        configuration = s3.get_object_lock_configuration(Bucket=names["audit"])["ObjectLockConfiguration"]
        assert configuration["Rule"]["DefaultRetention"] == lock


@dataclass(frozen=True)
class Cluster:
    """The sandbox's Kubernetes API, and what the state of one stack says of it."""

    live: Live

    @classmethod
    def of(cls, work: Workplace) -> Cluster:
        return cls(Live(str(work.folder / ".bedplate" / "sandbox" / "default" / "kubeconfig")))

    def differences(self, state: list[dict[str, Any]]) -> list[str]:
        """Every difference between the declared objects of ``state`` and those that are there."""
        found = list[str]()
        for declared in objects_in(state):
            place = f"{declared['kind']}/{declared['metadata'].get('namespace', '')}/{declared['metadata']['name']}"
            there = self.live.read(declared)
            wrong = differences(declared, there) if there else [" is not there"]
            found += [f"{place}{each}" for each in wrong]
        return found

    def gpus_by_pool(self) -> dict[str, list[int]]:
        """The GPUs of each node of a node group, by pool; all nodes are ready."""
        found = dict[str, list[int]]()
        for node in self.live.objects("v1", "Node"):
            conditions = {each["type"]: each["status"] for each in node["status"]["conditions"]}
            assert conditions["Ready"] == "True", node["metadata"]["name"]
            if _is_real(node):
                continue
            gpus = int(node["status"]["allocatable"].get("nvidia.com/gpu", 0))
            found.setdefault(node["metadata"]["labels"]["bedplate.dev/pool"], []).append(gpus)
        return found

    def check_monitoring(self) -> None:
        """Everything that watches the platform runs, on its node and with its volume."""
        pods = [pod for pod in self.live.objects("v1", "Pod") if pod["metadata"]["namespace"] in _MONITORING]
        for pod in pods:
            conditions = {each["type"]: each["status"] for each in pod["status"]["conditions"]}
            assert pod["spec"]["nodeName"], pod["metadata"]["name"]
            assert conditions["Ready"] == "True", (pod["metadata"]["name"], conditions)
        running = {pod["metadata"]["labels"]["app.kubernetes.io/name"] for pod in pods}
        servers = {"prometheus", "alertmanager", "grafana"}
        assert running == servers | {"kube-state-metrics", "node-exporter", "pushgateway"}
        watched = [pod["spec"]["nodeName"] for pod in pods if pod["metadata"]["namespace"] == "node-metrics"]
        assert sorted(watched) == sorted(self.live.names("v1", "Node"))
        claims = self.live.objects("v1", "PersistentVolumeClaim")
        assert {"data-prometheus-0", "data-pushgateway-0"} <= {claim["metadata"]["name"] for claim in claims}
        assert {claim["status"]["phase"] for claim in claims} == {"Bound"}

    def check_empty(self) -> None:
        """Nothing is left but what every cluster has, and the sandbox's own: kind's, or what native has instead."""
        real = any(map(_is_real, self.live.objects("v1", "Node")))
        assert self.live.names("v1", "Namespace") == _NAMESPACES | (_OF_KIND if real else set())
        assert self.live.names("scheduling.k8s.io/v1", "PriorityClass") <= _PRIORITIES
        left = {
            kind: [one["metadata"]["name"] for one in self.live.objects(version, kind) if not _is_sandboxes(one, real)]
            for version, kind in _NONE_OF
        }
        assert {kind: names for kind, names in left.items() if names} == {}

    def names_of_real_nodes(self) -> set[str]:
        """The nodes that are more than objects: kind's."""
        return {node["metadata"]["name"] for node in self.live.objects("v1", "Node") if _is_real(node)}


def _is_real(node: Mapping[str, Any]) -> bool:
    return node.get("spec", {}).get("providerID", "").startswith("kind://")


def _is_sandboxes(one: Mapping[str, Any], of_kind: bool) -> bool:
    labels = one["metadata"].get("labels") or {}
    return _is_kinds(one) if of_kind else labels.get("bedplate.dev/sandbox") == "simulated"


def _is_kinds(one: Mapping[str, Any]) -> bool:
    about = one["metadata"]
    return about.get("namespace") in _OF_KIND | {"kube-system"} or about["name"] == "standard" or _is_real(one)


def gpus_declared(state: list[dict[str, Any]]) -> dict[str, list[int]]:
    """The GPUs of each node that the node groups of ``state`` want, by pool."""
    found = dict[str, list[int]]()
    for group in (one["inputs"] for one in state if one["type"] == "aws:eks/nodeGroup:NodeGroup"):
        each = instance_type(group["instanceTypes"][0]).gpu_count
        found.setdefault(group["labels"]["bedplate.dev/pool"], []).extend(
            [each] * group["scalingConfig"]["desiredSize"]
        )
    return found


def check_gone(work: Workplace, client: Client, environment: str, *states: list[dict[str, Any]]) -> None:
    """Nothing of ``environment`` is left: of its former ``states`` in AWS, of anything in the cluster."""
    assert work.state(environment) == []
    former = [one for state in states for one in managed(state)]
    assert [one["urn"] for one in former if present(client, one)] == []
    Cluster.of(work).check_empty()
