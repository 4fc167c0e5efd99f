"""What is known of a model that is served: whose it is, where its metrics are, and how well it has to do.

The settings declare models; the serving component declares each model that it deploys in the same words:

    watched = declare_models(watched, [ServedModel("fraud", "vision", telemetry_of("fraud", "vllm", "team-vision"))])

before ``Observability`` is made of ``watched``. Its scrape job, its way through the network policies, its objectives,
its dashboard and its ``ModelMonitor``, which policies judge, all follow from that, and from nothing else.

DeclaredTwice           there is a model of that name already
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from components.observability.values import Alert, Recording
from components.pod_facts import APP_LABEL

# Which program answers requests, by which it is known what it calls its metrics. ``standard`` are those that our own
# servers export: model_requests_total{code}, model_request_duration_seconds.
Server = Literal["standard", "vllm", "kserve", "triton"]


@dataclass(frozen=True)
class Telemetry:
    """Where a model's metrics are: pods of ``namespace`` with the labels ``selector``, at their port of that name."""

    server: Server
    namespace: str
    selector: Mapping[str, str]
    port: str = "metrics"
    path: str = "/metrics"


@dataclass(frozen=True)
class LatencyObjective:
    """``ratio`` (0 to 1) of requests are answered within ``seconds``, which is a bound of the server's histogram."""

    ratio: float
    seconds: float


@dataclass(frozen=True)
class Objectives:
    """How well a model has to do; None: nothing is promised, and nothing alerts.

    Ratios are 0 to 1. ``availability`` and ``latency`` are kept over 30 days; the others hold at any time.
    ``calibration_error`` is the largest expected calibration error, ``psi`` and ``kl_nats`` the largest distance of a
    feature's distribution from its baseline, ``canary_ratio`` how much worse a canary's errors and latency may be than
    those of what it is to replace (0.2: by a fifth). ``queue_depth`` is the most requests that may wait in one server,
    ``tokens_per_second`` the least that all servers of the model make together while requests wait.
    """

    availability: float | None = None
    latency: LatencyObjective | None = None
    accuracy: float | None = None
    calibration_error: float | None = None
    label_delay_seconds: float | None = None
    psi: float | None = None
    kl_nats: float | None = None
    canary_ratio: float | None = None
    queue_depth: float | None = None
    tokens_per_second: float | None = None


@dataclass(frozen=True)
class ServedModel:
    """A model; ``telemetry`` None: nobody said where its metrics are, and nothing of it is watched."""

    name: str
    team: str
    telemetry: Telemetry | None
    objectives: Objectives = field(default_factory=Objectives)


@dataclass(frozen=True)
class Pool:
    """A node pool with GPUs: what one GPU of it costs (USD/hour, on demand), where that is known."""

    name: str
    usd_per_gpu_hour: float | None


@dataclass(frozen=True)
class Limits:
    """From where on something that is no model is worth an alert; ratios are 0 to 1.

    ``feature_seconds`` is how old features may be, ``feature_views_seconds`` the same for those that it names.
    """

    gpu_temperature_celsius: float = 85
    gpu_memory_ratio: float = 0.95
    gpu_idle_ratio: float = 0.05
    storage_ratio: float = 0.85
    quota_ratio: float = 0.9
    pipeline_success_ratio: float = 0.9
    feature_seconds: float = 86400
    feature_views_seconds: Mapping[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True)
class OwnRules:
    """Recording rules and alerts that users wrote; an alert's labels and ``runbooks`` by its name win over ours."""

    recordings: tuple[Recording, ...] = ()
    alerts: tuple[Alert, ...] = ()
    runbooks: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Watched:
    """Everything that rules and dashboards are about in one environment.

    ``team`` runs the platform and gets what is nobody else's; ``namespaces`` are those of teams, by team;
    ``budget_usd`` is what the environment may cost a month, ``None`` for a team without a ceiling of its own.
    ``runbooks`` is what an alert's runbook link begins with.
    """

    environment: str
    team: str
    namespace: str
    runbooks: str
    namespaces: Mapping[str, str]
    models: Mapping[str, ServedModel]
    pools: Mapping[str, Pool]
    budget_usd: float
    team_budgets_usd: Mapping[str, float] = field(default_factory=dict[str, float])
    gpus: bool = True
    limits: Limits = field(default_factory=Limits)
    own: OwnRules = field(default_factory=OwnRules)


class DeclaredTwice(ValueError):
    """There is a model of that name already; ``team`` is whose that is."""

    def __init__(self, name: str, team: str) -> None:
        self.name, self.team = name, team
        super().__init__(f"model '{name}' is declared twice; the first is team {team}'s: give each a name of its own")


def declare_models(watched: Watched, models: Iterable[ServedModel]) -> Watched:
    """``watched`` with ``models``, too: this is how a model comes to be monitored. Raises DeclaredTwice."""
    known = dict(watched.models)
    for model in models:
        if model.name in known:
            raise DeclaredTwice(model.name, known[model.name].team)
        known[model.name] = model
    return replace(watched, models=known)


def telemetry_of(
    model: str,
    server: Server,
    namespace: str,
    selector: Mapping[str, str] | None = None,
    port: str = "metrics",
    path: str = "/metrics",
) -> Telemetry:
    """Where the metrics of a model's pods in ``namespace`` are; by default those pods carry its name."""
    return Telemetry(server, namespace, selector or {APP_LABEL: model}, port, path)
