"""From settings to the arguments of the cluster and its node pools."""

from __future__ import annotations

from components.access import Access
from components.addons import AFTER_NODES, BEFORE_NODES
from components.cluster import ClusterChoices
from components.gpu_sharing import node_labels
from components.instance_types import instance_type
from components.kubernetes_versions import kubernetes_versions
from components.nodepools import Workload
from components.platform_args import KarpenterChoices
from components.pools import Capacity, Disruption, ImageFamily, PoolChoices, Reservations, Schedule, Size
from stacks.settings import PlatformSettings
from stacks.settings.cluster import AddonSettings, SystemPoolSettings
from stacks.settings.pools import NodePoolSettings

# Minutes without a change after which Karpenter takes a node away: models take long to load again.
_AFTER_MINUTES = {"cpu": 5, "training": 5, "inference": 15}
_EXPIRE_AFTER_DAYS = {"cpu": 30, "training": None, "inference": 30}


def cluster_choices(settings: PlatformSettings) -> ClusterChoices:
    """The cluster that the settings ask for."""
    cluster = settings.cluster
    protect = cluster.deletion_protection
    return ClusterChoices(
        version=cluster.kubernetes_version,
        public_access_cidrs=[str(cidr) for cidr in cluster.public_access_cidrs],
        service_cidr=str(cluster.service_cidr),
        log_types=cluster.log_types,
        log_retention_days=settings.logs.retention_days,
        deletion_protection=settings.environment.stage == "prod" if protect is None else protect,
        deployer_arn=cluster.deployer_arn,
        access=[Access(each.principal_arn, each.policy, each.namespaces, each.groups) for each in cluster.access],
        addons=_addons(cluster.addons, cluster.kubernetes_version),
        system_pool=_system_pool(cluster.system_pool, cluster.kubernetes_version),
    )


def pool_choices(settings: PlatformSettings, provisioner: str) -> dict[str, PoolChoices]:
    """The node pools of one ``provisioner``, by name."""
    return {
        name: _pool(name, pool, settings)
        for name, pool in settings.cluster.node_pools.items()
        if pool.provisioner == provisioner
    }


def karpenter_choices(settings: PlatformSettings) -> KarpenterChoices | None:
    """Karpenter and its pools; None without it."""
    karpenter = settings.cluster.karpenter
    return KarpenterChoices(karpenter.replicas, pool_choices(settings, "karpenter")) if karpenter.enabled else None


def _addons(settings: AddonSettings, version: str) -> dict[str, str]:
    pinned = kubernetes_versions()[version].addons
    wanted = (*BEFORE_NODES, *AFTER_NODES, *settings.optional)
    return {name: settings.versions.get(name, pinned[name]) for name in wanted}


def _system_pool(settings: SystemPoolSettings, version: str) -> PoolChoices:
    return PoolChoices(
        workload=Workload.SYSTEM,
        kinds=[instance_type(name) for name in settings.instance_types],
        capacity=[Capacity.ON_DEMAND],
        # One more than there are, so that a node can be replaced before it goes.
        size=Size(settings.size, settings.size, settings.size + 1),
        image=ImageFamily.AL2023,
        release=kubernetes_versions()[version].al2023,
        disk_gib=settings.disk_gib,
    )


def _pool(name: str, pool: NodePoolSettings, settings: PlatformSettings) -> PoolChoices:
    block = pool.capacity_block
    schedule = pool.schedule
    return PoolChoices(
        workload=Workload(pool.workload),
        kinds=pool.kinds,
        capacity=[Capacity(pool.capacity), *map(Capacity, pool.fallback)],
        size=Size(pool.min_size, pool.desired, pool.max_size),
        image=ImageFamily(pool.ami),
        release=pool.ami_release or kubernetes_versions()[settings.cluster.kubernetes_version].al2023,
        disk_gib=pool.disk_gib,
        raid0=pool.local_storage == "raid0",
        efa=pool.efa,
        placement_group=pool.placement_group,
        zones=pool.zones,
        reservations=Reservations(pool.capacity_reservation_ids, pool.reserve, block.reservation_id if block else None),
        labels={**pool.labels, **node_labels(name, settings.gpu.of_pool(name))},
        taints=pool.own_taints,
        schedule=Schedule(schedule.start, schedule.stop, schedule.time_zone) if schedule else None,
        disruption=_disruption(pool),
    )


def _disruption(pool: NodePoolSettings) -> Disruption:
    said = pool.disruption
    return Disruption(
        after_minutes=_AFTER_MINUTES[pool.workload] if said.after_minutes is None else said.after_minutes,
        budget_percent=said.budget_percent,
        expire_after_days=said.expire_after_days or _EXPIRE_AFTER_DAYS[pool.workload],
    )
