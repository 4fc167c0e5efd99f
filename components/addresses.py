"""The address plan of a VPC: which block each subnet gets, computed so that adding a zone moves none that exist.

Private subnets fill the VPC's range from its start, public ones from its end; pods have a range of their own.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, collapse_addresses


class Tier(enum.StrEnum):
    """What a subnet is for: load balancers and NAT, nodes and databases, or pods."""

    PUBLIC = "public"
    PRIVATE = "private"
    PODS = "pods"


@dataclass(frozen=True)
class AddressPlan:
    """The ranges, and the prefix length of each tier's subnets. No ``pods`` range: pods share the private subnets."""

    vpc: IPv4Network
    pods: IPv4Network | None
    zones: int
    public: bool
    public_prefix: int
    private_prefix: int
    pod_prefix: int

    def blocks(self, tier: Tier) -> list[IPv4Network]:
        """The block of each zone's subnet, empty where there is none. Raises ValueError where they don't fit."""
        if tier is Tier.PUBLIC:
            return self._in_order(self.vpc, self.public_prefix, tier, from_end=True) if self.public else []
        if tier is Tier.PRIVATE:
            return self._in_order(self.vpc, self.private_prefix, tier)
        return self._in_order(self.pods, self.pod_prefix, tier) if self.pods else []

    def problem(self) -> str | None:
        """Why this plan can't be carried out, or None."""
        if self.pods is not None and self.pods.overlaps(self.vpc):
            return f"the pods' range {self.pods} overlaps the VPC's {self.vpc}"
        try:
            blocks = [block for tier in Tier for block in self.blocks(tier)]
        except ValueError as error:
            return str(error)
        return None if _disjoint(blocks) else f"{self.zones} private and public subnets don't fit in {self.vpc}"

    def _in_order(self, whole: IPv4Network, prefix: int, tier: Tier, *, from_end: bool = False) -> list[IPv4Network]:
        room = 1 << (prefix - whole.prefixlen) if prefix >= whole.prefixlen else 0
        if room < self.zones:
            raise ValueError(f"{self.zones} {tier} subnets of /{prefix} don't fit in {whole}")
        size = 1 << (32 - prefix)
        positions = [room - 1 - zone if from_end else zone for zone in range(self.zones)]
        return [IPv4Network((int(whole.network_address) + position * size, prefix)) for position in positions]


def _disjoint(blocks: Sequence[IPv4Network]) -> bool:
    covered = sum(block.num_addresses for block in collapse_addresses(blocks))
    return covered == sum(block.num_addresses for block in blocks)
