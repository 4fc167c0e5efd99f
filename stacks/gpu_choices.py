"""From settings to the arguments of what drives GPUs."""

from __future__ import annotations

from components.gpu import GpuChoices, GpuPool
from stacks.settings import PlatformSettings
from stacks.settings.gpu import has_gpus


def gpu_choices(settings: PlatformSettings) -> GpuChoices | None:
    """What the settings ask for; None where no pool has a GPU."""
    gpu = settings.gpu
    pools = {
        name: GpuPool(efa=pool.efa, sharing=gpu.of_pool(name), has_own_plugin=pool.ami == "bottlerocket")
        for name, pool in settings.cluster.node_pools.items()
        if has_gpus(pool)
    }
    if not pools:
        return None
    return GpuChoices(
        pools=pools,
        exporter=gpu.exporter.enabled,
        profiling_metrics=gpu.exporter.profiling,
        pod_labels=gpu.exporter.pod_labels,
        efa_plugin=gpu.efa_plugin,
        monitoring_namespace=settings.scheduling.monitoring_namespace,
    )
