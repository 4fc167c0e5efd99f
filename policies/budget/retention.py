"""What is kept costs money for as long as it is kept: old versions, files that nobody reads, clusters past their time.

Retention that records need is with the rows 4, 7, 14 and 51 (versioning, lifecycles and log groups); here is what those
leave to pile up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.budget.pack import BUDGET
from policies.kit import Finding, Resource, Stack, Value

_BUCKETS: Final = ("aws:s3/bucket:Bucket", "aws:s3/bucketV2:BucketV2")
_VERSIONING: Final = ("aws:s3/bucketVersioning:BucketVersioning", "aws:s3/bucketVersioningV2:BucketVersioningV2")
_LIFECYCLES: Final = (
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
    "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2",
)


def _mend_lifecycle(properties: dict[str, Any], _: Mapping[str, Any]) -> dict[str, Any]:
    kept = properties.get("lifecyclePolicies") or []
    return {**properties, "lifecyclePolicies": [*kept, {"transitionToIa": "AFTER_30_DAYS"}]}


def _mend_support(properties: dict[str, Any], _: Mapping[str, Any]) -> dict[str, Any]:
    return {**properties, "upgradePolicy": {"supportType": "STANDARD"}}


@BUDGET.rule(
    "old-versions-expire",
    number=7,
    title="Old versions in versioned buckets expire",
    severity="low",
    fix="Add a lifecycle rule with noncurrentVersionExpiration for the whole bucket.",
    frameworks=("FSBP:S3.10",),
    types=_BUCKETS,
)
def old_versions_expire(bucket: Resource, stack: Stack) -> Iterator[Finding]:
    """A versioned bucket keeps what is overwritten or deleted, and bills it, until a rule lets it go."""
    if not _versioned(bucket, stack):
        return
    rules = [rule for holder in _lifecycles(bucket, stack) for rule in holder.items()]
    if not any(_lets_old_versions_go(rule) for rule in rules):
        yield Finding("the bucket keeps versions, and no enabled lifecycle rule for all of it lets old ones expire")


@BUDGET.rule(
    "efs-lifecycle",
    number=7,
    title="Files that nobody reads move to cheaper storage",
    severity="low",
    level="advisory",
    fix="Add lifecycle_policies with transition_to_ia to the file system.",
    frameworks=("FinOps:Workload optimization",),
    types=("aws:efs/fileSystem:FileSystem",),
    mend=_mend_lifecycle,
)
def efs_lifecycle(resource: Resource) -> Iterator[Finding]:
    """Standard storage of EFS costs some ten times what infrequent access does, and old data is rarely read."""
    policies = resource.properties.get("lifecyclePolicies")
    if not any(policy.get("transitionToIa").present for policy in policies.items()):
        yield Finding("lifecyclePolicies: none moves files to infrequent access")


@BUDGET.rule(
    "eks-standard-support",
    number=19,
    title="Clusters don't slide into extended support",
    severity="high",
    fix="Set upgrade_policy to support_type STANDARD, and upgrade before standard support ends.",
    frameworks=("FSBP:EKS.2",),
    types=("aws:eks/cluster:Cluster",),
    mend=_mend_support,
)
def eks_standard_support(resource: Resource) -> Iterator[Finding]:
    """The control plane costs six times as much (0.60 USD an hour for 0.10) from the day that standard support ends.

    AWS's own default is extended support, so an absent setting counts as that. Source: Amazon EKS pricing, 2026-08.
    """
    kind = resource.properties.get("upgradePolicy", "supportType")
    if kind.text("EXTENDED") != "STANDARD":
        yield Finding(f"upgradePolicy.supportType: {kind.shown()}, which is extended support at six times the price")


def _versioned(bucket: Resource, stack: Stack) -> bool:
    """Whether old versions pile up: versioning was turned on in the bucket itself or beside it."""
    if any(each.get("enabled").boolean() for each in _one_or_more(bucket.properties.get("versioning"))):
        return True
    beside = stack.referring(bucket, _VERSIONING, "bucket")
    return any(each.properties.get("versioningConfiguration", "status").text("") == "Enabled" for each in beside)


def _lifecycles(bucket: Resource, stack: Stack) -> Iterator[Value]:
    yield bucket.properties.get("lifecycleRules")
    for beside in stack.referring(bucket, _LIFECYCLES, "bucket"):
        yield beside.properties.get("rules")


def _lets_old_versions_go(rule: Value) -> bool:
    enabled = rule.get("status").text("") == "Enabled" or rule.get("enabled").boolean()
    expiry = rule.get("noncurrentVersionExpiration")
    days = expiry.get("noncurrentDays") if expiry.get("noncurrentDays").present else expiry.get("days")
    return enabled and _for_all(rule) and days.number(0) > 0


def _for_all(rule: Value) -> bool:
    """Whether the rule has no filter, or one that lets everything through."""
    if rule.get("prefix").text(""):
        return False
    given = rule.get("filter")
    return not any(value.present and value.shown() not in ('""', "{}", "[]") for _, value in given.entries())


def _one_or_more(value: Value) -> Iterator[Value]:
    """A block that older versions of the provider have as a list."""
    return value.items() if value.kind == "a list" else iter((value,))
