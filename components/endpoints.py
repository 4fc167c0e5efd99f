"""VPC endpoints: AWS services reached without the internet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components import names
from components.base import PlatformComponent

_HTTPS = 443


@dataclass(frozen=True)
class EndpointsArgs:
    """Gateway endpoints are routes in ``route_table_ids``, interface endpoints are addresses in ``subnet_ids``."""

    vpc_id: pulumi.Input[str]
    region: str
    cidrs: Sequence[str]
    gateway: Sequence[str]
    interface: Sequence[str]
    route_table_ids: Sequence[pulumi.Input[str]]
    subnet_ids: Sequence[pulumi.Input[str]]


class Endpoints(PlatformComponent, area="network"):
    """Gateway and interface endpoints of one VPC; only addresses of the VPC may talk to the latter."""

    def __init__(self, name: str, args: EndpointsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        for service in args.gateway:
            aws.ec2.VpcEndpoint(
                self.child(service),
                vpc_id=args.vpc_id,
                service_name=f"com.amazonaws.{args.region}.{service}",
                vpc_endpoint_type="Gateway",
                route_table_ids=list(args.route_table_ids),
                opts=self.options(),
            )
        if args.interface:
            self._interfaces(args, self._group(args))
        self.register_outputs({})

    def _group(self, args: EndpointsArgs) -> pulumi.Output[str]:
        group = aws.ec2.SecurityGroup(
            self.child("https"),
            name=self.physical(names.SECURITY_GROUP, "endpoints"),
            description="HTTPS from this VPC to interface endpoints",
            vpc_id=args.vpc_id,
            # A name is taken in one VPC only. In the old one, endpoints that go later still need their group.
            opts=self.options(delete_before_replace=False),
        )
        for number, cidr in enumerate(args.cidrs, start=1):
            aws.vpc.SecurityGroupIngressRule(
                self.child("https", str(number)),
                security_group_id=group.id,
                description="HTTPS from this VPC",
                cidr_ipv4=cidr,
                ip_protocol="tcp",
                from_port=_HTTPS,
                to_port=_HTTPS,
                opts=self.options(),
            )
        return group.id

    def _interfaces(self, args: EndpointsArgs, group_id: pulumi.Output[str]) -> None:
        for service in args.interface:
            aws.ec2.VpcEndpoint(
                self.child(service),
                vpc_id=args.vpc_id,
                service_name=f"com.amazonaws.{args.region}.{service}",
                vpc_endpoint_type="Interface",
                private_dns_enabled=True,
                subnet_ids=list(args.subnet_ids),
                security_group_ids=[group_id],
                opts=self.options(),
            )
