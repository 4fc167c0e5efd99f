"""Kubernetes objects on their way into a simulation: which kinds matter, in which order, and where each came from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

Manifest: TypeAlias = dict[str, Any]

# Before pods: what decides whether they may be made and which of them go first.
SURROUNDINGS: Final = (
    "Namespace",
    "PriorityClass",
    "RuntimeClass",
    "ResourceQuota",
    "LimitRange",
    "PodDisruptionBudget",
)
WORKLOADS: Final = ("DaemonSet", "Deployment", "StatefulSet", "ReplicaSet", "Job", "Pod")
CRON_JOB: Final = "CronJob"
CLUSTER_WIDE: Final = frozenset({"Namespace", "PriorityClass", "RuntimeClass"})
API_VERSIONS: Final = {
    "Namespace": "v1",
    "PriorityClass": "scheduling.k8s.io/v1",
    "RuntimeClass": "node.k8s.io/v1",
    "ResourceQuota": "v1",
    "LimitRange": "v1",
    "PodDisruptionBudget": "policy/v1",
    "DaemonSet": "apps/v1",
    "Deployment": "apps/v1",
    "StatefulSet": "apps/v1",
    "ReplicaSet": "apps/v1",
    "Job": "batch/v1",
    "CronJob": "batch/v1",
    "Pod": "v1",
}
_ORDER: Final = {kind: index for index, kind in enumerate((*SURROUNDINGS, *WORKLOADS))}


@dataclass(frozen=True)
class Given:
    """One object and its place: a resource of the plan, or (``added``) a document of a file."""

    manifest: Manifest
    place: str
    added: bool = False

    @property
    def kind(self) -> str:
        return self.manifest["kind"]

    @property
    def name(self) -> str:
        return self.manifest["metadata"]["name"]

    @property
    def namespace(self) -> str:
        """ "" for what belongs to no namespace."""
        if self.kind in CLUSTER_WIDE:
            return ""
        return self.manifest["metadata"].get("namespace") or "default"

    @property
    def key(self) -> tuple[str, str, str]:
        return self.kind, self.namespace, self.name

    @property
    def is_workload(self) -> bool:
        return self.kind in WORKLOADS


def is_known(api_version: str, kind: str) -> bool:
    """Whether objects of this kind matter to a simulation: another group's ``Job`` is another kind."""
    return API_VERSIONS.get(kind, "").partition("/")[0] == api_version.partition("/")[0] and kind in API_VERSIONS


def in_order(given: Iterable[Given]) -> list[Given]:
    """As they are to be made; what a file adds comes after what the plan declares."""
    return sorted(given, key=lambda one: (one.is_workload, one.added and one.is_workload, _ORDER[one.kind]))
