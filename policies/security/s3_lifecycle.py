"""Buckets: what is cleared away by itself (row 7)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.kit import Finding, Resource, Stack, Value
from policies.security.pack import SECURITY
from policies.subjects.aws_buckets import BUCKETS, beside, companions

_LIFECYCLES: Final = beside("LifecycleConfiguration")
_FILTERS: Final = ("prefix", "tag", "tags", "objectSizeGreaterThan", "objectSizeLessThan")


@SECURITY.rule(
    "s3-lifecycle",
    number=7,
    title="Each bucket has a lifecycle",
    severity="low",
    fix="Add an aws.s3.BucketLifecycleConfiguration with at least one rule that is Enabled.",
    frameworks=("FSBP:S3.13", "FSBP:S3.10"),
    tags=("checkov:CKV2_AWS_61",),
    types=BUCKETS,
)
def s3_lifecycle(bucket: Resource, stack: Stack) -> Iterator[str]:
    """Without one, every old version and every upload that broke off is paid for, for ever."""
    lifecycles = list(companions(stack, bucket, "LifecycleConfiguration"))
    rules = [rule for lifecycle in lifecycles for rule in lifecycle.properties.get("rules").items()]
    if any(_is_on(rule) for rule in rules):
        return
    if not any(_is_on(rule) for rule in bucket.properties.get("lifecycleRules").items()):
        yield "none of its lifecycle's rules is Enabled" if lifecycles else "it has no lifecycle"


@SECURITY.rule(
    "s3-abort-uploads",
    number=7,
    title="Uploads that broke off are cleared away",
    severity="low",
    fix="Add a rule for the whole bucket with abortIncompleteMultipartUpload, such as daysAfterInitiation 7.",
    frameworks=("FSBP:S3.13",),
    tags=("checkov:CKV_AWS_300",),
    types=(*_LIFECYCLES, *BUCKETS),
)
def s3_abort_uploads(resource: Resource) -> Iterator[Finding]:
    """The parts of an upload that was never finished are listed nowhere and paid for: checkpoints of hundreds of GB.

    A rule for some prefixes or tags leaves the others.
    """
    inline = resource.is_a(*BUCKETS)
    rules = resource.properties.get("lifecycleRules" if inline else "rules")
    if rules.missing and inline:
        return
    if not any(_is_on(rule) and _aborts(rule) and _is_for_everything(rule) for rule in rules.items()):
        yield Finding("no rule that is on aborts the uploads of the whole bucket", rules.path)


def _is_on(rule: Value) -> bool:
    return rule.get("status").text("") == "Enabled" or rule.get("enabled").boolean()


def _aborts(rule: Value) -> bool:
    days = rule.get("abortIncompleteMultipartUploadDays")
    if days.missing:
        days = rule.get("abortIncompleteMultipartUpload", "daysAfterInitiation")
    return days.number(0) > 0


def _is_for_everything(rule: Value) -> bool:
    filter_ = rule.get("filter")
    return not any(_narrows(part) for part in (rule, filter_, filter_.get("and")))


def _narrows(part: Value) -> bool:
    """Whether it names only some objects; an empty prefix and no tags are all of them."""
    for key in _FILTERS:
        value = part.get(key)
        if value.kind == "text" and value.text():
            return True
        if value.kind == "an object" and len(value):
            return True
        if value.kind == "a number" and value.number(0) > 0:
            return True
        if value.unknown:
            return True
    return False
