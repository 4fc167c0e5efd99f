"""Placement groups and capacity reservations: where instances go, and what is kept free for them.

Sources: EC2 API reference, CreatePlacementGroup, CreateCapacityReservation, ModifyCapacityReservation; EC2 User Guide,
"Placement groups", "Capacity Reservations".
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from moto.ec2 import utils
from moto.ec2.exceptions import EC2ClientError, InvalidParameterValueError
from moto.ec2.models import EC2Backend
from moto.ec2.models.core import TaggedEC2Resource
from moto.ec2.models.instance_types import INSTANCE_TYPES

Facts = dict[str, Any]

STRATEGIES = ("cluster", "partition", "spread")
SPREAD_LEVELS = ("host", "rack")
MOST_PARTITIONS = 7
PLATFORMS = frozenset(
    {
        "Linux/UNIX",
        "Red Hat Enterprise Linux",
        "SUSE Linux",
        "Windows",
        "Windows with SQL Server",
        "Windows with SQL Server Enterprise",
        "Windows with SQL Server Standard",
        "Windows with SQL Server Web",
        "Linux with SQL Server Standard",
        "Linux with SQL Server Web",
        "Linux with SQL Server Enterprise",
        "RHEL with SQL Server Standard",
        "RHEL with SQL Server Enterprise",
        "RHEL with SQL Server Web",
        "RHEL with HA",
        "RHEL with HA and SQL Server Standard",
        "RHEL with HA and SQL Server Enterprise",
        "Ubuntu Pro",
    }
)
# moto lets only those be tagged whose ids it knows.
PREFIXES = {"placement-group": "pg", "capacity-reservation": "cr"}
utils.EC2_RESOURCE_TO_PREFIX.update(PREFIXES)
utils.EC2_PREFIX_TO_RESOURCE.update({prefix: kind for kind, prefix in PREFIXES.items()})


class Described(TaggedEC2Resource):
    """Something that is all facts, in the form of the API; filters find a fact by its name."""

    def __init__(self, backend: Any, identifier: str, facts: Facts, tags: dict[str, str]) -> None:
        self.ec2_backend = backend
        self.id = identifier
        self.facts = facts
        self.add_tags(tags)

    def described(self) -> Facts:
        tags = [{"Key": tag["key"], "Value": tag["value"]} for tag in self.get_tags()]
        return self.facts | {"Tags": tags}

    def get_filter_value(self, filter_name: str, method_name: str | None = None) -> Any:
        if filter_name.startswith("tag"):
            return super().get_filter_value(filter_name, method_name)
        return self.facts.get("".join(part.capitalize() for part in filter_name.split("-")))


class CapacityBackend(EC2Backend):
    def __init__(self, region_name: str, account_id: str) -> None:
        self.placement_groups: dict[str, Described] = {}  # by name
        self.capacity_reservations: dict[str, Described] = {}  # by id
        super().__init__(region_name, account_id)

    def create_placement_group(self, request: Facts, tags: dict[str, str]) -> Described:
        name = request.get("GroupName")
        if not name:
            raise EC2ClientError("MissingParameter", "The request must contain the parameter groupName")
        if name in self.placement_groups:
            raise EC2ClientError("InvalidPlacementGroup.Duplicate", f"The placement group '{name}' already exists.")
        identifier = utils.random_id(prefix="pg")
        place = f"{self.partition}:ec2:{self.region_name}:{self.account_id}"
        facts = _strategy(request) | {
            "GroupName": name,
            "GroupId": identifier,
            "State": "available",
            "GroupArn": f"arn:{place}:placement-group/{name}",
        }
        group: Any = Described(self, identifier, facts, tags)
        self.placement_groups[name] = group
        return group

    def describe_placement_groups(self, names: list[str], identifiers: list[str], filters: Any) -> list[Described]:
        known = {group.id for group in self.placement_groups.values()}
        absent = [name for name in names if name not in self.placement_groups]
        absent += [identifier for identifier in identifiers if identifier not in known]
        if absent:
            raise _unknown_group(absent[0])
        wanted = [
            group
            for name, group in self.placement_groups.items()
            if (not names or name in names) and (not identifiers or group.id in identifiers)
        ]
        return utils.generic_filter(filters, wanted)

    def delete_placement_group(self, name: str) -> None:
        if name not in self.placement_groups:
            raise _unknown_group(name)
        arn = self.placement_groups[name].facts["GroupArn"]
        if any(_holds(item) and item.facts.get("PlacementGroupArn") == arn for item in self._reservations()):
            message = f"The placement group '{name}' is in use and may not be deleted."
            raise EC2ClientError("InvalidPlacementGroup.InUse", message)
        del self.placement_groups[name]

    def create_capacity_reservation(self, request: Facts, tags: dict[str, str]) -> Described:
        self._check_reservation(request)
        zone = self._reservation_zone(request)
        identifier = utils.random_id(prefix="cr", size=17)
        place = f"{self.partition}:ec2:{self.region_name}:{self.account_id}"
        keys = ("InstanceType", "InstancePlatform", "EndDate", "OutpostArn", "PlacementGroupArn")
        now = datetime.now(UTC).replace(microsecond=0)
        count = int(request["InstanceCount"])
        facts = {key: request[key] for key in keys if request.get(key) is not None} | {
            "CapacityReservationId": identifier,
            "CapacityReservationArn": f"arn:{place}:capacity-reservation/{identifier}",
            "OwnerId": self.account_id,
            "AvailabilityZone": zone.name,
            "AvailabilityZoneId": zone.zone_id,
            "Tenancy": request.get("Tenancy") or "default",
            "TotalInstanceCount": count,
            "AvailableInstanceCount": count,
            "EbsOptimized": _is_true(request.get("EbsOptimized")),
            "EphemeralStorage": _is_true(request.get("EphemeralStorage")),
            "State": "active",
            "StartDate": now,
            "CreateDate": now,
            "EndDateType": request.get("EndDateType") or "unlimited",
            "InstanceMatchCriteria": request.get("InstanceMatchCriteria") or "open",
            "ReservationType": "default",
        }
        reservation: Any = Described(self, identifier, facts, tags)
        self.capacity_reservations[identifier] = reservation
        return reservation

    def describe_capacity_reservations(self, identifiers: list[str], filters: Any) -> list[Described]:
        wanted = [self._reservation(identifier) for identifier in identifiers] or self._reservations()
        return utils.generic_filter(filters, wanted)

    def modify_capacity_reservation(self, request: Facts) -> None:
        reservation = self._reservation(request["CapacityReservationId"])
        facts = reservation.facts
        if not _holds(reservation):
            message = f"The capacity reservation {reservation.id} is not active"
            raise EC2ClientError("InvalidCapacityReservationState", message)
        given = {key: request[key] for key in ("EndDate", "EndDateType", "InstanceMatchCriteria") if request.get(key)}
        _check_end(facts.get("EndDateType") if "EndDate" not in given else None, given)
        if request.get("InstanceCount") is not None:
            count = int(request["InstanceCount"])
            _check_count(count)
            given |= {"TotalInstanceCount": count, "AvailableInstanceCount": count}
        if given.get("EndDateType") == "unlimited":
            facts.pop("EndDate", None)
        facts |= given

    def cancel_capacity_reservation(self, identifier: str) -> None:
        reservation = self._reservation(identifier)
        if not _holds(reservation):
            raise EC2ClientError("InvalidCapacityReservationState", f"The reservation {identifier} is not active")
        reservation.facts |= {"State": "cancelled", "AvailableInstanceCount": 0, "TotalInstanceCount": 0}

    def _reservations(self) -> list[Described]:
        return list(self.capacity_reservations.values())

    def _reservation(self, identifier: str) -> Described:
        if identifier not in self.capacity_reservations:
            message = f"The capacity reservation '{identifier}' does not exist."
            raise EC2ClientError("InvalidCapacityReservationId.NotFound", message)
        return self.capacity_reservations[identifier]

    def _check_reservation(self, request: Facts) -> None:
        if request["InstanceType"] not in INSTANCE_TYPES:
            raise InvalidParameterValueError(request["InstanceType"])
        if request["InstancePlatform"] not in PLATFORMS:
            raise InvalidParameterValueError(request["InstancePlatform"])
        _check_count(int(request["InstanceCount"]))
        _check_end(None, request)
        wanted = request.get("PlacementGroupArn")
        groups = {group.facts["GroupArn"]: group.facts for group in self.placement_groups.values()}
        if wanted and (wanted not in groups or groups[wanted]["Strategy"] != "cluster"):
            raise EC2ClientError(
                "InvalidPlacementGroup.Unknown", f"There is no placement group {wanted} with strategy cluster"
            )

    def _reservation_zone(self, request: Facts) -> Any:
        wanted = (request.get("AvailabilityZone"), request.get("AvailabilityZoneId"))
        zones: list[Any] = list(self.describe_availability_zones())
        for zone in zones:
            if zone.name == wanted[0] or zone.zone_id == wanted[1]:
                return zone
        raise InvalidParameterValueError(str(wanted[0] or wanted[1]))


def _strategy(request: Facts) -> Facts:
    """Strategy with what belongs to it alone. Raises InvalidParameterValue, InvalidParameterCombination."""
    strategy = request.get("Strategy") or "cluster"
    partitions, level = request.get("PartitionCount"), request.get("SpreadLevel")
    if strategy not in STRATEGIES:
        raise InvalidParameterValueError(strategy)
    if partitions is not None and strategy != "partition":
        raise EC2ClientError("InvalidParameterCombination", "PartitionCount needs the strategy partition")
    if level is not None and strategy != "spread":
        raise EC2ClientError("InvalidParameterCombination", "SpreadLevel needs the strategy spread")
    if strategy == "partition":
        if not 1 <= int(partitions or 2) <= MOST_PARTITIONS:
            raise InvalidParameterValueError(str(partitions))
        return {"Strategy": strategy, "PartitionCount": int(partitions or 2)}
    if strategy == "spread":
        if level not in (None, *SPREAD_LEVELS):
            raise InvalidParameterValueError(str(level))
        return {"Strategy": strategy, "SpreadLevel": level or "rack"}
    return {"Strategy": strategy}


def _unknown_group(name: str) -> EC2ClientError:
    return EC2ClientError("InvalidPlacementGroup.Unknown", f"The Placement Group '{name}' is unknown.")


def _holds(reservation: Described) -> bool:
    return reservation.facts["State"] == "active"


def _check_count(count: int) -> None:
    if count < 1:
        raise InvalidParameterValueError(str(count))


def _check_end(current: str | None, request: Facts) -> None:
    kind = request.get("EndDateType") or current
    if kind not in (None, "limited", "unlimited"):
        raise InvalidParameterValueError(str(kind))
    if bool(request.get("EndDate")) != (kind == "limited") and not (current == "limited" and kind == "limited"):
        raise EC2ClientError("InvalidParameterCombination", "EndDate and EndDateType limited need each other")


def _is_true(value: Any) -> bool:
    return value is True or str(value).lower() == "true"
