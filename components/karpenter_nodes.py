"""Karpenter's half in the cluster: its release, and for each pool what nodes are like and when they come and go.

A destroy takes pools first: Karpenter ends their nodes, and only then may it go itself, with its rights in AWS after
it. The other way round, instances are left that nobody knows of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.helm.v3 import Release

from components import capacity, charts
from components.cluster import SYSTEM_POOL, ClusterPlace
from components.fabric import fabric_group, interfaces
from components.karpenter import NAMESPACE, SERVICE_ACCOUNT, KarpenterPlace
from components.kubernetes import KubernetesComponent
from components.launch_templates import block_devices
from components.network import NetworkPlace
from components.nodepools import GPU_RESOURCE, POOL_LABEL, Workload
from components.pools import ImageFamily, PoolChoices
from components.tags import component_tags

DESIRED_NODES: Final = "bedplate.dev/desired-nodes"
MIN_NODES: Final = "bedplate.dev/min-nodes"
_NODES_API: Final = "karpenter.k8s.aws"
# Karpenter's own sizing for clusters of some hundred nodes. Source: Karpenter 1.14 documentation, "Reference", 2026-08.
_CONTROLLER = {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "1", "memory": "1Gi"}}


@dataclass(frozen=True)
class KarpenterNodesArgs:
    """``labels`` of objects and ``tags`` of instances are the deployment's; ``pools`` by name."""

    labels: Mapping[str, str]
    tags: Mapping[str, str]
    cluster: ClusterPlace
    karpenter: KarpenterPlace
    network: NetworkPlace
    replicas: int
    pools: Mapping[str, PoolChoices]


class KarpenterNodes(KubernetesComponent, area="nodes"):
    """The release and its pools: ``pools`` by name."""

    release: Release
    pools: Mapping[str, KarpenterPool]

    def __init__(self, name: str, args: KarpenterNodesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, args.labels, opts)
        self.release = charts.release(
            self.child("controller"),
            charts.KARPENTER,
            SERVICE_ACCOUNT,
            NAMESPACE,
            _values(args),
            self.options(depends_on=[*args.karpenter.ready, args.network.whole]),
        )
        self.pools = {
            pool: KarpenterPool(self.child(pool), KarpenterPoolArgs(pool, choices, args, self.release), self.options())
            for pool, choices in args.pools.items()
        }
        self.register_outputs({})


@dataclass(frozen=True)
class KarpenterPoolArgs:
    name: str
    pool: PoolChoices
    around: KarpenterNodesArgs
    release: Release


class KarpenterPool(KubernetesComponent, area="nodes"):
    """One pool: a NodePool (when) and its EC2NodeClass (what)."""

    node_pool: CustomResource

    def __init__(self, name: str, args: KarpenterPoolArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, args.around.labels, opts)
        self._args = args
        node_class = CustomResource(
            self.child("class"),
            api_version=f"{_NODES_API}/v1",
            kind="EC2NodeClass",
            metadata={"name": args.name},
            spec=self._class(),
            opts=self.options(depends_on=[args.release]),
        )
        self.node_pool = CustomResource(
            self.child("pool"),
            api_version="karpenter.sh/v1",
            kind="NodePool",
            metadata={"name": args.name, "annotations": _sizes(args.pool)},
            spec=node_pool_spec(args.name, args.pool),
            # Nodes end with their pool, and need their class to.
            opts=self.options(depends_on=[args.release, node_class]),
        )
        self.register_outputs({})

    def _class(self) -> dict[str, Any]:
        pool, around = self._args.pool, self._args.around
        subnet_ids = around.network.private_subnets_in(pool.zones)
        group = capacity.placement_group(self, pool)
        reservations = capacity.reservation_ids(self, pool, subnet_ids, group)
        name = f"{self.naming.project}-{self.naming.stack}-{self.component_name}"
        spec: dict[str, Any] = {
            "amiSelectorTerms": [{"alias": _alias(pool)}],
            "instanceProfile": around.karpenter.instance_profile,
            "subnetSelectorTerms": subnet_ids.apply(lambda ids: [{"id": each} for each in ids]),
            "securityGroupSelectorTerms": [{"id": each} for each in self._security_groups()],
            "metadataOptions": {"httpEndpoint": "enabled", "httpTokens": "required", "httpPutResponseHopLimit": 1},
            "blockDeviceMappings": _block_devices(pool),
            "tags": {**around.tags, **component_tags(self.component_name, name)},
        }
        if pool.raid0:
            spec["instanceStorePolicy"] = "RAID0"
        if reservations:
            spec["capacityReservationSelectorTerms"] = [{"id": each} for each in reservations]
        if group is not None:
            spec["placementGroupSelector"] = {"name": group.name}
        if pool.efa:
            spec["networkInterfaces"] = _interfaces(pool)
        else:
            spec["associatePublicIPAddress"] = False
        return spec

    def _security_groups(self) -> list[pulumi.Input[str]]:
        of_cluster = self._args.around.cluster.security_group_id
        if not self._args.pool.efa:
            return [of_cluster]
        return [of_cluster, fabric_group(self, self._args.around.network.vpc_id).id]


def node_pool_spec(name: str, pool: PoolChoices) -> dict[str, Any]:
    """The spec of a NodePool: its nodes' labels and taints, what may be bought, how much, and how nodes go again."""
    disruption = pool.disruption
    days = disruption.expire_after_days
    whole = pool.workload is Workload.TRAINING
    return {
        "template": {
            "metadata": {"labels": pool.node_labels(name)},
            "spec": {
                "nodeClassRef": {"group": _NODES_API, "kind": "EC2NodeClass", "name": name},
                "taints": [
                    {"key": taint.key, "value": taint.value, "effect": taint.effect} for taint in pool.node_taints()
                ],
                "requirements": [
                    _within("node.kubernetes.io/instance-type", pool.instance_types),
                    _within("kubernetes.io/arch", [pool.kinds[0].architecture]),
                    _within("kubernetes.io/os", ["linux"]),
                    # Karpenter buys in the order reserved, spot, on-demand, whatever the order here.
                    _within("karpenter.sh/capacity-type", [each.value for each in pool.capacity]),
                ],
                "expireAfter": "Never" if days is None else f"{24 * days}h",
            },
        },
        "limits": _limits(pool),
        "disruption": {
            # To save a node, consolidation would end the training that runs on it.
            "consolidationPolicy": "WhenEmpty" if whole else "WhenEmptyOrUnderutilized",
            "consolidateAfter": f"{disruption.after_minutes}m",
            "budgets": [{"nodes": f"{disruption.budget_percent}%"}],
        },
    }


def _sizes(pool: PoolChoices) -> dict[str, str]:
    """The sizes that Karpenter has no field for; `bedplate simulate` reads them."""
    return {DESIRED_NODES: str(pool.size.desired), MIN_NODES: str(pool.size.minimum)}


def _limits(pool: PoolChoices) -> dict[str, str]:
    """What the largest number of nodes has, each being of the pool's largest type."""
    nodes = pool.size.maximum
    limits = {
        "cpu": str(nodes * max(kind.vcpu for kind in pool.kinds)),
        "memory": f"{int(nodes * max(kind.memory_gib for kind in pool.kinds))}Gi",
    }
    return {**limits, GPU_RESOURCE: str(nodes * pool.kinds[0].gpu_count)} if pool.has_gpus else limits


def _within(key: str, values: Sequence[str]) -> dict[str, Any]:
    return {"key": key, "operator": "In", "values": list(values)}


def _alias(pool: PoolChoices) -> str:
    """The release as Karpenter names it: ``al2023@v20261110``; one that is named never drifts, @latest does."""
    version, _, day = pool.release.partition("-")
    return f"al2023@v{day}" if pool.image is ImageFamily.AL2023 else f"bottlerocket@v{version}"


def _interfaces(pool: PoolChoices) -> list[dict[str, Any]]:
    return [
        {"networkCardIndex": each.network_card, "deviceIndex": each.device, "interfaceType": each.kind}
        for each in interfaces(pool.kinds[0], efa=True)
    ]


def _block_devices(pool: PoolChoices) -> list[dict[str, Any]]:
    return [
        {
            "deviceName": each["device_name"],
            "ebs": {
                "volumeType": "gp3",
                "volumeSize": f"{pool.disk_gib}Gi",
                "encrypted": True,
                "deleteOnTermination": True,
            },
        }
        for each in block_devices(pool)
    ]


def _values(args: KarpenterNodesArgs) -> dict[str, Any]:
    return {
        "replicas": args.replicas,
        "serviceAccount": {"name": SERVICE_ACCOUNT},
        "settings": {
            "clusterName": args.cluster.name,
            "clusterEndpoint": args.cluster.endpoint,
            "interruptionQueue": args.karpenter.queue_name,
        },
        # On nodes that it does not make itself: it would end the node that it runs on.
        "nodeSelector": {"kubernetes.io/os": "linux", POOL_LABEL: SYSTEM_POOL},
        "controller": {"resources": _CONTROLLER},
        "podLabels": dict(args.labels),
    }
