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


class KeyPurpose(enum.StrEnum):
    """What a key protects; each purpose has its own, so that access to one is not access to all."""

    DATA = "data"
    IMAGES = "images"
    LOGS = "logs"
    ALERTS = "alerts"


# Services through which principals of the account may use the key, by the first label of the endpoint.
_VIA: Mapping[KeyPurpose, tuple[str, ...]] = {
    KeyPurpose.DATA: ("s3",),
    KeyPurpose.IMAGES: ("ecr",),
    KeyPurpose.LOGS: ("logs",),
    KeyPurpose.ALERTS: ("sns",),
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
        # ECR works with grants that the principal who creates the repository makes for it.
        # Source: Amazon ECR User Guide, "Encryption at rest", required IAM permissions.
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
        groups = self._args.account.arn("logs", f"log-group:/{self.naming.project}/{self.naming.stack}/*")
        return {
            "Sid": "LogGroupsOfThisDeployment",
            "Effect": "Allow",
            "Principal": {"Service": f"logs.{self._args.account.region}.amazonaws.com"},
            "Action": _USE,
            "Resource": "*",
            "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
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
