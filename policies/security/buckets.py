"""Buckets: versions, encryption, access."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from policies.kit import Resource
from policies.security.pack import SECURITY


def _enable_versioning(properties: dict[str, Any]) -> dict[str, Any]:
    properties["versioningConfiguration"] = {**properties.get("versioningConfiguration", {}), "status": "Enabled"}
    return properties


@SECURITY.rule(
    "s3-versioning",
    number=4,
    title="Buckets of models and data keep old versions",
    severity="medium",
    fix="Add an aws.s3.BucketVersioning with status Enabled.",
    frameworks=("FSBP:S3.14", "AISF:DATA-04"),
    tags=("checkov:CKV_AWS_21", "trivy:AWS-0090"),
    types=("aws:s3/bucketVersioning:BucketVersioning",),
    mend=_enable_versioning,
)
def s3_versioning(versioning: Resource) -> Iterator[str]:
    """A model that was overwritten or deleted can only be had back where its bucket keeps versions."""
    status = versioning.properties.get("versioningConfiguration", "status")
    if status.text("Disabled") != "Enabled":
        yield f"{status.path} is {status.shown()}, not Enabled"
