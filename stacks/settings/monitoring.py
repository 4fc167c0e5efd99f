"""Settings of what is watched: models with their objectives, limits of everything else, and rules of your own."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated

from pydantic import Field

from components.observability.model_servers import latency_bounds
from components.observability.models import Server
from stacks.settings.base import Contradiction, Section
from stacks.settings.environment import TagSettings
from stacks.settings.measures import Delay, Increase, Latency, Ratio, Target, Temperature, duration
from stacks.settings.monitoring_alerts import AlertmanagerSettings
from stacks.settings.monitoring_cloudwatch import CloudWatchSettings, RemoteWriteSettings
from stacks.settings.monitoring_grafana import GrafanaSettings
from stacks.settings.monitoring_rules import OwnRuleSettings
from stacks.settings.monitoring_servers import PrometheusSettings
from stacks.settings.node_labels import LabelKey, LabelValue
from stacks.settings.scheduling import NamespaceName, SchedulingSettings
from stacks.settings.teams import no_team, teams_of

PortName = Annotated[str, Field(max_length=15, pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")]

# A model's name is a label of Kubernetes, and part of the names of jobs and dashboards.
_NAME = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")


class MetricsSettings(Section):
    """Where a model's metrics are."""

    server: Server
    """What answers the requests, by which it is known what its metrics are called; `standard` are Bedplate's own."""
    namespace: NamespaceName | None = None
    """Namespace of its pods; default: the team's."""
    selector: dict[LabelKey, LabelValue] | None = Field(default=None, min_length=1)
    """Labels of its pods; default: app.kubernetes.io/name with the model's name."""
    port: PortName = "metrics"
    """Name of the pods' port with the metrics."""
    path: str = Field(default="/metrics", pattern=r"^/[^\s?#]*$")
    """Path of the metrics."""


class LatencySettings(Section):
    """How many of the requests are answered how fast."""

    target: Target
    """Part of the requests that is answered in time, over 30 days, such as 99%."""
    below: Latency
    """The time, such as 300ms; it has to be a bound of the server's histogram."""


class ObjectivesSettings(Section):
    """How well a model has to do; what is left out is promised to nobody, and alerts nobody."""

    availability: Target | None = None
    """Part of the requests that is answered without an error, over 30 days, such as 99.9%."""
    latency: LatencySettings | None = None
    """How many of the requests are answered how fast."""
    accuracy: Ratio | None = None
    """Least accuracy, such as 92%."""
    calibration_error: Ratio | None = None
    """Largest expected calibration error, such as 5%."""
    label_delay: Delay | None = None
    """How late labels may be, such as 48h: until then, nobody knows how accurate the model is."""
    psi: float | None = Field(default=None, gt=0, le=10)
    """Largest population stability index of a feature against its baseline; 0.2 is usual."""
    kl: float | None = Field(default=None, gt=0, le=100)
    """Largest Kullback-Leibler divergence (nats) of a feature from its baseline."""
    canary: Increase | None = None
    """How much more errors and latency a canary may have than what it is to replace, such as 20%."""
    queue_depth: float | None = Field(default=None, gt=0, le=1e6)
    """Largest number of requests that wait in one server."""
    tokens_per_second: float | None = Field(default=None, gt=0, le=1e9)
    """Least number of tokens per second that all servers of the model make together while requests wait."""


class ModelSettings(Section):
    """A model that is served: whose it is, where its metrics are, and how well it has to do."""

    team: str = Field(min_length=1)
    """Team that is called when it does badly: one of scheduling.teams, or tags.team."""
    metrics: MetricsSettings | None = None
    """Where its metrics are; without it nothing of the model is watched, which is a finding of the governance pack."""
    objectives: ObjectivesSettings = ObjectivesSettings()
    """How well it has to do."""

    def contradictions(self) -> Iterable[Contradiction]:
        if self.metrics is None or self.objectives.latency is None:
            return
        below, server = self.objectives.latency.below, self.metrics.server
        bounds = latency_bounds(server)
        if below not in bounds:
            faster = max((each for each in bounds if each < below), default=None)
            slower = min((each for each in bounds if each > below), default=None)
            near = " or ".join(duration(each) for each in (faster, slower) if each is not None)
            why = f"is {duration(below)}, which is no bound of the histogram of '{server}': nothing counts by it"
            yield Contradiction("objectives.latency.below", why, f"use {near}")


class LimitSettings(Section):
    """From where on something is worth an alert, for everything that is no model."""

    gpu_temperature: Temperature = 85.0
    """Temperature of a GPU."""
    gpu_memory: Ratio = 0.95
    """Part of a GPU's memory that is used."""
    gpu_idle: Ratio = 0.05
    """Utilisation of a GPU, below which it counts as idle although a pod holds it."""
    storage: Ratio = 0.85
    """Part of a volume that is used."""
    quota: Ratio = 0.9
    """Part of a team's quota that is used."""
    pipeline_success: Ratio = 0.9
    """Least part of a pipeline's runs that succeed, over a day."""
    feature_age: Delay = 86400.0
    """How old features may be, where feature_ages names no other age."""
    feature_ages: dict[str, Delay] = Field(default_factory=dict)
    """The same for single feature views, by name."""


class MonitoringSettings(Section):
    """What is watched: models with their objectives, limits of everything else, and rules of your own."""

    enabled: bool = True
    """Run Prometheus, Alertmanager, Grafana and the exporters."""
    runbook_url: str | None = Field(default=None, pattern=r"^https?://[^\s#?]+$")
    """Where the pages of components/observability/runbooks are to be read; alerts link to them. Default: that path."""
    models: dict[str, ModelSettings] = Field(default_factory=dict)
    """Models that are served, by name."""
    prometheus: PrometheusSettings = PrometheusSettings()
    """The server that collects metrics and evaluates rules."""
    alertmanager: AlertmanagerSettings = AlertmanagerSettings()
    """Who hears of which alert, and how."""
    cloudwatch: CloudWatchSettings = CloudWatchSettings()
    """What lives in AWS and is watched there, by CloudWatch; alarms go to the platform's SNS topic."""
    remote_write: RemoteWriteSettings = RemoteWriteSettings()
    """A copy of the metrics in Amazon Managed Service for Prometheus, which outlives Prometheus's own volume."""
    limits: LimitSettings = LimitSettings()
    """From where on something is worth an alert, for everything that is no model."""
    rules: OwnRuleSettings = OwnRuleSettings()
    """Recording rules and alerts of your own."""
    grafana: GrafanaSettings = GrafanaSettings()
    """Grafana: shows what Prometheus knows, in dashboards that Bedplate writes."""

    def contradictions(self) -> Iterable[Contradiction]:
        for name in self.models:
            if not _NAME.fullmatch(name):
                why = f"'{name}' is no name for a model: a letter, then letters, digits and dashes, 63 in all"
                yield Contradiction(f"models.{name}", why, "rename it, all in lower case")


def about_models(
    tags: TagSettings, scheduling: SchedulingSettings, monitoring: MonitoringSettings
) -> Iterable[Contradiction]:
    """Models belong to teams that there are, and each has a namespace."""
    known = teams_of(tags, scheduling)
    for name, model in monitoring.models.items():
        place = f"monitoring.models.{name}"
        if model.team not in known:
            yield no_team(f"{place}.team", model.team, known)
        elif model.team not in scheduling.teams and model.metrics is not None and model.metrics.namespace is None:
            why = f"is missing: team '{model.team}' has no namespace in scheduling.teams"
            yield Contradiction(f"{place}.metrics.namespace", why, "name the namespace of the model's pods")
    for name, alert in monitoring.rules.alerts.items():
        if alert.team is not None and alert.team not in known:
            yield no_team(f"monitoring.rules.alerts.{name}.team", alert.team, known)
