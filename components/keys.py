"""Encryption keys: one customer-managed KMS key per purpose, rotated, usable only through the services that need it.

A key policy has three parts. The account's IAM policies may administer the key but not decrypt with it; they may
decrypt through the purpose's services and nowhere else (``kms:ViaService``); and where a service encrypts by itself
(log groups, alerts), that service may use the key for this account's resources only.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
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

# What the role of the control plane does with the key of the secrets, and what the role is called.
# Source: Amazon EKS User Guide, "Encrypt Kubernetes secrets with KMS on existing clusters", 2026-11.
CONTROL_PLANE_USE = ["kms:Encrypt", "kms:Decrypt", "kms:DescribeKey", "kms:ListGrants"]
CONTROL_PLANE_OWNER, CONTROL_PLANE_ROLE = "cluster", "control-plane"


class KeyPurpose(enum.StrEnum):
    """What a key protects; each purpose has its own, so that access to one is not access to all."""

    DATA = "data"
    IMAGES = "images"
    LOGS = "logs"
    ALERTS = "alerts"
    CLUSTER = "cluster"
    VOLUMES = "volumes"


# Services through which principals of the account may use the key, by the first label of the endpoint.
_VIA: Mapping[KeyPurpose, tuple[str, ...]] = {
    KeyPurpose.DATA: ("s3",),
    KeyPurpose.IMAGES: ("ecr",),
    KeyPurpose.LOGS: ("logs",),
    KeyPurpose.ALERTS: ("sns",),
    KeyPurpose.CLUSTER: ("eks",),
    KeyPurpose.VOLUMES: ("ec2",),
}


@dataclass(frozen=True)
class KeyChoices:
    """What an environment decides about its keys. ``administrators`` are role ARNs; none means the account's IAM."""

    deletion_window_days: int
    rotation_days: int
    protect: bool
    administrators: Sequence[str] = ()


@dataclass(frozen=True)
class KeysArgs:
    account: Account
    choices: KeyChoices


class Keys(PlatformComponent, area="identity"):
    """One KMS key and alias per purpose; ``arns`` is what other components encrypt with."""

    arns: Mapping[KeyPurpose, pulumi.Output[str]]

    def __init__(self, name: str, args: KeysArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._args = args
        self.arns = {purpose: self._key(purpose) for purpose in KeyPurpose}
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
            KeyPurpose.CLUSTER: [self._grants_for("eks"), self._control_plane()],
            KeyPurpose.VOLUMES: [self._grants_for("ec2")],
        }
        return [self._administration(), self._use_through(_VIA[purpose]), *own[purpose]]

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
        # ECR, EKS and EC2 work with grants that the principal who makes the repository, cluster or volume makes for it.
        # Source: Amazon ECR User Guide, "Encryption at rest", required IAM permissions; Amazon EKS User Guide, "Encrypt
        # Kubernetes secrets with KMS"; Amazon EBS User Guide, "Amazon EBS encryption", permissions.
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

    def _control_plane(self) -> Statement:
        # The role comes after its key, and KMS takes no principal that isn't there: the condition names it beforehand.
        role = self.naming.dashed(names.ROLE, CONTROL_PLANE_OWNER, CONTROL_PLANE_ROLE)
        arn = pulumi.Output.format(
            "arn:{0}:iam::{1}:role/{2}", self._args.account.partition, self._args.account.account_id, role
        )
        return {
            "Sid": "ControlPlane",
            "Effect": "Allow",
            "Principal": {"AWS": self._args.account.root_arn},
            "Action": CONTROL_PLANE_USE,
            "Resource": "*",
            "Condition": {"ArnEquals": {"aws:PrincipalArn": arn}},
        }

    def _alert_publishers(self) -> Statement:
        # Source: AWS Budgets and Cost Anomaly Detection user guides, "Creating an Amazon SNS topic", encrypted topics.
        return {
            "Sid": "AlertPublishers",
            "Effect": "Allow",
            "Principal": {"Service": ["budgets.amazonaws.com", "costalerts.amazonaws.com"]},
            "Action": ["kms:GenerateDataKey*", "kms:Decrypt"],
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:SourceAccount": self._args.account.account_id}},
        }

    def _endpoints(self, services: Sequence[str]) -> list[str]:
        return [f"{service}.{self._args.account.region}.amazonaws.com" for service in services]
