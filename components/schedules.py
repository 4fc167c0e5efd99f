"""Schedules: a pool of nodes that is there by day and costs nothing by night."""

from __future__ import annotations

import pulumi_aws as aws

from components.base import PlatformComponent
from components.pools import Schedule, Size

_AS_IT_IS = -1  # how Pulumi says that a scheduled action leaves a size alone


def scale_by_the_clock(owner: PlatformComponent, node_group: aws.eks.NodeGroup, schedule: Schedule, size: Size) -> None:
    """Scales the group to its desired size at ``schedule.start`` and to zero at ``schedule.stop``.

    Only the desired size is set: the smallest one is zero anyway, and the largest stays that of the settings.
    """
    group = node_group.resources[0].autoscaling_groups[0].name
    for part, recurrence, wanted in (("start", schedule.start, size.desired), ("stop", schedule.stop, 0)):
        aws.autoscaling.Schedule(
            owner.child(part),
            scheduled_action_name=part,
            autoscaling_group_name=group,
            recurrence=recurrence,
            time_zone=schedule.time_zone,
            desired_capacity=wanted,
            min_size=_AS_IT_IS,
            max_size=_AS_IT_IS,
            opts=owner.options(),
        )
