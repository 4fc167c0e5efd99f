"""Reads the requests of Amazon Managed Service for Prometheus and writes the answers."""

from __future__ import annotations

import json
from typing import Any, cast

from moto.amp.responses import PrometheusServiceResponse

from engine.emulator.amp.models import ExtendedAmpBackend


class ExtendedAmpResponse(PrometheusServiceResponse):
    @property
    def extended(self) -> ExtendedAmpBackend:
        return cast(ExtendedAmpBackend, self.amp_backend)

    def create_workspace(self) -> str:
        asked: dict[str, Any] = json.loads(self.body)
        workspace = self.extended.create_with_key(
            asked.get("alias", ""), asked.get("tags", {}), asked.get("kmsKeyArn"), asked.get("clientToken")
        )
        return json.dumps(_shown(workspace))

    def describe_workspace(self) -> str:
        workspace = self.extended.describe_workspace(self.path.split("/")[-1])
        return json.dumps({"workspace": _shown(workspace)})


def _shown(workspace: Any) -> dict[str, Any]:
    """As moto shows it, with its key, and without what it hasn't got."""
    shown = {**workspace.to_dict(), "kmsKeyArn": getattr(workspace, "kms_key_arn", None)}
    return {key: value for key, value in shown.items() if value not in (None, "")}
