"""Buckets: how their objects are encrypted, versioned, locked and cleared away (rows 2, 4, 5 and 7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.kit import Finding, Resource, Stack, Value
from policies.security.pack import SECURITY
from policies.subjects.aws_buckets import BUCKETS, beside, blocks, companions, is_named, takes_access_logs

_KMS: Final = ("aws:kms", "aws:kms:dsse")
_ENCRYPTION: Final = "ServerSideEncryptionConfiguration"
_ENCRYPTIONS: Final = beside(_ENCRYPTION)
_INSIDE: Final = "serverSideEncryptionConfiguration"
_NAMES: Final = {"type": "array", "items": {"type": "string"}}


_TAGS: Final = ("checkov:CKV_AWS_145", "checkov:CKV_AWS_19", "trivy:AWS-0132")


@SECURITY.rule(
    "s3-kms-encryption",
    number=2,
    title="Buckets are encrypted with KMS",
    severity="high",
    fix="Set sseAlgorithm to aws:kms in an aws.s3.BucketServerSideEncryptionConfiguration, and name a key of your own.",
    frameworks=("FSBP:S3.17",),
    tags=_TAGS,
    types=(*_ENCRYPTIONS, *BUCKETS),
    parameters={
        "own_key": {"type": "boolean", "default": False, "description": "A key must be named, and not the one of S3."}
    },
)
def s3_kms_encryption(resource: Resource, stack: Stack, parameters: Mapping[str, Any]) -> Iterator[Finding]:
    """With a key of KMS, reading an object takes a right on the key, too, and each use of it is recorded.

    A bucket that says nothing is encrypted with keys of S3 itself, which everybody may use who may read it. Buckets
    that take access logs are left out: S3 delivers to none that has a key of KMS.
    """
    if takes_access_logs(resource, stack):
        return
    if resource.is_a(*BUCKETS):
        if any(companions(stack, resource, _ENCRYPTION)):
            return  # judged there
        if not any(True for _ in blocks(resource.properties, _INSIDE)):
            yield Finding("nothing says that it is encrypted with KMS, so S3 uses keys of its own")
    yield from _not_encrypted(resource, own_key=parameters["own_key"])


def _use_kms(part: Any) -> Any:
    """Every algorithm in ``part`` becomes KMS, whichever of the forms it has."""
    if isinstance(part, list):
        return [_use_kms(each) for each in part]
    if not isinstance(part, dict):
        return part
    return {
        key: "aws:kms" if key == "sseAlgorithm" and value == "AES256" else _use_kms(value)
        for key, value in part.items()
    }


def _mend_encryption(properties: dict[str, Any]) -> dict[str, Any]:
    return _use_kms(properties)


@SECURITY.rule(
    "s3-sse-algorithm",
    number=2,
    title="What says how a bucket is encrypted says KMS",
    severity="low",
    fix="Set sseAlgorithm to aws:kms.",
    frameworks=("FSBP:S3.17",),
    tags=_TAGS,
    types=(*_ENCRYPTIONS, *BUCKETS),
    level="advisory",
    mend=_mend_encryption,
    mend_risk="S3 delivers access logs to no bucket with a key of KMS, and this rule can't see whether one takes them.",
)
def s3_sse_algorithm(resource: Resource) -> Iterator[Finding]:
    """The same as ``s3-kms-encryption`` of one resource alone, where it can be mended."""
    acl = resource.properties.get("acl")
    if not (acl.known and acl.text("") == "log-delivery-write"):
        yield from _not_encrypted(resource, own_key=False)


def _not_encrypted(resource: Resource, *, own_key: bool) -> Iterator[Finding]:
    """What is wrong with what a bucket, or a resource beside it, says of encryption."""
    inside = resource.is_a(*BUCKETS)
    for holder in blocks(resource.properties, _INSIDE) if inside else (resource.properties,):
        rules = list(blocks(holder, "rule"))
        if not rules:
            yield Finding("has no rule, so S3 encrypts with keys of its own", holder.path)
        for rule in rules:
            yield from _not_kms(rule, own_key)


def _not_kms(rule: Value, own_key: bool) -> Iterator[Finding]:
    defaults = list(blocks(rule, "applyServerSideEncryptionByDefault"))
    if not defaults:
        yield Finding("applies no encryption by default, so S3 encrypts with keys of its own", rule.path)
    for default in defaults:
        algorithm, key = default.get("sseAlgorithm"), default.get("kmsMasterKeyId")
        if algorithm.text("") not in _KMS:
            yield Finding(f"{algorithm.shown()} is not {' or '.join(_KMS)}", algorithm.path)
        elif own_key and (key.missing or (key.known and key.text("").endswith("alias/aws/s3"))):
            yield Finding(f"{key.shown()} is no key of your own", key.path)


def _enable_versions(properties: dict[str, Any]) -> dict[str, Any]:
    mended = dict(properties)
    if "versioning" in properties:
        mended["versioning"] = {**properties["versioning"], "enabled": True}
    elif "versionings" in properties:
        mended["versionings"] = [{**each, "enabled": True} for each in properties["versionings"]]
    else:
        mended["versioningConfiguration"] = {**(properties.get("versioningConfiguration") or {}), "status": "Enabled"}
    return mended


_CHOSEN: Final = {"buckets": {**_NAMES, "default": ["*"], "description": "Globs of the names of buckets that need it."}}


@SECURITY.rule(
    "s3-versioning",
    number=4,
    title="Buckets of models and data keep old versions",
    severity="medium",
    fix="Set the status of aws.s3.BucketVersioning to Enabled.",
    frameworks=("FSBP:S3.14", "AISF:AISF-DATA-04"),
    tags=("checkov:CKV_AWS_21", "trivy:AWS-0090"),
    types=(*beside("Versioning"), *BUCKETS),
    parameters=_CHOSEN,
    mend=_enable_versions,
)
def s3_versioning(resource: Resource, parameters: Mapping[str, Any]) -> Iterator[Finding]:
    """A model that was overwritten or deleted can only be had back where its bucket keeps versions."""
    if not is_named(resource, parameters["buckets"]):
        return
    if resource.is_a(*BUCKETS):
        for versioning in blocks(resource.properties, "versioning"):
            if not versioning.get("enabled").boolean():
                yield Finding("versions are not enabled", versioning.path)
        return
    status = resource.properties.get("versioningConfiguration", "status")
    if status.text("Disabled") != "Enabled":
        yield Finding(f"{status.path} is {status.shown()}, not Enabled")


@SECURITY.rule(
    "s3-versioning-missing",
    number=4,
    title="Each bucket of models and data says that it keeps old versions",
    severity="medium",
    fix="Add an aws.s3.BucketVersioning with the status Enabled.",
    frameworks=("FSBP:S3.14", "AISF:AISF-DATA-04"),
    tags=("checkov:CKV_AWS_21", "trivy:AWS-0090"),
    types=BUCKETS,
    parameters=_CHOSEN,
)
def s3_versioning_missing(bucket: Resource, stack: Stack, parameters: Mapping[str, Any]) -> Iterator[str]:
    """A bucket that says nothing keeps no versions."""
    if not is_named(bucket, parameters["buckets"]) or any(companions(stack, bucket, "Versioning")):
        return
    if not any(versioning.get("enabled").boolean() for versioning in blocks(bucket.properties, "versioning")):
        yield "nothing says that it keeps old versions"


# By default what is evidence (audit, trails) and what must be shown to be what was approved (models).
_LOCKED: Final = {
    "buckets": {
        **_NAMES,
        "default": ["*audit*", "*evidence*", "*trail*", "*model*"],
        "description": "Globs of the names of buckets that need it.",
    }
}


def _enable_lock(properties: dict[str, Any]) -> dict[str, Any]:
    mended = {**properties, "objectLockEnabled": True}
    mended.pop("objectLockConfiguration", None)
    return mended


@SECURITY.rule(
    "s3-object-lock",
    number=5,
    title="Buckets of evidence and models don't turn Object Lock off",
    severity="medium",
    fix="Set objectLockEnabled to true, and a default retention with aws.s3.BucketObjectLockConfiguration.",
    frameworks=("FSBP:S3.15",),
    tags=("checkov:CKV_AWS_143", "guard:s3_bucket_default_lock_enable"),
    types=BUCKETS,
    parameters=_LOCKED,
    mend=_enable_lock,
    mend_risk="Object Lock is chosen when a bucket is made: turning it on replaces the bucket.",
)
def s3_object_lock(bucket: Resource, parameters: Mapping[str, Any]) -> Iterator[Finding]:
    """What is locked can't be overwritten or deleted by anybody before its retention ends.

    A configuration that doesn't turn it on is an error in every bucket.
    """
    enabled, inside = (bucket.properties.get(name) for name in ("objectLockEnabled", "objectLockConfiguration"))
    if is_named(bucket, parameters["buckets"]) and enabled.present and not enabled.boolean():
        yield Finding("Object Lock is off", enabled.path)
    if inside.present and inside.get("objectLockEnabled").text("") != "Enabled" and not enabled.boolean():
        yield Finding(f"{inside.get('objectLockEnabled').shown()} is not Enabled", inside.path)


@SECURITY.rule(
    "s3-object-lock-missing",
    number=5,
    title="Buckets of evidence and models have Object Lock",
    severity="medium",
    fix="Set objectLockEnabled to true, and a default retention with aws.s3.BucketObjectLockConfiguration.",
    frameworks=("FSBP:S3.15",),
    tags=("checkov:CKV_AWS_143", "guard:s3_bucket_default_lock_enable"),
    types=BUCKETS,
    parameters=_LOCKED,
)
def s3_object_lock_missing(bucket: Resource, stack: Stack, parameters: Mapping[str, Any]) -> Iterator[str]:
    """A bucket that says nothing has no lock, and none of the resources beside it gives it one."""
    if not is_named(bucket, parameters["buckets"]) or any(companions(stack, bucket, "ObjectLockConfiguration")):
        return
    inside = bucket.properties.get("objectLockConfiguration", "objectLockEnabled")
    if not bucket.properties.get("objectLockEnabled").boolean() and inside.text("") != "Enabled":
        yield "nothing says that it has Object Lock"
