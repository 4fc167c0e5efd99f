"""Karpenter's half in AWS: the role of its controller, that of its nodes, and the queue of interruptions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_aws as aws

from components import names
from components.account import Account
from components.base import PlatformComponent
from components.cluster import NODE_POLICIES, ClusterPlace
from components.karpenter_interruptions import Interruptions, InterruptionsArgs
from components.karpenter_rights import Controlled, statements
from components.roles import MadeRole, Permissions, PodRoleArgs, make_role, pod_role
from components.statements import trust

NAMESPACE: Final = "kube-system"
SERVICE_ACCOUNT: Final = "karpenter"


@dataclass(frozen=True)
class KarpenterArgs:
    account: Account
    cluster: ClusterPlace
    boundary_arn: pulumi.Input[str]


@dataclass(frozen=True)
class KarpenterPlace:
    """What the half in the cluster works with; ``ready`` must stand before it, and until all its nodes have gone."""

    queue_name: pulumi.Output[str]
    instance_profile: pulumi.Output[str]
    ready: Sequence[pulumi.Resource]


class Karpenter(PlatformComponent, area="nodes"):
    """Roles, queue and access of Karpenter: ``place``."""

    place: KarpenterPlace

    def __init__(self, name: str, args: KarpenterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._args = args
        interruptions = Interruptions(self.child("interruptions"), InterruptionsArgs(args.account), self.options())
        node_role, profile = self._node_role()
        entry = self._let_nodes_in(node_role)
        identity = self._identify(self._controller(node_role, interruptions))
        self.place = KarpenterPlace(
            queue_name=interruptions.queue_name,
            instance_profile=profile.name,
            ready=[identity, entry, profile, *node_role.ready, *interruptions.ready],
        )
        self.register_outputs({"queueName": interruptions.queue_name})

    def _node_role(self) -> tuple[MadeRole, aws.iam.InstanceProfile]:
        # Not that of managed node groups: EKS makes the access entry of theirs, and a role has one entry.
        assumed_by = trust("ec2.amazonaws.com", self._args.account.account_id, None)
        permissions = Permissions(self._args.account, self._args.boundary_arn, (), NODE_POLICIES)
        role = make_role(self, "nodes", assumed_by, permissions)
        profile = aws.iam.InstanceProfile(
            self.child("nodes"),
            name=self.physical(names.INSTANCE_PROFILE, self.component_name, "nodes"),
            role=role.role.name,
            opts=self.options(),
        )
        return role, profile

    def _let_nodes_in(self, role: MadeRole) -> aws.eks.AccessEntry:
        return aws.eks.AccessEntry(
            self.child("nodes"),
            cluster_name=self._args.cluster.name,
            principal_arn=role.role.arn,
            type="EC2_LINUX",
            opts=self.options(),
        )

    def _controller(self, node_role: MadeRole, interruptions: Interruptions) -> MadeRole:
        args = self._args
        about = Controlled(
            account=args.account,
            cluster_name=self.naming.dashed(names.CLUSTER),
            cluster_arn=args.cluster.arn,
            node_role_arn=args.account.role_arn(node_role.role.name),
            queue_arn=interruptions.queue_arn,
        )
        permissions = Permissions(args.account, args.boundary_arn, statements(about))
        return pod_role(self, "controller", PodRoleArgs(args.cluster.arn, NAMESPACE, SERVICE_ACCOUNT, permissions))

    def _identify(self, role: MadeRole) -> aws.eks.PodIdentityAssociation:
        return aws.eks.PodIdentityAssociation(
            self.child("controller"),
            cluster_name=self._args.cluster.name,
            namespace=NAMESPACE,
            service_account=SERVICE_ACCOUNT,
            role_arn=role.role.arn,
            opts=self.options(depends_on=list(role.ready)),
        )
