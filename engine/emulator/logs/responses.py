"""Reads the requests of CloudWatch Logs and writes the answers."""

from __future__ import annotations

import json
from typing import cast

from moto.logs.responses import LogsResponse

from engine.emulator.logs.models import ExtendedLogsBackend


class ExtendedLogsResponse(LogsResponse):
    @property
    def extended(self) -> ExtendedLogsBackend:
        return cast(ExtendedLogsBackend, self.logs_backend)

    def create_log_group(self) -> str:
        self.extended.create_log_group(
            self._get_param("logGroupName"),
            self._get_param("tags"),
            kmsKeyId=self._get_param("kmsKeyId"),
            logGroupClass=self._get_param("logGroupClass"),
            deletionProtectionEnabled=self._get_param("deletionProtectionEnabled"),
        )
        return ""

    def describe_log_groups(self) -> str:
        answer = json.loads(super().describe_log_groups())
        for shown in answer["logGroups"]:
            group = self.extended.groups[shown["logGroupName"]]
            shown["logGroupClass"] = getattr(group, "log_group_class", "STANDARD")
            shown["deletionProtectionEnabled"] = getattr(group, "deletion_protection", False)
        return json.dumps(answer)

    def associate_kms_key(self) -> str:
        self.extended.associate_kms_key(self._get_param("logGroupName"), self._get_param("kmsKeyId"))
        return ""

    def disassociate_kms_key(self) -> str:
        self.extended.disassociate_kms_key(self._get_param("logGroupName"))
        return ""

    def put_log_group_deletion_protection(self) -> str:
        identifier = self._get_param("logGroupIdentifier")
        self.extended.protect(identifier, bool(self._get_param("deletionProtectionEnabled")))
        return ""

    def put_metric_filter(self) -> str:
        answer = super().put_metric_filter()
        apply = bool(self._get_param("applyOnTransformedLogs"))
        self.extended.apply_on_transformed(self._get_param("filterName"), self._get_param("logGroupName"), apply)
        return answer
