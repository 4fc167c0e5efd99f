"""VPCs, subnets and addresses: refusals that moto leaves out, above all deletion in the wrong order.

Sources: EC2 API reference (the operations named), "Error codes for the Amazon EC2 API", VPC user guide "VPC CIDR
blocks" for the ranges that may be combined.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from moto.ec2.exceptions import (
    EC2ClientError,
    InvalidAvailabilityZoneError,
    InvalidSubnetRangeError,
)
from moto.ec2.models import EC2Backend

PRIVATE_RANGES = tuple(ipaddress.ip_network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
SUBNET_SIZES = range(16, 29)  # prefix lengths


class NetworkBackend(EC2Backend):
    def associate_vpc_cidr_block(
        self, vpc_id: str, cidr_block: str, amazon_provided_ipv6_cidr_block: bool
    ) -> dict[str, Any]:
        if cidr_block and not amazon_provided_ipv6_cidr_block:
            self._check_further_cidr(vpc_id, cidr_block)
        return super().associate_vpc_cidr_block(vpc_id, cidr_block, amazon_provided_ipv6_cidr_block)

    def disassociate_vpc_cidr_block(self, association_id: str) -> dict[str, Any]:
        held = {
            block["association_id"]: (vpc, block)
            for vpc in self.vpcs.values()
            for ipv6 in (False, True)
            for block in vpc.get_cidr_block_association_set(ipv6)
            if block["cidr_block_state"]["state"] == "associated"
        }
        if association_id not in held:  # moto answers once more for one that has been disassociated
            message = f"The vpc CIDR block association ID '{association_id}' does not exist"
            raise EC2ClientError("InvalidVpcCidrBlockAssociationID.NotFound", message)
        vpc, block = held[association_id]
        network = ipaddress.ip_network(block["cidr_block"])
        if any(
            subnet.cidr.version == network.version and subnet.cidr.overlaps(network)
            for subnet in self._subnets_of(vpc.id)
        ):
            raise _in_use("vpc CIDR block", association_id)
        return super().disassociate_vpc_cidr_block(association_id)

    def create_subnet(
        self,
        vpc_id: str,
        cidr_block: str,
        ipv6_cidr_block: str | None = None,
        availability_zone: str | None = None,
        availability_zone_id: str | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        zone = self._zone(availability_zone, availability_zone_id)
        if cidr_block and int(cidr_block.rpartition("/")[2]) not in SUBNET_SIZES:
            raise InvalidSubnetRangeError(cidr_block)
        subnet = super().create_subnet(vpc_id, cidr_block, ipv6_cidr_block, zone, None, *args, **kwargs)
        if not self.get_vpc(vpc_id).is_default:
            subnet.default_for_az = False
            subnet.map_public_ip_on_launch = False
        return subnet

    def modify_subnet_attribute(self, subnet_id: str, attr_name: str, attr_value: Any) -> None:
        subnet: Any = self.get_subnet(subnet_id)
        options = subnet.private_dns_name_options_on_launch
        if attr_name == "private_dns_hostname_type_on_launch":
            options["HostnameType"] = attr_value
        elif attr_name == "enable_resource_name_dns_aaaa_record_on_launch":
            options["EnableResourceNameDnsAAAARecord"] = attr_value
        elif attr_name == "enable_dns64":
            subnet.enable_dns64 = attr_value
        else:
            super().modify_subnet_attribute(subnet_id, attr_name, attr_value)

    def delete_subnet(self, subnet_id: str) -> Any:
        if any(eni.subnet.id == subnet_id and not _is_terminated(eni) for eni in self.enis.values()):
            raise _in_use("subnet", subnet_id)
        subnet = super().delete_subnet(subnet_id)
        for table in self.route_tables.values():
            for association in table.associations:
                if association.get("SubnetId") == subnet_id:
                    self.disassociate_route_table(association["RouteTableAssociationId"])
        return subnet

    def delete_vpc(self, vpc_id: str) -> Any:
        groups = [group for group in self.groups.get(vpc_id, {}).values() if group.name != "default"]
        gateways = [item for item in self.internet_gateways.values() if item.vpc and item.vpc.id == vpc_id]
        endpoints = [item for item in self.vpc_end_points.values() if item.vpc_id == vpc_id]
        if groups or gateways or endpoints:
            raise _in_use("vpc", vpc_id)
        return super().delete_vpc(vpc_id)

    def detach_internet_gateway(self, internet_gateway_id: str, vpc_id: str) -> None:
        if any(address.eni and address.eni.subnet.vpc_id == vpc_id for address in self.addresses):
            message = (
                f"Network {vpc_id} has some mapped public address(es). "
                "Please unmap those public address(es) before detaching the gateway."
            )
            raise EC2ClientError("DependencyViolation", message)
        super().detach_internet_gateway(internet_gateway_id, vpc_id)

    def release_address(self, address: str | None = None, allocation_id: str | None = None) -> None:
        for item in self.addresses:
            if allocation_id and item.allocation_id == allocation_id and item.association_id:
                raise EC2ClientError("InvalidIPAddress.InUse", f"Address {item.public_ip} is in use.")
        super().release_address(address, allocation_id)

    def _check_further_cidr(self, vpc_id: str, cidr_block: str) -> None:
        wanted = ipaddress.ip_network(cidr_block)
        vpc: Any = self.get_vpc(vpc_id)
        for block in vpc.get_cidr_block_association_set():
            left = str(block["cidr_block_state"]["state"]).startswith("disassociat")
            if not left and wanted.overlaps(ipaddress.ip_network(block["cidr_block"])):
                raise EC2ClientError(
                    "InvalidVpc.Range", f"The CIDR '{cidr_block}' conflicts with '{block['cidr_block']}' of {vpc_id}."
                )
        if (first := _private_range(ipaddress.ip_network(vpc.cidr_block))) and _private_range(wanted) not in (
            None,
            first,
        ):
            message = (
                f"The CIDR '{cidr_block}' is restricted. Use a CIDR from the same private address range as the "
                "current VPC CIDR, or use a publicly-routable CIDR."
            )
            raise EC2ClientError("InvalidVpc.Range", message)

    def _zone(self, name: str | None, zone_id: str | None) -> str:
        """The name of the zone in this region; moto would take a zone of any region."""
        zones: list[Any] = list(self.describe_availability_zones())
        for zone in zones:
            if zone.name == name or (not name and zone.zone_id == zone_id):
                return zone.name
        if name or zone_id:
            raise InvalidAvailabilityZoneError(name or zone_id, ", ".join(zone.name for zone in zones))
        return zones[0].name

    def _subnets_of(self, vpc_id: str) -> list[Any]:
        return [subnet for zone in self.subnets.values() for subnet in zone.values() if subnet.vpc_id == vpc_id]


def _private_range(network: Any) -> Any:
    return next((known for known in PRIVATE_RANGES if network.subnet_of(known)), None)


def _is_terminated(interface: Any) -> bool:
    instance = interface.instance
    return instance is not None and instance.state == "terminated"


def _in_use(kind: str, identifier: str) -> EC2ClientError:
    return EC2ClientError("DependencyViolation", f"The {kind} '{identifier}' has dependencies and cannot be deleted.")
