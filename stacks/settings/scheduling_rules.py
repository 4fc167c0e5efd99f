"""What the scheduling settings say of the cluster's node pools: a promise that no pool can keep is refused."""

from __future__ import annotations

from collections.abc import Iterable

from stacks.settings.base import Contradiction
from stacks.settings.cluster import ClusterSettings
from stacks.settings.environment import EnvironmentSettings
from stacks.settings.gpu import GpuSettings, devices, has_gpus
from stacks.settings.pools import NodePoolSettings
from stacks.settings.problems import did_you_mean
from stacks.settings.scheduling import SchedulingSettings


def about_production(environment: EnvironmentSettings, scheduling: SchedulingSettings) -> Iterable[Contradiction]:
    """In production every team's pods keep the strictest standard."""
    for name, team in scheduling.teams.items():
        if environment.stage == "prod" and team.pod_security != "restricted":
            place = f"scheduling.teams.{name}.pod_security"
            yield Contradiction(
                place, f"must be 'restricted' for stage 'prod', but is '{team.pod_security}'", "leave it out"
            )


def about_pools(cluster: ClusterSettings, gpu: GpuSettings, scheduling: SchedulingSettings) -> Iterable[Contradiction]:
    """Queues are for GPU pools that there are, and promise no more than those have at their largest."""
    pools = {name: pool for name, pool in cluster.node_pools.items() if has_gpus(pool)}
    sound = True
    for team, settings in scheduling.teams.items():
        for name in settings.queues:
            problem = _problem_with(name, cluster, gpu)
            if problem is not None:
                sound = False
                yield Contradiction(f"scheduling.teams.{team}.queues.{name}", *problem)
    if sound:
        for name, pool in pools.items():
            yield from _about_promises(name, pool.max_size * devices(pool, gpu.of_pool(name)), scheduling)
    yield from _about_quotas(pools, gpu, scheduling)
    yield from _about_topology(cluster, scheduling)


def _problem_with(name: str, cluster: ClusterSettings, gpu: GpuSettings) -> tuple[str, str] | None:
    pool = cluster.node_pools.get(name)
    with_gpus = sorted(each for each, settings in cluster.node_pools.items() if has_gpus(settings))
    if pool is None:
        return f"there is no node pool '{name}'", did_you_mean(name, with_gpus) or _one_of(with_gpus)
    if not has_gpus(pool):
        return f"node pool '{name}' has no GPUs: it is open to every team up to its quota", _one_of(with_gpus)
    if gpu.of_pool(name).mig_strategy == "mixed":
        why = f"the GPUs of '{name}' are partitioned by several profiles, and a queue counts GPUs of one kind"
        return why, "use quota.mig instead, or one profile in gpu.sharing"
    return None


def _one_of(pools: list[str]) -> str:
    return f"pools with GPUs: {', '.join(pools)}" if pools else "leave it out: no pool of cluster.node_pools has GPUs"


def _about_promises(pool: str, most: int, scheduling: SchedulingSettings) -> Iterable[Contradiction]:
    queues = {team: each.queues[pool] for team, each in scheduling.teams.items() if pool in each.queues}
    promised = sum(queue.gpus for queue in queues.values())
    if promised > most:
        shares = ", ".join(f"{team} {queue.gpus}" for team, queue in queues.items() if queue.gpus)
        why = f"guarantees {promised} GPUs ({shares}) of pool '{pool}', which has {most} at its largest"
        advice = f"guarantee {most} or fewer in all, or raise cluster.node_pools.{pool}.max_size"
        yield Contradiction("scheduling.teams", why, advice)
        return
    for team, queue in queues.items():
        if queue.gpus + queue.borrow > most:
            why = (
                f"lets the team have {queue.gpus + queue.borrow} GPUs of pool '{pool}', which has {most} at its largest"
            )
            yield Contradiction(
                f"scheduling.teams.{team}.queues.{pool}.borrow", why, f"use {most - queue.gpus} or less"
            )


def _about_quotas(
    pools: dict[str, NodePoolSettings], gpu: GpuSettings, scheduling: SchedulingSettings
) -> Iterable[Contradiction]:
    sharing = {name: gpu.of_pool(name) for name in pools}
    most = sum(
        pool.max_size * devices(pool, sharing[name])
        for name, pool in pools.items()
        if sharing[name].mig_strategy != "mixed"
    )
    profiles = sorted({each for kind in sharing.values() if kind.mig_strategy == "mixed" for each in kind.mig})
    for name, team in scheduling.teams.items():
        place = f"scheduling.teams.{name}.quota"
        # A limit above what there is limits nothing: more likely it was meant for other pools than these.
        if team.quota.gpus is not None and team.quota.gpus > most:
            why = f"is {team.quota.gpus}, but all node pools together have {most} GPUs at their largest"
            yield Contradiction(f"{place}.gpus", why, f"use {most} or less, or raise a pool's max_size")
        for profile in team.quota.mig:
            if profile not in profiles:
                why = f"no node pool has '{profile}' among several profiles"
                advice = (
                    f"one of {', '.join(profiles)}" if profiles else "use gpus: partitions of one profile count as GPUs"
                )
                yield Contradiction(f"{place}.mig.{profile}", why, advice)


def _about_topology(cluster: ClusterSettings, scheduling: SchedulingSettings) -> Iterable[Contradiction]:
    for index, name in enumerate(scheduling.topology_pools):
        place, pool = f"scheduling.topology_pools[{index}]", cluster.node_pools.get(name)
        if pool is None:
            with_efa = sorted(each for each, settings in cluster.node_pools.items() if settings.efa)
            advice = did_you_mean(name, cluster.node_pools) or f"pools with EFA: {', '.join(with_efa) or 'none'}"
            yield Contradiction(place, f"there is no node pool '{name}'", advice)
        elif not pool.efa:
            why = f"node pool '{name}' has no EFA: where its nodes are makes no difference"
            yield Contradiction(place, why, "leave it out")
        elif pool.min_size == 0:
            # Kueue looks for places among the nodes there are, and would wait for the first one for ever.
            why = f"node pool '{name}' may be at zero nodes, and then no job would be let in"
            yield Contradiction(place, why, f"leave it out, or use cluster.node_pools.{name}.min_size of 1 or more")
