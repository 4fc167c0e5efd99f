"""Settings of the network: a VPC of the platform's own, or one that exists."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network
from typing import Annotated, Literal

from pydantic import Field, WithJsonSchema

from components.addresses import AddressPlan
from components.zones import REFUSED_BY_EKS
from stacks.settings.base import Contradiction, Section

Cidr = Annotated[IPv4Network, WithJsonSchema({"type": "string", "pattern": r"^\d+\.\d+\.\d+\.\d+/\d+$"})]
ZoneId = Annotated[str, Field(pattern=r"^[a-z]{2,4}\d-az\d+$")]
InterfaceService = Literal[
    "aps", "aps-workspaces", "autoscaling", "bedrock-runtime", "ec2", "ecr.api", "ecr.dkr", "eks", "eks-auth",
    "elasticfilesystem", "elasticloadbalancing", "fsx", "glue", "kms", "logs", "monitoring", "rds", "sagemaker.api",
    "sagemaker.featurestore-runtime", "sagemaker.runtime", "secretsmanager", "sns", "sqs", "ssm", "ssmmessages",
    "sts", "xray",
]  # fmt: skip

# What hosts keep for themselves, and what is no host's. Source: RFC 6890; Amazon VPC User Guide, "VPC CIDR blocks".
_NO_NETWORKS = tuple(map(IPv4Network, ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3")))
RFC_1918 = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))
# AWS adds no range of RFC 1918 to a VPC whose first is of another, nor of 198.19.0.0/16 to any of RFC 1918.
# Source: Amazon VPC User Guide, "IPv4 VPC CIDR block association restrictions", 2026-11.
_APART = (*RFC_1918, IPv4Network("198.19.0.0/16"))

# Settings that describe a VPC to be made; they mean nothing for one that exists.
_OF_OWN_VPC = (
    "cidr", "pod_cidr", "availability_zones", "zone_ids", "public_subnets", "public_prefix", "private_prefix",
    "pod_prefix", "nat", "gateway_endpoints", "interface_endpoints", "flow_logs",
)  # fmt: skip


class FlowLogSettings(Section):
    """Records of the connections in the network."""

    destination: Literal["cloudwatch", "s3", "none"] = "cloudwatch"
    """Where records go: a log group, the logs bucket, or nowhere."""
    traffic: Literal["ALL", "ACCEPT", "REJECT"] = "ALL"
    """Which connections are recorded."""
    interval_seconds: Literal[60, 600] = 600
    """Seconds over which connections are summed up before they are recorded."""


class NetworkSettings(Section):
    """The VPC and its subnets, in three tiers: public, private and pods."""

    vpc_id: str | None = Field(default=None, pattern=r"^vpc-([0-9a-f]{8}|[0-9a-f]{17})$")
    """An existing VPC to use; its subnets are found by their kubernetes.io/role tags. Default: one is made."""
    cidr: Cidr = IPv4Network("10.0.0.0/16")
    """Range of the VPC (AWS: /16 to /28)."""
    pod_cidr: Cidr | None = IPv4Network("100.64.0.0/16")
    """Second range, for pods only, to save routable addresses; null: pods share the private subnets."""
    availability_zones: int = Field(default=3, ge=2, le=6)
    """Number of availability zones; zones that EKS refuses are not used."""
    zone_ids: tuple[ZoneId, ...] = ()
    """Zones by id, such as use1-az4, instead of the first ones: they then never change by themselves."""
    public_subnets: bool = True
    """Make a public subnet in each zone, for load balancers and NAT gateways."""
    public_prefix: int = Field(default=24, ge=16, le=28)
    """Prefix length of public subnets."""
    private_prefix: int = Field(default=19, ge=16, le=28)
    """Prefix length of private subnets."""
    pod_prefix: int = Field(default=18, ge=16, le=28)
    """Prefix length of the pods' subnets."""
    nat: Literal["none", "single", "per_az"] = "single"
    """NAT gateways, through which private subnets reach the internet: none, one for all zones, or one in each."""
    gateway_endpoints: tuple[Literal["s3", "dynamodb"], ...] = ("s3", "dynamodb")
    """Services reached through free gateway endpoints."""
    interface_endpoints: tuple[InterfaceService, ...] = ()
    """Services reached through interface endpoints (about 7 USD a month for each, in each zone)."""
    flow_logs: FlowLogSettings = FlowLogSettings()
    """Records of the connections in the network."""

    def address_plan(self) -> AddressPlan:
        """Which block each subnet gets."""
        return AddressPlan(
            vpc=self.cidr,
            pods=self.pod_cidr,
            zones=len(self.zone_ids) or self.availability_zones,
            public=self.public_subnets,
            public_prefix=self.public_prefix,
            private_prefix=self.private_prefix,
            pod_prefix=self.pod_prefix,
        )

    def contradictions(self) -> Iterable[Contradiction]:
        if self.vpc_id is not None:
            yield from self._about_existing(self.vpc_id)
        yield from self._about_zones()
        yield from self._about_addresses()
        if self.nat != "none" and not self.public_subnets:
            why = f"'{self.nat}' needs public subnets, which network.public_subnets turns off"
            yield Contradiction("nat", why, "use nat 'none', or leave public_subnets out")

    def _about_existing(self, vpc_id: str) -> Iterable[Contradiction]:
        for name in _OF_OWN_VPC:
            if name in self.model_fields_set:
                why = f"describes a VPC to be made, but network.vpc_id names {vpc_id}, which exists"
                yield Contradiction(name, why, f"leave out one of network.vpc_id and network.{name}")

    def _about_zones(self) -> Iterable[Contradiction]:
        for index, zone in enumerate(self.zone_ids):
            if zone in REFUSED_BY_EKS:
                why = f"'{zone}' is a zone in which EKS refuses clusters"
                yield Contradiction(f"zone_ids[{index}]", why, "use another zone of the region")
        if len(self.zone_ids) == 1:
            yield Contradiction("zone_ids", "names 1 zone", "name 2 or more: EKS needs subnets in at least two zones")
        if self.zone_ids and "availability_zones" in self.model_fields_set:
            count = len(self.zone_ids)
            if self.availability_zones != count:
                why = f"is {self.availability_zones}, but network.zone_ids names {count}"
                yield Contradiction("availability_zones", why, "leave it out")

    def _about_addresses(self) -> Iterable[Contradiction]:
        for name, block in (("cidr", self.cidr), ("pod_cidr", self.pod_cidr)):
            if block is not None and not 16 <= block.prefixlen <= 28:
                yield Contradiction(name, f"{block} is not a size that AWS takes", "use a prefix from /16 to /28")
                return
            if block is not None and any(block.overlaps(each) for each in _NO_NETWORKS):
                why = f"{block} is for hosts and protocols themselves, and no network's"
                yield Contradiction(name, why, "use a private range, such as 10.0.0.0/16")
                return
        if self.pod_cidr is not None:
            homes = [
                next((each for each in _APART if block.subnet_of(each)), None) for block in (self.cidr, self.pod_cidr)
            ]
            if None not in homes and homes[0] != homes[1]:
                why = f"is in {homes[1]}, which AWS adds to no VPC that is in {homes[0]} (network.cidr)"
                yield Contradiction("pod_cidr", why, f"use a range of 100.64.0.0/10, or of {homes[0]}")
        problem = self.address_plan().problem()
        if problem is not None:
            yield Contradiction("cidr", problem, "use a larger range, fewer zones or longer prefixes")
