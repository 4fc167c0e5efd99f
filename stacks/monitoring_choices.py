"""From settings to the arguments of monitoring."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from components.observability.amp import AmpChoices
from components.observability.prometheus import PrometheusChoices
from components.observability.stack import MonitoringChoices
from stacks.alertmanager_choices import alertmanager_choices
from stacks.grafana_choices import grafana_choices
from stacks.monitoring_models import watched
from stacks.settings import PlatformSettings
from stacks.settings.gpu import has_gpus

# The class that the platform makes in its own cluster: encrypted with its key.
_STORAGE_CLASS = "gp3"


def monitoring_choices(settings: PlatformSettings, environment: str) -> MonitoringChoices | None:
    """What the settings ask for in ``environment``; None where monitoring is off."""
    if not settings.monitoring.enabled:
        return None
    return MonitoringChoices(
        watched=watched(settings, environment),
        prometheus=_prometheus(settings),
        alertmanager=alertmanager_choices(settings),
        amp=_amp(settings),
        keep_volumes=settings.environment.protect,
        grafana=grafana_choices(settings),
    )


def _amp(settings: PlatformSettings) -> AmpChoices | None:
    write = settings.monitoring.remote_write
    return AmpChoices(write.workspace_arn, settings.environment.protect) if write.enabled else None


def _prometheus(settings: PlatformSettings) -> PrometheusChoices:
    asked = settings.monitoring.prometheus
    cpu = Decimal(str(asked.cpu)) * 1000
    return PrometheusChoices(
        retention_days=asked.retention_days,
        volume_gib=asked.volume_gib,
        storage_class=storage_class(settings),
        cpu_milli=int(cpu),
        memory_gib=asked.memory_gib,
        parts=list(_parts(settings)),
    )


def storage_class(settings: PlatformSettings) -> str | None:
    """The class of the servers' volumes; None is the cluster's default one."""
    ours = _STORAGE_CLASS if settings.cluster.existing is None else None
    return settings.monitoring.prometheus.storage_class or ours


def _parts(settings: PlatformSettings) -> Iterator[str]:
    """What of the platform is scraped, by the names of the jobs: all that there is."""
    yield from ("apiserver", "kubelet", "prometheus", "alertmanager")
    yield from ("kube-state-metrics", "node-exporter", "pushgateway")
    if grafana_choices(settings) is not None:
        yield "grafana"
    if settings.gpu.exporter.enabled and any(map(has_gpus, settings.cluster.node_pools.values())):
        yield "dcgm"
    if settings.scheduling.queues and settings.scheduling.teams:
        yield "kueue"
    if settings.cluster.karpenter.enabled and settings.cluster.existing is None:
        yield "karpenter"
