"""Add-ons of EKS, by pinned version and in the order in which a cluster can have them.

Nodes are ready only with the network plug-in, so that, kube-proxy and the agent that hands out credentials come before
the first node; CoreDNS and the storage driver run on nodes and come after them. The other way round, EKS never ends.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
import pulumi_aws as aws

from components.base import PlatformComponent
from components.roles import MadeRole, Permissions, PodRoleArgs, pod_role
from components.statements import Statement

BEFORE_NODES: Final = ("vpc-cni", "kube-proxy", "eks-pod-identity-agent")
AFTER_NODES: Final = ("coredns", "aws-ebs-csi-driver")
NAMESPACE: Final = "kube-system"

# Prefixes give a node addresses for all its pods; pods' own subnets are found by their tag kubernetes.io/role/cni.
# Network policies (default-deny) are enforced by this plug-in or by nobody.
# Source: Amazon VPC CNI documentation, "Prefix mode", "Enhanced subnet discovery", add-on schema, 2026-11.
_CONFIGURATION: Final[Mapping[str, Mapping[str, Any]]] = {
    "vpc-cni": {
        "enableNetworkPolicy": "true",
        "env": {"ENABLE_PREFIX_DELEGATION": "true", "WARM_PREFIX_TARGET": "1", "ENABLE_SUBNET_DISCOVERY": "true"},
    },
}


@dataclass(frozen=True)
class Identity:
    """The AWS rights of an add-on: its service account, and policies that AWS keeps for it."""

    service_account: str
    managed_policies: Sequence[str] = ()


# Source: Amazon EKS User Guide, "AWS add-ons", 2026-11.
_IDENTITIES: Final = {
    "vpc-cni": Identity("aws-node", ("AmazonEKS_CNI_Policy",)),
    "aws-ebs-csi-driver": Identity("ebs-csi-controller-sa", ("service-role/AmazonEBSCSIDriverPolicy",)),
    "aws-mountpoint-s3-csi-driver": Identity("s3-csi-driver-sa"),
}


@dataclass(frozen=True)
class AddonsArgs:
    """``versions`` by name, of exactly the add-ons to have, which come ``after`` something.

    ``permissions`` are the frame of every role; ``readable_buckets`` (ARNs) can be mounted by pods.
    """

    cluster_name: pulumi.Input[str]
    cluster_arn: pulumi.Input[str]
    versions: Mapping[str, str]
    permissions: Permissions
    volumes_key_arn: pulumi.Input[str]
    data_key_arn: pulumi.Input[str]
    readable_buckets: Sequence[pulumi.Input[str]]
    after: Sequence[pulumi.Resource]


class Addons(PlatformComponent, area="cluster"):
    """Add-ons of one cluster and their roles; ``ready`` is what stands when they work."""

    ready: Sequence[pulumi.Resource]

    def __init__(self, name: str, args: AddonsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._args = args
        self.ready = [self._addon(addon, version) for addon, version in args.versions.items()]
        self.register_outputs({})

    def _addon(self, name: str, version: str) -> aws.eks.Addon:
        configuration = _CONFIGURATION.get(name)
        identity = _IDENTITIES.get(name)
        role = self._role(name, identity) if identity else None
        return aws.eks.Addon(
            self.child(name),
            cluster_name=self._args.cluster_name,
            addon_name=name,
            addon_version=version,
            configuration_values=json.dumps(configuration, sort_keys=True) if configuration else None,
            pod_identity_associations=[{"role_arn": role.role.arn, "service_account": identity.service_account}]
            if role and identity
            else None,
            resolve_conflicts_on_create="OVERWRITE",
            resolve_conflicts_on_update="OVERWRITE",
            # Its policies come first, or the add-on starts without its rights.
            opts=self.options(depends_on=[*self._args.after, *(role.ready if role else ())]),
        )

    def _role(self, name: str, identity: Identity) -> MadeRole:
        base = self._args.permissions
        permissions = Permissions(base.account, base.boundary_arn, self._statements(name), identity.managed_policies)
        args = PodRoleArgs(self._args.cluster_arn, NAMESPACE, identity.service_account, permissions)
        return pod_role(self, name, args)

    def _statements(self, name: str) -> list[Statement]:
        match name:
            case "aws-ebs-csi-driver":
                return _use_of_volumes_key(self._args.volumes_key_arn)
            case "aws-mountpoint-s3-csi-driver":
                return _reading_of_buckets(self._args.readable_buckets, self._args.data_key_arn)
            case _:
                return []


def _use_of_volumes_key(key_arn: pulumi.Input[str]) -> list[Statement]:
    # Source: Amazon EKS User Guide, "Amazon EBS CSI driver", custom KMS keys, 2026-11.
    use = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
    return [
        {"Sid": "EncryptVolumes", "Effect": "Allow", "Action": use, "Resource": key_arn},
        {
            "Sid": "GrantToVolumes",
            "Effect": "Allow",
            "Action": ["kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"],
            "Resource": key_arn,
            "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}},
        },
    ]


def _reading_of_buckets(buckets: Sequence[pulumi.Input[str]], key_arn: pulumi.Input[str]) -> list[Statement]:
    # Mounts are for reading training data; what writes has a role of its own.
    objects = [pulumi.Output.concat(bucket, "/*") for bucket in buckets]
    return [
        {"Sid": "ListBuckets", "Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": list(buckets)},
        {"Sid": "ReadObjects", "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": objects},
        {"Sid": "DecryptObjects", "Effect": "Allow", "Action": ["kms:Decrypt"], "Resource": key_arn},
    ]
