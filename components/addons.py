"""Add-ons of EKS, by pinned version and in the order in which a cluster can have them.

Nodes are ready only with the network plug-in, so that, kube-proxy and the agent that hands out credentials come before
the first node; CoreDNS and the storage driver run on nodes and come after them. The other way round, EKS never ends.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
import pulumi_aws as aws

from components import names
from components.base import PlatformComponent
from components.keys import KeyPurpose, KeyUser
from components.names import Naming
from components.roles import MadeRole, Permissions, PodRoleArgs, pod_role
from components.statements import Statement

BEFORE_NODES: Final = ("vpc-cni", "kube-proxy", "eks-pod-identity-agent")
_VOLUMES_DRIVER: Final = "aws-ebs-csi-driver"
_BUCKETS_DRIVER: Final = "aws-mountpoint-s3-csi-driver"
AFTER_NODES: Final = ("coredns", _VOLUMES_DRIVER)
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
    _VOLUMES_DRIVER: Identity("ebs-csi-controller-sa", ("service-role/AmazonEBSCSIDriverPolicy",)),
    _BUCKETS_DRIVER: Identity("s3-csi-driver-sa"),
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
        return _reading_of_buckets(self._args.readable_buckets) if name == _BUCKETS_DRIVER else []


def key_users(naming: Naming, owner: str, addons: Collection[str]) -> Mapping[KeyPurpose, Sequence[KeyUser]]:
    """The roles of the drivers among ``addons``, which are parts of the component ``owner``, and their use of keys."""
    found: dict[KeyPurpose, Sequence[KeyUser]] = {}
    if _VOLUMES_DRIVER in addons:
        role = naming.dashed(names.ROLE, owner, _VOLUMES_DRIVER)
        # Source: Amazon EKS User Guide, "Amazon EBS CSI driver", custom KMS keys, 2026-11. It never calls KMS itself.
        use = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
        grant = ["kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"]
        found[KeyPurpose.VOLUMES] = [KeyUser("VolumesDriver", role, use, grant, via="ec2")]
    if _BUCKETS_DRIVER in addons:
        role = naming.dashed(names.ROLE, owner, _BUCKETS_DRIVER)
        found[KeyPurpose.DATA] = [KeyUser("BucketsDriver", role, ["kms:Decrypt"], via="s3")]
    return found


def _reading_of_buckets(buckets: Sequence[pulumi.Input[str]]) -> list[Statement]:
    # Mounts are for reading training data; what writes has a role of its own. What lets it decrypt is in `key_users`.
    objects = [pulumi.Output.concat(bucket, "/*") for bucket in buckets]
    return [
        {"Sid": "ListBuckets", "Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": list(buckets)},
        {"Sid": "ReadObjects", "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": objects},
    ]
