"""Buckets: who gets at them, and who writes down that somebody did (rows 1 and 6)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from policies.kit import Finding, Resource, Stack
from policies.security.pack import SECURITY
from policies.subjects.aws_buckets import BUCKETS, beside, blocks, companions, grantees, takes_access_logs

BLOCKS: Final = (
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
    "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock",
)
_WAYS: Final = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
# The canned ACLs and the groups that let others in than the owner's account.
# Source: Amazon S3 User Guide, "Access control list (ACL) overview", 2026-11.
_PUBLIC_ACLS: Final = ("public-read", "public-read-write", "authenticated-read")
_PUBLIC_GROUPS: Final = ("/groups/global/AllUsers", "/groups/global/AuthenticatedUsers")


def _close(properties: dict[str, Any]) -> dict[str, Any]:
    return {**properties, **dict.fromkeys(_WAYS, True)}


@SECURITY.rule(
    "s3-public-access-block",
    number=1,
    title="Public access to buckets is blocked in all four ways",
    severity="high",
    fix="Set blockPublicAcls, blockPublicPolicy, ignorePublicAcls and restrictPublicBuckets to true.",
    frameworks=("CIS-AWS:2.1.4", "FSBP:S3.8"),
    tags=(
        *(f"checkov:CKV_AWS_{number}" for number in (53, 54, 55, 56)),
        *(f"trivy:AWS-00{number}" for number in (86, 87, 91, 93)),
        "pulumi:s3-bucket-disallow-public-read",
    ),
    types=BLOCKS,
    mend=_close,
)
def s3_public_access_block(block: Resource) -> Iterator[Finding]:
    """Each of the four closes another way in: new ACLs, new policies, ACLs that are there, policies that are there.

    One that isn't given is off.
    """
    ways = [block.properties.get(way) for way in _WAYS]
    open_ways = [way for way in ways if way.known and not way.boolean()]
    if open_ways:
        yield Finding(f"{' and '.join(way.path for way in open_ways)}: not true")
    for way in ways:
        way.boolean()  # what isn't known may be false, too


@SECURITY.rule(
    "s3-public-access-block-missing",
    number=1,
    title="Each bucket has a public access block",
    severity="high",
    fix="Add an aws.s3.BucketPublicAccessBlock with all four settings true.",
    frameworks=("CIS-AWS:2.1.4", "FSBP:S3.8"),
    tags=("checkov:CKV2_AWS_6", "trivy:AWS-0094"),
    types=BUCKETS,
)
def s3_public_access_block_missing(bucket: Resource, stack: Stack) -> Iterator[str]:
    """Without a block of its own, a bucket is as public as its next policy or ACL makes it."""
    if not any(companions(stack, bucket, "PublicAccessBlock")):
        yield "no public access block names this bucket"


def _make_private(properties: dict[str, Any]) -> dict[str, Any] | None:
    return {**properties, "acl": "private"} if properties.get("acl") in _PUBLIC_ACLS else None


@SECURITY.rule(
    "s3-public-acl",
    number=1,
    title="No ACL makes a bucket public",
    severity="high",
    fix="Use the ACL private, or no ACL at all and BucketOwnershipControls with BucketOwnerEnforced.",
    frameworks=("CIS-AWS:2.1.4", "FSBP:S3.2"),
    tags=("checkov:CKV_AWS_20", "checkov:CKV_AWS_57", "trivy:AWS-0092", "pulumi:s3-bucket-disallow-public-read"),
    types=(*BUCKETS, *beside("Acl")),
    mend=_make_private,
)
def s3_public_acl(resource: Resource) -> Iterator[Finding]:
    """``public-read`` is for the whole internet, ``authenticated-read`` for everybody who has an account with AWS."""
    acl = resource.properties.get("acl")
    if acl.text("") in _PUBLIC_ACLS:
        yield Finding(f"{acl.shown()} lets everybody in", acl.path)
    for uri in grantees(resource.properties):
        if uri.text("").endswith(_PUBLIC_GROUPS):
            yield Finding(f"{uri.shown()} lets everybody in", uri.path)


@SECURITY.rule(
    "s3-access-logging",
    number=6,
    title="Access to buckets is logged",
    severity="low",
    fix="Add an aws.s3.BucketLogging that delivers to a bucket for logs.",
    frameworks=("FSBP:S3.9", "CIS-AWS:3.4"),
    tags=("checkov:CKV_AWS_18", "trivy:AWS-0089", "awsguard:s3-bucket-logging-enabled"),
    types=BUCKETS,
)
def s3_access_logging(bucket: Resource, stack: Stack) -> Iterator[str]:
    """Who read or changed an object is only known where it was logged.

    A bucket that takes the logs of others needs none: it would write a log about every log that it takes.
    """
    if any(companions(stack, bucket, "Logging")) or takes_access_logs(bucket, stack):
        return
    if not any(logging.get("targetBucket").present for logging in blocks(bucket.properties, "logging")):
        yield "no logging names this bucket, and it delivers its logs nowhere"
