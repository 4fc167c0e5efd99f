"""Where a pool's instances come from: placement groups, reservations that we make, reservations that are given."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from components import names
from components.base import PlatformComponent
from components.pools import PoolChoices


def placement_group(owner: PlatformComponent, pool: PoolChoices) -> aws.ec2.PlacementGroup | None:
    """A cluster placement group, where the pool's nodes are to be side by side."""
    if not (pool.efa and pool.placement_group):
        return None
    return aws.ec2.PlacementGroup(
        owner.child("side-by-side"),
        name=owner.physical(names.PLACEMENT_GROUP, owner.component_name),
        strategy="cluster",
        opts=owner.options(),
    )


def reservation_ids(
    owner: PlatformComponent,
    pool: PoolChoices,
    subnet_ids: pulumi.Output[Sequence[str]],
    group: aws.ec2.PlacementGroup | None,
) -> list[pulumi.Input[str]]:
    """The capacity reservations that the pool uses, by id: those that exist, or one that is made for it."""
    given = pool.reservations
    if given.count is None:
        return [*given.ids, *([given.block_id] if given.block_id else [])]
    subnet = aws.ec2.get_subnet_output(id=subnet_ids[0], opts=pulumi.InvokeOptions(parent=owner))
    reservation = aws.ec2.CapacityReservation(
        owner.child("reserved"),
        instance_type=pool.kinds[0].name,
        instance_platform="Linux/UNIX",
        instance_count=given.count,
        availability_zone=subnet.availability_zone,
        # Only who names the reservation gets its instances: another pool of the same type would else take them.
        instance_match_criteria="targeted",
        placement_group_arn=group.arn if group else None,
        opts=owner.options(),
    )
    return [reservation.id]
