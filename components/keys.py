"""Encryption keys: one customer-managed KMS key per purpose, rotated, usable only through the services that need it.

A key policy has three parts. The account's IAM policies may administer the key but not decrypt with it; they may
decrypt through the purpose's services and nowhere else (``kms:ViaService``); and where a service encrypts by itself
(log groups, alerts), that service may use the key for this account's resources only. The platform's own roles are let
in here, by name, and not by policies of theirs: those would have to hold the key's ARN, which nobody knows before the
key exists, so no preview could judge them.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components import names
from components.account import Account
from components.base import PlatformComponent
from components.statements import Statement, document

# Everything but the use of the key. Source: AWS KMS Developer Guide, "Default key policy", key administrators; of its
# kms:Create* only the alias, since whoever may make grants can grant the use to himself.
_ADMINISTRATION = [
    "kms:CreateAlias",
    "kms:Describe*",
    "kms:Enable*",
    "kms:List*",
    "kms:Put*",
    "kms:Update*",
    "kms:Revoke*",
    "kms:Disable*",
    "kms:Get*",
    "kms:Delete*",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:ScheduleKeyDeletion",
    "kms:CancelKeyDeletion",
    "kms:RotateKeyOnDemand",
]
_USE = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
# Services that send to the topic of alerts, by the first label of the principal.
ALERT_PUBLISHERS = ("budgets", "costalerts", "cloudwatch")


class KeyPurpose(enum.StrEnum):
    """What a key protects; each purpose has its own, so that access to one is not access to all."""

    DATA = "data"
    IMAGES = "images"
    LOGS = "logs"
    ALERTS = "alerts"
    CLUSTER = "cluster"
    VOLUMES = "volumes"
    METRICS = "metrics"


# Services through which principals of the account may use the key, by the first label of the endpoint.
_VIA: Mapping[KeyPurpose, tuple[str, ...]] = {
    KeyPurpose.DATA: ("s3",),
    KeyPurpose.IMAGES: ("ecr",),
    KeyPurpose.LOGS: ("logs",),
    KeyPurpose.ALERTS: ("sns",),
    KeyPurpose.CLUSTER: ("eks",),
    KeyPurpose.VOLUMES: ("ec2",),
    KeyPurpose.METRICS: ("aps",),
}


@dataclass(frozen=True)
class KeyChoices:
    """What an environment decides about its keys. ``administrators`` are role ARNs; none means the account's IAM."""

    deletion_window_days: int
    rotation_days: int
    protect: bool
    administrators: Sequence[str] = ()


@dataclass(frozen=True)
class KeyUser:
    """A role, by name, that works with a key: does ``uses`` with it, and ``grants`` for AWS's own resources only.

    ``via`` is the service through which alone it may, by the first label of its endpoint; None: itself.
    """

    part: str  # what the role is for, in the statements' names
    role: str
    uses: Sequence[str] = ()
    grants: Sequence[str] = ()
    via: str | None = None


@dataclass(frozen=True)
class KeysArgs:
    """``unused`` are purposes that there is nothing of: each key costs, whether it is used or not."""

    account: Account
    choices: KeyChoices
    users: Mapping[KeyPurpose, Sequence[KeyUser]]
    unused: Collection[KeyPurpose] = ()


class Keys(PlatformComponent, area="identity"):
    """One KMS key and alias per purpose; ``arns`` is what other components encrypt with."""

    arns: Mapping[KeyPurpose, pulumi.Output[str]]

    def __init__(self, name: str, args: KeysArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._args = args
        self.arns = {purpose: self._key(purpose) for purpose in KeyPurpose if purpose not in args.unused}
        self.register_outputs({"arns": {purpose.value: arn for purpose, arn in self.arns.items()}})

    def _key(self, purpose: KeyPurpose) -> pulumi.Output[str]:
        key = aws.kms.Key(
            self.child(purpose),
            description=f"{self.naming.project} {self.naming.stack}: {purpose.value}",
            deletion_window_in_days=self._args.choices.deletion_window_days,
            enable_key_rotation=True,
            rotation_period_in_days=self._args.choices.rotation_days,
            policy=document(self._statements(purpose)),
            opts=self.options(protect=self._args.choices.protect),
        )
        aws.kms.Alias(
            self.child(purpose),
            name=f"alias/{self.naming.path(names.KEY_ALIAS, purpose)}",
            target_key_id=key.key_id,
            opts=self.options(),
        )
        return key.arn

    def _statements(self, purpose: KeyPurpose) -> list[Statement]:
        own = {
            KeyPurpose.DATA: [],
            KeyPurpose.IMAGES: [self._grants_for("ecr")],
            KeyPurpose.LOGS: [self._log_groups()],
            KeyPurpose.ALERTS: [self._alert_publishers()],
            KeyPurpose.CLUSTER: [self._grants_for("eks")],
            KeyPurpose.VOLUMES: [self._grants_for("ec2")],
            KeyPurpose.METRICS: [self._grants_for("aps")],
        }
        users = [statement for user in self._args.users.get(purpose, ()) for statement in self._let_in(user)]
        return [self._administration(), self._use_through(_VIA[purpose]), *own[purpose], *users]

    def _administration(self) -> Statement:
        principals = list(self._args.choices.administrators) or self._args.account.root_arn
        return {
            "Sid": "Administration",
            "Effect": "Allow",
            "Principal": {"AWS": principals},
            "Action": _ADMINISTRATION,
            "Resource": "*",
        }

    def _use_through(self, services: Sequence[str]) -> Statement:
        return {
            "Sid": "UseThroughService",
            "Effect": "Allow",
            "Principal": {"AWS": self._args.account.root_arn},
            "Action": _USE,
            "Resource": "*",
            "Condition": {"StringEquals": {"kms:ViaService": self._endpoints(services)}},
        }

    def _grants_for(self, service: str) -> Statement:
        # ECR, EKS, EC2 and Managed Prometheus work with grants that the principal who makes the repository, cluster,
        # volume or workspace makes for it. Source: Amazon ECR User Guide, "Encryption at rest", required IAM
        # permissions; Amazon EKS User Guide, "Encrypt Kubernetes secrets with KMS"; Amazon EBS User Guide, "Amazon EBS
        # encryption", permissions; Amazon Managed Service for Prometheus User Guide, "Encryption at rest".
        return {
            "Sid": "GrantsForService",
            "Effect": "Allow",
            "Principal": {"AWS": self._args.account.root_arn},
            "Action": ["kms:CreateGrant", "kms:RetireGrant"],
            "Resource": "*",
            "Condition": {
                "StringEquals": {"kms:ViaService": self._endpoints([service])},
                "Bool": {"kms:GrantIsForAWSResource": "true"},
            },
        }

    def _log_groups(self) -> Statement:
        # Source: Amazon CloudWatch Logs User Guide, "Encrypt log data using AWS KMS", step 2.
        of_ours = self._args.account.arn("logs", f"log-group:/{self.naming.project}/{self.naming.stack}/*")
        # EKS decides what the log group of a control plane is called.
        cluster = self.naming.dashed(names.CLUSTER)
        groups = [of_ours, self._args.account.arn("logs", f"log-group:/aws/eks/{cluster}/*")]
        return {
            "Sid": "LogGroupsOfThisDeployment",
            "Effect": "Allow",
            "Principal": {"Service": f"logs.{self._args.account.region}.amazonaws.com"},
            "Action": _USE,
            "Resource": "*",
            "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
        }

    def _let_in(self, user: KeyUser) -> list[Statement]:
        # KMS takes no principal that isn't there, and keys come before roles: a condition names the role beforehand.
        account = self._args.account
        where = {"kms:CallerAccount": account.account_id}
        if user.via is not None:
            where |= {"kms:ViaService": self._endpoints([user.via])}
        by_role = {"StringEquals": where, "ArnEquals": {"aws:PrincipalArn": account.role_arn(user.role)}}
        for_resources = {**by_role, "Bool": {"kms:GrantIsForAWSResource": "true"}}
        return [
            {
                "Sid": f"{user.part}{sid}",
                "Effect": "Allow",
                "Principal": {"AWS": "*"},
                "Action": list(actions),
                "Resource": "*",
                "Condition": condition,
            }
            for sid, actions, condition in (("Uses", user.uses, by_role), ("Grants", user.grants, for_resources))
            if actions
        ]

    def _alert_publishers(self) -> Statement:
        # Source: AWS Budgets and Cost Anomaly Detection user guides, "Creating an Amazon SNS topic", encrypted topics;
        # Amazon SNS Developer Guide, "Enable compatibility between event sources from AWS services and encrypted
        # topics": without this an alarm of CloudWatch changes its state, and nobody hears of it.
        return {
            "Sid": "AlertPublishers",
            "Effect": "Allow",
            "Principal": {"Service": [f"{service}.amazonaws.com" for service in ALERT_PUBLISHERS]},
            "Action": ["kms:GenerateDataKey*", "kms:Decrypt"],
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:SourceAccount": self._args.account.account_id}},
        }

    def _endpoints(self, services: Sequence[str]) -> list[str]:
        return [f"{service}.{self._args.account.region}.amazonaws.com" for service in services]
