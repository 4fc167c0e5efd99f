"""S3 buckets in all their forms: what a bucket says of itself, and the resources beside it that say it instead.

pulumi_aws has had three shapes for the same thing: ``aws:s3/bucket:Bucket`` with single blocks inside, its twin
``aws:s3/bucketV2:BucketV2`` with a list for each block, and separate resources, which had twins with ``V2``, too.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Iterator
from typing import Final

from policies.kit import Resource, Stack, Value

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
    if one.kind == "a list":
        yield from one.items()
    elif one.present:
        yield one
    yield from holder.get(f"{name}s").items()


def is_named(bucket: Resource, patterns: Iterable[str]) -> bool:
    """Whether the program's name for a bucket, or its name or prefix in S3, matches a glob; also of its companions.

    A name that isn't known yet matches nothing: then the program's own name decides.
    """
    values = (bucket.properties.get(key) for key in ("bucket", "bucketPrefix"))
    names = [bucket.name, *(value.text("") for value in values if value.known)]
    return any(fnmatch.fnmatchcase(name.lower(), pattern.lower()) for name in names for pattern in patterns)


def takes_access_logs(bucket: Resource, stack: Stack) -> bool:
    """Whether S3 delivers the access logs of other buckets to this one, or of load balancers by the canned ACL."""
    acl = bucket.properties.get("acl")
    if acl.known and acl.text("") == "log-delivery-write":
        return True
    if any(stack.referring(bucket, beside("Logging"), "targetBucket")):
        return True
    inside = (("logging", "targetBucket"), ("loggings", 0, "targetBucket"))
    return any(other for path in inside for other in stack.referring(bucket, BUCKETS, *path))
