"""Reads the requests of EC2 and writes the answers."""

from __future__ import annotations

from typing import Any, cast

from moto.core.responses import ActionResult
from moto.core.utils import camelcase_to_underscores
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.responses import EC2Response
from moto.ec2.utils import add_tag_specification

from engine.emulator.ec2.models import ExtendedEC2Backend

SUBNET_SWITCHES = ("EnableDns64", "EnableResourceNameDnsAAAARecordOnLaunch")
_ATTRIBUTE = {"EnableResourceNameDnsAAAARecordOnLaunch": "enable_resource_name_dns_aaaa_record_on_launch"}


class ExtendedEC2Response(EC2Response):
    @property
    def extended(self) -> ExtendedEC2Backend:
        return cast(ExtendedEC2Backend, self.ec2_backend)

    def call_action(self) -> Any:
        """A creation that is sent again with the same client token is answered as before, and makes nothing."""
        token = self._get_param("ClientToken")
        if not token:
            return super().call_action()
        key = (self._get_action(), token)
        request = {name: value for name, value in self.querystring.items() if name != "Version"}
        if key in self.extended.answered:
            before, answer = self.extended.answered[key]
            return answer if before == request else self._mismatch()
        answer = super().call_action()
        if answer[0] == 200:
            self.extended.answered[key] = (request, answer)
        return answer

    def modify_subnet_attribute(self) -> ActionResult:
        subnet_id = self._get_param("SubnetId")
        for name in SUBNET_SWITCHES:
            if (value := self._get_param(f"{name}.Value")) is not None:
                attribute = _ATTRIBUTE.get(name) or camelcase_to_underscores(name)
                self.extended.modify_subnet_attribute(subnet_id, attribute, value)
        if (kind := self._get_param("PrivateDnsHostnameTypeOnLaunch")) is not None:
            self.extended.modify_subnet_attribute(subnet_id, "private_dns_hostname_type_on_launch", kind)
        return super().modify_subnet_attribute()

    def create_nat_gateway(self) -> ActionResult:
        gateway = self.extended.create_nat_gateway(
            subnet_id=self._get_param("SubnetId"),
            allocation_id=self._get_param("AllocationId"),
            tags=add_tag_specification(self._get_param("TagSpecifications", [])),
            connectivity_type=self._get_param("ConnectivityType"),
            private_ip_address=self._get_param("PrivateIpAddress"),
        )
        return ActionResult({"NatGateway": gateway})

    def modify_vpc_endpoint(self) -> ActionResult:
        # One step of the backend for the whole request: a refusal must leave nothing half changed.
        self.extended.modify_vpc_endpoint(
            vpc_id=self._get_param("VpcEndpointId"),
            policy_doc=self._get_param("PolicyDocument"),
            add_subnets=self._get_param("AddSubnetIds", []),
            remove_subnets=self._get_param("RemoveSubnetIds", []),
            add_route_tables=self._get_param("AddRouteTableIds", []),
            remove_route_tables=self._get_param("RemoveRouteTableIds", []),
            add_security_groups=self._get_param("AddSecurityGroupIds", []),
            remove_security_groups=self._get_param("RemoveSecurityGroupIds", []),
            reset_policy=bool(self._get_bool_param("ResetPolicy")),
            private_dns_enabled=self._get_bool_param("PrivateDnsEnabled"),
        )
        return ActionResult({"Return": True})

    def create_flow_logs(self) -> ActionResult:
        result = super().create_flow_logs()
        options = self._get_param("DestinationOptions")
        for identifier in cast(dict[str, Any], result.result)["FlowLogIds"]:
            flow_log: Any = self.extended.flow_logs[identifier]
            flow_log.destination_options = options
        return result

    def _mismatch(self) -> Any:
        error = EC2ClientError(
            "IdempotentParameterMismatch", "The client token was used before with other parameters; use another token."
        )
        status, headers, body = self.serialized(ActionResult(error))
        return status, headers | {"status": str(status)}, body
