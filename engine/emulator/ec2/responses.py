"""Reads the requests of EC2 and writes the answers."""

from __future__ import annotations

import base64
from typing import Any, cast

from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import camelcase_to_underscores
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.responses import EC2Response
from moto.ec2.utils import add_tag_specification, parse_user_data

from engine.emulator.ec2.models import ExtendedEC2Backend

SUBNET_SWITCHES = ("EnableDns64", "EnableResourceNameDnsAAAARecordOnLaunch")
METADATA = {
    "HttpEndpoint": "http_endpoint",
    "HttpProtocolIpv6": "http_protocol_ipv6",
    "HttpPutResponseHopLimit": "http_put_response_hop_limit",
    "HttpTokens": "http_tokens",
    "InstanceMetadataTags": "instance_metadata_tags",
}
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

    def modify_instance_attribute(self) -> ActionResult:
        data = self._get_param("UserData.Value")
        if not data:
            return super().modify_instance_attribute()
        # moto decodes what is sent, and then takes it for encoded still.
        encoded = base64.b64encode(data if isinstance(data, bytes) else str(data).encode()).decode()
        self.extended.modify_instance_attribute(self._get_param("InstanceId"), "user_data", parse_user_data(encoded))
        return EmptyResult()

    def modify_instance_metadata_options(self) -> ActionResult:
        """What is not said stays: moto takes it away."""
        instance: Any = self.extended.get_instance(self._get_param("InstanceId"))
        before = vars(instance.metadata_options)
        super().modify_instance_metadata_options()
        said = {
            METADATA[key]: getattr(instance.metadata_options, METADATA[key]) for key in METADATA if self._get_param(key)
        }
        vars(instance.metadata_options).update(before | said)
        return ActionResult({"InstanceId": instance.id, "InstanceMetadataOptions": instance.metadata_options})

    def monitor_instances(self) -> ActionResult:  # pyright: ignore[reportIncompatibleMethodOverride] - moto's only raise
        return self._monitored("enabled")

    def unmonitor_instances(self) -> ActionResult:  # pyright: ignore[reportIncompatibleMethodOverride] - moto's only raise
        return self._monitored("disabled")

    def _monitored(self, state: str) -> ActionResult:
        ids: list[str] = self._get_param("InstanceIds", [])
        for instance in self.extended.get_multi_instances_by_id(ids):
            instance.monitoring_state = state
        told = [{"InstanceId": each, "Monitoring": {"State": state}} for each in ids]
        return ActionResult({"InstanceMonitorings": told})

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

    def create_launch_template(self) -> ActionResult:
        # moto puts the template's own tags among those that its instances get.
        data, tags = self._template_data(), self._tags("launch-template")
        name, description = self._get_param("LaunchTemplateName"), self._get_param("VersionDescription")
        template = self.extended.create_launch_template(name, description, data, {"launch-template": tags})
        return ActionResult({"LaunchTemplate": self._template(template)})

    def create_launch_template_version(self) -> ActionResult:
        identifier, name = self._get_param("LaunchTemplateId"), self._get_param("LaunchTemplateName")
        backend = self.extended
        template: Any = (
            backend.get_launch_template(identifier) if identifier else backend.get_launch_template_by_name(name)
        )
        version = template.create_version(self._template_data(), self._get_param("VersionDescription"))
        described = {"LaunchTemplateData": version.data, "VersionNumber": version.number}
        return ActionResult({"LaunchTemplateVersion": {"LaunchTemplateId": template.id} | described})

    def describe_launch_templates(self) -> ActionResult:
        # In one page: moto shows fifteen, and no way to the rest.
        templates = self.extended.describe_launch_templates(
            template_names=self._get_param("LaunchTemplateNames", []),
            template_ids=self._get_param("LaunchTemplateIds", []),
            filters=self._filters_from_querystring(),
        )
        return ActionResult({"LaunchTemplates": [self._template(template) for template in templates]})

    def create_placement_group(self) -> ActionResult:
        group = self.extended.create_placement_group(self._parameters(), self._tags("placement-group"))
        return ActionResult({"PlacementGroup": group.described()})

    def describe_placement_groups(self) -> ActionResult:
        groups = self.extended.describe_placement_groups(
            self._get_param("GroupNames", []), self._get_param("GroupIds", []), self._filters_from_querystring()
        )
        return ActionResult({"PlacementGroups": [group.described() for group in groups]})

    def delete_placement_group(self) -> ActionResult:
        self.extended.delete_placement_group(self._get_param("GroupName"))
        return ActionResult({"Return": True})

    def create_capacity_reservation(self) -> ActionResult:
        made = self.extended.create_capacity_reservation(self._parameters(), self._tags("capacity-reservation"))
        return ActionResult({"CapacityReservation": made.described()})

    def describe_capacity_reservations(self) -> ActionResult:
        found = self.extended.describe_capacity_reservations(
            self._get_param("CapacityReservationIds", []), self._filters_from_querystring()
        )
        return ActionResult({"CapacityReservations": [item.described() for item in found]})

    def modify_capacity_reservation(self) -> ActionResult:
        self.extended.modify_capacity_reservation(self._parameters())
        return ActionResult({"Return": True})

    def cancel_capacity_reservation(self) -> ActionResult:
        self.extended.cancel_capacity_reservation(self._get_param("CapacityReservationId"))
        return ActionResult({"Return": True})

    def _parameters(self) -> dict[str, Any]:
        """The request's parameters, under the API's names."""
        return cast("dict[str, Any]", self.params)

    def _tags(self, resource_type: str) -> dict[str, str]:
        return {
            tag["Key"]: tag["Value"]
            for part in self._get_param("TagSpecifications", [])
            if part.get("ResourceType") == resource_type
            for tag in part.get("Tags", [])
        }

    def _template_data(self) -> dict[str, Any]:
        data: dict[str, Any] = self._get_param("LaunchTemplateData", {})
        if data.get("UserData"):
            data["UserData"] = parse_user_data(data["UserData"])
        return data

    def _template(self, template: Any) -> dict[str, Any]:
        return {
            "CreateTime": template.create_time,
            "CreatedBy": f"arn:{self.partition}:iam::{self.current_account}:root",
            "DefaultVersionNumber": template.default_version_number,
            "LatestVersionNumber": template.latest_version_number,
            "LaunchTemplateId": template.id,
            "LaunchTemplateName": template.name,
            "Tags": template.get_tags(),
        }

    def _mismatch(self) -> Any:
        error = EC2ClientError(
            "IdempotentParameterMismatch", "The client token was used before with other parameters; use another token."
        )
        status, headers, body = self.serialized(ActionResult(error))
        return status, headers | {"status": str(status)}, body
