"""Which availability zones to use. Zone ids (``use1-az4``) name the same place in every account, zone names don't."""

from __future__ import annotations

from collections.abc import Iterable

# Zones in which EKS can't place a control plane, nor subnets of a cluster.
# Source: Amazon EKS User Guide, "View Amazon EKS networking requirements for VPC and subnets", 2026-11.
REFUSED_BY_EKS = frozenset({"use1-az3", "usw1-az2", "cac1-az3"})


def choose(zone_ids: Iterable[str], count: int) -> list[str]:
    """The first ``count`` usable zones in the order of their ids. Raises ValueError if there are too few."""
    usable = sorted(set(zone_ids) - REFUSED_BY_EKS)
    if len(usable) < count:
        raise ValueError(
            f"expected {count} availability zones that EKS accepts, there are {len(usable)}: {', '.join(usable)}; "
            "set network.availability_zones lower or use another region"
        )
    return usable[:count]
