"""One private bucket: versioned, encrypted, owner-enforced, TLS-only, with the lifecycle that its data needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pulumi_aws.s3 import BucketLifecycleConfigurationRuleTransitionArgsDict as Transition

from components.account import Account
from components.statements import Statement, document


@dataclass(frozen=True)
class Retention:
    """How long objects of one bucket live, in days; None means never.

    ``noncurrent`` counts from when a version was overwritten or deleted, the others from an object's creation.
    """

    infrequent_access: int | None
    archive: int | None
    expiry: int | None
    noncurrent: int
    abort_uploads: int


@dataclass(frozen=True)
class ObjectLock:
    """Default retention that nobody (``COMPLIANCE``) or only privileged principals (``GOVERNANCE``) can shorten."""

    mode: str
    days: int


@dataclass(frozen=True)
class PrivateBucketArgs:
    """``physical_name`` is the prefix that autonaming completes; no ``kms_key_arn`` means keys of S3 itself."""

    account: Account
    physical_name: str
    retention: Retention
    kms_key_arn: pulumi.Input[str] | None
    force_destroy: bool
    protect: bool
    lockable: bool = False
    object_lock: ObjectLock | None = None


class PrivateBucket:
    """A bucket and its companions, all below ``parent``. The policy comes separately: it may name other buckets."""

    def __init__(self, name: str, args: PrivateBucketArgs, parent: pulumi.Resource) -> None:
        self._name, self._args, self._parent = name, args, parent
        self.resource = aws.s3.Bucket(
            args.physical_name,
            force_destroy=args.force_destroy,
            object_lock_enabled=args.lockable,
            opts=pulumi.ResourceOptions(parent=parent, protect=args.protect),
        )
        self.name = self.resource.bucket
        self.arn = args.account.bucket_arn(self.name)
        self._access_block = self._close()
        versioning = self._versioning()
        self._encryption()
        self._lifecycle(versioning)
        if args.object_lock is not None:
            self._lock(args.object_lock, versioning)

    def allow(self, statements: Sequence[Statement]) -> aws.s3.BucketPolicy:
        """Attach the bucket's policy: TLS only, and ``statements`` besides."""
        return aws.s3.BucketPolicy(
            self._name,
            bucket=self.name,
            policy=document([self._tls_only(), *statements]),
            # A policy that is put while the block is being put is refused by S3 (OperationAborted).
            opts=self._below(depends_on=[self._access_block]),
        )

    def log_to(self, target: PrivateBucket, after: pulumi.Resource) -> None:
        """Deliver access logs to ``target``, by event date; ``after`` is the policy that lets the delivery in."""
        aws.s3.BucketLogging(
            self._name,
            bucket=self.name,
            target_bucket=target.name,
            target_prefix=f"access/{self._name}/",
            target_object_key_format={"partitioned_prefix": {"partition_date_source": "EventTime"}},
            opts=self._below(depends_on=[after]),
        )

    def _below(self, depends_on: Sequence[pulumi.Resource] = ()) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self._parent, depends_on=list(depends_on))

    def _close(self) -> aws.s3.BucketPublicAccessBlock:
        block = aws.s3.BucketPublicAccessBlock(
            self._name,
            bucket=self.name,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=self._below(),
        )
        aws.s3.BucketOwnershipControls(
            self._name, bucket=self.name, rule={"object_ownership": "BucketOwnerEnforced"}, opts=self._below()
        )
        return block

    def _versioning(self) -> aws.s3.BucketVersioning:
        return aws.s3.BucketVersioning(
            self._name, bucket=self.name, versioning_configuration={"status": "Enabled"}, opts=self._below()
        )

    def _encryption(self) -> None:
        key = self._args.kms_key_arn
        aws.s3.BucketServerSideEncryptionConfiguration(
            self._name,
            bucket=self.name,
            rules=[
                {"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}
                if key is None
                else {
                    "apply_server_side_encryption_by_default": {"sse_algorithm": "aws:kms", "kms_master_key_id": key},
                    "bucket_key_enabled": True,
                }
            ],
            opts=self._below(),
        )

    def _lifecycle(self, versioning: pulumi.Resource) -> None:
        keep = self._args.retention
        steps = ((keep.infrequent_access, "STANDARD_IA"), (keep.archive, "GLACIER"))
        transitions: list[Transition] = [{"days": days, "storage_class": to} for days, to in steps if days is not None]
        aws.s3.BucketLifecycleConfiguration(
            self._name,
            bucket=self.name,
            rules=[
                {
                    "id": "retention",
                    "status": "Enabled",
                    "filter": {"prefix": ""},
                    "transitions": transitions,
                    # S3 removes the delete markers that expiry leaves only if it is asked to, and then takes no days.
                    "expiration": {"expired_object_delete_marker": True}
                    if keep.expiry is None
                    else {"days": keep.expiry},
                    "noncurrent_version_expiration": {"noncurrent_days": keep.noncurrent},
                    "abort_incomplete_multipart_upload": {"days_after_initiation": keep.abort_uploads},
                }
            ],
            # Rules for noncurrent versions mean nothing, and may be refused, before versioning is on.
            opts=self._below(depends_on=[versioning]),
        )

    def _lock(self, lock: ObjectLock, versioning: pulumi.Resource) -> None:
        aws.s3.BucketObjectLockConfiguration(
            self._name,
            bucket=self.name,
            rule={"default_retention": {"mode": lock.mode, "days": lock.days}},
            opts=self._below(depends_on=[versioning]),
        )

    def _tls_only(self) -> Statement:
        return {
            "Sid": "DenyWithoutTls",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [self.arn, pulumi.Output.concat(self.arn, "/*")],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
