"""Which of DCGM's fields are exported: enough to see use, idleness, health and interconnect, and no more.

Each field is a time series for each GPU. Source of names and meanings: dcgm-exporter 4.8.1,
``etc/default-counters.csv``.
"""

from __future__ import annotations

from typing import Final

GAUGE, COUNTER, LABEL = "gauge", "counter", "label"

ALWAYS: Final = (
    ("DCGM_FI_DEV_GPU_UTIL", GAUGE, "GPU utilization (in %)."),
    ("DCGM_FI_DEV_MEM_COPY_UTIL", GAUGE, "Memory utilization (in %)."),
    ("DCGM_FI_DEV_FB_FREE", GAUGE, "Framebuffer memory free (in MiB)."),
    ("DCGM_FI_DEV_FB_USED", GAUGE, "Framebuffer memory used (in MiB)."),
    ("DCGM_FI_DEV_SM_CLOCK", GAUGE, "SM clock frequency (in MHz)."),
    ("DCGM_FI_DEV_GPU_TEMP", GAUGE, "GPU temperature (in C)."),
    ("DCGM_FI_DEV_MEMORY_TEMP", GAUGE, "Memory temperature (in C)."),
    ("DCGM_FI_DEV_POWER_USAGE", GAUGE, "Power draw (in W)."),
    ("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", COUNTER, "Total energy consumption since boot (in mJ)."),
    ("DCGM_FI_DEV_XID_ERRORS", GAUGE, "Value of the last XID error encountered."),
    ("DCGM_FI_DEV_ECC_DBE_VOL_TOTAL", COUNTER, "Total number of double-bit volatile ECC errors."),
    ("DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS", COUNTER, "Number of remapped rows for uncorrectable errors."),
    ("DCGM_FI_DEV_ROW_REMAP_FAILURE", GAUGE, "Whether remapping of rows has failed."),
    ("DCGM_FI_DEV_PCIE_REPLAY_COUNTER", COUNTER, "Total number of PCIe retries."),
    ("DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL", COUNTER, "Total number of NVLink bandwidth counters for all lanes."),
    ("DCGM_FI_DRIVER_VERSION", LABEL, "Driver version."),
)
PROFILING: Final = (
    ("DCGM_FI_PROF_GR_ENGINE_ACTIVE", GAUGE, "Ratio of time the graphics engine is active."),
    ("DCGM_FI_PROF_SM_ACTIVE", GAUGE, "The ratio of cycles an SM has at least 1 warp assigned."),
    ("DCGM_FI_PROF_PIPE_TENSOR_ACTIVE", GAUGE, "Ratio of cycles the tensor (HMMA) pipe is active."),
    ("DCGM_FI_PROF_DRAM_ACTIVE", GAUGE, "Ratio of cycles the device memory interface is active."),
)


def metrics_file(*, profiling: bool) -> str:
    """The exporter's list of metrics, as it reads it: field, kind, help."""
    fields = (*ALWAYS, *PROFILING) if profiling else ALWAYS
    return "".join(f"{field}, {kind}, {meaning}\n" for field, kind, meaning in fields)
