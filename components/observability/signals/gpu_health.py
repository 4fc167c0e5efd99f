"""GPUs that ail: heat, errors that the driver reports (XID), memory errors (ECC), and silence.

Meanings of XID numbers: NVIDIA, "Xid Errors", catalogue for Ampere and later; looked up 2026-11-26.
"""

from __future__ import annotations

from typing import Final

from components.observability.signals.constants import OF_TEAM
from components.observability.signals.gpus import BY_GPU
from components.observability.values import Alert, Panel, Query, Recording, Severity, Signal, Threshold

# A GPU that reports one of these needs a reset, a new node or a repair: memory that could not be mended or remapped
# (48, 64, 95), it has fallen off the bus (79), its controller has hung (119, 120), NVLink (74).
_HARDWARE: Final = (48, 64, 74, 79, 95, 119, 120)
# These are most often the program's own: an illegal address, a fault of a page, a program that was ended.
_PROGRAM: Final = (13, 31, 43, 45)
_ERRORS: Final = "DCGM_FI_DEV_XID_ERRORS"


def _one_of(codes: tuple[int, ...]) -> str:
    return " or ".join(f"{_ERRORS} == {code}" for code in codes)


TEMPERATURE: Final = Signal(
    name="gpu-temperature",
    title="Temperature",
    area="gpus",
    recordings=(
        # Where a GPU does not know, the exporter may give the largest number that there is.
        Recording("gpu:temperature:celsius", f"max {BY_GPU} (DCGM_FI_DEV_GPU_TEMP > 0 < 150)", "celsius"),
    ),
    alerts=(
        Alert(
            "GpuHot",
            "max by (node, pool, gpu) (gpu:temperature:celsius) > on () group_left () limit:gpu_temperature:celsius",
            for_seconds=600,
            severity=Severity.TICKET,
            summary="GPU {{ $labels.gpu }} of {{ $labels.node }}: {{ $value }} °C",
            description="GPU {{ $labels.gpu }} of node {{ $labels.node }}, pool {{ $labels.pool }}, has had more than "
            "its limit for ten minutes: {{ $value }} °C. It slows down, and everything that waits for it.",
            platform=True,
        ),
    ),
    panels=(
        Panel(
            title="GPU temperature",
            queries=(Query("max by (pool, node, gpu) (gpu:temperature:celsius)", "{{pool}} {{node}} {{gpu}}"),),
            unit="celsius",
            description="Temperature of each GPU; around 90 it slows down to save itself.",
            thresholds=(Threshold(85, "orange"), Threshold(92, "red")),
        ),
        Panel(
            title="GPU power",
            queries=(Query("sum by (pool) (DCGM_FI_DEV_POWER_USAGE >= 0 < 5000)", "{{pool}}"),),
            unit="watt",
            description="Power that the GPUs of a pool draw.",
            minimum=0,
        ),
    ),
)

ERRORS: Final = Signal(
    name="gpu-errors",
    title="Errors",
    area="gpus",
    recordings=(
        Recording("gpu:hardware_xid:last", f"max by (node, pool, gpu) ({_one_of(_HARDWARE)})", "short"),
        Recording(
            "gpu:double_bit_errors:increase1h",
            "max by (node, pool, gpu) (increase(DCGM_FI_DEV_ECC_DBE_VOL_TOTAL[1h]) >= 0 < 1e9)",
            "short",
        ),
    ),
    alerts=(
        Alert(
            "GpuFault",
            "gpu:hardware_xid:last",
            for_seconds=60,
            severity=Severity.PAGE,
            summary="GPU {{ $labels.gpu }} of {{ $labels.node }} is faulty: XID {{ $value }}",
            description="GPU {{ $labels.gpu }} of node {{ $labels.node }}, pool {{ $labels.pool }}, has reported XID "
            "{{ $value }}, which is its own fault and no program's. Jobs on it hang or fail until the node is "
            "replaced.",
            platform=True,
        ),
        Alert(
            "GpuProgramFault",
            # The number stays until another comes: what counts is that it has just come.
            f"max by (namespace, pod) (({_one_of(_PROGRAM)}) and changes({_ERRORS}[15m]) > 0) {OF_TEAM}",
            for_seconds=0,
            severity=Severity.INFO,
            summary="{{ $labels.pod }}: the GPU has stopped its program, XID {{ $value }}",
            description="A GPU of pod {{ $labels.namespace }}/{{ $labels.pod }} has reported XID {{ $value }}, which "
            "is most often a fault of the program: an address that it may not use, or that it was ended.",
        ),
        Alert(
            "GpuMemoryErrors",
            "gpu:double_bit_errors:increase1h > 0",
            for_seconds=0,
            severity=Severity.TICKET,
            summary="GPU {{ $labels.gpu }} of {{ $labels.node }}: memory errors that can't be mended",
            description="GPU {{ $labels.gpu }} of node {{ $labels.node }} has had double-bit errors within the last "
            "hour. The program that met them has ended; more of them mean a GPU that has to be replaced.",
            platform=True,
        ),
        Alert(
            "GpuRemapFailed",
            "max by (node, pool, gpu) (DCGM_FI_DEV_ROW_REMAP_FAILURE == 1)",
            for_seconds=60,
            severity=Severity.TICKET,
            summary="GPU {{ $labels.gpu }} of {{ $labels.node }} has no spare memory left",
            description="GPU {{ $labels.gpu }} of node {{ $labels.node }} could not replace a faulty row of its "
            "memory. NVIDIA takes such a GPU back; on EC2 the node has to be replaced.",
            platform=True,
        ),
    ),
    panels=(
        Panel(
            title="Last XID error",
            queries=(Query(f"max by (node, pool, gpu) ({_ERRORS} > 0)", "{{pool}} {{node}} {{gpu}}", instant=True),),
            unit="short",
            description="The last error that the driver has reported of a GPU, by NVIDIA's numbers.",
            kind="table",
        ),
        Panel(
            title="Memory errors that can't be mended",
            queries=(Query("gpu:double_bit_errors:increase1h", "{{pool}} {{node}} {{gpu}}"),),
            unit="short",
            description="Double-bit errors within an hour, by GPU.",
            minimum=0,
        ),
    ),
)

PRESENCE: Final = Signal(
    name="gpu-telemetry",
    title="Telemetry of GPUs",
    area="gpus",
    recordings=(
        Recording(
            "gpu:implausible:count",
            "count by (node, pool) (DCGM_FI_DEV_GPU_UTIL unless DCGM_FI_DEV_GPU_UTIL >= 0 <= 100)",
            "short",
        ),
    ),
    alerts=(
        Alert(
            "GpuTelemetryMissing",
            'max by (node) (kube_node_status_allocatable{resource="nvidia_com_gpu"} > 0)\n'
            "  unless on (node) count by (node) (DCGM_FI_DEV_FB_USED)",
            for_seconds=900,
            severity=Severity.TICKET,
            summary="{{ $labels.node }}: nothing is known of its GPUs",
            description="No exporter says anything of the GPUs of node {{ $labels.node }} ({{ $value }} in all). "
            "Idleness and faults there go unseen.",
            platform=True,
        ),
        Alert(
            "GpuTelemetryImplausible",
            "gpu:implausible:count > 0",
            for_seconds=600,
            severity=Severity.TICKET,
            summary="{{ $labels.node }}: GPUs give values that can't be true",
            description="GPUs of node {{ $labels.node }}, pool {{ $labels.pool }}, that say they are busy for less "
            "than 0% or more than 100% of the time: {{ $value }}. They count neither as busy nor as idle.",
            platform=True,
        ),
    ),
    panels=(
        Panel(
            title="GPUs that are seen",
            queries=(Query("count by (pool) (DCGM_FI_DEV_FB_USED)", "{{pool}}"),),
            unit="short",
            description="GPUs, or partitions, of which the exporter says something.",
            minimum=0,
        ),
    ),
)
