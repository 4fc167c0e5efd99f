"""Rule 55: file systems are encrypted with a key of ours."""

from __future__ import annotations

from collections.abc import Iterator

from policies.kit import Finding, Resource
from policies.mends import setting
from policies.security.pack import SECURITY

_EFS = "aws:efs/fileSystem:FileSystem"
_LUSTRE = "aws:fsx/lustreFileSystem:LustreFileSystem"
_PERSISTENT = ("PERSISTENT_1", "PERSISTENT_2")


@SECURITY.rule(
    "efs-encrypted",
    number=55,
    title="EFS file systems are encrypted",
    severity="high",
    fix="Set encrypted to true, and kmsKeyId to a key that the platform owns.",
    frameworks=("CIS:2.3.1", "FSBP:EFS.1"),
    tags=("checkov:CKV_AWS_42", "trivy:AWS-0037"),
    types=(_EFS,),
    mend=setting(encrypted=True),
    mend_risk="replaces a file system that exists; what lies on it is lost",
)
def efs_encrypted(filesystem: Resource) -> Iterator[Finding]:
    """Whether a file system is encrypted is decided when it is made."""
    encrypted = filesystem.properties.get("encrypted")
    if not encrypted.boolean():
        yield Finding(f"is {encrypted.shown()}, not true", encrypted.path)


@SECURITY.rule(
    "filesystem-own-key",
    number=55,
    title="File systems are encrypted with a key of ours",
    severity="high",
    fix="Set kmsKeyId to a key that the platform owns; of FSx for Lustre, only PERSISTENT_1 and PERSISTENT_2 take one.",
    frameworks=("CIS:2.3.1", "FSBP:EFS.1"),
    tags=("checkov:CKV_AWS_184", "checkov:CKV_AWS_190"),
    types=(_EFS, _LUSTRE),
)
def filesystem_own_key(filesystem: Resource) -> Iterator[Finding]:
    """Datasets and checkpoints under AWS's own key can't be withheld by withholding a key."""
    key = filesystem.properties.get("kmsKeyId")
    if key.missing or (key.known and not key.text("")):
        yield Finding(f"is missing: AWS's own key is used{_why(filesystem)}", key.path)


def _why(filesystem: Resource) -> str:
    deployment = filesystem.properties.get("deploymentType")
    if filesystem.type != _LUSTRE or deployment.unknown or deployment.text("SCRATCH_1") in _PERSISTENT:
        return ""
    return f", and {deployment.text('SCRATCH_1')} takes no other"
