"""What the nodes of a pool carry: the labels and taints by which pods find them, or keep away."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from components.instance_types import InstanceType

TaintEffect = Literal["NoSchedule", "PreferNoSchedule", "NoExecute"]

POOL_LABEL: Final = "bedplate.dev/pool"
WORKLOAD_LABEL: Final = "bedplate.dev/workload"
GPU_LABEL: Final = "bedplate.dev/gpu"
# The label that NVIDIA's own components select nodes by.
GPU_PRESENT_LABEL: Final = "nvidia.com/gpu.present"
GPU_RESOURCE: Final = "nvidia.com/gpu"
EFA_RESOURCE: Final = "vpc.amazonaws.com/efa"


class Workload(enum.StrEnum):
    """What runs on a pool's nodes."""

    SYSTEM = "system"
    CPU = "cpu"
    TRAINING = "training"
    INFERENCE = "inference"


@dataclass(frozen=True)
class Taint:
    """Keeps pods that don't tolerate it off a node; ``effect`` is Kubernetes' name of what happens to them."""

    key: str
    value: str
    effect: TaintEffect


# Pods that need no GPU stay off nodes that cost for one, and pin none of them.
GPU_TAINT: Final = Taint(GPU_RESOURCE, "true", "NoSchedule")


def gpu_label_value(gpu_names: Iterable[str]) -> str:
    """GPUs as one label value: ``h100``, ``rtx-pro-4500``; ``l4-or-l40s`` where a pool takes what it can get."""
    return "-or-".join(sorted({re.sub(r"[^a-z0-9]+", "-", name.lower()) for name in gpu_names}))


def labels_of_nodes(pool: str, workload: str, kinds: Sequence[InstanceType]) -> dict[str, str]:
    """The platform's own labels on the nodes of ``pool``, which are each of one of ``kinds``."""
    labels = {POOL_LABEL: pool, WORKLOAD_LABEL: workload}
    gpus = [kind.gpu_name for kind in kinds if kind.gpu_name]
    if gpus:
        labels |= {GPU_PRESENT_LABEL: "true", GPU_LABEL: gpu_label_value(gpus)}
    return labels


def taints_of_nodes(kinds: Sequence[InstanceType], own: Sequence[Taint] = ()) -> list[Taint]:
    """The taints on the nodes of a pool: that of GPUs where it has any, and the pool's ``own``."""
    has_gpus = any(kind.gpu_name for kind in kinds)
    return [*([GPU_TAINT] if has_gpus else []), *own]
