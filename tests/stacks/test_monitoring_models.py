"""From the settings to what is watched: four lines declare a model, and defaults do the rest."""

from __future__ import annotations

from pathlib import Path

import yaml

from components.observability.models import LatencyObjective, Limits, Objectives, ServedModel, Telemetry
from components.observability.rules import rule_files
from components.observability.series import problems
from stacks.monitoring_models import watched
from stacks.settings import load, load_file

CASES = Path(__file__).parents[1] / "cases" / "settings" / "good"


def test_four_lines_declare_a_model() -> None:
    seen = watched(load_file(CASES / "monitored_models.yaml"), "dev")
    assert seen.models["fraud-scorer"] == ServedModel(
        "fraud-scorer",
        "vision",
        Telemetry("standard", "team-vision", {"app.kubernetes.io/name": "fraud-scorer"}, "metrics", "/metrics"),
        Objectives(availability=0.999, latency=LatencyObjective(0.99, 0.3), accuracy=0.92, psi=0.2),
    )
    assert seen.models["chat"].telemetry == Telemetry("vllm", "chat", {"app": "vllm"}, "http", "/metrics")
    assert seen.models["chat"].objectives == Objectives(
        queue_depth=20,
        tokens_per_second=500,
        canary_ratio=0.2,
        label_delay_seconds=129600,
        calibration_error=0.05,
        kl_nats=0.1,
    )
    assert seen.models["forgotten"].telemetry is None
    assert (seen.environment, seen.team, seen.namespaces) == ("dev", "ml", {"vision": "team-vision"})
    assert seen.runbooks == "https://docs.example.com/runbooks/"
    assert seen.limits == Limits(gpu_temperature_celsius=80, feature_views_seconds={"clicks": 5400})


def test_rules_of_the_settings_are_rules() -> None:
    seen = watched(load_file(CASES / "monitored_models.yaml"), "dev")
    assert list(problems(seen)) == []
    (group,) = yaml.safe_load(rule_files(seen)["own.yaml"])["groups"]
    (alert,) = (rule for rule in group["rules"] if "alert" in rule)
    assert (alert["alert"], alert["for"], alert["labels"]["team"]) == ("NoRequests", "90s", "vision")


def test_pools_have_the_price_of_one_gpu() -> None:
    seen = watched(load("prod"), "prod")
    assert seen.pools["train"].usd_per_gpu_hour == 55.04 / 8
    assert "general" not in seen.pools
    assert seen.gpus
    assert seen.runbooks == "components/observability/runbooks/"
