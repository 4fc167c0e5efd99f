"""The signals, by area. ``signals`` are those of an environment; a test asks each of their alerts for its cases."""

from __future__ import annotations

from typing import Final

from components.observability.models import Watched
from components.observability.signals import (
    distribution,
    features,
    gpu_health,
    gpus,
    llm,
    money,
    monitoring,
    monitoring_servers,
    nodes,
    pipelines,
    quality,
    requests,
    storage,
    telemetry,
    traffic,
    training,
    workloads,
)
from components.observability.values import Signal

ALL: Final[tuple[Signal, ...]] = (
    requests.AVAILABILITY,
    requests.LATENCY,
    requests.BUDGETS,
    traffic.TRAFFIC,
    traffic.CANARY,
    telemetry.TELEMETRY,
    quality.ACCURACY,
    quality.CALIBRATION,
    quality.LABELS,
    distribution.STABILITY,
    distribution.DIVERGENCE,
    llm.QUEUE,
    llm.TOKENS,
    gpus.UTILISATION,
    gpus.IDLENESS,
    gpus.MEMORY,
    gpu_health.TEMPERATURE,
    gpu_health.ERRORS,
    gpu_health.PRESENCE,
    training.PROGRESS,
    training.JOBS,
    pipelines.SUCCESS,
    pipelines.DURATION,
    features.FRESHNESS,
    storage.VOLUMES,
    storage.DISKS,
    workloads.PODS,
    workloads.QUOTA,
    nodes.NODES,
    nodes.POOLS,
    nodes.API,
    money.SPEND,
    monitoring.WATCHDOG,
    monitoring.TARGETS,
    monitoring_servers.PROMETHEUS,
    monitoring_servers.DELIVERY,
)
_OF_GPUS: Final = "gpus"


def signals(watched: Watched) -> tuple[Signal, ...]:
    """What is watched in an environment: all, but those of GPUs where no pool has any."""
    return tuple(signal for signal in ALL if watched.gpus or signal.area != _OF_GPUS)
