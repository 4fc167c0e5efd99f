"""Nodes and other instances: who reaches them, where they stand, and their metadata service (rows 21 to 24)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.kit import Finding, Resource
from policies.security.pack import SECURITY
from policies.subjects.launches import NODE_GROUP, Launch, switched_on

SUBNETS: Final = ("aws:ec2/subnet:Subnet", "aws:ec2/defaultSubnet:DefaultSubnet")


def _close_ssh(properties: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in properties.items() if key != "remoteAccess"}


@SECURITY.rule(
    "node-group-ssh",
    number=21,
    title="Nodes take no SSH from the whole world",
    severity="high",
    fix="Leave remoteAccess out and use Session Manager, or give sourceSecurityGroupIds.",
    frameworks=("CIS-EKS:5.4.3",),
    tags=("checkov:CKV_AWS_100",),
    types=(NODE_GROUP,),
    mend=_close_ssh,
    mend_risk="A node group that exists is replaced.",
)
def node_group_ssh(group: Resource) -> Iterator[Finding]:
    """With a key and no security groups to come from, EKS opens port 22 of every node to 0.0.0.0/0."""
    # Source: Amazon EKS API Reference, RemoteAccessConfig, sourceSecurityGroups, 2026-11.
    access = group.properties.get("remoteAccess")
    if access.get("ec2SshKey").present and not len(access.get("sourceSecurityGroupIds")):
        yield Finding("a key, and no sourceSecurityGroupIds: port 22 is open to 0.0.0.0/0", access.path)


def _hide_instances(properties: dict[str, Any]) -> dict[str, Any]:
    if "spec" in properties:
        return {**properties, "spec": {**properties["spec"], "associatePublicIPAddress": False}}
    if "networkInterfaces" not in properties:
        return {**properties, "associatePublicIpAddress": False}
    interfaces = [
        {**each, "associatePublicIpAddress": "false"} if each.get("associatePublicIpAddress") else each
        for each in properties["networkInterfaces"]
    ]
    return {**properties, "networkInterfaces": interfaces}


@SECURITY.rule(
    "nodes-public-ip",
    number=22,
    title="Nodes and other instances ask for no public address",
    severity="high",
    fix="Set associatePublicIpAddress to false, or leave it out in a private subnet.",
    frameworks=("FSBP:EC2.25", "FSBP:EC2.9", "CIS-EKS:5.4.3"),
    tags=(
        "checkov:CKV_AWS_88",
        "trivy:AWS-0009",
        "awsguard:ec2-instance-no-public-ip",
        "pulumi:ec2-launchtemplate-disallow-public-ip",
    ),
    mend=_hide_instances,
)
def nodes_public_ip(launch: Launch) -> Iterator[Finding]:
    """A node with a public address is attacked directly.

    Where nothing is said, the subnet decides, which has a rule of its own.
    """
    for public in launch.public_addresses():
        if switched_on(public):
            yield Finding(f"{public.shown()} is not false", public.path)


def _hide_subnet(properties: dict[str, Any]) -> dict[str, Any]:
    return {**properties, "mapPublicIpOnLaunch": False}


@SECURITY.rule(
    "subnets-public-ip",
    number=22,
    title="No subnet gives public addresses to what starts in it",
    severity="high",
    fix="Set mapPublicIpOnLaunch to false; load balancers and NAT gateways get their addresses without it.",
    frameworks=("FSBP:EC2.15",),
    tags=("checkov:CKV_AWS_130", "trivy:AWS-0164"),
    types=SUBNETS,
    mend=_hide_subnet,
)
def subnets_public_ip(subnet: Resource) -> Iterator[Finding]:
    """What gets a public address should have asked for it. A default subnet gives them where nothing is said."""
    maps = subnet.properties.get("mapPublicIpOnLaunch")
    if maps.boolean(default=subnet.type == "aws:ec2/defaultSubnet:DefaultSubnet"):
        yield Finding(f"{maps.shown()} is not false", maps.path)


def _options(properties: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """``properties`` with ``changes`` of the metadata options, where the form in question has them."""
    if "spec" in properties:
        return {**properties, "spec": _options(properties["spec"], changes)}
    return {**properties, "metadataOptions": {**(properties.get("metadataOptions") or {}), **changes}}


def _require_tokens(properties: dict[str, Any]) -> dict[str, Any]:
    return _options(properties, {"httpTokens": "required"})


@SECURITY.rule(
    "imds-v2",
    number=23,
    title="The metadata service asks for tokens (IMDSv2)",
    severity="high",
    fix="Set metadataOptions.httpTokens to required, or httpEndpoint to disabled.",
    frameworks=("CIS-AWS:5.7", "FSBP:EC2.8", "FSBP:EC2.170"),
    tags=("checkov:CKV_AWS_79", "trivy:AWS-0028", "trivy:AWS-0130"),
    mend=_require_tokens,
)
def imds_v2(launch: Launch) -> Iterator[Finding]:
    """Without tokens, one forged request of a web application (SSRF) reads the credentials of the node.

    Where nothing is said, the image and the account decide: so it must be said. Karpenter asks for tokens by itself.
    """
    if launch.has_template and launch.metadata.missing:
        return
    tokens = launch.metadata.get("httpTokens")
    if tokens.text("required" if launch.of_karpenter else "optional") != "required" and launch.has_metadata_service:
        yield Finding(f"{tokens.shown()} is not required", tokens.path)


def _shorten(properties: dict[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    return _options(properties, {"httpPutResponseHopLimit": parameters["hops"]})


@SECURITY.rule(
    "imds-hop-limit",
    number=24,
    title="Credentials of a node don't reach its pods",
    severity="medium",
    fix="Set metadataOptions.httpPutResponseHopLimit to 1.",
    frameworks=("FSBP:AutoScaling.4",),
    tags=("checkov:CKV_AWS_341",),
    parameters={
        "hops": {"type": "integer", "minimum": 1, "maximum": 64, "default": 1, "description": "The longest way."}
    },
    mend=_shorten,
    mend_risk="Pods that get their region or credentials from the node's metadata don't any more.",
)
def imds_hop_limit(launch: Launch, parameters: Mapping[str, Any]) -> Iterator[Finding]:
    """The answer with the token dies after so many hops, and a pod is the second: with 1, pods can't be the node.

    Where nothing is said it is 1 for EC2 itself.
    """
    hops = launch.metadata.get("httpPutResponseHopLimit")
    if hops.number(1) > parameters["hops"] and launch.has_metadata_service:
        yield Finding(f"{hops.shown()} is more than {parameters['hops']}", hops.path)
