"""The cluster: a control plane of EKS with its access, its add-ons and the nodes that its own parts run on.

Everything is made in the order in which it works, and a destroy goes back the same way: network, key and log group,
control plane, access and network plug-in, system nodes, CoreDNS and storage driver, and then what lies in the cluster.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components import addons as cluster_addons
from components import names
from components.access import Access, AccessArgs, ClusterAccess
from components.account import Account
from components.addons import BEFORE_NODES, Addons, AddonsArgs
from components.base import PlatformComponent
from components.keys import KeyPurpose, KeyUser
from components.kubeconfig import kubeconfig
from components.managed_pools import ManagedPool, ManagedPoolArgs
from components.names import Naming
from components.network import NetworkPlace
from components.pools import PoolChoices
from components.roles import MadeRole, Permissions, make_role
from components.statements import trust

SYSTEM_POOL = "system"
_CONTROL_PLANE = "control-plane"
_ADDONS = "addons"
# What the role of the control plane does with the key of the secrets.
# Source: Amazon EKS User Guide, "Encrypt Kubernetes secrets with KMS on existing clusters", 2026-11.
_CONTROL_PLANE_USE = ("kms:Encrypt", "kms:Decrypt", "kms:DescribeKey", "kms:ListGrants")
# Not the network plug-in's policy: that has a role of its own, which other pods of the node don't share.
NODE_POLICIES = ("AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly")


@dataclass(frozen=True)
class ClusterChoices:
    """What an environment decides about its cluster. No ``public_access_cidrs``: only the VPC reaches the API."""

    version: str
    public_access_cidrs: Sequence[str]
    service_cidr: str
    log_types: Sequence[str]
    log_retention_days: int
    deletion_protection: bool
    deployer_arn: str | None  # None: whoever makes the cluster
    access: Sequence[Access]
    addons: Mapping[str, str]
    system_pool: PoolChoices


@dataclass(frozen=True)
class ClusterKeys:
    """ARNs of the keys: of Kubernetes' secrets, and of the log group."""

    secrets: pulumi.Input[str]
    logs: pulumi.Input[str]


@dataclass(frozen=True)
class ClusterArgs:
    """``tags`` are the deployment's, for what nodes make; ``readable_buckets`` (ARNs) can be mounted by pods."""

    account: Account
    network: NetworkPlace
    boundary_arn: pulumi.Input[str]
    keys: ClusterKeys
    tags: Mapping[str, str]
    readable_buckets: Sequence[pulumi.Input[str]]
    choices: ClusterChoices


@dataclass(frozen=True)
class ClusterPlace:
    """How others use a cluster. ``ready`` is what must stand, and stay, for anything that lies in it."""

    name: pulumi.Output[str]
    arn: pulumi.Output[str]
    endpoint: pulumi.Output[str]
    security_group_id: pulumi.Output[str]
    kubeconfig: pulumi.Output[str]
    node_role: MadeRole
    before_nodes: Sequence[pulumi.Resource]
    ready: Sequence[pulumi.Resource]


class Cluster(PlatformComponent, area="cluster"):
    """EKS: ``place`` is how others use it."""

    place: ClusterPlace

    def __init__(self, name: str, args: ClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._args = args
        self._cluster_name = self.naming.dashed(names.CLUSTER)
        cluster = self._control_plane()
        entries = AccessArgs(args.account, cluster.name, args.choices.deployer_arn, args.choices.access)
        access = ClusterAccess(self.child("access"), entries, self.options())
        early = [addon for addon in args.choices.addons if addon in BEFORE_NODES]
        before = self._addons("foundation", cluster, early)
        node_role = self._node_role()
        system = self._system_pool(cluster, node_role, before.ready)
        late = [addon for addon in args.choices.addons if addon not in BEFORE_NODES]
        later = self._addons(_ADDONS, cluster, late, system)
        endpoint, authority = cluster.endpoint, cluster.certificate_authority.data
        self.place = ClusterPlace(
            name=cluster.name,
            arn=self._arn(cluster),
            endpoint=endpoint,
            security_group_id=cluster.vpc_config.cluster_security_group_id,
            kubeconfig=kubeconfig(cluster.name, args.account.region, endpoint, authority),
            node_role=node_role,
            before_nodes=before.ready,
            ready=[access.deployer, *later.ready],
        )
        self.register_outputs({"name": cluster.name, "endpoint": endpoint})

    def _control_plane(self) -> aws.eks.Cluster:
        args, choices = self._args, self._args.choices
        role = self._control_plane_role()
        logs = self._log_group()
        return aws.eks.Cluster(
            self.child("control-plane"),
            name=self._cluster_name,
            version=choices.version,
            role_arn=role.role.arn,
            access_config={"authentication_mode": "API", "bootstrap_cluster_creator_admin_permissions": False},
            bootstrap_self_managed_addons=False,
            deletion_protection=choices.deletion_protection,
            enabled_cluster_log_types=list(choices.log_types),
            encryption_config={"provider": {"key_arn": args.keys.secrets}, "resources": ["secrets"]},
            kubernetes_network_config={"ip_family": "ipv4", "service_ipv4_cidr": choices.service_cidr},
            # Extended support costs six times as much, and begins by itself where this is not said.
            upgrade_policy={"support_type": "STANDARD"},
            vpc_config={
                "subnet_ids": args.network.private_subnet_ids,
                "endpoint_private_access": True,
                "endpoint_public_access": bool(choices.public_access_cidrs),
                "public_access_cidrs": list(choices.public_access_cidrs) or None,
            },
            # EKS makes the log group itself where there is none: without a key, and kept for ever. And nodes that are
            # being drained need the way out of the network to their last moment. A cluster stays in its VPC: EKS takes
            # no subnets of another one, and the name is free once the old cluster is gone.
            opts=self.options(
                depends_on=[*role.ready, logs, args.network.whole],
                replacement_trigger=args.network.vpc_id,
                delete_before_replace=True,
            ),
        )

    def _control_plane_role(self) -> MadeRole:
        account = self._args.account
        # Source: Amazon EKS User Guide, "Cross-service confused deputy prevention in Amazon EKS", 2026-11.
        clusters = account.arn("eks", f"cluster/{self._cluster_name}")
        return make_role(
            self,
            _CONTROL_PLANE,
            trust("eks.amazonaws.com", account.account_id, clusters),
            Permissions(account, self._args.boundary_arn, (), ("AmazonEKSClusterPolicy",)),
        )

    def _log_group(self) -> aws.cloudwatch.LogGroup:
        return aws.cloudwatch.LogGroup(
            self.child("control-plane"),
            name=f"/aws/eks/{self._cluster_name}/cluster",
            kms_key_id=self._args.keys.logs,
            retention_in_days=self._args.choices.log_retention_days,
            opts=self.options(),
        )

    def _node_role(self) -> MadeRole:
        assumed_by = trust("ec2.amazonaws.com", self._args.account.account_id, None)
        permissions = Permissions(self._args.account, self._args.boundary_arn, (), NODE_POLICIES)
        return make_role(self, "nodes", assumed_by, permissions)

    def _addons(self, part: str, cluster: aws.eks.Cluster, wanted: Sequence[str], *after: pulumi.Resource) -> Addons:
        args = self._args
        return Addons(
            self.child(part),
            AddonsArgs(
                cluster_name=cluster.name,
                cluster_arn=self._arn(cluster),
                versions={name: args.choices.addons[name] for name in wanted},
                permissions=Permissions(args.account, args.boundary_arn),
                readable_buckets=args.readable_buckets,
                after=after,
            ),
            self.options(),
        )

    def _arn(self, cluster: aws.eks.Cluster) -> pulumi.Output[str]:
        return self._args.account.arn("eks", pulumi.Output.concat("cluster/", cluster.name))

    def _system_pool(
        self, cluster: aws.eks.Cluster, role: MadeRole, after: Sequence[pulumi.Resource]
    ) -> aws.eks.NodeGroup:
        pool = ManagedPool(
            self.child(SYSTEM_POOL),
            ManagedPoolArgs(
                name=SYSTEM_POOL,
                pool=self._args.choices.system_pool,
                cluster_name=cluster.name,
                cluster_security_group_id=cluster.vpc_config.cluster_security_group_id,
                version=self._args.choices.version,
                network=self._args.network,
                role=role,
                tags=self._args.tags,
                after=after,
            ),
            self.options(),
        )
        return pool.node_group


def key_users(naming: Naming, name: str, addons: Collection[str]) -> Mapping[KeyPurpose, Sequence[KeyUser]]:
    """The roles of the cluster component called ``name``, which has ``addons``, and their use of keys."""
    control_plane = naming.dashed(names.ROLE, name, _CONTROL_PLANE)
    return {
        KeyPurpose.CLUSTER: [KeyUser("ControlPlane", control_plane, _CONTROL_PLANE_USE)],
        **cluster_addons.key_users(naming, f"{name}-{_ADDONS}", addons),
    }
