"""Buckets: how their objects are encrypted, versioned, locked and cleared away (rows 2, 4, 5 and 7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.kit import Finding, Resource, Stack, Value
from policies.security.pack import SECURITY
from policies.subjects.aws_buckets import BUCKETS, beside, blocks, companions, is_named, takes_access_logs

_KMS: Final = ("aws:kms", "aws:kms:dsse")
_NAMES: Final = {"type": "array", "items": {"type": "string"}}


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
    "s3-kms-encryption",
    number=2,
    title="Buckets are encrypted with KMS",
    severity="high",
    fix="Set sseAlgorithm to aws:kms, and name a key of your own with kmsMasterKeyId.",
    frameworks=("FSBP:S3.17",),
    tags=("checkov:CKV_AWS_145", "checkov:CKV_AWS_19", "trivy:AWS-0132"),
    types=(*beside("ServerSideEncryptionConfiguration"), *BUCKETS),
    parameters={
        "own_key": {
            "type": "boolean",
            "default": False,
            "description": "A key must be named: not the one of S3 itself.",
        }
    },
    mend=_mend_encryption,
)
def s3_kms_encryption(resource: Resource, parameters: Mapping[str, Any]) -> Iterator[Finding]:
    """With a key of KMS, reading an object takes a right on the key, too, and each use of it is recorded.

    A bucket for access logs can't have it (S3 delivers to none with a key of KMS): write an exception for it.
    """
    if resource.is_a(*BUCKETS):
        holders = list(blocks(resource.properties, "serverSideEncryptionConfiguration"))
    else:
        holders = [resource.properties]
    for holder in holders:
        rules = list(blocks(holder, "rule"))
        if not rules:
            yield Finding("has no rule, so S3 encrypts with keys of its own", holder.path)
        for rule in rules:
            yield from _not_kms(rule, parameters["own_key"])


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


@SECURITY.rule(
    "s3-kms-encryption-missing",
    number=2,
    title="Each bucket says that it is encrypted with KMS",
    severity="high",
    fix="Add an aws.s3.BucketServerSideEncryptionConfiguration with sseAlgorithm aws:kms.",
    frameworks=("FSBP:S3.17",),
    tags=("checkov:CKV_AWS_145", "trivy:AWS-0132"),
    types=BUCKETS,
)
def s3_kms_encryption_missing(bucket: Resource, stack: Stack) -> Iterator[str]:
    """A bucket that says nothing is encrypted with keys of S3 itself, which everybody may use who may read it.

    Buckets that take access logs are left out: S3 delivers to none that has a key of KMS.
    """
    if any(companions(stack, bucket, "ServerSideEncryptionConfiguration")) or takes_access_logs(bucket, stack):
        return
    holders = blocks(bucket.properties, "serverSideEncryptionConfiguration")
    rules = [rule for holder in holders for rule in blocks(holder, "rule")]
    if not rules or any(True for rule in rules for _ in _not_kms(rule, own_key=False)):
        yield "nothing says that it is encrypted with KMS, so S3 uses keys of its own"


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
