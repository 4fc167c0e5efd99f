"""Settings of what drives GPUs: the exporter's metrics, the EFA plugin, and how the GPUs of a pool are shared."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field

from components.gpu_sharing import Sharing
from components.mig import partitions
from stacks.settings.base import Contradiction, Section
from stacks.settings.cluster import ClusterSettings
from stacks.settings.pools import NodePoolSettings
from stacks.settings.problems import did_you_mean


class ExporterSettings(Section):
    """NVIDIA's DCGM exporter: what each GPU does, by pod, for Prometheus."""

    enabled: bool = True
    """Run it on every node with a GPU."""
    profiling: bool = False
    """Export what the GPU's units do (tensor cores, memory), too; the exporter then runs with CAP_SYS_ADMIN."""
    pod_labels: bool = False
    """Put the labels of pods on the metrics of their GPUs; the exporter may then read all pods."""


class SharingSettings(Section):
    """How several pods share a GPU: in turns, or in partitions."""

    time_slicing: int | None = Field(default=None, ge=2, le=48)
    """Pods that take turns on a GPU. They share its memory too, and nothing protects one from another."""
    mig: dict[str, Annotated[int, Field(ge=1, le=7)]] = Field(default_factory=dict)
    """Partitions of a GPU: number by MIG profile, such as 1g.10gb; each has memory and compute of its own."""

    def as_sharing(self) -> Sharing:
        """The same as components know it."""
        return Sharing(replicas=self.time_slicing or 1, mig=self.mig)

    def contradictions(self) -> Iterable[Contradiction]:
        if self.time_slicing is not None and self.mig:
            why = "shares GPUs in turns, but mig partitions them"
            yield Contradiction("time_slicing", why, "use one of time_slicing and mig")
        if self.time_slicing is None and not self.mig:
            yield Contradiction("", "says nothing of how GPUs are shared", "give time_slicing or mig, or leave it out")


class GpuSettings(Section):
    """What makes GPUs usable and visible: device plugin, exporter and EFA plugin, wherever a pool has need of them."""

    exporter: ExporterSettings = ExporterSettings()
    """NVIDIA's DCGM exporter: what each GPU does, by pod, for Prometheus."""
    efa_plugin: bool = True
    """Run the EFA device plugin on the pools that have EFA."""
    sharing: dict[str, SharingSettings] = Field(default_factory=dict)
    """How GPUs are shared, by node pool; default: a pod has its GPUs for itself."""
    operator: bool = False
    """Install NVIDIA's GPU operator for its MIG manager, which partitions GPUs; all its other parts stay off."""

    def of_pool(self, name: str) -> Sharing:
        """How the GPUs of pool ``name`` are shared."""
        return self.sharing[name].as_sharing() if name in self.sharing else Sharing()


def about_gpus(cluster: ClusterSettings, gpu: GpuSettings) -> Iterable[Contradiction]:
    """What the GPU settings say of node pools that aren't so."""
    for name, sharing in gpu.sharing.items():
        place, pool = f"gpu.sharing.{name}", cluster.node_pools.get(name)
        if pool is None:
            advice = (
                did_you_mean(name, cluster.node_pools) or f"pools: {', '.join(sorted(cluster.node_pools)) or 'none'}"
            )
            yield Contradiction(place, f"there is no node pool '{name}'", advice)
            continue
        yield from _about_pool(place, name, pool)
        if has_gpus(pool):
            yield from _about_partitions(f"{place}.mig", sharing, pool)
        if pool.provisioner == "karpenter":
            yield from _about_karpenter(place, name, gpu.of_pool(name))
    yield from _about_operator(gpu)
    if gpu.exporter.enabled and not gpu.exporter.profiling:
        yield from _about_bottlerocket(cluster)


def _about_karpenter(place: str, name: str, sharing: Sharing) -> Iterable[Contradiction]:
    """It knows what a type has before there is a node, and neither shares nor partitions.

    Sources: Karpenter 1.14, "Scheduling", accelerators; kubernetes-sigs/karpenter issue 729, open in 2026-10.
    """
    if sharing.mig_strategy == "mixed":
        why = "makes each profile a resource of its own, and Karpenter makes no nodes for those"
        yield Contradiction(f"{place}.mig", why, f"use 'managed' in cluster.node_pools.{name}")
    elif sharing.shares:
        what, path = ("partitions", "mig") if sharing.mig else ("shares", "time_slicing")
        why = f"makes {what} of GPUs, and Karpenter counts whole ones: it would buy one for every pod"
        yield Contradiction(f"{place}.{path}", why, f"use 'managed' in cluster.node_pools.{name}")


def _about_bottlerocket(cluster: ClusterSettings) -> Iterable[Contradiction]:
    """It shows all GPUs of a node only to containers with CAP_SYS_ADMIN, which profiling gives to the exporter.

    Source: bottlerocket-os/bottlerocket issue 3992; settings.nvidia-container-runtime of Bottlerocket 1.57.
    """
    for name, pool in cluster.node_pools.items():
        if pool.ami == "bottlerocket" and has_gpus(pool):
            why = f"is false, and the nodes of '{name}' run Bottlerocket, which then shows the exporter no GPU"
            advice = (
                f"set it to true, or gpu.exporter.enabled to false, or use ami 'al2023' in cluster.node_pools.{name}"
            )
            yield Contradiction("gpu.exporter.profiling", why, advice)
            return


def has_gpus(pool: NodePoolSettings) -> bool:
    """True where each node of ``pool`` has whole GPUs."""
    return all(kind.gpu_count > 0 for kind in pool.kinds)


def devices(pool: NodePoolSettings, sharing: Sharing) -> int:
    """How many pods can have a GPU, or their share of one, on a node of ``pool``."""
    return sum(sharing.devices(pool.kinds[0].gpu_count).values())


def _about_pool(place: str, name: str, pool: NodePoolSettings) -> Iterable[Contradiction]:
    if not has_gpus(pool):
        why = f"node pool '{name}' has no whole GPUs ({pool.instance_types[0]})"
        yield Contradiction(place, why, "leave it out, or use instance types with GPUs")
    if pool.ami == "bottlerocket":
        why = f"the nodes of '{name}' run Bottlerocket, which has a device plugin of its own"
        yield Contradiction(place, why, f"leave it out, or use ami 'al2023' in cluster.node_pools.{name}")
    if pool.efa:
        why = f"node pool '{name}' has EFA, for training over several nodes, which takes whole GPUs"
        yield Contradiction(place, why, f"leave it out, or turn efa off in cluster.node_pools.{name}")


def _about_partitions(place: str, sharing: SharingSettings, pool: NodePoolSettings) -> Iterable[Contradiction]:
    for kind in pool.kinds if sharing.mig else ():
        known = partitions(kind.gpu_name, kind.gpu_memory_gib)
        if known is None:
            why = f"the {kind.gpu_name} of {kind.name} can't be partitioned"
            yield Contradiction(place, why, "use time_slicing, or instance types with A100, H100 or later GPUs")
            return
        unknown = [profile for profile in sharing.mig if profile not in known.profiles]
        for profile in unknown:
            why = f"the {kind.gpu_name} of {kind.name} has no profile '{profile}'"
            yield Contradiction(f"{place}.{profile}", why, f"one of {', '.join(known.profiles)}")
        problem = None if unknown else known.problem(sharing.mig)
        if problem is not None:
            yield Contradiction(place, problem, "use fewer or smaller partitions")
        if unknown or problem is not None:
            return


def _about_operator(gpu: GpuSettings) -> Iterable[Contradiction]:
    partitioned = [name for name, sharing in gpu.sharing.items() if sharing.mig]
    for name in partitioned if not gpu.operator else ():
        why = "needs NVIDIA's GPU operator, whose MIG manager partitions the GPUs"
        yield Contradiction(f"gpu.sharing.{name}.mig", why, "set gpu.operator to true")
    if gpu.operator and not partitioned:
        why = "is for MIG only, and no pool of gpu.sharing has partitions"
        yield Contradiction("gpu.operator", why, "leave it out: the platform runs device plugin and exporter itself")
