"""IAM roles: what may assume them, what they may do, and the boundary that none of them can pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components import names
from components.account import Account
from components.base import PlatformComponent
from components.statements import Statement, document, trust, trust_of_pods

# What the platform's services work with. A role needs both this and a policy of its own, so this grants nothing.
_SERVICES = (
    "aps", "autoscaling", "budgets", "ce", "cloudwatch", "ec2", "ecr", "eks", "eks-auth", "elasticloadbalancing",
    "glue", "kms", "logs", "pricing", "s3", "sagemaker", "secretsmanager", "sns", "sqs", "ssm", "sts",
)  # fmt: skip
# What no role of the platform may do, whatever its policies say: weaken the guards, or make principals without them.
_FORBIDDEN = (
    "budgets:DeleteBudget",
    "budgets:ModifyBudget",
    "ce:DeleteAnomaly*",
    "ce:UpdateAnomaly*",
    "ec2:DeleteFlowLogs",
    "iam:AttachUserPolicy",
    "iam:CreateAccessKey",
    "iam:CreateUser",
    "iam:DeleteRolePermissionsBoundary",
    "iam:PutUserPolicy",
    "kms:DisableKey",
    "kms:DisableKeyRotation",
    "kms:PutKeyPolicy",
    "kms:ScheduleKeyDeletion",
    "logs:DeleteLogGroup",
    "logs:DisassociateKmsKey",
    "s3:BypassGovernanceRetention",
    "s3:DeleteBucket",
    "s3:DeleteBucketPolicy",
    "s3:PutAccountPublicAccessBlock",
    "s3:PutBucketLogging",
    "s3:PutBucketObjectLockConfiguration",
    "s3:PutBucketOwnershipControls",
    "s3:PutBucketPolicy",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutBucketVersioning",
    "s3:PutEncryptionConfiguration",
    "s3:PutLifecycleConfiguration",
)
FOR_SPOT = {"StringEquals": {"iam:AWSServiceName": "spot.amazonaws.com"}}


@dataclass(frozen=True)
class BoundaryArgs:
    existing_arn: str | None  # a policy that the organisation prescribes, instead of the platform's own


class Boundary(PlatformComponent, area="identity"):
    """The permissions boundary of every role: ``arn``."""

    arn: pulumi.Output[str]

    def __init__(self, name: str, args: BoundaryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self.arn = pulumi.Output.from_input(args.existing_arn) if args.existing_arn else self._policy().arn
        self.register_outputs({"arn": self.arn})

    def _policy(self) -> aws.iam.Policy:
        return aws.iam.Policy(
            self.child("policy"),
            name=self.physical(names.POLICY, "boundary"),
            description="The most that a role of this deployment may do",
            policy=document(
                [
                    {
                        "Sid": "PlatformServices",
                        "Effect": "Allow",
                        "Action": [f"{service}:*" for service in _SERVICES],
                        "Resource": "*",
                    },
                    # What makes nodes hands them a role; which one, the policy of the role that does it says.
                    {
                        "Sid": "RolesOfNodes",
                        "Effect": "Allow",
                        "Action": ["iam:PassRole"],
                        "Resource": "*",
                        "Condition": {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}},
                    },
                    # An account's first Spot request makes the role that Spot itself works with.
                    {
                        "Sid": "RoleOfSpot",
                        "Effect": "Allow",
                        "Action": ["iam:CreateServiceLinkedRole"],
                        "Resource": "*",
                        "Condition": FOR_SPOT,
                    },
                    {
                        "Sid": "InstanceProfiles",
                        "Effect": "Allow",
                        "Action": ["iam:GetInstanceProfile", "iam:ListInstanceProfiles"],
                        "Resource": "*",
                    },
                    {"Sid": "GuardsStay", "Effect": "Deny", "Action": list(_FORBIDDEN), "Resource": "*"},
                ]
            ),
            opts=self.options(),
        )


@dataclass(frozen=True)
class ServiceRoleArgs:
    """A role that an AWS service assumes on behalf of this account, with exactly ``statements`` as its permissions.

    ``sources`` is a pattern of the ARNs of the resources for which the service may assume it; see ``trust`` for None.
    """

    account: Account
    service: str
    sources: pulumi.Input[str] | None
    statements: Sequence[Statement]
    boundary_arn: pulumi.Input[str]


def service_role(owner: PlatformComponent, part: str, args: ServiceRoleArgs) -> aws.iam.Role:
    """The role called ``part`` of the component ``owner``, and its policy."""
    permissions = Permissions(args.account, args.boundary_arn, args.statements)
    assumed_by = trust(args.service, args.account.account_id, args.sources)
    return make_role(owner, part, assumed_by, permissions).role


@dataclass(frozen=True)
class Permissions:
    """What a role may do: ``statements`` of our own, and policies that AWS keeps, by name. Never past the boundary."""

    account: Account
    boundary_arn: pulumi.Input[str]
    statements: Sequence[Statement] = ()
    managed_policies: Sequence[str] = ()


@dataclass(frozen=True)
class MadeRole:
    """``ready`` is what must exist before the role can do its work."""

    role: aws.iam.Role
    ready: Sequence[pulumi.Resource]


@dataclass(frozen=True)
class PodRoleArgs:
    """Whose role it is: the pods of a service account in a cluster, which has ``permissions`` through Pod Identity."""

    cluster_arn: pulumi.Input[str]
    namespace: str
    service_account: str
    permissions: Permissions


def pod_role(owner: PlatformComponent, part: str, args: PodRoleArgs) -> MadeRole:
    """The role called ``part`` of the component ``owner``, for pods."""
    account_id = args.permissions.account.account_id
    assumed_by = trust_of_pods(args.cluster_arn, account_id, args.namespace, args.service_account)
    return make_role(owner, part, assumed_by, args.permissions)


def make_role(owner: PlatformComponent, part: str, assumed_by: pulumi.Input[str], permissions: Permissions) -> MadeRole:
    """A role with the trust policy ``assumed_by``, its own policy, and those of AWS attached."""
    role = aws.iam.Role(
        owner.child(part),
        name=owner.physical(names.ROLE, owner.component_name, part),
        assume_role_policy=assumed_by,
        permissions_boundary=permissions.boundary_arn,
        opts=owner.options(),
    )
    own = [_own_policy(owner, part, role, permissions.statements)] if permissions.statements else []
    attached = [
        aws.iam.RolePolicyAttachment(
            owner.child(part, name.rpartition("/")[2]),
            role=role.name,
            policy_arn=pulumi.Output.format("arn:{0}:iam::aws:policy/{1}", permissions.account.partition, name),
            opts=owner.options(),
        )
        for name in permissions.managed_policies
    ]
    return MadeRole(role, [role, *own, *attached])


def _own_policy(
    owner: PlatformComponent, part: str, role: aws.iam.Role, statements: Sequence[Statement]
) -> aws.iam.RolePolicy:
    return aws.iam.RolePolicy(
        owner.child(part),
        name=owner.physical(names.POLICY, owner.component_name, part),
        role=role.name,
        policy=document(statements),
        opts=owner.options(),
    )
