"""Who may enter a cluster: access entries and the access policies associated with them.

Source: Amazon EKS User Guide, "Grant IAM users access to Kubernetes with EKS access entries", "Review access policy
permissions", 2026-11.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from moto.moto_api._internal import mock_random

from engine.emulator.eks.cluster import Cluster, Facts
from engine.emulator.eks.clusters import ClusterBackend
from engine.emulator.eks.errors import impossible, in_use, invalid, missing
from engine.emulator.eks.nodegroups import NodegroupBackend

TYPES = ("STANDARD", "EC2", "EC2_LINUX", "EC2_WINDOWS", "FARGATE_LINUX", "HYBRID_LINUX", "HYPERPOD_LINUX")
POLICIES = frozenset(
    {
        "AmazonEKSAdminPolicy",
        "AmazonEKSAdminViewPolicy",
        "AmazonEKSAutoNodePolicy",
        "AmazonEKSBlockStorageClusterPolicy",
        "AmazonEKSBlockStoragePolicy",
        "AmazonEKSClusterAdminPolicy",
        "AmazonEKSComputeClusterPolicy",
        "AmazonEKSComputePolicy",
        "AmazonEKSEditPolicy",
        "AmazonEKSHybridPolicy",
        "AmazonEKSLoadBalancingClusterPolicy",
        "AmazonEKSLoadBalancingPolicy",
        "AmazonEKSNetworkingClusterPolicy",
        "AmazonEKSNetworkingPolicy",
        "AmazonEKSSecretReaderPolicy",
        "AmazonEKSViewPolicy",
        "AmazonARCRegionSwitchScalingPolicy",
        "AmazonSagemakerHyperpodClusterPolicy",
        "AmazonSagemakerHyperpodControllerPolicy",
        "AmazonSagemakerHyperpodSpacePolicy",
        "AmazonSagemakerHyperpodSpaceTemplatePolicy",
        "AmazonSagemakerHyperpodSystemNamespacePolicy",
    }
)
NODE_USER = "system:node:{{EC2PrivateDNSName}}"
_PRINCIPAL = re.compile(r"arn:aws[\w-]*:iam::\d{12}:(?P<kind>role|user|root)(?:/(?P<path>.+/)?(?P<name>[\w+=,.@-]+))?")
_POLICY = re.compile(r"arn:aws[\w-]*:eks::aws:cluster-access-policy/(\w+)")


class AccessBackend(NodegroupBackend, ClusterBackend):
    def new_cluster(self, request: Facts) -> Cluster:
        cluster = super().new_cluster(request)
        access = cluster.facts["accessConfig"]
        if cluster.answers_access_entries and access["bootstrapClusterCreatorAdminPermissions"]:
            creator = f"arn:{self.partition}:iam::{self.account_id}:user/moto"  # who moto says that every caller is
            self._add_entry(cluster, creator, {})
            policy = f"arn:{self.partition}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
            self.associate(cluster.name, creator, policy, {"type": "cluster"})
        return cluster

    def access_entry(self, cluster: str, principal: str) -> Facts:
        """Raises ResourceNotFoundException, InvalidRequestException for a cluster without access entries."""
        found = self._entries(cluster).get(principal)
        if found is None:
            raise missing(f"The specified principalArn could not be found: {principal}")
        return found

    def list_entries(self, cluster: str, policy: str | None) -> list[str]:
        policies = self.cluster(cluster).access_policies
        return sorted(
            principal for principal in self._entries(cluster) if policy is None or policy in policies.get(principal, {})
        )

    def new_entry(self, request: Facts) -> Facts:
        entries, principal = self._entries(request["clusterName"]), request["principalArn"]
        # AWS also looks whether the principal exists; people and pipelines of an organisation aren't in an emulator.
        if not _PRINCIPAL.fullmatch(principal):
            raise invalid("The principalArn parameter format is not valid")
        if principal in entries:
            raise in_use("The specified access entry resource is already in use on this cluster.")
        kind = request.get("type") or "STANDARD"
        if kind not in TYPES:
            raise invalid(f"Unknown type {kind}: one of {', '.join(TYPES)}")
        if kind != "STANDARD" and (request.get("kubernetesGroups") or request.get("username")):
            raise invalid(f"kubernetesGroups and username can't be given for an access entry of type {kind}")
        _check_groups(request.get("kubernetesGroups") or [])
        return self._add_entry(self.cluster(request["clusterName"]), principal, request)

    def change_entry(self, request: Facts) -> Facts:
        entry = self.access_entry(request["clusterName"], request["principalArn"])
        if entry["type"] != "STANDARD":
            raise impossible(f"An access entry of type {entry['type']} can't be changed")
        _check_groups(request.get("kubernetesGroups") or [])
        given = {key: request[key] for key in ("kubernetesGroups", "username") if request.get(key) is not None}
        entry |= given | {"modifiedAt": datetime.now(UTC)}
        return entry

    def remove_entry(self, cluster: str, principal: str) -> None:
        self.access_entry(cluster, principal)
        del self._entries(cluster)[principal]
        self.cluster(cluster).access_policies.pop(principal, None)

    def associate(self, cluster: str, principal: str, policy: str, scope: Facts) -> Facts:
        """A policy that is associated already gets the new scope."""
        entry = self.access_entry(cluster, principal)
        found = _POLICY.fullmatch(policy)
        if not found or found[1] not in POLICIES:
            raise invalid(f"The policyArn parameter is not valid: there is no access policy {policy}")
        if entry["type"] not in ("STANDARD", "EC2", "HYPERPOD_LINUX"):
            raise impossible(f"Access policies can't be associated with an access entry of type {entry['type']}")
        namespaces = scope.get("namespaces") or []
        if scope.get("type") not in ("cluster", "namespace") or (scope["type"] == "namespace") != bool(namespaces):
            raise invalid("accessScope: type cluster, or type namespace with at least one of namespaces")
        policies = self.cluster(cluster).access_policies.setdefault(principal, {})
        now = datetime.now(UTC)
        policies[policy] = {
            "policyArn": policy,
            "accessScope": {"type": scope["type"], "namespaces": namespaces},
            "associatedAt": policies.get(policy, {}).get("associatedAt", now),
            "modifiedAt": now,
        }
        return policies[policy]

    def associated(self, cluster: str, principal: str) -> list[Facts]:
        self.access_entry(cluster, principal)
        return list(self.cluster(cluster).access_policies.get(principal, {}).values())

    def disassociate(self, cluster: str, principal: str, policy: str) -> None:
        self.access_entry(cluster, principal)
        if self.cluster(cluster).access_policies.get(principal, {}).pop(policy, None) is None:
            raise missing(f"The policy {policy} is not associated with {principal}")

    def _let_in(self, cluster: Cluster, role: str) -> None:
        """EKS makes the entry of a managed node group's role itself."""
        if cluster.answers_access_entries and role not in cluster.access_entries:
            self._add_entry(cluster, role, {"type": "EC2_LINUX"})

    def _shut_out(self, cluster: Cluster, role: str) -> None:
        entry = cluster.access_entries.get(role)
        if entry and entry["type"] == "EC2_LINUX" and role not in [g["nodeRole"] for g in cluster.nodegroups.values()]:
            del cluster.access_entries[role]

    def _entries(self, cluster: str) -> dict[str, Facts]:
        found = self.cluster(cluster)
        if not found.answers_access_entries:
            raise impossible(
                "The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] to perform this "
                "operation."
            )
        return found.access_entries

    def _add_entry(self, cluster: Cluster, principal: str, request: Facts) -> Facts:
        found = _PRINCIPAL.fullmatch(principal)
        assert found is not None, "the caller has looked"
        kind, name = found["kind"], found["name"] or "root"
        groups = {"EC2_LINUX": ["system:nodes"], "EC2_WINDOWS": ["eks:kube-proxy-windows", "system:nodes"]}
        type_ = request.get("type") or "STANDARD"
        session = f"arn:{self.partition}:sts::{self.account_id}:assumed-role/{name}/{{{{SessionName}}}}"
        user = session if kind == "role" else principal
        now = datetime.now(UTC)
        place = f"{self.partition}:eks:{self.region_name}:{self.account_id}"
        entry = {
            "clusterName": cluster.name,
            "principalArn": principal,
            "kubernetesGroups": request.get("kubernetesGroups") or groups.get(type_, []),
            "accessEntryArn": f"arn:{place}:access-entry/{cluster.name}/{kind}/{self.account_id}/{name}/"
            f"{mock_random.uuid4()}",
            "createdAt": now,
            "modifiedAt": now,
            "tags": dict(request.get("tags") or {}),
            "username": request.get("username") or (user if type_ == "STANDARD" else NODE_USER),
            "type": type_,
        }
        cluster.access_entries[principal] = entry
        return entry


def _check_groups(groups: list[str]) -> None:
    reserved = [group for group in groups if group.startswith(("system:", "eks:", "aws:", "amazon:", "iam:"))]
    if reserved:
        raise invalid(f"The kubernetes group name {reserved[0]} is invalid, it cannot start with system:")
