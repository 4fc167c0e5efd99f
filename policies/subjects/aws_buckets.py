"""S3 buckets in all their forms: what a bucket says of itself, and the resources beside it that say it instead.

pulumi_aws has had three shapes for the same thing: ``aws:s3/bucket:Bucket`` with single blocks inside, its twin
``aws:s3/bucketV2:BucketV2`` with a list for each block, and separate resources, which had twins with ``V2``, too.
"""

from __future__ import annotations

import contextlib
import fnmatch
import functools
from collections.abc import Iterable, Iterator
from typing import Final

from policies.kit import Resource, Stack, Unreadable, Value
from policies.subjects.documents import PolicyDocument
from policies.subjects.statements import Statement

BUCKETS: Final = ("aws:s3/bucket:Bucket", "aws:s3/bucketV2:BucketV2")


def beside(part: str) -> tuple[str, str]:
    """The types of what says ``part`` of a bucket from beside it: ``beside("Versioning")``."""
    return f"aws:s3/bucket{part}:Bucket{part}", f"aws:s3/bucket{part}V2:Bucket{part}V2"


def companions(stack: Stack, bucket: Resource, part: str) -> Iterator[Resource]:
    """The resources that say ``part`` of this bucket."""
    return stack.referring(bucket, beside(part), "bucket")


def blocks(holder: Value, name: str) -> Iterator[Value]:
    """What lies under ``name``, whether as one block (``versioning``) or as a list of them (``versionings``)."""
    one = holder.get(name)
    if one.present:
        yield one
    yield from holder.get(f"{name}s").items()


def is_named(bucket: Resource, patterns: Iterable[str]) -> bool:
    """Whether the program's name for a bucket, or its name or prefix in S3, matches a glob; also of its companions.

    A name that isn't known yet matches nothing: then the program's own name decides.
    """
    values = (bucket.properties.get(key) for key in ("bucket", "bucketPrefix"))
    names = [bucket.name, *(value.text("") for value in values if value.known)]
    return any(fnmatch.fnmatchcase(name.lower(), pattern.lower()) for name in names for pattern in patterns)


def takes_access_logs(resource: Resource, stack: Stack) -> bool:
    """Whether S3 delivers access logs to a bucket, or to the bucket that a resource beside it names."""
    names = (resource.urn, *resource.names) if resource.is_a(*BUCKETS) else resource.named_at("bucket")
    return not _log_targets(stack).isdisjoint(names)


@functools.lru_cache(maxsize=1)  # a pack judges one stack at a time, and each rule asks for each bucket
def _log_targets(stack: Stack) -> frozenset[str]:
    """The URNs and names of buckets that are said to take access logs, or that let them in."""
    found: set[str] = set()
    for logging in stack.of(*beside("Logging")):
        found.update(logging.named_at("targetBucket"))
    for bucket in stack.of(*BUCKETS):
        found.update(bucket.named_at("logging", "targetBucket"), bucket.named_at("loggings", 0, "targetBucket"))
        if _lets_logs_in(bucket):
            found.update((bucket.urn, *bucket.names))
    for rights in stack.of(*beside("Acl"), *beside("Policy")):
        if _lets_logs_in(rights):
            found.update(rights.named_at("bucket"))
    return frozenset(found)


def _lets_logs_in(resource: Resource) -> bool:
    """By the canned ACL, by a grant, or by a policy; what can't be read lets nothing in."""
    # Source: Amazon S3 User Guide, "Enabling Amazon S3 server access logging", permissions, 2026-11.
    with contextlib.suppress(Unreadable):
        if resource.properties.get("acl").text("") == "log-delivery-write":
            return True
    with contextlib.suppress(Unreadable):
        if any(uri.text("").endswith("/groups/s3/LogDelivery") for uri in grantees(resource.properties)):
            return True
    with contextlib.suppress(Unreadable):
        documents = PolicyDocument.found_in(resource)
        return any(_lets_delivery_in(statement) for document in documents for statement in document.statements)
    return False


def _lets_delivery_in(statement: Statement) -> bool:
    delivery = ("Service", "logging.s3.amazonaws.com")
    return statement.allows and delivery in statement.principals and statement.covers("s3:PutObject")


def grantees(properties: Value) -> Iterator[Value]:
    """The groups that ACLs grant something to, inside a bucket and beside it."""
    for grant in properties.get("grants").items():
        yield grant.get("uri")
    for grant in properties.get("accessControlPolicy", "grants").items():
        yield grant.get("grantee", "uri")
