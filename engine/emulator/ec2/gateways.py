"""NAT gateways as the real service has them: an address inside the subnet, an Elastic IP that is given back, errors."""

from __future__ import annotations

from typing import Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import EC2Backend

FIRST_HOST = 4  # the network address and the three after it are AWS's own


class NatGatewayBackend(EC2Backend):
    def create_nat_gateway(
        self,
        subnet_id: str,
        allocation_id: str,
        tags: dict[str, str] | None = None,
        connectivity_type: str | None = None,
        private_ip_address: str | None = None,
    ) -> Any:
        connectivity = connectivity_type or "public"
        if connectivity == "public" and not allocation_id:
            raise EC2ClientError("MissingParameter", "The request must include the AllocationId parameter.")
        address = private_ip_address or self._free_address(subnet_id)
        gateway: Any = super().create_nat_gateway(subnet_id, allocation_id, tags, connectivity)
        interface = gateway._eni  # pyright: ignore[reportPrivateUsage]  # moto offers no other way to it
        interface.private_ip_address = address
        interface.private_ip_addresses = [{"Primary": True, "PrivateIpAddress": address}]
        interface.description = f"Interface for NAT Gateway {gateway.id}"
        gateway.private_ip = address
        gateway.address_set[0].update({"privateIp": address, "isPrimary": True, "status": "succeeded"})
        return gateway

    def describe_nat_gateways(self, filters: Any, nat_gateway_ids: list[str] | None) -> list[Any]:
        for identifier in nat_gateway_ids or []:
            self._existing(identifier)
        found = super().describe_nat_gateways(filters, nat_gateway_ids)
        tags = {key[4:]: values for key, values in (filters or {}).items() if key.startswith("tag:")}
        return [item for item in found if all(_tag(item, key) in values for key, values in tags.items())]

    def delete_nat_gateway(self, nat_gateway_id: str) -> Any:
        gateway = self._existing(nat_gateway_id)
        if gateway.state == "deleted":
            return gateway
        for address in gateway.address_set:
            if "associationId" in address:
                self.disassociate_address(association_id=address["associationId"])
            self.enis.pop(address["networkInterfaceId"], None)
        return super().delete_nat_gateway(nat_gateway_id)

    def _existing(self, identifier: str) -> Any:
        if identifier not in self.nat_gateways:
            raise EC2ClientError("NatGatewayNotFound", f"The Nat Gateway {identifier} was not found")
        return self.nat_gateways[identifier]

    def _free_address(self, subnet_id: str) -> str:
        taken = {eni.private_ip_address for eni in self.enis.values() if eni.subnet.id == subnet_id}
        network = self.get_subnet(subnet_id).cidr
        for host in range(FIRST_HOST, network.num_addresses - 1):
            if (address := str(network[host])) not in taken:
                return address
        raise EC2ClientError("InsufficientFreeAddressesInSubnet", f"Subnet {subnet_id} has no free address.")


def _tag(resource: Any, key: str) -> str | None:
    return next((tag["value"] for tag in resource.get_tags() if tag["key"] == key), None)
