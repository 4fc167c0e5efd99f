"""The Kubernetes versions that EKS offers, and in which support they are.

Source: Amazon EKS User Guide, "Understand the Kubernetes version lifecycle on EKS", as of 2026-11: three minor versions
in standard support, three in extended support. The end of 1.34's standard support is 2026-12-02.
"""

from __future__ import annotations

import re

from engine.emulator.eks.errors import invalid

STANDARD = ("1.34", "1.35", "1.36")
EXTENDED = ("1.31", "1.32", "1.33")
OFFERED = EXTENDED + STANDARD
DEFAULT = "1.35"
PATCHES = {"1.31": 14, "1.32": 13, "1.33": 12, "1.34": 10, "1.35": 8, "1.36": 3}  # of the newest AMI releases
RELEASE_DATE = "20261110"  # of the AMI release that is the newest one here
LAST_WITH_AL2 = "1.32"
_RELEASE = re.compile(r"(\d+\.\d+)\.\d+-\d{8}")


def minor(version: str) -> int:
    return int(version.split(".")[1])


def check_offered(version: str) -> None:
    """Raises InvalidParameterException for a version that EKS doesn't offer (any more)."""
    if version not in OFFERED:
        raise invalid(f"unsupported Kubernetes version {version}")


def check_step(current: str, wanted: str) -> None:
    """A control plane goes up by one minor version at a time."""
    check_offered(wanted)
    if minor(wanted) != minor(current) + 1:
        raise invalid(f"Unsupported Kubernetes minor version update from {current} to {wanted}")


def newest_release(version: str) -> str:
    """The AMI release that a node group gets that asks for none: ``1.35.8-20261110``."""
    return f"{version}.{PATCHES[version]}-{RELEASE_DATE}"


def check_release(release: str, version: str, ami_type: str) -> None:
    """Releases of Bottlerocket (``1.50.0-5a2f1c9e``) say nothing of Kubernetes; those of Amazon Linux begin with it."""
    if not ami_type.startswith("AL"):
        return
    found = _RELEASE.fullmatch(release)
    if not found or found[1] != version:
        raise invalid(f"Requested release version {release} is not valid for kubernetes version {version}.")
