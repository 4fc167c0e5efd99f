"""Keys of KMS (row 8; whom their policies let in is judged in ``resource_policies``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from policies.kit import Finding, Resource
from policies.security.pack import SECURITY


def _rotate(properties: dict[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    mended = {**properties, "enableKeyRotation": True}
    if properties.get("rotationPeriodInDays", 365) > parameters["max_days"]:
        mended["rotationPeriodInDays"] = parameters["max_days"]
    return mended


@SECURITY.rule(
    "kms-rotation",
    number=8,
    title="Keys are rotated",
    severity="medium",
    fix="Set enableKeyRotation to true.",
    frameworks=("CIS-AWS:3.6", "FSBP:KMS.4"),
    tags=(
        "checkov:CKV_AWS_7",
        "trivy:AWS-0065",
        "awsguard:cmk-backing-key-rotation-enabled",
        "pulumi:kms-key-enable-key-rotation",
    ),
    types=("aws:kms/key:Key",),
    parameters={
        "max_days": {
            "type": "integer",
            "minimum": 90,
            "maximum": 2560,
            "default": 2560,
            "description": "The longest rotationPeriodInDays; KMS itself takes up to 2560.",
        }
    },
    mend=_rotate,
)
def kms_rotation(key: Resource, parameters: Mapping[str, Any]) -> Iterator[Finding]:
    """What leaked from a key's material stays readable for as long as the key has the same material.

    KMS rotates symmetric encryption keys whose material it made itself, and no others.
    """
    # Source: AWS KMS Developer Guide, "Rotate AWS KMS keys", key types, 2026-11.
    properties = key.properties
    usage = properties.get("keyUsage").text("ENCRYPT_DECRYPT")
    spec = properties.get("customerMasterKeySpec").text("SYMMETRIC_DEFAULT")
    if (spec, usage) != ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT") or properties.get("customKeyStoreId").present:
        return
    rotated = properties.get("enableKeyRotation")
    if not rotated.boolean():
        yield Finding(f"{rotated.shown()} is not true", rotated.path)
    days = properties.get("rotationPeriodInDays")
    if days.number(365) > parameters["max_days"]:
        yield Finding(f"{days.shown()} days are more than {parameters['max_days']}", days.path)
