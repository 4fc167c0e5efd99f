"""Clusters: their endpoint, logs, secrets and version, and that nobody deletes them by mistake (rows 15 to 20)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from policies.kit import Finding, Resource, Value
from policies.security.eks_versions import why_not
from policies.security.pack import SECURITY

CLUSTER: Final = ("aws:eks/cluster:Cluster",)
# What EKS lets in where nobody says anything. Source: Amazon EKS User Guide, "Cluster API server endpoint", 2026-11.
_EVERYBODY: Final = "0.0.0.0/0"
# Ranges as wide as these are no limit: two of /1 are everybody.
_WIDEST: Final = {4: 8, 6: 16}
LOG_TYPES: Final = ("api", "audit", "authenticator", "controllerManager", "scheduler")


@SECURITY.rule(
    "eks-endpoint-open",
    number=15,
    title="Not everybody can reach the API of a cluster",
    severity="critical",
    fix="Turn endpointPublicAccess off, or give the publicAccessCidrs that may reach it.",
    frameworks=("CIS-EKS:5.4.1", "FSBP:EKS.1"),
    tags=("checkov:CKV_AWS_38", "trivy:AWS-0041", "pulumi:eks-cluster-disallow-api-endpoint-public-access"),
    types=CLUSTER,
)
def eks_endpoint_open(cluster: Resource) -> Iterator[Finding]:
    """Whoever can reach the API can try stolen credentials and the next weakness of the API server.

    Where nothing is said, EKS makes the endpoint public, and lets 0.0.0.0/0 in.
    """
    network = cluster.properties.get("vpcConfig")
    if not network.get("endpointPublicAccess").boolean(default=True):
        return
    ranges = network.get("publicAccessCidrs")
    if not len(ranges):
        yield Finding(f"without it EKS lets {_EVERYBODY} in", ranges.path)
    for each in sorted(ranges.items(), key=lambda value: value.unknown):
        if _is_everybody(each):
            yield Finding(f"{each.shown()} is everybody", each.path)


def _is_everybody(value: Value) -> bool:
    """Raises UnknownValue; what is no range of addresses is somebody else's problem: EKS refuses it."""
    try:
        network = ipaddress.ip_network(value.text(_EVERYBODY), strict=False)
    except ValueError:
        return False
    return network.prefixlen < _WIDEST[network.version]


def _close_endpoint(properties: dict[str, Any]) -> dict[str, Any]:
    network = {**properties["vpcConfig"], "endpointPublicAccess": False, "endpointPrivateAccess": True}
    network.pop("publicAccessCidrs", None)
    return {**properties, "vpcConfig": network}


@SECURITY.rule(
    "eks-public-endpoint",
    number=16,
    title="The API of a cluster is private",
    severity="critical",
    fix="Set vpcConfig.endpointPublicAccess to false and endpointPrivateAccess to true.",
    frameworks=("CIS-EKS:5.4.2", "FSBP:EKS.1"),
    tags=("checkov:CKV_AWS_39", "trivy:AWS-0040", "pulumi:eks-cluster-disallow-api-endpoint-public-access"),
    types=CLUSTER,
    mend=_close_endpoint,
    mend_risk="Whoever reaches the API from outside the VPC is locked out, this program's Kubernetes part included.",
)
def eks_public_endpoint(cluster: Resource) -> Iterator[Finding]:
    """A private endpoint is reached from within the VPC, by VPN or through a bastion, and by nobody else.

    Where nothing is said, EKS makes the endpoint public.
    """
    public = cluster.properties.get("vpcConfig", "endpointPublicAccess")
    if public.boolean(default=True):
        yield Finding(f"{public.shown()} is not false", public.path)


def _log_all(properties: dict[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    given = properties.get("enabledClusterLogTypes") or []
    return {
        **properties,
        "enabledClusterLogTypes": [*given, *(kind for kind in parameters["types"] if kind not in given)],
    }


@SECURITY.rule(
    "eks-control-plane-logs",
    number=17,
    title="A cluster's control plane writes all its logs",
    severity="medium",
    fix=f"Set enabledClusterLogTypes to {', '.join(LOG_TYPES)}.",
    frameworks=("CIS-EKS:2.1.1", "FSBP:EKS.8"),
    tags=("checkov:CKV_AWS_37", "trivy:AWS-0038"),
    types=CLUSTER,
    parameters={
        "types": {
            "type": "array",
            "items": {"type": "string", "enum": list(LOG_TYPES)},
            "default": list(LOG_TYPES),
            "description": "The logs that a cluster must write.",
        }
    },
    mend=_log_all,
)
def eks_control_plane_logs(cluster: Resource, parameters: Mapping[str, Any]) -> Iterator[Finding]:
    """Who did what in a cluster is only known from the logs of its control plane, and EKS writes none by itself."""
    given = cluster.properties.get("enabledClusterLogTypes")
    known = {each.text() for each in given.items() if each.known}
    absent = [kind for kind in parameters["types"] if kind not in known]
    if absent and all(each.known for each in given.items()):
        yield Finding(f"without {', '.join(absent)}", given.path)
    elif absent:
        for each in given.items():
            each.text()  # raises: one that isn't known may be the one


@SECURITY.rule(
    "eks-secrets-encryption",
    number=18,
    title="The secrets of a cluster are encrypted with a key of your own",
    severity="high",
    fix="Set encryptionConfig with the resources [secrets] and the ARN of a key of KMS as provider.keyArn.",
    frameworks=("CIS-EKS:5.3.1", "FSBP:EKS.3"),
    tags=("checkov:CKV_AWS_58", "trivy:AWS-0039", "pulumi:eks-cluster-enable-cluster-encryption-config"),
    types=CLUSTER,
)
def eks_secrets_encryption(cluster: Resource) -> Iterator[Finding]:
    """Without it, whoever reads a copy of etcd reads every Secret.

    Which key it is may be known later, but not whether there is one.
    """
    encryption = cluster.properties.get("encryptionConfig")
    resources = encryption.get("resources")
    if "secrets" not in [each.text() for each in resources.items()]:
        yield Finding(f"{resources.shown()} holds no secrets", resources.path)
    elif encryption.get("provider", "keyArn").missing:
        yield Finding("no key is named", encryption.get("provider", "keyArn").path)


@SECURITY.rule(
    "eks-supported-version",
    number=19,
    title="A cluster's version of Kubernetes is in standard support",
    severity="high",
    fix="Upgrade one minor version at a time to one whose standard support lasts.",
    frameworks=("FSBP:EKS.2",),
    tags=("checkov:CKV_AWS_339",),
    types=CLUSTER,
    parameters={
        "extended": {
            "type": "boolean",
            "default": False,
            "description": "Extended support will do, at six times the price.",
        },
        "days_left": {
            "type": "integer",
            "minimum": 0,
            "default": 0,
            "description": "How many days of support must be left, so that there is time to upgrade.",
        },
    },
)
def eks_supported_version(cluster: Resource, parameters: Mapping[str, Any]) -> Iterator[Finding]:
    """A version in extended support costs six times as much; after that EKS upgrades the cluster when it likes.

    A cluster that names no version gets one that EKS supports. When support ends is data (``data/eks_versions.csv``),
    and a version that isn't there is refused: it is too old, or newer than the data.
    """
    version = cluster.properties.get("version")
    if version.missing:
        return
    reason = why_not(
        version.text(""), datetime.now(UTC).date(), extended=parameters["extended"], days_left=parameters["days_left"]
    )
    if reason:
        yield Finding(reason, version.path)


def _protect(properties: dict[str, Any]) -> dict[str, Any]:
    return {**properties, "deletionProtection": True}


@SECURITY.rule(
    "eks-deletion-protection",
    number=20,
    title="A cluster can't be deleted by mistake",
    severity="high",
    fix="Set deletionProtection to true.",
    frameworks=("Prowler:eks_cluster_deletion_protection_enabled",),
    tags=("prowler:eks_cluster_deletion_protection_enabled",),
    types=CLUSTER,
    mend=_protect,
)
def eks_deletion_protection(cluster: Resource) -> Iterator[Finding]:
    """With its cluster goes everything that runs in it. EKS deletes none whose protection wasn't turned off before."""
    protection = cluster.properties.get("deletionProtection")
    if not protection.boolean():
        yield Finding(f"{protection.shown()} is not true", protection.path)
