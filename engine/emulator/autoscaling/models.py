"""The Auto Scaling backend that moto is given instead of its own.

Source: EC2 Auto Scaling API reference, PutScheduledUpdateGroupAction. moto takes an action for a group that doesn't
exist, and one action for two groups where they have one name.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from moto.autoscaling.exceptions import AutoscalingClientError
from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup, FakeScheduledAction
from moto.moto_api._internal import mock_random

Facts = dict[str, Any]
NONE = -1  # what providers send for a size that the action leaves alone


class NodeGroupScalingGroup(FakeAutoScalingGroup):
    """The group of a managed node group: sizes, and no instances, which the sandbox's nodes stand for."""

    resized: Callable[[], None] | None = None

    def set_desired_capacity(self, new_capacity: int | None) -> None:
        self.desired_capacity = new_capacity
        if self.resized:
            self.resized()

    def _set_launch_configuration(self, *args: Any, **kwargs: Any) -> None:
        self.launch_configuration_name = None


class ExtendedAutoScalingBackend(AutoScalingBackend):
    def add_node_group(self, node_group: Facts, resized: Callable[[], None] | None = None) -> None:
        """Make the group that ``node_group``, as EKS describes it, names; ``resized`` hears of another desired size."""
        sizes = node_group["scalingConfig"]
        tags = {
            "eks:cluster-name": node_group["clusterName"],
            "eks:nodegroup-name": node_group["nodegroupName"],
            f"kubernetes.io/cluster/{node_group['clusterName']}": "owned",
        }
        name = _name(node_group)
        group: Any = NodeGroupScalingGroup(
            name=name,
            availability_zones=[],
            desired_capacity=sizes["desiredSize"],
            max_size=sizes["maxSize"],
            min_size=sizes["minSize"],
            launch_config_name="",
            launch_template={},
            vpc_zone_identifier=",".join(node_group["subnets"]),
            default_cooldown=None,
            health_check_period=300,
            health_check_type=None,
            load_balancers=[],
            target_group_arns=[],
            placement_group=None,
            termination_policies=[],
            autoscaling_backend=self,
            ec2_backend=self.ec2_backend,
            tags=[{"Key": key, "Value": value} for key, value in tags.items()],
            mixed_instances_policy=None,
            capacity_rebalance=node_group["capacityType"] == "SPOT",
        )
        self.autoscaling_groups[name] = group
        group.resized = resized

    def size_of_node_group(self, node_group: Facts) -> int:
        return int(self.autoscaling_groups[_name(node_group)].desired_capacity or 0)

    def resize_node_group(self, node_group: Facts) -> None:
        group, sizes = self.autoscaling_groups[_name(node_group)], node_group["scalingConfig"]
        group.min_size, group.max_size = sizes["minSize"], sizes["maxSize"]
        group.set_desired_capacity(sizes["desiredSize"])

    def remove_node_group(self, node_group: Facts) -> None:
        name = _name(node_group)
        self.autoscaling_groups.pop(name, None)
        for action in self.describe_scheduled_actions(name):
            self.delete_scheduled_action(name, action.scheduled_action_name)

    def put_scheduled_update_group_action(
        self,
        name: str,
        desired_capacity: str | int | None,
        max_size: str | int | None,
        min_size: str | int | None,
        scheduled_action_name: str,
        start_time: str | None,
        end_time: str | None,
        recurrence: str | None,
        timezone: str | None,
    ) -> FakeScheduledAction:
        if name not in self.autoscaling_groups:
            raise AutoscalingClientError("ValidationError", f"AutoScalingGroup name not found - null, name: {name}")
        sizes = {"min": _size(min_size), "max": _size(max_size), "desired": _size(desired_capacity)}
        _check_sizes(sizes)
        if not recurrence and not start_time:
            raise AutoscalingClientError("ValidationError", "Either a start time or a recurrence must be given.")
        key = f"{name}/{scheduled_action_name}"
        action: Any = FakeScheduledAction(
            name,
            sizes["desired"],
            sizes["max"],
            sizes["min"],
            scheduled_action_name,
            _time(start_time),
            _time(end_time),
            recurrence,
            timezone,
        )
        place = f"{self.partition}:autoscaling:{self.region_name}:{self.account_id}"
        before: Any = self.scheduled_actions.get(key)
        identity = before.identity if before else str(mock_random.uuid4())
        action.identity = identity
        action.scheduled_action_arn = (
            f"arn:{place}:scheduledUpdateGroupAction:{identity}:autoScalingGroupName/{name}:"
            f"scheduledActionName/{scheduled_action_name}"
        )
        self.scheduled_actions[key] = action
        return action

    def delete_scheduled_action(self, auto_scaling_group_name: str, scheduled_action_name: str) -> None:
        if self.scheduled_actions.pop(f"{auto_scaling_group_name}/{scheduled_action_name}", None) is None:
            raise AutoscalingClientError("ValidationError", "Scheduled action name not found")


def _name(node_group: Facts) -> str:
    return node_group["resources"]["autoScalingGroups"][0]["name"]


def _size(value: str | int | None) -> int | None:
    return None if value is None or int(value) == NONE else int(value)


def _check_sizes(sizes: dict[str, int | None]) -> None:
    if all(size is None for size in sizes.values()):
        raise AutoscalingClientError(
            "ValidationError", "At least one of Min/Max/Desired capacity must be given for a scheduled action."
        )
    ordered = [size for size in (sizes["min"], sizes["desired"], sizes["max"]) if size is not None]
    if ordered != sorted(ordered):
        raise AutoscalingClientError("ValidationError", "Min, desired and max capacity must be in this order.")


def _time(value: Any) -> Any:
    """Seconds, without fractions, in UTC."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(microsecond=0)
    return value
