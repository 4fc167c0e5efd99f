"""Rule 53: what is done in the account is recorded, in every region, so that nobody can change the record."""

from __future__ import annotations

from collections.abc import Iterator

from policies.governance.pack import GOVERNANCE
from policies.kit import Finding, Resource
from policies.mends import setting

_TRAIL = "aws:cloudtrail/trail:Trail"


@GOVERNANCE.rule(
    "trail-multi-region",
    number=53,
    title="Trails record every region",
    severity="high",
    fix="Set isMultiRegionTrail to true, and leave enableLogging on.",
    frameworks=("CIS:3.1", "FSBP:CloudTrail.1"),
    tags=("checkov:CKV_AWS_67", "trivy:AWS-0014"),
    types=(_TRAIL,),
    mend=setting(isMultiRegionTrail=True, enableLogging=True),
)
def trail_multi_region(trail: Resource) -> Iterator[Finding]:
    """Who wants to stay unseen works in a region that nobody looks at. A trail of every region has IAM's events too."""
    everywhere = trail.properties.get("isMultiRegionTrail")
    if not everywhere.boolean():
        yield Finding(f"is {everywhere.shown()}, not true", everywhere.path)
    recording = trail.properties.get("enableLogging")
    if not recording.boolean(True):
        yield Finding(f"is {recording.shown()}: nothing is recorded", recording.path)


@GOVERNANCE.rule(
    "trail-validated",
    number=53,
    title="Trails can be checked for changes",
    severity="high",
    fix="Set enableLogFileValidation to true.",
    frameworks=("CIS:3.2", "FSBP:CloudTrail.4"),
    tags=("checkov:CKV_AWS_36", "trivy:AWS-0016"),
    types=(_TRAIL,),
    mend=setting(enableLogFileValidation=True),
)
def trail_validated(trail: Resource) -> Iterator[Finding]:
    """With digests, a record that was changed or deleted shows."""
    validated = trail.properties.get("enableLogFileValidation")
    if not validated.boolean():
        yield Finding(f"is {validated.shown()}, not true", validated.path)


@GOVERNANCE.rule(
    "trail-own-key",
    number=53,
    title="Trails are encrypted with a key of ours",
    severity="high",
    fix="Set kmsKeyId to a key whose policy lets CloudTrail use it.",
    frameworks=("CIS:3.5", "FSBP:CloudTrail.2"),
    tags=("checkov:CKV_AWS_35", "trivy:AWS-0015"),
    types=(_TRAIL,),
)
def trail_own_key(trail: Resource) -> Iterator[Finding]:
    """Who may read what everybody does is for our key to say, not for the bucket alone."""
    key = trail.properties.get("kmsKeyId")
    if key.missing or (key.known and not key.text("")):
        yield Finding("is missing: the records are encrypted with a key of AWS", key.path)
