"""What the pods that serve a GPU node have in common: where they run, and what they may take of the node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from pulumi_kubernetes.apps.v1 import DaemonSetSpecArgsDict
from pulumi_kubernetes.core.v1 import (
    EnvVarArgsDict,
    NodeSelectorRequirementArgsDict,
    PodSpecArgsDict,
    ResourceRequirementsArgsDict,
    TolerationArgsDict,
    VolumeArgsDict,
    VolumeMountArgsDict,
)

from components.nodepools import GPU_PRESENT_LABEL, GPU_TAINT, POOL_LABEL
from components.pod_facts import APP_LABEL

# Without them no pod on the node gets a GPU, so they come before all others and are evicted last.
PRIORITY: Final = "system-node-critical"
# The GPU's taint, and whatever a pool has beside it: its GPUs are to be found and watched all the same.
_TOLERATIONS: tuple[TolerationArgsDict, ...] = (
    {"key": GPU_TAINT.key, "operator": "Exists", "effect": GPU_TAINT.effect},
    {"operator": "Exists", "effect": "NoSchedule"},
)


def daemon_set(app: str, pod: PodSpecArgsDict) -> DaemonSetSpecArgsDict:
    """A DaemonSet of ``pod``, replaced one node at a time."""
    return {
        "selector": {"match_labels": {APP_LABEL: app}},
        "update_strategy": {"type": "RollingUpdate", "rolling_update": {"max_unavailable": 1}},
        "template": {"metadata": {"labels": {APP_LABEL: app}}, "spec": pod},
    }


def on_gpu_nodes(not_where: Sequence[NodeSelectorRequirementArgsDict] = ()) -> PodSpecArgsDict:
    """The part of a pod that puts it on every node with a GPU, but for those that ``not_where`` rules out."""
    place: PodSpecArgsDict = {
        "node_selector": {GPU_PRESENT_LABEL: "true"},
        "tolerations": list(_TOLERATIONS),
        "priority_class_name": PRIORITY,
        "containers": [],
    }
    if not_where:
        terms: Any = {"node_selector_terms": [{"match_expressions": list(not_where)}]}
        place["affinity"] = {"node_affinity": {"required_during_scheduling_ignored_during_execution": terms}}
    return place


def in_pools(pools: Sequence[str], *, negate: bool = False) -> NodeSelectorRequirementArgsDict:
    """Nodes of ``pools``, or all but those."""
    return {"key": POOL_LABEL, "operator": "NotIn" if negate else "In", "values": list(pools)}


def paused_for_mig(part: str) -> NodeSelectorRequirementArgsDict:
    """Keeps ``part`` off a node while the MIG manager partitions its GPUs: whatever holds one would stop it.

    The manager sets this label for the time of the change. Source: mig-parted 0.15, reconfigure-mig.sh, 2026-08-21.
    """
    return {"key": f"nvidia.com/gpu.deploy.{part}", "operator": "NotIn", "values": ["paused-for-mig-change"]}


def amounts(cpu: str, memory: str, memory_limit: str) -> ResourceRequirementsArgsDict:
    """Requests and limits; a processor may be used when it is idle, memory is given once."""
    return {"requests": {"cpu": cpu, "memory": memory}, "limits": {"cpu": "500m", "memory": memory_limit}}


def host_folder(
    name: str, path: str, mount: str | None = None, *, read_only: bool
) -> tuple[VolumeArgsDict, VolumeMountArgsDict]:
    """A folder of the node, as a volume and its mount."""
    volume: VolumeArgsDict = {"name": name, "host_path": {"path": path, "type": "Directory"}}
    return volume, {"name": name, "mount_path": mount or path, "read_only": read_only}


def scratch(name: str, mount: str) -> tuple[VolumeArgsDict, VolumeMountArgsDict]:
    """An empty folder for what a program writes while its root file system is read-only."""
    return {"name": name, "empty_dir": {"size_limit": "64Mi"}}, {"name": name, "mount_path": mount}


def node_name() -> EnvVarArgsDict:
    return {"name": "NODE_NAME", "value_from": {"field_ref": {"field_path": "spec.nodeName"}}}
