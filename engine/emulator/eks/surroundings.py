"""What EKS looks up in other services: subnets and their zones, security groups, roles, launch templates.

Source: Amazon EKS User Guide, "View Amazon EKS networking requirements for VPC and subnets", 2026-11.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import ec2_backends
from moto.iam.exceptions import NotFoundException
from moto.iam.models import iam_backends

from engine.emulator.eks.errors import Refused, invalid

NO_CLUSTERS_IN = frozenset({"use1-az3", "usw1-az2", "cac1-az3"})  # zone ids
_ROLE = re.compile(r"arn:(?P<partition>aws[\w-]*):iam::(?P<account>\d{12}):role/(?:.*/)?[\w+=,.@-]+")


class Surroundings:
    """The rest of one account in one region, as EKS sees it."""

    def __init__(self, account_id: str, region: str, partition: str) -> None:
        self._account_id = account_id
        self._partition = partition
        self.ec2: Any = ec2_backends[account_id][region]

    def subnets(self, identifiers: Iterable[str]) -> list[Any]:
        """The subnets. Raises InvalidParameterException when one doesn't exist, or they are of different VPCs."""
        found: list[Any] = []
        for identifier in identifiers:
            try:
                found.append(self.ec2.get_subnet(identifier))
            except EC2ClientError:
                raise invalid(f"The subnet ID '{identifier}' does not exist") from None
        if len({subnet.vpc_id for subnet in found}) > 1:
            raise invalid("Subnets specified must belong to the same VPC")
        return found

    def check_cluster_subnets(self, name: str, subnets: list[Any]) -> None:
        """Two zones at least, and none in which EKS can't place a control plane."""
        refused = [subnet.availability_zone for subnet in subnets if _zone_id(subnet) in NO_CLUSTERS_IN]
        if refused:
            raise Refused(
                "UnsupportedAvailabilityZoneException",
                f"Cannot create cluster '{name}' because {refused[0]}, the targeted availability zone, does not "
                "currently have sufficient capacity to support the cluster. Retry and choose from these availability "
                f"zones: {', '.join(self._usable_zones())}",
            )
        if len({subnet.availability_zone for subnet in subnets}) < 2:
            raise invalid("Subnets specified must be in at least two different AZs")

    def check_security_groups(self, identifiers: Iterable[str], vpc_id: str) -> None:
        for identifier in identifiers:
            if identifier not in self.ec2.groups.get(vpc_id, {}):
                raise invalid(f"The security group '{identifier}' does not exist in VPC {vpc_id}")

    def check_role(self, arn: str, what: str = "role") -> None:
        """A role of this account must exist; one of another account can't be looked at."""
        found = _ROLE.fullmatch(arn)
        if not found:
            raise invalid(f"Invalid {what} ARN: '{arn}'")
        if found["account"] != self._account_id:
            return
        try:
            iam_backends[self._account_id][self._partition].get_role_by_arn(arn)
        except NotFoundException:
            raise invalid(f"The {what} {arn} does not exist or cannot be assumed by Amazon EKS") from None

    def new_cluster_security_group(self, cluster: str, vpc_id: str, suffix: str) -> str:
        """The group that EKS makes for the control plane and the managed nodes, which let each other in."""
        name = f"eks-cluster-sg-{cluster}-{suffix}"
        description = (
            "EKS created security group applied to ENI that is attached to EKS Control Plane master nodes, as well as "
            "any managed workloads."
        )
        tags = {"Name": name, f"kubernetes.io/cluster/{cluster}": "owned", "aws:eks:cluster-name": cluster}
        group = self.ec2.create_security_group(name, description, vpc_id, tags=tags)
        self.ec2.authorize_security_group_ingress(
            group.id, "-1", None, None, [], source_groups=[{"GroupId": group.id, "UserId": self._account_id}]
        )
        return group.id

    def delete_security_group(self, identifier: str) -> None:
        """As EKS does: where something else still uses the group, it stays."""
        try:
            self.ec2.delete_security_group(group_id=identifier)
        except EC2ClientError:
            return

    def launch_template(self, wanted: dict[str, str]) -> tuple[dict[str, str], dict[str, Any]]:
        """The template with its id, name and version, and what that version holds."""
        try:
            if wanted.get("id"):
                template = self.ec2.get_launch_template(wanted["id"])
            else:
                template = self.ec2.get_launch_template_by_name(wanted.get("name", ""))
            version = template.get_version(wanted.get("version") or "$Default")
        except (EC2ClientError, KeyError, ValueError):
            raise invalid(f"The launch template {wanted} doesn't exist, or not in this version") from None
        return {"id": template.id, "name": template.name, "version": str(version.number)}, version.data

    def _usable_zones(self) -> list[str]:
        zones: list[Any] = list(self.ec2.describe_availability_zones())
        return [zone.name for zone in zones if zone.zone_id not in NO_CLUSTERS_IN]


def _zone_id(subnet: Any) -> str:
    return str(subnet.availability_zone_id)
