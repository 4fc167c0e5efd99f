"""Reads the requests of CloudWatch and writes the answers."""

from __future__ import annotations

from typing import Any, cast

from moto.cloudwatch.responses import CloudWatchResponse

from engine.emulator.cloudwatch.models import ExtendedCloudWatchBackend


class ExtendedCloudWatchResponse(CloudWatchResponse):
    def put_metric_alarm(self) -> Any:
        backend = cast(ExtendedCloudWatchBackend, self.cloudwatch_backend)
        return backend.put_alarm(self._get_params(), super().put_metric_alarm)
