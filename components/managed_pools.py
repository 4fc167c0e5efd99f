"""Managed node groups: pools whose size is said, and that EKS keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components import capacity
from components.base import PlatformComponent
from components.fabric import fabric_group
from components.launch_templates import LaunchTemplateArgs, launch_template
from components.network import NetworkPlace
from components.pools import EFFECTS_OF_EKS, Capacity, PoolChoices
from components.roles import MadeRole
from components.schedules import scale_by_the_clock


@dataclass(frozen=True)
class ManagedPoolArgs:
    """``name`` is the pool's, by which nodes are labelled; ``role`` is that of its nodes."""

    name: str
    pool: PoolChoices
    cluster_name: pulumi.Input[str]
    cluster_security_group_id: pulumi.Input[str]
    version: str
    network: NetworkPlace
    role: MadeRole
    tags: Mapping[str, str]
    after: Sequence[pulumi.Resource]


class ManagedPool(PlatformComponent, area="nodes"):
    """A managed node group with its launch template, and what its capacity comes from."""

    node_group: aws.eks.NodeGroup

    def __init__(self, name: str, args: ManagedPoolArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._args = args
        subnet_ids = args.network.private_subnets_in(args.pool.zones)
        group = capacity.placement_group(self, args.pool)
        template = launch_template(
            self,
            LaunchTemplateArgs(
                pool=args.pool,
                security_group_ids=self._security_groups(),
                tags=args.tags,
                placement_group=group.name if group else None,
                reservation_ids=capacity.reservation_ids(self, args.pool, subnet_ids, group),
            ),
        )
        self.node_group = self._node_group(template, subnet_ids)
        if args.pool.schedule is not None:
            scale_by_the_clock(self, self.node_group, args.pool.schedule, args.pool.size)
        self.register_outputs({"nodeGroupName": self.node_group.node_group_name})

    def _security_groups(self) -> list[pulumi.Input[str]]:
        of_cluster = self._args.cluster_security_group_id
        return [of_cluster, fabric_group(self, self._args.network.vpc_id).id] if self._args.pool.efa else [of_cluster]

    def _node_group(
        self, template: aws.ec2.LaunchTemplate, subnet_ids: pulumi.Output[Sequence[str]]
    ) -> aws.eks.NodeGroup:
        args, pool = self._args, self._args.pool
        # The clock sets the size that is wanted, day and night: no run may set it back.
        ignored = ["scalingConfig.desiredSize"] if pool.schedule else []
        return aws.eks.NodeGroup(
            self.child("nodes"),
            cluster_name=args.cluster_name,
            node_role_arn=args.role.role.arn,
            subnet_ids=subnet_ids,
            version=args.version,
            ami_type=pool.ami_type(),
            release_version=pool.release,
            capacity_type=self._capacity_type(),
            instance_types=None if pool.reservations.block_id else pool.instance_types,
            launch_template={"id": template.id, "version": template.latest_version.apply(str)},
            scaling_config={
                "min_size": pool.size.minimum,
                "desired_size": pool.size.desired,
                "max_size": pool.size.maximum,
            },
            # At most a third of the nodes is being replaced at a time.
            update_config={"max_unavailable_percentage": 33},
            node_repair_config={"enabled": True},
            labels=pool.node_labels(args.name),
            taints=[
                {"key": taint.key, "value": taint.value, "effect": EFFECTS_OF_EKS[taint.effect]}
                for taint in pool.node_taints()
            ],
            opts=self.options(depends_on=[*args.role.ready, *args.after], ignore_changes=ignored),
        )

    def _capacity_type(self) -> str:
        if self._args.pool.reservations.block_id:
            return "CAPACITY_BLOCK"
        # To a node group, a reservation is on-demand capacity that the launch template names.
        return "SPOT" if self._args.pool.capacity[0] is Capacity.SPOT else "ON_DEMAND"
