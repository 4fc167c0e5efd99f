"""A model that is watched, or was declared and is not: what the stack remembers of it, and what policies judge."""

from __future__ import annotations

from typing import Any

import pulumi

from components.base import PlatformComponent
from components.observability.models import ServedModel


class ModelMonitor(PlatformComponent, area="observability"):
    """One declared model. It has no resources of its own: rules, dashboards and scrape jobs are those of all models.

    Whoever deploys a model declares it by one of these. Without ``telemetry`` nothing of it is watched, which the rule
    ``model-telemetry`` of the governance pack finds.
    """

    def __init__(self, model: ServedModel, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(f"model-{model.name}", opts)
        self.register_outputs(_told(model))


def _told(model: ServedModel) -> dict[str, Any]:
    told: dict[str, Any] = {"model": model.name, "team": model.team}
    telemetry = model.telemetry
    if telemetry is None:
        return told
    place = {"server": telemetry.server, "namespace": telemetry.namespace, "port": telemetry.port}
    return {**told, "telemetry": {**place, "path": telemetry.path, "selector": dict(telemetry.selector)}}
