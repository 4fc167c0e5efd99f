"""Who and what appears in invented data: values of labels that go together, as far as they can from the environment."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, product
from typing import Final

from components.observability.models import Watched
from components.observability.signals.constants import constants

_NODES: Final = ("ip-10-30-41-17", "ip-10-30-77-203", "ip-10-30-102-8", "ip-10-30-9-64", "ip-10-30-58-121")
# Values of labels that nothing of the environment tells. What comes first is what mostly is.
_VALUES: Final[Mapping[str, Sequence[str]]] = {
    "alertmanager": ("http://alertmanager:9093",),
    "alertname": ("ModelLatencyBudgetBurnsSlow", "GpuIdle", "FeatureDrifted"),
    "cluster_queue": ("train", "experiment", "serve"),
    "code": ("200", "400", "500", "503"),
    "condition": ("DiskPressure", "MemoryPressure", "PIDPressure"),
    "container": ("server", "trainer"),
    "dag_id": ("daily_features", "retrain_fraud", "evaluate_candidates"),
    "device": ("nvidia0", "nvidia1", "nvidia2", "nvidia3"),
    "err_code": ("79", "31"),
    "feature": ("amount", "merchant_country", "device_age_days", "hour_of_day", "basket_size"),
    "feature_view": ("customer_daily", "merchant_risk", "session_embeddings"),
    "finished_reason": ("stop", "length"),
    "gpu": ("0", "1", "2", "3"),
    "integration": ("slack", "pagerduty", "webhook"),
    "job": ("dcgm", "kube-state-metrics", "node-exporter", "kubelet"),
    "job_name": ("train-fraud-2026w47", "finetune-support-lora", "eval-nightly"),
    "le": ("0.1", "0.3", "1"),
    "modelName": ("NVIDIA L4", "NVIDIA H100 80GB HBM3"),
    "metric": ("model_accuracy", "model_requests_total"),
    "mountpoint": ("/", "/var/lib/containerd"),
    "node": _NODES,
    "persistentvolumeclaim": ("data-prometheus-0", "checkpoints", "mlflow-artifacts"),
    "phase": ("Pending", "Failed", "Unknown"),
    "pipeline": ("daily_features", "retrain_fraud", "evaluate_candidates"),
    "quantile": ("0.5", "0.9", "0.99"),
    "reason": ("sample_limit", "duplicate_timestamp", "out_of_order"),
    "resource_type": ("cpu", "memory", "nvidia.com/gpu"),
    "resource": ("requests.cpu", "requests.memory", "requests.nvidia.com/gpu"),
    "rule_group": ("models", "gpus", "cluster"),
    "severity": ("page", "ticket"),
    "status": ("active", "inadmissible"),
    "verb": ("GET", "LIST", "PATCH"),
    "version": ("2.4.1", "2.5.0"),
}
_MODELS: Final = ("fraud-scorer", "search-ranker", "support-bot")
_POOLS: Final = ("train", "serve")
_TEAMS: Final = ("vision", "speech", "research")
# Their values follow from the others of the same series.
_FOLLOWING: Final = frozenset(
    ("Hostname", "UUID", "exported_model", "instance", "model_name", "namespace", "pod", "team")
)
_PODS: Final = ("x2k4q", "m8t7w", "q9z3c", "b5n6h")
# How many values of one label are drawn: by itself, and beside others.
_ALONE, _TOGETHER = 5, 2


@dataclass(frozen=True)
class Cast:
    """``models`` are those that appear, by name; the first of all has a canary that does badly, and is in ``trouble``.

    ``constants`` are the series that hold what the settings say, by name and model or team ("" for all of them).
    """

    watched: Watched
    constants: Mapping[tuple[str, str], float]
    models: Sequence[str]
    trouble: str

    @classmethod
    def of(cls, watched: Watched) -> Cast:
        """All who appear in an environment."""
        said = {
            (each.record, each.labels.get("model", each.labels.get("team", ""))): float(match[1])
            for each in constants(watched)
            if (match := re.fullmatch(r"vector\((.+)\)", each.expr))
        }
        models = [name for name, model in watched.models.items() if model.telemetry is not None] or _MODELS
        return cls(watched, said, models, models[0])

    def only(self, models: Sequence[str]) -> Cast:
        """The same with these models alone, where there are any."""
        return replace(self, models=models or self.models)

    @property
    def model(self) -> str | None:
        """The model that all is about, where there is only one."""
        return self.models[0] if len(self.models) == 1 else None

    @property
    def all_well(self) -> bool:
        """Whether what is in trouble does not appear."""
        return self.trouble not in self.models

    def rows(self, labels: Sequence[str], chosen: Mapping[str, str], limit: int) -> Iterator[dict[str, str]]:
        """Combinations of values of ``labels``, at most ``limit``; ``chosen`` are values that a query names."""
        following = _FOLLOWING | ({"node"} if "pool" in labels else set[str]())
        free = [label for label in labels if label not in chosen and label not in following]
        # Where nothing else tells the series apart, what mostly follows does.
        free = free or [label for label in labels if label in ("team", "namespace", "pod", "instance")][:1]
        count = _ALONE if len(free) == 1 else _TOGETHER
        for index, values in enumerate(islice(product(*(self._values(label, count) for label in free)), limit)):
            row = dict(zip(free, values, strict=True)) | {name: chosen[name] for name in labels if name in chosen}
            yield {label: row.get(label) or self._following(label, row, index) for label in labels}

    @property
    def _teams(self) -> Sequence[str]:
        return list(self.watched.namespaces) or _TEAMS

    def _values(self, label: str, count: int) -> Sequence[str]:
        own: dict[str, Sequence[str]] = {
            "model": self.models[: count + 1],
            "deployment": self.models,
            "pool": list(self.watched.pools) or _POOLS,
            "nodepool": list(self.watched.pools) or _POOLS,
            "team": self._teams,
            "namespace": [self.watched.namespaces.get(team, f"team-{team}") for team in self._teams],
        }
        known = own.get(label) or _VALUES.get(label)
        if known is None:
            known = [self._following(label, {}, index) for index in range(count)]
        return known if label == "model" else known[:count]

    def _following(self, label: str, row: Mapping[str, str], index: int) -> str:
        """A value of ``label`` that goes with the rest of the row."""
        declared = self.watched.models.get(row.get("model", ""))
        team = row.get("team") or (declared.team if declared else self._teams[index % len(self._teams)])
        model = row.get("model") or self.models[index % len(self.models)]
        match label:
            case "team":
                return team
            case "namespace":
                return self.watched.namespaces.get(team, f"team-{team}")
            case "pod":
                return f"{model}-7d9c6b5f4-{_PODS[index % len(_PODS)]}"
            case "exported_model" | "model_name":
                return model
            case "instance":
                return f"100.64.{12 + index * 7}.{31 + index * 11}:9400"
            case "Hostname" | "node":
                return _NODES[
                    sum(map(ord, row.get("pool", ""))) % len(_NODES) if "pool" in row else index % len(_NODES)
                ]
            case _:
                return f"{label}-{index + 1}"
