"""What the nodes of each node group are to be: from the group, its launch template, its subnets and its cluster."""

from __future__ import annotations

import threading

from moto.autoscaling.models import autoscaling_backends
from moto.eks.models import eks_backends

from engine.emulator.autoscaling.models import ExtendedAutoScalingBackend
from engine.emulator.eks.api_server import CURRENT
from engine.emulator.eks.cluster import Cluster, Facts
from engine.emulator.eks.clusters import ClusterBackend, no_clusters
from engine.emulator.eks.machines import machine_of, resources
from engine.emulator.eks.node_keeper import KEEPER
from engine.emulator.eks.nodes import Place, WantedNodes, patch_of, taints_of


class NodesOfGroups(ClusterBackend):
    @property
    def autoscaling(self) -> ExtendedAutoScalingBackend:
        return autoscaling_backends[self.account_id][self.region_name]  # type: ignore[return-value]  # ours took its place

    def keep_nodes(self, cluster: Cluster, group: Facts) -> None:
        """Make the nodes in the Kubernetes API what the group wants now."""
        KEEPER.keep(self._wanted(cluster, group), group)

    def keep_nodes_of_cluster(self, cluster: Cluster) -> None:
        for group in cluster.nodegroups.values():
            self.keep_nodes(cluster, group)

    def has_node_for(self, cluster: Cluster, tolerated: tuple[str, ...]) -> bool:
        """Whether a node of the cluster takes pods that tolerate taints of these keys."""
        return cluster.has_network and any(
            self.autoscaling.size_of_node_group(group)
            and all(each["key"] in tolerated or each["effect"] == "PREFER_NO_SCHEDULE" for each in group["taints"])
            for group in cluster.nodegroups.values()
        )

    def _wanted(self, cluster: Cluster, group: Facts) -> WantedNodes:
        template: Facts = group.get("launchTemplate") or {}
        data = self.surroundings.launch_template(template)[1] if template else {}
        of = machine_of(group, data)
        capacity, allocatable = resources(group, data)
        own = {"nodegroup": group["nodegroupName"], "capacityType": group["capacityType"]}
        own |= {"nodegroup-image": data.get("ImageId") or f"ami-{group['releaseVersion']}"}
        if template:
            own |= {"sourceLaunchTemplateId": template["id"], "sourceLaunchTemplateVersion": template["version"]}
        subnets = self.surroundings.subnets(group["subnets"])
        return WantedNodes(
            arn=group["nodegroupArn"],
            group=group["nodegroupName"],
            region=self.region_name,
            count=self.autoscaling.size_of_node_group(group),
            instance_type=of.name,
            architecture=of.architecture,
            version=patch_of(group["releaseVersion"], group["version"]),
            build=f"{group['releaseVersion']}/{template.get('version', '')}",
            places=[Place(each.cidr_block, each.availability_zone, each.availability_zone_id) for each in subnets],
            capacity=capacity,
            allocatable=allocatable,
            labels=group["labels"] | {f"eks.amazonaws.com/{key}": value for key, value in own.items()},
            taints=taints_of(group["taints"]),
            has_network=cluster.has_network,
        )


def _keep_everything() -> None:
    """Another API server is told of: the nodes of all groups are made there, or the sandbox's own."""
    KEEPER.keep_own(no_clusters)
    for account in list(eks_backends.values()):
        for backend in list(account.values()):
            if isinstance(backend, NodesOfGroups):
                for cluster in list(backend.clusters.values()):
                    backend.keep_nodes_of_cluster(cluster)  # type: ignore[arg-type]  # ours, not moto's


def _begin() -> None:
    threading.Thread(target=_keep_everything, name="nodes", daemon=True).start()


CURRENT.listeners.append(_begin)
if CURRENT.api_server:  # it was told of while this was still being imported
    _begin()
