"""Each declared model is in the stack, whether anybody watches it or not, and its rules are where Prometheus reads."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from components.observability.model_monitor import ModelMonitor
from tests.components.platform_recording import config_of, run_program

MODELS = {
    "fraud": {
        "team": "vision",
        "metrics": {"server": "vllm", "port": "http"},
        "objectives": {"availability": "99.9%"},
    },
    "forgotten": {"team": "vision"},
}


def test_a_declared_model_is_in_the_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[dict[str, Any]] = []

    def tell(_: ModelMonitor, outputs: dict[str, Any]) -> None:
        told.append(outputs)

    monkeypatch.setattr(ModelMonitor, "register_outputs", tell)
    config = {
        **config_of("sandbox"),
        "bedplate:scheduling": {"teams": {"vision": {}}},
        "bedplate:monitoring": {"models": MODELS},
    }
    run = run_program(config, "sandbox")
    found = run.of("bedplate:observability:ModelMonitor")
    assert [each.name for each in found] == ["model-forgotten", "model-fraud"]
    assert told == [
        {"model": "forgotten", "team": "vision"},
        {
            "model": "fraud",
            "team": "vision",
            "telemetry": {
                "server": "vllm",
                "namespace": "team-vision",
                "port": "http",
                "path": "/metrics",
                "selector": {"app.kubernetes.io/name": "fraud"},
            },
        },
    ]
    maps = [each.inputs for each in run.of("kubernetes:core/v1:ConfigMap") if "constants-1.yaml" in each.inputs["data"]]
    (group,) = yaml.safe_load(maps[0]["data"]["constants-1.yaml"])["groups"]
    assert {
        "record": "model:objective:availability",
        "expr": "vector(0.999)",
        "labels": {"model": "fraud", "team": "vision"},
    } in group["rules"]
