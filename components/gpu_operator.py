"""NVIDIA's GPU operator, for one thing: its MIG manager partitions the GPUs of a node as the node's label says.

Everything else of it is off. Driver and container toolkit come with the node's image, device plugin and exporter are
ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi_kubernetes.core.v1 import ConfigMap

from components.charts import GPU_OPERATOR, release
from components.gpu_sharing import Sharing, mig_configs
from components.kubernetes import KubernetesComponent

_PARTS_OFF: Final = (
    "driver", "toolkit", "devicePlugin", "dcgm", "dcgmExporter", "gds", "gdrcopy", "vgpuManager", "vgpuDeviceManager",
    "vfioManager", "sandboxDevicePlugin", "kataSandboxDevicePlugin", "ccManager", "nodeStatusExporter",
)  # fmt: skip


@dataclass(frozen=True)
class GpuOperatorArgs:
    """``sharing`` by pool: those that partition their GPUs are what the operator is for."""

    labels: Mapping[str, str]
    namespace: str
    sharing: Mapping[str, Sharing]


class GpuOperator(KubernetesComponent, area="gpu"):
    """The operator's release, and the partitions of each pool as its MIG manager reads them."""

    def __init__(self, name: str, args: GpuOperatorArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, args.labels, opts)
        configs = ConfigMap(
            self.child("configs"),
            metadata={"namespace": args.namespace},
            data={"config.yaml": mig_configs(args.sharing)},
            immutable=True,
            opts=self.options(),
        )
        values = operator_values(args.sharing, configs.metadata.name)
        release(name, GPU_OPERATOR, "gpu-operator", args.namespace, values, self.options())
        self.register_outputs({})


def operator_values(sharing: Mapping[str, Sharing], configs: pulumi.Input[str | None]) -> dict[str, Any]:
    """The chart's values. Source of their names: gpu-operator 26.3.3, values.yaml."""
    strategies = {each.mig_strategy for each in sharing.values() if each.mig}
    return {
        **{part: {"enabled": False} for part in _PARTS_OFF},
        # Both find out what a node has: the operator acts by labels that they set.
        "nfd": {"enabled": True},
        "gfd": {"enabled": True},
        "mig": {"strategy": "mixed" if "mixed" in strategies else "single"},
        "migManager": {"enabled": True, "config": {"name": configs, "create": False, "default": "all-disabled"}},
    }
