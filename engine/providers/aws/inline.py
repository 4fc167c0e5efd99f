"""Rules and routes that a security group or a route table holds itself, between a program's form and the API's. Pure.

The API knows one rule for each source (a *grant*); a program writes several of them as one. A rule of a program that is
there whole is answered as the program wrote it; what else is there is put together by protocol, ports and description.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

ALL: Final = "-1"
# Source: IANA's protocol numbers, for those that EC2 answers by name.
PROTOCOLS: Final = {"all": ALL, "1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6"}
# property -> members: of a rule that is described, of a permission to authorise, of an element of the latter
SOURCES: Final = {
    "cidrBlocks": ("CidrIpv4", "IpRanges", "CidrIp"),
    "ipv6CidrBlocks": ("CidrIpv6", "Ipv6Ranges", "CidrIpv6"),
    "prefixListIds": ("PrefixListId", "PrefixListIds", "PrefixListId"),
    "securityGroups": ("ReferencedGroupInfo", "UserIdGroupPairs", "GroupId"),
}
DESTINATIONS: Final = {
    "cidrBlock": "DestinationCidrBlock",
    "ipv6CidrBlock": "DestinationIpv6CidrBlock",
    "destinationPrefixListId": "DestinationPrefixListId",
}
TARGETS: Final = {
    "carrierGatewayId": "CarrierGatewayId",
    "coreNetworkArn": "CoreNetworkArn",
    "egressOnlyGatewayId": "EgressOnlyInternetGatewayId",
    "gatewayId": "GatewayId",
    "localGatewayId": "LocalGatewayId",
    "natGatewayId": "NatGatewayId",
    "networkInterfaceId": "NetworkInterfaceId",
    "odbNetworkArn": "OdbNetworkArn",
    "transitGatewayId": "TransitGatewayId",
    "vpcEndpointId": "VpcEndpointId",
    "vpcPeeringConnectionId": "VpcPeeringConnectionId",
}
LOCAL: Final = "local"


class Grant(NamedTuple):
    """One source (or destination) that may use some ports; ``kind`` is the property that lists it."""

    protocol: str
    from_port: int
    to_port: int
    description: str
    kind: str
    source: str


def grants(rules: Iterable[Mapping[str, Any]], group_id: str) -> list[Grant]:
    """What a program's rules for the group ``group_id`` come to."""
    return [
        Grant(*_ports(rule["protocol"], rule["fromPort"], rule["toPort"]), rule.get("description") or "", kind, source)
        for rule in rules
        for kind, source in _sources(rule, group_id)
    ]


def _sources(rule: Mapping[str, Any], group_id: str) -> list[tuple[str, str]]:
    listed = [(kind, _plain(kind, str(source))) for kind in SOURCES for source in rule.get(kind) or ()]
    return [*listed, ("securityGroups", group_id)] if rule.get("self") else listed


def _plain(kind: str, source: str) -> str:
    """As EC2 answers: a block without host bits, a group of another account without the account."""
    if kind == "securityGroups":
        return source.rpartition("/")[2]
    if kind == "prefixListIds":
        return source
    try:
        return str(ipaddress.ip_network(source, strict=False))
    except ValueError:
        return source  # EC2 says better what is wrong with it


def _ports(protocol: str, from_port: int | None, to_port: int | None) -> tuple[str, int, int]:
    """A rule for all protocols has no ports; programs write 0, EC2 answers -1."""
    known = PROTOCOLS.get(protocol.lower(), protocol.lower())
    return (known, 0, 0) if known == ALL else (known, int(from_port or 0), int(to_port or 0))


def granted(described: Iterable[Mapping[str, Any]], *, egress: bool) -> dict[Grant, str]:
    """The grants in one direction among what DescribeSecurityGroupRules answers, with the ids of their rules."""
    found: dict[Grant, str] = {}
    for rule in described:
        if bool(rule.get("IsEgress")) != egress:
            continue
        kind, value = next((kind, rule[names[0]]) for kind, names in SOURCES.items() if rule.get(names[0]))
        source = value["GroupId"] if isinstance(value, Mapping) else value
        ports = _ports(rule["IpProtocol"], rule.get("FromPort"), rule.get("ToPort"))
        grant = Grant(*ports, rule.get("Description") or "", kind, _plain(kind, str(source)))
        found[grant] = str(rule["SecurityGroupRuleId"])
    return found


def permission(grant: Grant) -> dict[str, Any]:
    """A grant as authorising wants it."""
    _, member, name = SOURCES[grant.kind]
    described = {"Description": grant.description} if grant.description else {}
    ports = {} if grant.protocol == ALL else {"FromPort": grant.from_port, "ToPort": grant.to_port}
    return {"IpProtocol": grant.protocol, **ports, member: [{name: grant.source, **described}]}


def rules(live: Iterable[Grant], known: Sequence[Mapping[str, Any]], group_id: str) -> list[dict[str, Any]]:
    """The ``live`` grants of the group as a program's rules, those that are ``known`` first and as they are."""
    left = dict.fromkeys(live)
    found: list[dict[str, Any]] = []
    for rule in known:
        own = grants([rule], group_id)
        if own and all(grant in left for grant in own):
            found.append(dict(rule))
            left = {grant: None for grant in left if grant not in own}
    together: dict[tuple[Any, ...], dict[str, Any]] = {}
    for grant in sorted(left):
        rule = together.setdefault(grant[:4], _empty(grant))
        if grant.kind == "securityGroups" and grant.source == group_id:
            rule["self"] = True
        else:
            rule.setdefault(grant.kind, []).append(grant.source)
    return found + list(together.values())


def _empty(grant: Grant) -> dict[str, Any]:
    described = {"description": grant.description} if grant.description else {}
    return {"protocol": grant.protocol, "fromPort": grant.from_port, "toPort": grant.to_port, **described}


def destination(route: Mapping[str, Any]) -> tuple[str, str] | None:
    """Where a program's route leads, as member and value of the API; None when it doesn't say."""
    given = [(member, str(route[key])) for key, member in DESTINATIONS.items() if route.get(key)]
    member, value = given[0] if given else ("", "")
    if not given:
        return None
    return member, value if member == "DestinationPrefixListId" else _plain("cidrBlocks", value)


def target(route: Mapping[str, Any]) -> dict[str, str]:
    """What a program's route leads through, as members of the API."""
    return {member: str(route[key]) for key, member in TARGETS.items() if route.get(key)}


def route(answer: Mapping[str, Any]) -> dict[str, str]:
    """One of the routes that DescribeRouteTables answers, as a program writes it."""
    members = {**DESTINATIONS, **TARGETS}
    written = {key: str(answer[member]) for key, member in members.items() if answer.get(member)}
    if written.get("gatewayId", "").startswith("vpce-"):
        written["vpcEndpointId"] = written.pop("gatewayId")
    return written


def routes(live: Iterable[Mapping[str, Any]], known: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """A table's routes (DescribeRouteTables) as a program's, without those that AWS makes by itself.

    Those are the VPC's own ones, unless the program names them, those of gateway endpoints and propagated ones.
    """
    named = [destination(written) for written in known]
    return [
        written
        for written, answer in ((route(answer), answer) for answer in live)
        if answer.get("Origin") != "EnableVgwRoutePropagation"
        and (not _by_itself(written) or destination(written) in named)
    ]


def _by_itself(route: Mapping[str, str]) -> bool:
    return route.get("gatewayId") == LOCAL or ("vpcEndpointId" in route and "destinationPrefixListId" in route)
