"""What the settings say, as series: objectives of models, limits, budgets, prices, and whose a namespace is.

Rules compare what is measured with these by label, so that one rule does for all models. Each is recorded from
``vector(<number>)``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from components.observability.model_servers import latency_bounds
from components.observability.models import ServedModel, Watched
from components.observability.values import Recording

# What a rule appends to learn whose a namespace is; what nobody else's is the platform's.
OF_TEAM: Final = "* on (namespace) group_left (team) namespace:team:info"
# The same for a model; it has no other labels to give.
OF_MODEL: Final = "* on (model) group_left (team) model:info"


def constants(watched: Watched) -> Iterator[Recording]:
    """All of them, in a stable order."""
    yield from _owners(watched)
    for _, model in sorted(watched.models.items()):
        yield from _of_model(model)
    yield from _limits(watched)
    yield from _money(watched)


def _constant(record: str, value: float, unit: str, labels: Mapping[str, str] | None = None) -> Recording:
    return Recording(record, f"vector({value:.12g})", unit, labels or {})


def _owners(watched: Watched) -> Iterator[Recording]:
    for team, namespace in sorted(watched.namespaces.items()):
        yield _constant("team:namespace:info", 1, "short", {"team": team, "namespace": namespace})
    rest = 'max by (namespace) (kube_namespace_status_phase{phase="Active"} == 1)'
    platform = f'label_replace({rest}, "team", "{watched.team}", "", "")'
    yield Recording("namespace:team:info", f"team:namespace:info or on (namespace) {platform}", "short")


def _of_model(model: ServedModel) -> Iterator[Recording]:
    mine, telemetry, wanted = {"model": model.name, "team": model.team}, model.telemetry, model.objectives
    place = {"namespace": telemetry.namespace if telemetry else "", "server": telemetry.server if telemetry else "none"}
    yield _constant("model:info", 1, "short", {**mine, **{name: value for name, value in place.items() if value}})
    for record, value, unit in (
        ("availability", wanted.availability, "percentunit"),
        ("accuracy", wanted.accuracy, "percentunit"),
        ("calibration_error", wanted.calibration_error, "percentunit"),
        ("label_delay_seconds", wanted.label_delay_seconds, "s"),
        ("psi", wanted.psi, "short"),
        ("kl_nats", wanted.kl_nats, "short"),
        ("canary_ratio", wanted.canary_ratio, "percentunit"),
        ("queue_depth", wanted.queue_depth, "short"),
        ("tokens_per_second", wanted.tokens_per_second, "short"),
    ):
        if value is not None:
            yield _constant(f"model:objective:{record}", value, unit, mine)
    if wanted.latency is not None and telemetry is not None:
        bound = latency_bounds(telemetry.server)[wanted.latency.seconds]
        yield _constant("model:objective:latency_seconds", wanted.latency.seconds, "s", mine)
        for each in _spellings(bound):
            yield _constant("model:objective:latency_ratio", wanted.latency.ratio, "percentunit", {**mine, "le": each})


def _spellings(bound: str) -> list[str]:
    """A whole bound as exporters write it, and as Prometheus 3 stores it. Source: its migration guide, 2024-11."""
    whole = float(bound).is_integer()
    return sorted({bound, f"{float(bound):.0f}", f"{float(bound):.1f}"}) if whole else [bound]


def _limits(watched: Watched) -> Iterator[Recording]:
    limits = watched.limits
    yield _constant("limit:feature_age:seconds", limits.feature_seconds, "s")
    for view, seconds in sorted(limits.feature_views_seconds.items()):
        yield _constant("feature_view:objective:age_seconds", seconds, "s", {"feature_view": view})
    yield _constant("limit:gpu_idle:ratio", limits.gpu_idle_ratio, "percentunit")
    yield _constant("limit:gpu_memory:ratio", limits.gpu_memory_ratio, "percentunit")
    yield _constant("limit:gpu_temperature:celsius", limits.gpu_temperature_celsius, "celsius")
    yield _constant("limit:pipeline_success:ratio", limits.pipeline_success_ratio, "percentunit")
    yield _constant("limit:quota:ratio", limits.quota_ratio, "percentunit")
    yield _constant("limit:storage:ratio", limits.storage_ratio, "percentunit")


def _money(watched: Watched) -> Iterator[Recording]:
    for name, pool in sorted(watched.pools.items()):
        if pool.usd_per_gpu_hour is not None:
            yield _constant("gpu:price:usd_per_hour", pool.usd_per_gpu_hour, "currencyUSD", {"pool": name})
    yield _constant("budget:limit:usd_per_month", watched.budget_usd, "currencyUSD")
    for team, usd in sorted(watched.team_budgets_usd.items()):
        yield _constant("budget:limit:usd_per_month", usd, "currencyUSD", {"team": team})
