"""The subnets of the platform's own VPC and the routes out of them."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network

import pulumi
import pulumi_aws as aws

from components.addresses import Tier
from components.base import PlatformComponent

ANYWHERE = "0.0.0.0/0"  # a destination of routes, never a source that is let in

# How load balancers, nodes and pods find their subnets.
# Source: Amazon EKS User Guide, load balancer subnet tagging; VPC CNI "Enhanced subnet discovery"; Karpenter docs.
_ROLE_TAGS = {
    Tier.PUBLIC: {"kubernetes.io/role/elb": "1"},
    Tier.PRIVATE: {"kubernetes.io/role/internal-elb": "1"},
    Tier.PODS: {"kubernetes.io/role/cni": "1"},
}


class Subnets:
    """Makes subnets, route tables and NAT gateways for ``owner``, all in ``vpc_id``."""

    def __init__(self, owner: PlatformComponent, vpc_id: pulumi.Output[str], zone_ids: Sequence[pulumi.Output[str]]):
        self._owner, self._vpc_id, self._zone_ids = owner, vpc_id, zone_ids

    def make(
        self, tier: Tier, blocks: Sequence[IPv4Network], depends_on: Sequence[pulumi.Resource] = ()
    ) -> list[aws.ec2.Subnet]:
        """One subnet of ``tier`` per zone, numbered from 1."""
        return [
            aws.ec2.Subnet(
                self._owner.child(tier, str(number)),
                vpc_id=self._vpc_id,
                cidr_block=str(block),
                availability_zone_id=zone_id,
                map_public_ip_on_launch=False,
                tags={**_ROLE_TAGS[tier], **self._discovery(tier)},
                opts=self._owner.options(depends_on=list(depends_on)),
            )
            for number, (block, zone_id) in enumerate(zip(blocks, self._zone_ids, strict=False), start=1)
        ]

    def table(self, *part: str) -> aws.ec2.RouteTable:
        """An empty route table."""
        return aws.ec2.RouteTable(self._owner.child(*part), vpc_id=self._vpc_id, opts=self._owner.options())

    def associate(self, subnet: aws.ec2.Subnet, table: aws.ec2.RouteTable, *part: str) -> None:
        """Routes ``subnet`` by ``table``."""
        aws.ec2.RouteTableAssociation(
            self._owner.child(*part), subnet_id=subnet.id, route_table_id=table.id, opts=self._owner.options()
        )

    def internet(self, public: Sequence[aws.ec2.Subnet]) -> aws.ec2.InternetGateway:
        """Routes the public subnets to the internet."""
        gateway = aws.ec2.InternetGateway(
            self._owner.child("internet"),
            vpc_id=self._vpc_id,
            # AWS detaches no gateway from a VPC that still has public addresses: another VPC gets another gateway.
            opts=self._owner.options(replace_on_changes=["vpcId"]),
        )
        table = self.table("public")
        aws.ec2.Route(
            self._owner.child("public"),
            route_table_id=table.id,
            destination_cidr_block=ANYWHERE,
            gateway_id=gateway.id,
            opts=self._owner.options(),
        )
        for number, subnet in enumerate(public, start=1):
            self.associate(subnet, table, Tier.PUBLIC, str(number))
        return gateway

    def nat(self, public: Sequence[aws.ec2.Subnet], internet: aws.ec2.InternetGateway) -> list[aws.ec2.NatGateway]:
        """A NAT gateway in each of ``public``, with an address that stays."""
        gateways: list[aws.ec2.NatGateway] = []
        for number, subnet in enumerate(public, start=1):
            name = self._owner.child("nat", str(number))
            address = aws.ec2.Eip(name, domain="vpc", opts=self._owner.options())
            gateways.append(
                aws.ec2.NatGateway(
                    name,
                    subnet_id=subnet.id,
                    allocation_id=address.allocation_id,
                    # One address serves one gateway at a time: what is replaced lets go of it first.
                    opts=self._owner.options(depends_on=[internet], delete_before_replace=True),
                )
            )
        return gateways

    def route_through(self, nat: aws.ec2.NatGateway, table: aws.ec2.RouteTable, *part: str) -> None:
        """Sends what ``table`` routes nowhere else through ``nat``."""
        aws.ec2.Route(
            self._owner.child(*part),
            route_table_id=table.id,
            destination_cidr_block=ANYWHERE,
            nat_gateway_id=nat.id,
            opts=self._owner.options(),
        )

    def _discovery(self, tier: Tier) -> dict[str, str]:
        naming = self._owner.naming
        return {"karpenter.sh/discovery": f"{naming.project}-{naming.stack}"} if tier is Tier.PRIVATE else {}
