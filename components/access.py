"""Who may enter the cluster: an access entry for each principal, and what it may do there.

The cluster's creator gets no rights by EKS itself (``bootstrap_cluster_creator_admin_permissions`` is off) but by an
entry that is declared: it lives as long as what needs it. Whatever is made in the cluster depends on ``deployer``, so
that a destroy takes the rights away last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_aws as aws

from components.account import Account
from components.base import PlatformComponent

# Source: Amazon EKS User Guide, "Review access policy permissions", 2026-11.
POLICIES: Final = {
    "cluster-admin": "AmazonEKSClusterAdminPolicy",
    "admin": "AmazonEKSAdminPolicy",
    "edit": "AmazonEKSEditPolicy",
    "view": "AmazonEKSViewPolicy",
}


@dataclass(frozen=True)
class Access:
    """A principal, one of POLICIES in ``namespaces`` (none: everywhere), and Kubernetes ``groups``."""

    principal_arn: str
    policy: str | None
    namespaces: Sequence[str]
    groups: Sequence[str]


@dataclass(frozen=True)
class AccessArgs:
    account: Account
    cluster_name: pulumi.Input[str]
    deployer_arn: str | None  # None: whoever makes the cluster
    entries: Sequence[Access]


class ClusterAccess(PlatformComponent, area="cluster"):
    """The access entries of one cluster; with ``deployer``, whoever deploys may change what lies in it."""

    deployer: pulumi.Resource

    def __init__(self, name: str, args: AccessArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._args = args
        self.deployer = self._let_the_deployer_in()
        for access in args.entries:
            self._let_in(access)
        self.register_outputs({})

    def _let_the_deployer_in(self) -> pulumi.Resource:
        part, known = "deployer", self._args.deployer_arn
        entry = aws.eks.AccessEntry(
            self.child(part),
            cluster_name=self._args.cluster_name,
            principal_arn=known or _whoever_deploys(self),
            # Who deploys next has an entry of his own (`cluster.access`); this one stays with who made the cluster.
            opts=self.options(ignore_changes=None if known else ["principalArn"]),
        )
        return self._associate(part, entry, Access("", "cluster-admin", (), ()))

    def _let_in(self, access: Access) -> None:
        kind, _, path = access.principal_arn.rpartition(":")[2].partition("/")
        part = f"{kind}-{path.replace('/', '-')}"
        entry = aws.eks.AccessEntry(
            self.child(part),
            cluster_name=self._args.cluster_name,
            principal_arn=access.principal_arn,
            kubernetes_groups=list(access.groups) or None,
            opts=self.options(),
        )
        if access.policy is not None:
            self._associate(part, entry, access)

    def _associate(self, part: str, entry: aws.eks.AccessEntry, access: Access) -> pulumi.Resource:
        policy = f"cluster-access-policy/{POLICIES[access.policy or 'view']}"
        scope = (
            {"type": "namespace", "namespaces": list(access.namespaces)} if access.namespaces else {"type": "cluster"}
        )
        return aws.eks.AccessPolicyAssociation(
            self.child(part),
            cluster_name=self._args.cluster_name,
            principal_arn=entry.principal_arn,
            policy_arn=pulumi.Output.format("arn:{0}:eks::aws:{1}", self._args.account.partition, policy),
            access_scope=scope,  # pyright: ignore[reportArgumentType]
            opts=self.options(depends_on=[entry]),
        )


def _whoever_deploys(owner: pulumi.Resource) -> pulumi.Output[str]:
    """The IAM role or user whose credentials are used: a session of a role is no principal of an access entry."""
    options = pulumi.InvokeOptions(parent=owner)
    caller = aws.get_caller_identity_output(opts=options).arn
    # Only IAM knows the path of the role behind a session, and an entry without it lets nobody in.
    issuer = aws.iam.get_session_context_output(arn=caller, opts=options).issuer_arn
    return issuer.apply(lambda arn: arn.replace(":sts:", ":iam:", 1))  # emulators say sts of users, too
