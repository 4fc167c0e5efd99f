"""From the settings of models, limits and rules to what the monitoring components know."""

from __future__ import annotations

from collections.abc import Mapping

from components.observability.models import (
    LatencyObjective,
    Limits,
    Objectives,
    OwnRules,
    Pool,
    ServedModel,
    Telemetry,
    Watched,
    declare_models,
    telemetry_of,
)
from components.observability.values import TEAM, Alert, Recording, Severity
from stacks.settings import PlatformSettings
from stacks.settings.gpu import has_gpus
from stacks.settings.monitoring import (
    LimitSettings,
    MetricsSettings,
    ModelSettings,
    MonitoringSettings,
    ObjectivesSettings,
)
from stacks.settings.monitoring_rules import AlertSettings, OwnRuleSettings
from stacks.settings.pools import NodePoolSettings

# Where the pages lie in this repository, for those who have them nowhere else.
_RUNBOOKS = "components/observability/runbooks"


def watched(settings: PlatformSettings, environment: str) -> Watched:
    """What is watched in ``environment``."""
    monitoring, scheduling, cost = settings.monitoring, settings.scheduling, settings.cost
    namespaces = scheduling.namespaces()
    pools = {name: _pool(name, pool) for name, pool in settings.cluster.node_pools.items() if has_gpus(pool)}
    platform = Watched(
        environment=environment,
        team=settings.tags.team,
        namespace=scheduling.monitoring_namespace,
        runbooks=runbooks(monitoring),
        namespaces=namespaces,
        models={},
        pools=pools,
        budget_usd=cost.monthly_budget_usd,
        team_budgets_usd=cost.team_ceilings_usd,
        gpus=bool(pools),
        limits=_limits(monitoring.limits),
        own=_own(monitoring.rules),
    )
    return declare_models(platform, (served_model(*each, namespaces) for each in monitoring.models.items()))


def runbooks(monitoring: MonitoringSettings) -> str:
    """What the link of an alert begins with."""
    return f"{(monitoring.runbook_url or _RUNBOOKS).rstrip('/')}/"


def served_model(name: str, model: ModelSettings, namespaces: Mapping[str, str]) -> ServedModel:
    """One declared model; ``namespaces`` are those of teams, by team."""
    telemetry = None
    if model.metrics is not None:
        telemetry = _telemetry(name, model.metrics, model.metrics.namespace or namespaces[model.team])
    return ServedModel(name, model.team, telemetry, _objectives(model.objectives))


def _telemetry(name: str, metrics: MetricsSettings, namespace: str) -> Telemetry:
    return telemetry_of(name, metrics.server, namespace, metrics.selector, metrics.port, metrics.path)


def _objectives(objectives: ObjectivesSettings) -> Objectives:
    latency = objectives.latency
    return Objectives(
        availability=objectives.availability,
        latency=None if latency is None else LatencyObjective(latency.target, latency.below),
        accuracy=objectives.accuracy,
        calibration_error=objectives.calibration_error,
        label_delay_seconds=objectives.label_delay,
        psi=objectives.psi,
        kl_nats=objectives.kl,
        canary_ratio=objectives.canary,
        queue_depth=objectives.queue_depth,
        tokens_per_second=objectives.tokens_per_second,
    )


def _pool(name: str, pool: NodePoolSettings) -> Pool:
    """Its first type is what a pool mostly has; where AWS sells it by reservation only, nobody knows the price."""
    kind = pool.kinds[0]
    return Pool(name, None if kind.usd_per_hour is None else kind.usd_per_hour / kind.gpu_count)


def _limits(limits: LimitSettings) -> Limits:
    return Limits(
        gpu_temperature_celsius=limits.gpu_temperature,
        gpu_memory_ratio=limits.gpu_memory,
        gpu_idle_ratio=limits.gpu_idle,
        storage_ratio=limits.storage,
        quota_ratio=limits.quota,
        pipeline_success_ratio=limits.pipeline_success,
        feature_seconds=limits.feature_age,
        feature_views_seconds=limits.feature_ages,
    )


def _own(rules: OwnRuleSettings) -> OwnRules:
    return OwnRules(
        recordings=tuple(Recording(name, each.expr, each.unit, each.labels) for name, each in rules.recordings.items()),
        alerts=tuple(_alert(name, each) for name, each in rules.alerts.items()),
        runbooks={name: each.runbook for name, each in rules.alerts.items() if each.runbook is not None},
    )


def _alert(name: str, alert: AlertSettings) -> Alert:
    return Alert(
        name,
        alert.expr,
        int(alert.for_),
        Severity(alert.severity),
        alert.summary,
        alert.description or alert.summary,
        labels={} if alert.team is None else {TEAM: alert.team},
    )
