"""Launch templates of managed node groups: what every node has, whichever pool it belongs to.

IMDSv2 only, one hop (pods get credentials through Pod Identity; none has to reach the node's own), an encrypted root
volume, no public address, and the deployment's tags on instances, volumes and interfaces, where no provider puts them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from components import names
from components.base import PlatformComponent
from components.fabric import interfaces
from components.pools import ImageFamily, PoolChoices
from components.tags import component_tags
from components.userdata import user_data


@dataclass(frozen=True)
class LaunchTemplateArgs:
    """``reservation_ids`` holds at most one: more than one would need a resource group in between."""

    pool: PoolChoices
    security_group_ids: Sequence[pulumi.Input[str]]
    tags: Mapping[str, str]
    placement_group: pulumi.Input[str] | None = None
    reservation_ids: Sequence[pulumi.Input[str]] = ()


def launch_template(owner: PlatformComponent, args: LaunchTemplateArgs) -> aws.ec2.LaunchTemplate:
    """The launch template of the pool that ``owner`` is."""
    pool = args.pool
    block = pool.reservations.block_id is not None
    return aws.ec2.LaunchTemplate(
        owner.child("nodes"),
        name=owner.physical(names.LAUNCH_TEMPLATE, owner.component_name),
        description=f"Nodes of {owner.component_name}",
        update_default_version=True,
        metadata_options={"http_endpoint": "enabled", "http_tokens": "required", "http_put_response_hop_limit": 1},
        block_device_mappings=block_devices(pool),
        network_interfaces=[
            {
                "network_card_index": each.network_card,
                "device_index": each.device,
                "interface_type": each.kind,
                # AWS takes the choice only for a sole interface; with more, the subnets' own rule holds, which is "no".
                "associate_public_ip_address": None if pool.efa else "false",
                "delete_on_termination": "true",
                "security_groups": list(args.security_group_ids),
            }
            for each in interfaces(pool.kinds[0], efa=pool.efa)
        ],
        placement={"group_name": args.placement_group} if args.placement_group is not None else None,
        # A Capacity Block's type is said here, and in no other place.
        instance_type=pool.kinds[0].name if block else None,
        instance_market_options={"market_type": "capacity-block"} if block else None,
        capacity_reservation_specification=_reservation(args.reservation_ids),
        user_data=user_data(pool.image, raid0=pool.raid0),
        tag_specifications=[
            {
                "resource_type": kind,
                "tags": {**args.tags, **component_tags(owner.component_name, _name_of_nodes(owner))},
            }
            for kind in ("instance", "volume", "network-interface")
        ],
        opts=owner.options(),
    )


def block_devices(pool: PoolChoices) -> list[Any]:
    """The root volume; Bottlerocket keeps its system on one of its own and what pods write on a second."""
    data_device = "/dev/xvdb" if pool.image is ImageFamily.BOTTLEROCKET else "/dev/xvda"
    return [
        {
            "device_name": data_device,
            "ebs": {
                "volume_type": "gp3",
                "volume_size": pool.disk_gib,
                "encrypted": "true",
                "delete_on_termination": "true",
            },
        }
    ]


def _reservation(ids: Sequence[pulumi.Input[str]]) -> Any:
    if not ids:
        return None
    target = {"capacity_reservation_id": ids[0]}
    return {"capacity_reservation_target": target}


def _name_of_nodes(owner: PlatformComponent) -> str:
    return owner.naming.dashed(names.NAME_TAG, owner.component_name)
