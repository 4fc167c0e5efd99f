"""Where node groups stand: in subnets that the internet doesn't reach (row 22)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.kit import Resource, Stack
from policies.security.nodes import SUBNETS
from policies.security.pack import SECURITY
from policies.subjects.launches import NODE_GROUP

_ASSOCIATION: Final = "aws:ec2/routeTableAssociation:RouteTableAssociation"
_TABLE: Final = "aws:ec2/routeTable:RouteTable"


@SECURITY.rule(
    "node-group-private-subnets",
    number=22,
    title="Node groups stand in private subnets",
    severity="high",
    fix="Give subnetIds of subnets whose way out is a NAT gateway.",
    frameworks=("CIS-EKS:5.4.3",),
    types=(NODE_GROUP,),
)
def node_group_private_subnets(group: Resource, stack: Stack) -> Iterator[str]:
    """A subnet is public where its routes lead to an internet gateway, or where it gives public addresses.

    Subnets of another stack can't be seen from here.
    """
    for subnet in stack.of(*SUBNETS):
        if not _stands_in(group, subnet):
            continue
        if _gives_addresses(subnet):
            yield f"its subnet {subnet.name} gives public addresses"
        elif _leads_to_the_internet(subnet, stack):
            yield f"its subnet {subnet.name} is routed to an internet gateway"


def _stands_in(group: Resource, subnet: Resource) -> bool:
    if subnet.urn in group.depends_on.get("subnetIds", ()):
        return True
    given = group.properties.get("subnetIds")
    return given.known and any(each.known and each.text("") in subnet.names for each in given.items())


def _gives_addresses(subnet: Resource) -> bool:
    maps = subnet.properties.get("mapPublicIpOnLaunch")
    return maps.known and maps.boolean()


def _leads_to_the_internet(subnet: Resource, stack: Stack) -> bool:
    return any(
        association.refers_to(table, "routeTableId") and _has_gateway(table, stack)
        for association in stack.referring(subnet, _ASSOCIATION, "subnetId")
        for table in stack.of(_TABLE)
    )


def _has_gateway(table: Resource, stack: Stack) -> bool:
    """Whether one of its routes leads to an internet gateway, by a resource of its own or within the table."""
    beside = list(stack.referring(table, "aws:ec2/route:Route", "routeTableId"))
    return any(
        gateway.urn in table.depends_on.get("routes", ())
        or any(route.refers_to(gateway, "gatewayId") for route in beside)
        for gateway in stack.of("aws:ec2/internetGateway:InternetGateway")
    )
