"""VPC endpoints: the mistakes that the real service refuses, and changes that reach route tables and interfaces.

Sources: EC2 API reference, CreateVpcEndpoint and ModifyVpcEndpoint; PrivateLink guide, "Private DNS" for what private
names need of the VPC.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from moto.backends import get_backend
from moto.ec2.exceptions import EC2ClientError, InvalidServiceName
from moto.ec2.models import EC2Backend
from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend
from moto.ec2.models.vpcs import (
    AWS_ENDPOINT_SERVICES,
    COVERED_ENDPOINT_SERVICES,
    IMPLEMENTED_ENDPOINT_SERVICES,
    VPCEndPoint,
)

AWS_SERVICE = "com.amazonaws."
CUSTOM_SERVICE = "com.amazonaws.vpce."  # somebody's own service behind PrivateLink


class VpcEndpointBackend(EC2Backend):
    def create_vpc_endpoint(
        self,
        vpc_id: str,
        service_name: str,
        endpoint_type: str | None,
        *args: Any,
        subnet_ids: list[str] | None = None,
        security_group_ids: list[str] | None = None,
        private_dns_enabled: bool | None = None,
        **kwargs: Any,
    ) -> Any:
        kind = endpoint_type or "Gateway"
        self._check_service(service_name, kind)
        if kind != "Gateway":
            self._check_zones(subnet_ids or [])
            if private_dns_enabled:
                self._check_private_dns(vpc_id, service_name)
            security_group_ids = security_group_ids or self._default_groups(vpc_id)
        endpoint: Any = super().create_vpc_endpoint(
            vpc_id,
            service_name,
            kind,
            *args,
            subnet_ids=subnet_ids,
            security_group_ids=security_group_ids,
            private_dns_enabled=bool(private_dns_enabled) and kind != "Gateway",
            **kwargs,
        )
        endpoint.ip_address_type = "ipv4"
        endpoint.dns_options = {"DnsRecordIpType": "ipv4" if kind != "Gateway" else "service-defined"}
        endpoint.requester_managed = False
        self._secure(endpoint)
        return endpoint

    def modify_vpc_endpoint(
        self,
        vpc_id: str,
        *args: Any,
        reset_policy: bool = False,
        private_dns_enabled: bool | None = None,
        **kwargs: Any,
    ) -> None:
        """``vpc_id`` is the endpoint's id, as moto names it."""
        endpoint: Any = self.describe_vpc_endpoints(vpc_end_point_ids=[vpc_id])[0]
        tables, subnets = list(endpoint.route_table_ids), list(endpoint.subnet_ids or [])
        if private_dns_enabled and not endpoint.private_dns_enabled:
            self._check_private_dns(endpoint.vpc_id, endpoint.service_name)
        super().modify_vpc_endpoint(vpc_id, *args, **kwargs)
        if reset_policy:
            endpoint.policy_document = _default_policy()
        if private_dns_enabled is not None:
            endpoint.private_dns_enabled = private_dns_enabled
        self._route(endpoint, before=tables)
        self._connect(endpoint, before=subnets)
        self._secure(endpoint)

    def delete_vpc_endpoints(self, vpce_ids: list[str] | None = None) -> None:
        super().delete_vpc_endpoints(vpce_ids)
        for identifier in vpce_ids or []:
            self.vpc_end_points.pop(identifier, None)

    def _default_groups(self, vpc_id: str) -> list[str]:
        group: Any = self.get_default_security_group(vpc_id)
        return [group.id] if group else []

    def _check_service(self, name: str, kind: str) -> None:
        if not name.startswith(AWS_SERVICE) or name.startswith(CUSTOM_SERVICE):
            return
        types = self._types_offered(name)
        if not types:
            raise InvalidServiceName(name)
        if kind not in types:
            message = f"Endpoint type ({kind}) does not match available service types ({sorted(types)})."
            raise EC2ClientError("InvalidParameter", message)

    def _types_offered(self, name: str) -> set[str]:
        """The endpoint types of one of AWS's services, without making the backends of all services that have any."""
        label = name.removeprefix(f"{AWS_SERVICE}{self.region_name}.")
        owner = label.split(".")[0]
        if label in AWS_ENDPOINT_SERVICES and label not in COVERED_ENDPOINT_SERVICES:
            return {"Interface"}
        services: list[dict[str, Any]] = []
        if owner in IMPLEMENTED_ENDPOINT_SERVICES:
            backends: Any = get_backend(owner)  # pyright: ignore[reportCallIssue, reportArgumentType] - moto lists the names
            zones = [zone.name for zone in RegionsAndZonesBackend.zones.get(self.region_name, [])]
            for place in (self.region_name, self.partition):
                if place in backends[self.account_id]:
                    backend = backends[self.account_id][place]
                    services += backend.default_vpc_endpoint_service(self.region_name, zones) or []
        return _types_of(name, services) or _types_of(
            name, self._collect_default_endpoint_services(self.account_id, self.region_name)
        )

    def _check_zones(self, subnet_ids: list[str]) -> None:
        zones = [self.get_subnet(identifier).availability_zone for identifier in subnet_ids]
        if len(set(zones)) < len(zones):
            message = "Found another VPC endpoint subnet in the availability zone of one of the subnets."
            raise EC2ClientError("DuplicateSubnetsInSameZone", message)

    def _check_private_dns(self, vpc_id: str, service_name: str) -> None:
        vpc: Any = self.get_vpc(vpc_id)
        if not (vpc.enable_dns_support and vpc.enable_dns_hostnames):
            message = (
                "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes "
                f"set to true for {vpc_id}"
            )
            raise EC2ClientError("InvalidParameter", message)
        for other in self.vpc_end_points.values():
            if (other.vpc_id, other.service_name) == (vpc_id, service_name) and other.private_dns_enabled:
                message = (
                    "private-dns-enabled cannot be set because there is already a conflicting DNS domain "
                    f"for {service_name} in the VPC {vpc_id}"
                )
                raise EC2ClientError("InvalidParameter", message)

    def _route(self, endpoint: Any, *, before: list[str]) -> None:
        prefix_list = endpoint.destination_prefix_list_id
        if not prefix_list:
            return
        for table in set(before) - set(endpoint.route_table_ids):
            self.delete_route(table, prefix_list)
        for table in set(endpoint.route_table_ids) - set(before):
            self.create_route(table, None, gateway_id=endpoint.id, destination_prefix_list_id=prefix_list)

    def _connect(self, endpoint: Any, *, before: list[str]) -> None:
        if endpoint.vpc_endpoint_type != "Interface":
            return
        for identifier in list(endpoint.network_interface_ids):
            if self.enis[identifier].subnet.id not in endpoint.subnet_ids:
                self.enis.pop(identifier)
                endpoint.network_interface_ids.remove(identifier)
        for subnet_id in endpoint.subnet_ids:
            if subnet_id not in before:
                interface = self.create_network_interface(subnet_id, [])
                endpoint.network_interface_ids.append(interface.id)

    def _secure(self, endpoint: Any) -> None:
        """Give the endpoint's interfaces its groups, so that a group in use can't be deleted."""
        groups = [self.get_security_group_from_id(identifier) for identifier in endpoint.security_group_ids]
        for identifier in endpoint.network_interface_ids:
            interface: Any = self.enis[identifier]
            interface._group_set = groups  # moto offers no other way to it
            interface.description = f"VPC Endpoint Interface {endpoint.id}"


def _types_of(name: str, services: Iterable[Any]) -> set[str]:
    return {item["ServiceType"] for service in services if service["ServiceName"] == name for item in _types(service)}


def _types(service: Any) -> list[dict[str, str]]:
    return service["ServiceType"]


def _default_policy() -> str:
    return json.dumps(VPCEndPoint.DEFAULT_POLICY)
