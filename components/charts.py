"""The Helm charts that the platform installs, each at one version: the lock table, and the release of a chart.

A version changes here and nowhere else. Versions of 2026-11; sources: the projects' release pages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi_kubernetes.helm.v3 import Release

# Seconds until an installation that doesn't come up is given up.
_TIMEOUT = 600


@dataclass(frozen=True)
class Chart:
    """A chart of ``repository`` (https), or, where that is None, at the address ``name`` (oci)."""

    name: str
    version: str
    repository: str | None = None


KARPENTER: Final = Chart("oci://public.ecr.aws/karpenter/karpenter", "1.14.0")
KUEUE: Final = Chart("oci://registry.k8s.io/kueue/charts/kueue", "0.18.2")
GPU_OPERATOR: Final = Chart("gpu-operator", "v26.3.3", "https://helm.ngc.nvidia.com/nvidia")


def release(
    logical_name: str,
    chart: Chart,
    name: str,
    namespace: str,
    values: Mapping[str, Any],
    opts: pulumi.ResourceOptions,
) -> Release:
    """``chart`` installed as ``name`` in ``namespace``, which has to exist; taken back where it doesn't come up."""
    return Release(
        logical_name,
        name=name,
        chart=chart.name,
        version=chart.version,
        repository_opts={"repo": chart.repository} if chart.repository else None,
        namespace=namespace,
        values=dict(values),
        atomic=True,
        timeout=_TIMEOUT,
        opts=opts,
    )
