"""Object storage: one bucket per kind of data, private, versioned and encrypted, kept as long as its kind needs."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pulumi

from components import names
from components.account import Account
from components.base import PlatformComponent
from components.buckets import ObjectLock, PrivateBucket, PrivateBucketArgs, Retention
from components.statements import Statement


class BucketKind(enum.StrEnum):
    """What a bucket holds. ``LOGS`` takes the access logs of all others, ``AUDIT`` what must not be changed."""

    DATASETS = "datasets"
    FEATURES = "features"
    MODELS = "models"
    ARTIFACTS = "artifacts"
    LOGS = "logs"
    AUDIT = "audit"


# What can be locked against changes: records, and each version of a model that was approved. It can from the start and
# in every environment: turning it on later would replace the bucket.
LOCKABLE: Final = frozenset({BucketKind.AUDIT, BucketKind.MODELS})


@dataclass(frozen=True)
class StorageChoices:
    """What an environment decides about its buckets."""

    retention: Mapping[BucketKind, Retention]
    object_lock: ObjectLock | None  # default retention of the audit bucket; it can be locked even where this is None
    takes_flow_logs: bool  # the logs bucket lets VPC flow logs in
    force_destroy: bool  # True only where data may be thrown away (sandboxes)
    protect: bool


@dataclass(frozen=True)
class ObjectStoreArgs:
    account: Account
    kms_key_arn: pulumi.Input[str]
    choices: StorageChoices


class ObjectStore(PlatformComponent, area="storage"):
    """Buckets for datasets, features, models, artifacts, logs and audit records; ``buckets`` are their names."""

    buckets: Mapping[BucketKind, pulumi.Output[str]]
    arns: Mapping[BucketKind, pulumi.Output[str]]

    def __init__(self, name: str, args: ObjectStoreArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._args = args
        made = {kind: self._bucket(kind) for kind in BucketKind}
        self._policies_and_logging(made)
        self.buckets = {kind: bucket.name for kind, bucket in made.items()}
        self.arns = {kind: bucket.arn for kind, bucket in made.items()}
        self.register_outputs({"buckets": {kind.value: bucket for kind, bucket in self.buckets.items()}})

    def _bucket(self, kind: BucketKind) -> PrivateBucket:
        choices = self._args.choices
        return PrivateBucket(
            self.child(kind),
            PrivateBucketArgs(
                account=self._args.account,
                physical_name=self.physical(names.BUCKET, kind),
                retention=choices.retention[kind],
                # S3 delivers access logs only to buckets that it encrypts with keys of its own.
                # Source: Amazon S3 User Guide, "Enabling Amazon S3 server access logging", permissions, 2026-11.
                kms_key_arn=None if kind is BucketKind.LOGS else self._args.kms_key_arn,
                force_destroy=choices.force_destroy,
                protect=choices.protect,
                lockable=kind in LOCKABLE,
                object_lock=choices.object_lock if kind is BucketKind.AUDIT else None,
            ),
            self,
        )

    def _policies_and_logging(self, made: Mapping[BucketKind, PrivateBucket]) -> None:
        logs = made[BucketKind.LOGS]
        # A bucket that logs to itself writes a log about every log that it writes, so the logs bucket has none.
        sources = [bucket for kind, bucket in made.items() if kind is not BucketKind.LOGS]
        delivery = logs.allow([self._access_logs(logs, [source.arn for source in sources]), *self._flow_logs(logs)])
        for source in sources:
            source.allow([])
            source.log_to(logs, after=delivery)

    def _access_logs(self, logs: PrivateBucket, sources: list[pulumi.Output[str]]) -> Statement:
        return {
            "Sid": "AccessLogDelivery",
            "Effect": "Allow",
            "Principal": {"Service": "logging.s3.amazonaws.com"},
            "Action": "s3:PutObject",
            "Resource": pulumi.Output.concat(logs.arn, "/access/*"),
            "Condition": {
                "ArnEquals": {"aws:SourceArn": sources},
                "StringEquals": {"aws:SourceAccount": self._args.account.account_id},
            },
        }

    def _flow_logs(self, logs: PrivateBucket) -> list[Statement]:
        # Source: Amazon VPC User Guide, "Amazon S3 bucket permissions for flow logs", 2026-11.
        if not self._args.choices.takes_flow_logs:
            return []
        account = self._args.account
        by_this_account = {
            "StringEquals": {"aws:SourceAccount": account.account_id},
            "ArnLike": {"aws:SourceArn": account.arn("logs", "*")},
        }
        delivery = {"Effect": "Allow", "Principal": {"Service": "delivery.logs.amazonaws.com"}}
        write = {"Action": "s3:PutObject", "Resource": pulumi.Output.concat(logs.arn, "/flow/*")}
        look = {"Action": "s3:GetBucketAcl", "Resource": logs.arn}
        return [
            {"Sid": "FlowLogDelivery", **delivery, **write, "Condition": by_this_account},
            {"Sid": "FlowLogDeliveryCheck", **delivery, **look, "Condition": by_this_account},
        ]
