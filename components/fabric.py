"""EFA: which network interfaces an instance gets, and the security group that lets its peers talk to each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_aws as aws

from components import names
from components.base import PlatformComponent
from components.instance_types import InstanceType

# Types whose first network card takes no EFA.
# Source: Amazon EC2 User Guide, "EFA configuration for a P6-B300 instances", 2026-11.
_FIRST_CARD_WITHOUT_EFA: Final = frozenset({"p6-b300.48xlarge"})


@dataclass(frozen=True)
class Interface:
    """One network interface: where it is attached, and whether it is ``interface`` (ENA) or ``efa-only``."""

    network_card: int
    device: int
    kind: str


def interfaces(kind: InstanceType, *, efa: bool) -> list[Interface]:
    """The interfaces of an instance of ``kind``: an ordinary one first, and as many for EFA as the type takes.

    EFA-only interfaces carry no IP traffic and take no addresses, of which an instance with 32 would drain a subnet.
    """
    # Source: Amazon EC2 User Guide, "Maximize network bandwidth on Amazon EC2 instances with multiple network cards",
    # 2026-11: the primary interface is ENA; EFA-only is device 1 on the first card and device 0 on every other.
    found = [Interface(0, 0, "interface")]
    if efa:
        first = 1 if kind.name in _FIRST_CARD_WITHOUT_EFA else 0
        cards = range(first, first + kind.efa_interfaces)
        found += [Interface(card, 0 if card else 1, "efa-only") for card in cards]
    return found


def fabric_group(owner: PlatformComponent, vpc_id: pulumi.Input[str]) -> aws.ec2.SecurityGroup:
    """A security group in which everything may talk to everything: EFA needs it, in both directions."""
    # Source: Amazon EC2 User Guide, "Get started with EFA and NCCL", step 1, 2026-11. The cluster's own group lets its
    # members out to anywhere, but EFA traffic only where a rule names the group itself.
    group = aws.ec2.SecurityGroup(
        owner.child("fabric"),
        name=owner.physical(names.SECURITY_GROUP, owner.component_name, "fabric"),
        description="EFA traffic between the nodes of one pool",
        vpc_id=vpc_id,
        opts=owner.options(),
    )
    aws.vpc.SecurityGroupIngressRule(
        owner.child("fabric"),
        security_group_id=group.id,
        description="EFA traffic from nodes of the pool",
        referenced_security_group_id=group.id,
        ip_protocol="-1",
        opts=owner.options(),
    )
    aws.vpc.SecurityGroupEgressRule(
        owner.child("fabric"),
        security_group_id=group.id,
        description="EFA traffic to nodes of the pool",
        referenced_security_group_id=group.id,
        ip_protocol="-1",
        opts=owner.options(),
    )
    return group
