"""Rules of security groups, in every form: inline in a group, as resources of their own, and of the default group."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Final, Literal

from policies.kit import Resource, Value, WrongType

Direction = Literal["ingress", "egress"]

_GROUPS: Final = (
    "aws:ec2/securityGroup:SecurityGroup",
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
)
_RULE: Final = "aws:ec2/securityGroupRule:SecurityGroupRule"
_OF_ONE_DIRECTION: Final[dict[str, Direction]] = {
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": "ingress",
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": "egress",
}
# Protocols by number: what has ports, and what stands for every protocol.
_WITH_PORTS: Final = frozenset({"tcp", "6", "udp", "17"})
_ALL: Final = frozenset({"-1", "all", ""})
_LAST_PORT: Final = 65535
# A network at least this wide that isn't private is no longer somebody's network.
_WIDEST: Final = {4: 8, 6: 16}
# Where else traffic may come from or go to than a network: names of properties of all forms.
_OTHER_PEERS: Final = (
    "securityGroups", "prefixListIds", "sourceSecurityGroupId", "prefixListId", "referencedSecurityGroupId",
)  # fmt: skip
_NETWORKS: Final = ("cidrBlocks", "ipv6CidrBlocks")
_NETWORK: Final = ("cidrIpv4", "cidrIpv6")


@dataclass(frozen=True, eq=False)
class FirewallRule:
    """One rule of a security group: its direction, and its properties as the form in which it is given has them."""

    direction: Direction
    value: Value

    types: ClassVar[tuple[str, ...]] = (*_GROUPS, _RULE, *_OF_ONE_DIRECTION)

    @classmethod
    def found_in(cls, resource: Resource) -> Iterable[FirewallRule]:
        """Every rule that a resource declares. Raises UnknownValue where the list, or the direction, isn't known."""
        if resource.type in _OF_ONE_DIRECTION:
            yield cls(_OF_ONE_DIRECTION[resource.type], resource.properties)
        elif resource.type == _RULE:
            yield cls(_direction(resource.properties.get("type")), resource.properties)
        elif resource.type in _GROUPS:
            yield from (cls("ingress", rule) for rule in resource.properties.get("ingress").items())
            yield from (cls("egress", rule) for rule in resource.properties.get("egress").items())

    @property
    def path(self) -> str:
        """Where it lies in its resource; "" where it is the resource."""
        return self.value.path

    @property
    def protocol(self) -> str:
        """``tcp``, ``17``, ...; "-1" for every protocol. Raises UnknownValue."""
        given = self.value.get("ipProtocol") if self.value.get("ipProtocol").present else self.value.get("protocol")
        text = str(given.plain()) if given.present else ""
        return "-1" if text.lower() in _ALL else text.lower()

    @property
    def ports(self) -> range:
        """The ports that it opens; none where its protocol has none. Raises UnknownValue.

        Every port where the protocol is every one, and for what is commonly written so: -1 to -1, 0 to 0, or none.
        """
        if self.protocol == "-1":
            return range(_LAST_PORT + 1)
        if self.protocol not in _WITH_PORTS:
            return range(0)
        first, last = self.value.get("fromPort").number(-1), self.value.get("toPort").number(-1)
        if (first, last) in ((-1, -1), (0, 0)):
            return range(_LAST_PORT + 1)
        return range(int(first), int(last) + 1)

    @property
    def all_ports(self) -> bool:
        """Whether it opens everything."""
        return len(self.ports) > _LAST_PORT - 1

    def opens(self, ports: Iterable[int]) -> list[int]:
        """Which of the given ports it opens."""
        return [port for port in ports if port in self.ports]

    @property
    def shown_ports(self) -> str:
        """Its ports and protocol, for messages."""
        if self.all_ports:
            return "every port"
        first, last = self.ports.start, self.ports.stop - 1
        return f"{self.protocol} {first}" if first == last else f"{self.protocol} {first} to {last}"

    @property
    def from_anywhere(self) -> list[str]:
        """The networks of the rule that are the whole internet, or most of it. Raises UnknownValue and WrongType."""
        return [network.text("") for network in self._networks() if is_internet(network)]

    @property
    def names_nobody(self) -> bool:
        """Whether it says neither networks nor groups nor prefix lists. Raises UnknownValue."""
        networks = next(self._networks(), None)
        others = (self.value.get(name) for name in _OTHER_PEERS)
        return (
            networks is None
            and not any(
                other.unknown or (other.present and not (other.kind == "a list" and not len(other))) for other in others
            )
            and not self.value.get("self").boolean()
        )

    def _networks(self) -> Iterator[Value]:
        for name in _NETWORKS:
            yield from self.value.get(name).items()
        for name in _NETWORK:
            if self.value.get(name).present:
                yield self.value.get(name)


def is_internet(network: Value) -> bool:
    """Whether a network (CIDR) is the internet or most of it. Raises UnknownValue, and WrongType for what is none."""
    try:
        parsed = ipaddress.ip_network(network.text("").strip(), strict=False)
    except ValueError:
        raise WrongType(network.path, "a network such as 10.0.0.0/16", network.shown(), network.owner) from None
    return (parsed.prefixlen < _WIDEST[parsed.version] and not parsed.is_private) or parsed.prefixlen == 0


def _direction(value: Value) -> Direction:
    text = value.text("")
    if text not in ("ingress", "egress"):
        raise WrongType(value.path, "ingress or egress", value.shown(), value.owner)
    return "ingress" if text == "ingress" else "egress"
