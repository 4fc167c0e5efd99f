"""The cluster's node pools, beside that of the system: managed node groups, one component each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from components.base import PlatformComponent
from components.cluster import ClusterPlace
from components.managed_pools import ManagedPool, ManagedPoolArgs
from components.network import NetworkPlace
from components.pools import PoolChoices


@dataclass(frozen=True)
class NodePoolsArgs:
    """``pools`` by name."""

    cluster: ClusterPlace
    version: str
    network: NetworkPlace
    tags: Mapping[str, str]
    pools: Mapping[str, PoolChoices]


class NodePools(PlatformComponent, area="nodes"):
    """The managed pools: ``managed`` by name."""

    managed: Mapping[str, ManagedPool]

    def __init__(self, name: str, args: NodePoolsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self.managed = {
            pool: ManagedPool(
                self.child(pool),
                ManagedPoolArgs(
                    name=pool,
                    pool=choices,
                    cluster_name=args.cluster.name,
                    cluster_security_group_id=args.cluster.security_group_id,
                    version=args.version,
                    network=args.network,
                    role=args.cluster.node_role,
                    tags=args.tags,
                    after=args.cluster.before_nodes,
                ),
                self.options(),
            )
            for pool, choices in args.pools.items()
        }
        self.register_outputs({"names": {pool: made.node_group.node_group_name for pool, made in self.managed.items()}})
