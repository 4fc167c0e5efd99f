"""The network: a VPC of our own in several zones, or one that exists; either way the same outputs."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components import zones
from components.addresses import AddressPlan, Tier
from components.base import PlatformComponent
from components.endpoints import Endpoints, EndpointsArgs
from components.subnets import Subnets


class Nat(enum.StrEnum):
    """How private subnets reach the internet."""

    NONE = "none"
    SINGLE = "single"
    PER_ZONE = "per_az"


@dataclass(frozen=True)
class NetworkPlace:
    """Where to place things: the outputs of any network."""

    vpc_id: pulumi.Output[str]
    public_subnet_ids: pulumi.Output[Sequence[str]]
    private_subnet_ids: pulumi.Output[Sequence[str]]
    pod_subnet_ids: pulumi.Output[Sequence[str]]
    # Of a network that somebody else runs, nobody says.
    nat_gateway_ids: Sequence[pulumi.Output[str]]
    # With its routes and gateways: what runs in the network needs them until its end, not only at its start.
    whole: pulumi.Resource

    def private_subnets_in(self, zones: Sequence[int]) -> pulumi.Output[Sequence[str]]:
        """The private subnets in the zones with these numbers (from 1); none given: all."""
        if not zones:
            return self.private_subnet_ids
        return self.private_subnet_ids.apply(lambda ids: _numbered(ids, zones))


def _numbered(ids: Sequence[str], zones: Sequence[int]) -> list[str]:
    """The subnets in ``zones``. Raises ValueError if there are too few, which of an existing VPC only AWS knows."""
    if max(zones) > len(ids):
        raise ValueError(
            f"expected a private subnet for each zone that cluster.node_pools name, up to {max(zones)}, but "
            f"network.vpc_id has {len(ids)}; name others, or tag more subnets with kubernetes.io/role/internal-elb"
        )
    return [ids[number - 1] for number in zones]


@dataclass(frozen=True)
class NetworkArgs:
    """What an environment decides about its own VPC. ``zone_ids`` are used as they are; none: the first usable ones."""

    region: str
    addresses: AddressPlan
    zone_ids: Sequence[str]
    nat: Nat
    gateway_endpoints: Sequence[str]
    interface_endpoints: Sequence[str]


class Network(PlatformComponent, area="network"):
    """A VPC with public, private and pod subnets, routes, NAT and endpoints; its default security group is closed."""

    place: NetworkPlace

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._args = args
        vpc = self._vpc()
        subnets = Subnets(self, vpc.id, self._zones())
        blocks = args.addresses.blocks
        public = subnets.make(Tier.PUBLIC, blocks(Tier.PUBLIC))
        private = subnets.make(Tier.PRIVATE, blocks(Tier.PRIVATE))
        pods = subnets.make(Tier.PODS, blocks(Tier.PODS), depends_on=self._pod_range(vpc))
        gateways = self._nat(subnets, public)
        tables = self._routes(subnets, gateways, private, pods)
        self._endpoints(vpc, private, tables)
        nat_ids = [gateway.id for gateway in gateways]
        self.place = NetworkPlace(vpc.id, _ids(public), _ids(private), _ids(pods), nat_ids, self)
        self.register_outputs({"vpcId": vpc.id, "privateSubnetIds": self.place.private_subnet_ids})

    def _vpc(self) -> aws.ec2.Vpc:
        vpc = aws.ec2.Vpc(
            self.child("vpc"),
            cidr_block=str(self._args.addresses.vpc),
            enable_dns_support=True,
            enable_dns_hostnames=True,
            opts=self.options(),
        )
        # Adopted without rules, which takes away those it has: what names no group would else be open to its peers.
        aws.ec2.DefaultSecurityGroup(self.child("closed"), vpc_id=vpc.id, opts=self.options())
        return vpc

    def _zones(self) -> list[pulumi.Output[str]]:
        count = self._args.addresses.zones
        if self._args.zone_ids:
            return [pulumi.Output.from_input(zone_id) for zone_id in self._args.zone_ids]
        # Local zones and Wavelength zones are zones, too, but no place for a cluster.
        found = aws.get_availability_zones_output(
            state="available",
            filters=[{"name": "zone-type", "values": ["availability-zone"]}],
            opts=pulumi.InvokeOptions(parent=self),
        )
        chosen = found.zone_ids.apply(lambda zone_ids: zones.choose(zone_ids, count))
        return [chosen[index] for index in range(count)]

    def _pod_range(self, vpc: aws.ec2.Vpc) -> list[pulumi.Resource]:
        if self._args.addresses.pods is None:
            return []
        return [
            aws.ec2.VpcIpv4CidrBlockAssociation(
                self.child("pods"),
                vpc_id=vpc.id,
                cidr_block=str(self._args.addresses.pods),
                opts=self.options(),
            )
        ]

    def _routes(
        self,
        subnets: Subnets,
        gateways: Sequence[aws.ec2.NatGateway],
        private: Sequence[aws.ec2.Subnet],
        pods: Sequence[aws.ec2.Subnet],
    ) -> list[aws.ec2.RouteTable]:
        """A table per zone, even where all use one NAT gateway: going from one to many then moves no subnet."""
        tables: list[aws.ec2.RouteTable] = []
        for index, subnet in enumerate(private):
            zone = str(index + 1)
            table = subnets.table(Tier.PRIVATE, zone)
            subnets.associate(subnet, table, Tier.PRIVATE, zone)
            if pods:
                subnets.associate(pods[index], table, Tier.PODS, zone)
            if gateways:
                subnets.route_through(gateways[index % len(gateways)], table, Tier.PRIVATE, zone)
            tables.append(table)
        return tables

    def _nat(self, subnets: Subnets, public: Sequence[aws.ec2.Subnet]) -> list[aws.ec2.NatGateway]:
        if not public:
            return []
        internet = subnets.internet(public)
        places = {Nat.NONE: [], Nat.SINGLE: public[:1], Nat.PER_ZONE: public}[self._args.nat]
        return subnets.nat(places, internet)

    def _endpoints(
        self, vpc: aws.ec2.Vpc, private: Sequence[aws.ec2.Subnet], tables: Sequence[aws.ec2.RouteTable]
    ) -> None:
        addresses = self._args.addresses
        Endpoints(
            self.child("endpoints"),
            EndpointsArgs(
                vpc_id=vpc.id,
                region=self._args.region,
                cidrs=[str(block) for block in (addresses.vpc, addresses.pods) if block is not None],
                gateway=self._args.gateway_endpoints,
                interface=self._args.interface_endpoints,
                route_table_ids=[table.id for table in tables],
                subnet_ids=[subnet.id for subnet in private],
            ),
            self.options(),
        )


class ExistingNetwork(PlatformComponent, area="network"):
    """A VPC that somebody else runs; its subnets are found by the tags that load balancers find them by."""

    place: NetworkPlace

    def __init__(self, name: str, vpc_id: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._vpc_id = vpc_id
        vpc = aws.ec2.get_vpc_output(id=vpc_id, opts=pulumi.InvokeOptions(parent=self))
        self.place = NetworkPlace(
            vpc_id=vpc.id,
            public_subnet_ids=self._tagged("kubernetes.io/role/elb"),
            private_subnet_ids=self._tagged("kubernetes.io/role/internal-elb"),
            pod_subnet_ids=self._tagged("kubernetes.io/role/cni"),
            nat_gateway_ids=[],
            whole=self,
        )
        self.register_outputs({"vpcId": vpc.id, "privateSubnetIds": self.place.private_subnet_ids})

    def _tagged(self, tag: str) -> pulumi.Output[Sequence[str]]:
        return aws.ec2.get_subnets_output(
            filters=[{"name": "vpc-id", "values": [self._vpc_id]}, {"name": f"tag:{tag}", "values": ["1"]}],
            opts=pulumi.InvokeOptions(parent=self),
        ).ids


def _ids(subnets: Sequence[aws.ec2.Subnet]) -> pulumi.Output[Sequence[str]]:
    return pulumi.Output.all(*[subnet.id for subnet in subnets])
