"""GPUs: who uses them, who only holds them, and what that wastes.

The exporter says of each GPU which pod holds it; scraping adds the node and its pool. What a GPU costs is known by
pool, from the price list; where AWS sells a type by reservation only, idleness is told without its cost.
"""

from __future__ import annotations

from typing import Final

from components.observability.signals.constants import OF_TEAM
from components.observability.values import Alert, Panel, Query, Recording, Severity, Signal

BY_GPU: Final = "by (node, pool, gpu, namespace, pod)"
# How long a GPU has to do nothing before it counts as idle: loading a model or data takes minutes.
_IDLE: Final = 'avg_over_time(gpu:utilisation:ratio{pod!=""}[30m]) < on () group_left () limit:gpu_idle:ratio'
_EACH_COSTS: Final = (
    "{{ with printf `gpu:price:usd_per_hour{pool='%s'}` $labels.pool | query }}"
    '{{ . | first | value | printf " at %.2f USD per hour each" }}{{ end }}'
)

UTILISATION: Final = Signal(
    name="gpu-utilisation",
    title="Utilisation",
    area="gpus",
    recordings=(
        # A partition has no utilisation of its own; with profiling, its engines say how busy it is.
        Recording(
            "gpu:utilisation:ratio",
            f"max {BY_GPU} (DCGM_FI_DEV_GPU_UTIL >= 0 <= 100) / 100\n"
            f"or avg {BY_GPU} (DCGM_FI_PROF_GR_ENGINE_ACTIVE >= 0 <= 1)",
            "percentunit",
        ),
        Recording("pool:gpu_utilisation:ratio", "avg by (pool) (gpu:utilisation:ratio)", "percentunit"),
        Recording(
            "team:gpus:count",
            f'sum by (team) (count by (namespace) (gpu:utilisation:ratio{{pod!=""}}) {OF_TEAM})',
            "short",
        ),
        Recording(
            "team:gpu_utilisation:ratio",
            f'avg by (team) (gpu:utilisation:ratio{{pod!=""}} {OF_TEAM})',
            "percentunit",
        ),
    ),
    alerts=(
        Alert(
            "GpuUnallocated",
            'count by (node, pool) (gpu:utilisation:ratio{pod=""})',
            for_seconds=7200,
            severity=Severity.INFO,
            summary="GPUs of {{ $labels.node }} belong to no pod: {{ $value }}",
            description="For two hours no pod has had these GPUs ({{ $value }}) of node {{ $labels.node }}, pool "
            f"{{{{ $labels.pool }}}},{_EACH_COSTS}. The pool may be larger than it needs to be.",
            platform=True,
        ),
    ),
    panels=(
        Panel(
            title="GPU utilisation by team",
            queries=(Query("team:gpu_utilisation:ratio", "{{team}}"),),
            unit="percentunit",
            description="How busy the GPUs are that a team's pods hold, on average.",
            minimum=0,
            maximum=1,
        ),
        Panel(
            title="GPU utilisation by pool",
            queries=(Query("pool:gpu_utilisation:ratio", "{{pool}}"),),
            unit="percentunit",
            description="How busy the GPUs of a pool are on average, held or not.",
            minimum=0,
            maximum=1,
        ),
        Panel(
            title="GPUs that teams hold",
            queries=(Query("team:gpus:count", "{{team}}"),),
            unit="short",
            description="GPUs, or partitions of them, that a team's pods have.",
            minimum=0,
        ),
        Panel(
            title="GPUs by use",
            queries=(
                Query('count(gpu:utilisation:ratio{pod!=""})', "held by pods"),
                Query('count(gpu:utilisation:ratio{pod=""})', "held by none"),
            ),
            unit="short",
            description="GPUs that pods have, and those that nobody has.",
            minimum=0,
        ),
    ),
)

IDLENESS: Final = Signal(
    name="gpu-idleness",
    title="Idle GPUs",
    area="gpus",
    recordings=(
        Recording("pod:idle_gpus:count", f"count by (namespace, pod, pool) ({_IDLE}) {OF_TEAM}", "short"),
        Recording(
            "team:idle_gpus:usd_per_hour",
            "sum by (team, pool) (pod:idle_gpus:count) * on (pool) group_left () gpu:price:usd_per_hour",
            "currencyUSD",
        ),
    ),
    alerts=(
        Alert(
            "GpuIdle",
            "pod:idle_gpus:count",
            for_seconds=1800,
            severity=Severity.TICKET,
            summary="{{ $labels.pod }} of {{ $labels.team }} leaves GPUs idle: {{ $value }}",
            description="Pod {{ $labels.namespace }}/{{ $labels.pod }} has held GPUs of pool "
            f"{{{{ $labels.pool }}}}{_EACH_COSTS} for an hour and hardly used them. Nobody else gets them.",
        ),
    ),
    panels=(
        Panel(
            title="What idle GPUs cost",
            queries=(Query("team:idle_gpus:usd_per_hour", "{{team}} {{pool}}"),),
            unit="currencyUSD",
            description="USD per hour (on demand) of GPUs that pods of a team hold and hardly use.",
            minimum=0,
        ),
        Panel(
            title="Pods that hold idle GPUs",
            queries=(Query("pod:idle_gpus:count", "{{team}} {{pod}} {{pool}}", instant=True),),
            unit="short",
            description="Idle GPUs by pod and owner.",
            kind="table",
        ),
    ),
)

MEMORY: Final = Signal(
    name="gpu-memory",
    title="GPU memory",
    area="gpus",
    recordings=(
        Recording(
            "gpu:memory:ratio",
            f"max {BY_GPU} ((DCGM_FI_DEV_FB_USED >= 0) / (DCGM_FI_DEV_FB_USED + DCGM_FI_DEV_FB_FREE > 0) <= 1)",
            "percentunit",
        ),
    ),
    alerts=(
        Alert(
            "GpuMemoryFull",
            f'(max by (namespace, pod, pool) (gpu:memory:ratio{{pod!=""}}) {OF_TEAM})\n'
            "  > on () group_left () limit:gpu_memory:ratio",
            for_seconds=900,
            severity=Severity.INFO,
            summary="{{ $labels.pod }}: GPU memory is {{ $value | humanizePercentage }} full",
            description="A GPU of pod {{ $labels.namespace }}/{{ $labels.pod }} has {{ $value | humanizePercentage }} "
            "of its memory in use; the next larger batch may end the program.",
        ),
    ),
    panels=(
        Panel(
            title="GPU memory in use",
            queries=(Query("max by (pool, node, gpu) (gpu:memory:ratio)", "{{pool}} {{node}} {{gpu}}"),),
            unit="percentunit",
            description="Part of a GPU's memory that is used.",
            width=24,
            minimum=0,
            maximum=1,
        ),
    ),
)
