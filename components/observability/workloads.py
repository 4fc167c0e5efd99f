"""What the monitoring servers' pods have in common: no rights on their node, and folders of their own to write to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pulumi_kubernetes.apps.v1 import StatefulSetPersistentVolumeClaimRetentionPolicyArgsDict
from pulumi_kubernetes.core.v1 import (
    PersistentVolumeClaimArgsDict,
    PersistentVolumeClaimSpecArgsDict,
    PodSecurityContextArgsDict,
    PodSpecArgsDict,
    PreferredSchedulingTermArgsDict,
    ProbeArgsDict,
    ResourceRequirementsArgsDict,
    ServiceSpecArgsDict,
    VolumeArgsDict,
    VolumeMountArgsDict,
)

from components.nodepools import WORKLOAD_LABEL, Workload
from components.pod_facts import ACCOUNT_FOLDER

# Who watches must not be put off its node by what is watched.
PRIORITY: Final = "system-cluster-critical"
# Nodes that come and go with the work would take it along, and each start reads the log of hours again.
_SYSTEM_NODES: Final[PreferredSchedulingTermArgsDict] = {
    "weight": 100,
    "preference": {
        "match_expressions": [{"key": WORKLOAD_LABEL, "operator": "In", "values": [Workload.SYSTEM.value]}],
    },
}
# The user `nobody` of the images, which owns what is on the volume, too.
NOBODY: Final = 65534


def unprivileged(user: int = NOBODY) -> PodSpecArgsDict:
    """The part of a pod that runs as ``user`` and leaves its node alone, on one that is always there if it may."""
    context: PodSecurityContextArgsDict = {
        "run_as_non_root": True,
        "run_as_user": user,
        "run_as_group": user,
        "fs_group": user,
        # Without it the kubelet walks through all files of a volume at each start.
        "fs_group_change_policy": "OnRootMismatch",
        "seccomp_profile": {"type": "RuntimeDefault"},
    }
    return {
        "security_context": context,
        "affinity": {"node_affinity": {"preferred_during_scheduling_ignored_during_execution": [_SYSTEM_NODES]}},
        "priority_class_name": PRIORITY,
        "enable_service_links": False,
        "containers": [],
    }


def resources(cpu: str, memory: str, cpu_limit: str, memory_limit: str) -> ResourceRequirementsArgsDict:
    """Requests and limits."""
    return {"requests": {"cpu": cpu, "memory": memory}, "limits": {"cpu": cpu_limit, "memory": memory_limit}}


def service_of(pods: Mapping[str, str], port: str, number: int) -> ServiceSpecArgsDict:
    """A service inside the cluster that leads to ``pods`` at their ``port`` of that name."""
    return {
        "type": "ClusterIP",
        "selector": pods,
        "ports": [{"name": port, "port": number, "target_port": port, "protocol": "TCP"}],
    }


def claim(name: str, gib: int, storage_class: str | None) -> PersistentVolumeClaimArgsDict:
    """A claim for a volume of ``gib`` GiB; a class of None is the cluster's default one."""
    spec: PersistentVolumeClaimSpecArgsDict = {
        "access_modes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": f"{gib}Gi"}},
    }
    if storage_class is not None:
        spec["storage_class_name"] = storage_class
    return {"metadata": {"name": name}, "spec": spec}


def retention(*, keep: bool) -> StatefulSetPersistentVolumeClaimRetentionPolicyArgsDict:
    """Whether claims of a StatefulSet stay, with what is on their volumes, when it is deleted or made anew."""
    what = "Retain" if keep else "Delete"
    return {"when_deleted": what, "when_scaled": what}


def api_token() -> tuple[VolumeArgsDict, VolumeMountArgsDict]:
    """The token of the pod's account, for the one container that mounts it, and no longer than an hour."""
    volume: VolumeArgsDict = {
        "name": "token",
        "projected": {
            "sources": [
                {"service_account_token": {"path": "token", "expiration_seconds": 3600}},
                {"config_map": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
                {
                    "downward_api": {
                        "items": [{"path": "namespace", "field_ref": {"field_path": "metadata.namespace"}}],
                    }
                },
            ]
        },
    }
    return volume, {"name": "token", "mount_path": ACCOUNT_FOLDER, "read_only": True}


def http_probe(path: str, port: str, *, period: int = 10, failures: int = 3) -> ProbeArgsDict:
    """Asks for ``path`` every ``period`` seconds; ``failures`` in a row count."""
    return {
        "http_get": {"path": path, "port": port},
        "period_seconds": period,
        "timeout_seconds": 5,
        "failure_threshold": failures,
    }
