"""EC2 instance types and what nodes carry, for those who read settings and may not know the components."""

from components.instance_types import Architecture, InstanceType, UnknownInstanceType, instance_type, instance_types
from components.nodepools import (
    EFA_RESOURCE,
    GPU_LABEL,
    GPU_PRESENT_LABEL,
    GPU_RESOURCE,
    GPU_TAINT,
    POOL_LABEL,
    WORKLOAD_LABEL,
    Taint,
    Workload,
    gpu_label_value,
    labels_of_nodes,
    taints_of_nodes,
)

__all__ = [
    "EFA_RESOURCE",
    "GPU_LABEL",
    "GPU_PRESENT_LABEL",
    "GPU_RESOURCE",
    "GPU_TAINT",
    "POOL_LABEL",
    "WORKLOAD_LABEL",
    "Architecture",
    "InstanceType",
    "Taint",
    "UnknownInstanceType",
    "Workload",
    "gpu_label_value",
    "instance_type",
    "instance_types",
    "labels_of_nodes",
    "taints_of_nodes",
]
