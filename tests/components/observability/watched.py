"""An environment that tests watch: two teams, models of each kind, two pools of which one has no price."""

from __future__ import annotations

from components.observability.models import (
    LatencyObjective,
    Limits,
    Objectives,
    Pool,
    ServedModel,
    Telemetry,
    Watched,
)

FRAUD = ServedModel(
    "fraud",
    "vision",
    Telemetry("standard", "team-vision", {"app.kubernetes.io/name": "fraud"}),
    Objectives(
        availability=0.999,
        latency=LatencyObjective(0.99, 0.3),
        accuracy=0.92,
        calibration_error=0.05,
        label_delay_seconds=172800,
        psi=0.2,
        kl_nats=0.1,
        canary_ratio=0.2,
    ),
)
CHAT = ServedModel(
    "chat",
    "research",
    Telemetry("vllm", "team-research", {"app": "chat"}),
    Objectives(availability=0.99, latency=LatencyObjective(0.95, 5), queue_depth=20, tokens_per_second=500),
)
EYES = ServedModel(
    "eyes",
    "vision",
    Telemetry("triton", "team-vision", {"app": "eyes"}),
    Objectives(availability=0.99, latency=LatencyObjective(0.9, 0.5)),
)
LOST = ServedModel("lost", "research", None)
WATCHED = Watched(
    environment="test",
    team="ml-platform",
    namespace="monitoring",
    runbooks="https://runbooks.example/",
    namespaces={"research": "team-research", "vision": "team-vision"},
    models={each.name: each for each in (FRAUD, CHAT, EYES, LOST)},
    pools={"train": Pool("train", 12.5), "reserved": Pool("reserved", None)},
    budget_usd=10000,
    team_budgets_usd={"vision": 4000},
    limits=Limits(feature_views_seconds={"clicks": 3600}),
)
