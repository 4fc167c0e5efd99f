"""From settings to the arguments of teams and queues.

A GPU brings its part of its node's CPU and memory along: a team that may have two of a node's eight GPUs may have a
quarter of its processors and memory too, in its queue as in its namespace's quota.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from components.gpu_sharing import Sharing, mig_resource
from components.namespaces import PodSecurity
from components.network_policies import Destination
from components.nodepools import GPU_RESOURCE, POOL_LABEL, taints_of_nodes
from components.scheduling import SchedulingChoices
from components.scheduling_priorities import Preemption, Priority
from components.scheduling_queues import Flavor, QueueChoices, Share
from components.scheduling_teams import Egress, Team
from stacks.settings import PlatformSettings
from stacks.settings.gpu import devices, has_gpus
from stacks.settings.pools import NodePoolSettings
from stacks.settings.scheduling import PrioritySettings, QuotaSettings, TeamSettings

# Where an existing VPC's ranges are not known, the API server is somewhere in these (RFC 1918, RFC 6598).
_PRIVATE_RANGES = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
# The flavour of all nodes without GPUs where no pool of the settings is for them: those of the system pool.
_ANY_NODE = "any"


@dataclass(frozen=True)
class Bundle:
    """An amount of GPUs with what comes with them: processors (vCPU) and memory (GiB)."""

    gpus: int = 0
    cpu: int = 0
    memory_gib: int = 0

    def __add__(self, other: Bundle) -> Bundle:
        return Bundle(self.gpus + other.gpus, self.cpu + other.cpu, self.memory_gib + other.memory_gib)

    def amounts(self) -> dict[str, str]:
        """As Kubernetes writes it."""
        return {"cpu": str(self.cpu), "memory": f"{self.memory_gib}Gi", GPU_RESOURCE: str(self.gpus)}


def network_ranges(settings: PlatformSettings) -> list[str]:
    """The ranges (CIDR) in which the cluster's API server has its addresses: its interfaces', and its service's.

    Pods call the service `kubernetes`, and the VPC CNI looks at a packet before that address is translated.
    Source: open-telemetry/opentelemetry-operator issue 5621, 2026-09; seen there on EKS.
    """
    cluster, network = settings.cluster, settings.network
    if cluster.existing is not None:
        return list(_PRIVATE_RANGES)
    interfaces = [str(network.cidr)] if network.vpc_id is None else list(_PRIVATE_RANGES)
    return [*interfaces, f"{cluster.service_cidr[1]}/32"]  # Kubernetes gives that service the range's first address


def scheduling_choices(settings: PlatformSettings) -> SchedulingChoices:
    """Teams, priorities and queues that the settings ask for."""
    scheduling = settings.scheduling
    namespaces = scheduling.namespaces()
    return SchedulingChoices(
        teams={name: _team(settings, team, namespaces[name]) for name, team in scheduling.teams.items()},
        priorities={name: _priority(each) for name, each in scheduling.priorities.items()},
        queues=_queues(settings) if scheduling.queues and scheduling.teams else None,
        kueue_replicas=scheduling.kueue_replicas,
        monitoring_namespace=scheduling.monitoring_namespace,
    )


def _priority(settings: PrioritySettings) -> Priority:
    preempts = settings.preemption == "lower-priority"
    preemption = Preemption.LOWER_PRIORITY if preempts else Preemption.NEVER
    return Priority(settings.value, preemption, settings.description)


def _team(settings: PlatformSettings, team: TeamSettings, namespace: str) -> Team:
    return Team(
        namespace=namespace,
        quota=_quota(settings, team),
        priorities=list(settings.scheduling.priorities) if team.priorities is None else team.priorities,
        pod_security=PodSecurity(team.pod_security),
        egress=Egress(team.egress),
        destinations=[Destination(str(each.cidr), each.ports) for each in team.destinations],
        editors=team.editors,
        viewers=team.viewers,
        owner=team.owner,
        cost_center=team.cost_center,
    )


def _quota(settings: PlatformSettings, team: TeamSettings) -> dict[str, str]:
    quota, most = team.quota, _with_gpus(settings, team)
    # Every kind of partition is named, because what a quota doesn't name is not limited.
    profiles = sorted({profile for each in _mixed(settings).values() for profile in each.mig})
    partitions = {mig_resource(profile): quota.mig.get(profile, 0) for profile in profiles}
    return {
        "requests.cpu": str(most.cpu),
        "requests.memory": f"{most.memory_gib}Gi",
        f"requests.{GPU_RESOURCE}": str(most.gpus),
        **{f"requests.{resource}": str(count) for resource, count in partitions.items()},
        "pods": str(quota.pods),
        "requests.storage": f"{quota.storage_gib}Gi",
    }


def _with_gpus(settings: PlatformSettings, team: TeamSettings) -> Bundle:
    """The most that the team may have in all: of nodes without GPUs, and with its GPUs wherever they are."""
    most = Bundle(0, team.quota.cpu, team.quota.memory_gib)
    for pool in _mixed(settings):
        partitions = _bundle(settings, pool, sum(_partitions(settings, team, pool).values()))
        most += Bundle(0, partitions.cpu, partitions.memory_gib)
    for pool, queue in team.queues.items():
        most += _bundle(settings, pool, queue.gpus + queue.borrow)
    # GPUs that no queue says the pool of: those that bring the most.
    elsewhere = team.gpus - most.gpus
    pools = [name for name, pool in settings.cluster.node_pools.items() if has_gpus(pool)]
    bundles = [_bundle(settings, pool, elsewhere) for pool in pools] if elsewhere else []
    return most + max(bundles, key=lambda each: (each.memory_gib, each.cpu), default=Bundle())


def _bundle(settings: PlatformSettings, name: str, gpus: int) -> Bundle:
    """``gpus`` of a pool (or shares, or partitions), with their part of the smallest of its nodes."""
    pool = settings.cluster.node_pools[name]
    per_node = devices(pool, settings.gpu.of_pool(name))
    cpu = min(kind.vcpu for kind in pool.kinds)
    memory = min(kind.memory_gib for kind in pool.kinds)
    return Bundle(gpus, gpus * cpu // per_node, int(gpus * memory // per_node))


def _mixed(settings: PlatformSettings) -> dict[str, Sharing]:
    """The pools whose GPUs have partitions of several profiles, each of them a resource of its own."""
    sharing = {name: settings.gpu.of_pool(name) for name in settings.cluster.node_pools}
    return {name: each for name, each in sharing.items() if each.mig_strategy == "mixed"}


def _partitions(settings: PlatformSettings, team: TeamSettings, pool: str) -> dict[str, int]:
    """What the team may have of a pool's partitions, by profile.

    A profile that two pools have counts in both: its queue may let in more than the namespace's quota then starts.
    """
    return {profile: team.quota.mig[profile] for profile in _mixed(settings)[pool].mig if team.quota.mig.get(profile)}


def _queues(settings: PlatformSettings) -> QueueChoices:
    pools = settings.cluster.node_pools
    without_gpus = [name for name, pool in pools.items() if not has_gpus(pool)] or [_ANY_NODE]
    teams = settings.scheduling.teams
    queued = {name for team in teams.values() for name in team.queues}
    # What no queue covers is never let in: partitions are in the queues of those who may have some.
    queued |= {name for name in _mixed(settings) if any(_partitions(settings, team, name) for team in teams.values())}
    # Those without GPUs first: what needs none is tried there first.
    names = [*without_gpus, *(name for name in pools if name in queued)]
    topology = settings.scheduling.topology_pools
    return QueueChoices(
        flavors={name: _flavor(name, pools.get(name), topology) for name in names},
        shares={name: dict(_shares(settings, team, without_gpus)) for name, team in teams.items()},
        strict_order=settings.scheduling.strict_order,
    )


def _flavor(name: str, pool: NodePoolSettings | None, topology: Iterable[str]) -> Flavor:
    if pool is None:
        return Flavor({}, [])
    return Flavor({POOL_LABEL: name}, taints_of_nodes(pool.kinds, pool.own_taints), name in topology)


def _shares(settings: PlatformSettings, team: TeamSettings, without_gpus: Iterable[str]) -> Iterable[tuple[str, Share]]:
    for name in without_gpus:
        yield name, Share(_of_nodes_without_gpus(team.quota), {})
    for name, queue in team.queues.items():
        guaranteed, borrowed = _bundle(settings, name, queue.gpus), _bundle(settings, name, queue.borrow)
        yield name, Share(guaranteed.amounts(), borrowed.amounts())
    for name in _mixed(settings):
        partitions = _partitions(settings, team, name)
        if partitions:
            counts = {mig_resource(profile): str(count) for profile, count in partitions.items()}
            part = _bundle(settings, name, sum(partitions.values()))
            yield name, Share({**part.amounts(), GPU_RESOURCE: "0", **counts}, {})


def _of_nodes_without_gpus(quota: QuotaSettings) -> Mapping[str, str]:
    return Bundle(0, quota.cpu, quota.memory_gib).amounts()
