"""IAM roles: what may assume them, what they may do, and the boundary that none of them can pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components import names
from components.account import Account
from components.base import PlatformComponent
from components.statements import Statement, document, trust

# What the platform's services work with. A role needs both this and a policy of its own, so this grants nothing.
_SERVICES = (
    "autoscaling", "budgets", "ce", "cloudwatch", "ec2", "ecr", "eks", "eks-auth", "elasticloadbalancing", "glue",
    "kms", "logs", "s3", "sagemaker", "secretsmanager", "sns", "sqs", "ssm", "sts",
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
    role = aws.iam.Role(
        owner.child(part),
        name=owner.physical(names.ROLE, owner.component_name, part),
        assume_role_policy=trust(args.service, args.account.account_id, args.sources),
        permissions_boundary=args.boundary_arn,
        opts=owner.options(),
    )
    aws.iam.RolePolicy(
        owner.child(part),
        name=owner.physical(names.POLICY, owner.component_name, part),
        role=role.name,
        policy=document(args.statements),
        opts=owner.options(),
    )
    return role
