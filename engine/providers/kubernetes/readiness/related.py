"""What else of the cluster tells whether an object is ready: pods of a workload, the class of a claim.

Nothing of it must be read: without it a verdict has fewer reasons, and a claim that binds late counts as not bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from engine.providers.kubernetes.readiness.verdict import Object, at, text

_WORKLOADS: Final = frozenset(
    {
        ("apps/v1", "DaemonSet"),
        ("apps/v1", "Deployment"),
        ("apps/v1", "ReplicaSet"),
        ("apps/v1", "StatefulSet"),
        ("batch/v1", "Job"),
    }
)


@dataclass(frozen=True)
class Related:
    """Objects to read: of a kind, by ``name``, or those of a namespace that ``labels`` (a label selector) choose.

    ``namespace`` is "" for kinds of the whole cluster. With neither name nor labels, all of the kind are meant.
    """

    api_version: str
    kind: str
    namespace: str = ""
    name: str = ""
    labels: str = ""


def related_to(value: Object) -> Sequence[Related]:
    """What to read and hand to ``readiness`` beside an object, while that is not ready."""
    namespace, name = text(value, "metadata", "namespace") or "default", text(value, "metadata", "name")
    api_version, kind = text(value, "apiVersion"), text(value, "kind")
    if (api_version, kind) in _WORKLOADS:
        labels = _selector(at(value, "spec", "selector") or {})
        return [Related("v1", "Pod", namespace, labels=labels)] if labels else []
    if (api_version, kind) == ("v1", "ReplicationController"):
        labels = _selector({"matchLabels": at(value, "spec", "selector") or {}})
        return [Related("v1", "Pod", namespace, labels=labels)] if labels else []
    if (api_version, kind) == ("v1", "PersistentVolumeClaim"):
        return [Related("storage.k8s.io/v1", "StorageClass", name=text(value, "spec", "storageClassName"))]
    if (api_version, kind) == ("v1", "Service"):
        return [Related("discovery.k8s.io/v1", "EndpointSlice", namespace, labels=f"kubernetes.io/service-name={name}")]
    return []


def _selector(selector: Object) -> str:
    """A label selector in the form of a query; "" where it chooses by expressions, which may mean anything."""
    labels = at(selector, "matchLabels") or {}
    return "" if at(selector, "matchExpressions") else ",".join(f"{key}={value}" for key, value in labels.items())
