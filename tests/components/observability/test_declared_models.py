"""A model that a component declares is watched as one of the settings is: there is one way for both."""

from __future__ import annotations

from dataclasses import replace

import pytest

from components.observability.models import (
    DeclaredTwice,
    LatencyObjective,
    Objectives,
    ServedModel,
    Telemetry,
    declare_models,
    telemetry_of,
)
from components.observability.prometheus_config import Collected, prometheus_config
from components.observability.rules import rule_files
from stacks.monitoring_models import watched
from tests.components.kubernetes_objects import case

SEEN = watched(case("monitored_models"), "dev")
FRAUD = ServedModel(
    "fraud-scorer",
    "vision",
    telemetry_of("fraud-scorer", "standard", "team-vision"),
    Objectives(availability=0.999, latency=LatencyObjective(0.99, 0.3), accuracy=0.92, psi=0.2),
)


def test_who_declares_a_model_makes_no_difference() -> None:
    others = {name: model for name, model in SEEN.models.items() if name != FRAUD.name}
    declared = declare_models(replace(SEEN, models=others), [FRAUD])
    assert declared.models == SEEN.models
    by_name = replace(declared, models={name: declared.models[name] for name in SEEN.models})
    assert rule_files(by_name) == rule_files(SEEN)
    assert prometheus_config(Collected(by_name, "c", [])) == prometheus_config(Collected(SEEN, "c", []))


def test_two_models_of_one_name_are_refused() -> None:
    with pytest.raises(DeclaredTwice, match="model 'fraud-scorer' is declared twice; the first is team vision's"):
        declare_models(SEEN, [ServedModel("fraud-scorer", "text", None)])
    with pytest.raises(DeclaredTwice, match="'new' is declared twice; the first is team text's"):
        declare_models(SEEN, [ServedModel("new", "text", None), ServedModel("new", "vision", None)])


def test_pods_of_a_model_carry_its_name_unless_something_else_is_said() -> None:
    assert telemetry_of("a", "vllm", "n") == Telemetry("vllm", "n", {"app.kubernetes.io/name": "a"})
    assert telemetry_of("a", "vllm", "n", {"app": "x"}, "http", "/m") == Telemetry(
        "vllm", "n", {"app": "x"}, "http", "/m"
    )
