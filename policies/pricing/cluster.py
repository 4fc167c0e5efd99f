"""EKS: the control plane, by whether its version is still supported, and what is not priced of it."""

from __future__ import annotations

from policies.pricing.bill import Bill, Parts
from policies.pricing.model import HOURS_A_MONTH

_STANDARD, _EXTENDED = "control plane (standard support)", "control plane (extended support)"


def _cluster(bill: Bill) -> None:
    """The control plane by the hour: six times the price once a version's standard support has ended.

    Where the upgrade policy is STANDARD, AWS upgrades the cluster at that day instead. Source: EKS User Guide,
    "Understand the Kubernetes version lifecycle on EKS", 2026-11.
    """
    inputs = bill.inputs
    extended = _is_extended(bill)
    item = _EXTENDED if extended else _STANDARD
    version = inputs.at("version").text()
    bill.charge("eks", item, HOURS_A_MONTH, f"1 cluster × {HOURS_A_MONTH:g} h", what=f"{item} {version}".strip())
    if inputs.first("computeConfig").at("enabled").flag():
        bill.lack(
            "nodes of Auto Mode", "no price is known for what Auto Mode adds to its nodes, nor how many there are"
        )
    tier = inputs.first("controlPlaneScalingConfig").at("tier").text("standard")
    if tier != "standard":
        bill.lack(f"control plane of tier {tier}", "no price is known for provisioned control planes")


def _is_extended(bill: Bill) -> bool:
    """Whether the version's standard support has ended, and the cluster stays on it."""
    from components.kubernetes_versions import kubernetes_versions  # reads YAML, which few programs need

    inputs = bill.inputs
    if inputs.first("upgradePolicy").at("supportType").text("EXTENDED") == "STANDARD":
        return False
    version = inputs.at("version").text()
    if not version:
        return False  # the newest
    known = kubernetes_versions()
    if version in known:
        until = known[version].standard_support_until
        return until is not None and bill.today > until
    return _minor(version) < min(_minor(name) for name in known)


def _minor(version: str) -> int:
    minor = version.partition(".")[2]
    return int(minor) if minor.isdecimal() else 10**6


def _fargate(bill: Bill) -> None:
    bill.lack("pods on Fargate", "no price is known for what they take: it depends on the pods")


PARTS: Parts = {
    "aws:eks/cluster:Cluster": [_cluster],
    "aws:eks/fargateProfile:FargateProfile": [_fargate],
}
