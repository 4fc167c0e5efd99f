"""Names of namespaces: those of the platform's own parts, and those that no team may take."""

from __future__ import annotations

from typing import Final

GPU_NAMESPACE: Final = "gpu-system"
KUEUE_NAMESPACE: Final = "kueue-system"
NODE_METRICS_NAMESPACE: Final = "node-metrics"
_TAKEN: Final = ("default", "karpenter", GPU_NAMESPACE, KUEUE_NAMESPACE, NODE_METRICS_NAMESPACE)
_PREFIXES: Final = ("kube-", "amazon-", "aws-")


def is_reserved(namespace: str) -> bool:
    """True for a namespace of Kubernetes, of EKS or of the platform itself."""
    return namespace in _TAKEN or namespace.startswith(_PREFIXES)
