"""From settings to the arguments of monitoring."""

from __future__ import annotations

from components.observability.amp import AmpChoices
from components.observability.prometheus import PrometheusChoices
from components.observability.stack import MonitoringChoices
from stacks.grafana_choices import grafana_choices
from stacks.monitoring_models import watched
from stacks.settings import PlatformSettings

# The class that the platform makes in its own cluster: encrypted with its key.
_STORAGE_CLASS = "gp3"


def monitoring_choices(settings: PlatformSettings, environment: str) -> MonitoringChoices | None:
    """What the settings ask for in ``environment``; None where monitoring is off."""
    if not settings.monitoring.enabled:
        return None
    ours = settings.cluster.existing is None
    return MonitoringChoices(
        watched=watched(settings, environment),
        prometheus=PrometheusChoices(storage_class=_STORAGE_CLASS if ours else None),
        amp=_amp(settings),
        keep_volumes=settings.environment.protect,
        grafana=grafana_choices(settings),
    )


def _amp(settings: PlatformSettings) -> AmpChoices | None:
    write = settings.monitoring.remote_write
    return AmpChoices(write.workspace_arn, settings.environment.protect) if write.enabled else None
