"""The backend of Amazon Managed Service for Prometheus that moto is given instead of its own.

Source: Amazon Managed Service for Prometheus API reference, CreateWorkspace, CreateLoggingConfiguration, 2026-11.
"""

from __future__ import annotations

from typing import Any

from moto.amp.exceptions import AmpException, WorkspaceNotFound
from moto.amp.models import PrometheusServiceBackend
from moto.kms.models import kms_backends
from moto.logs.models import logs_backends


class Invalid(AmpException):
    code = 400

    def __init__(self, message: str) -> None:
        super().__init__("ValidationException", message)


class Conflict(AmpException):
    code = 409

    def __init__(self, message: str) -> None:
        super().__init__("ConflictException", message)


class NotFound(AmpException):
    code = 404

    def __init__(self, message: str) -> None:
        super().__init__("ResourceNotFoundException", message)


class ExtendedAmpBackend(PrometheusServiceBackend):
    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self._by_token: dict[str, str] = {}

    def create_with_key(self, alias: str, tags: dict[str, str], key: str | None, token: str | None) -> Any:
        """The workspace that this token has made already, or a new one."""
        if token in self._by_token and self._by_token[token] in self.workspaces:
            return self.workspaces[self._by_token[token]]
        if key is not None:
            self._check_key(key)
        workspace: Any = self.create_workspace(alias, tags)
        workspace.kms_key_arn = key
        if token is not None:
            self._by_token[token] = workspace.workspace_id
        return workspace

    def update_workspace_alias(self, alias: str, workspace_id: str) -> None:
        self.describe_workspace(workspace_id)
        if not alias:
            raise Invalid("alias must not be empty: once given, it can be changed and not be taken away")
        super().update_workspace_alias(alias, workspace_id)

    def delete_workspace(self, workspace_id: str) -> None:
        arn = self.describe_workspace(workspace_id).arn
        super().delete_workspace(workspace_id)
        self.tagger.delete_all_tags_for_resource(arn)

    def create_logging_configuration(self, workspace_id: str, log_group_arn: str) -> dict[str, str]:
        if self.describe_workspace(workspace_id).logging_config is not None:
            raise Conflict(f"Workspace {workspace_id} has a logging configuration already")
        self._check_log_group(log_group_arn)
        return super().create_logging_configuration(workspace_id, log_group_arn)

    def describe_logging_configuration(self, workspace_id: str) -> dict[str, Any]:
        self._check_logging(workspace_id)
        return super().describe_logging_configuration(workspace_id)

    def update_logging_configuration(self, workspace_id: str, log_group_arn: str) -> dict[str, str]:
        self._check_logging(workspace_id)
        self._check_log_group(log_group_arn)
        return super().update_logging_configuration(workspace_id, log_group_arn)

    def delete_logging_configuration(self, workspace_id: str) -> None:
        self._check_logging(workspace_id)
        super().delete_logging_configuration(workspace_id)

    def _check_logging(self, workspace_id: str) -> None:
        if workspace_id not in self.workspaces:
            raise WorkspaceNotFound(workspace_id)
        if self.workspaces[workspace_id].logging_config is None:
            raise NotFound(f"Workspace {workspace_id} has no logging configuration")

    def _check_log_group(self, arn: str) -> None:
        parts = arn.split(":")
        if len(parts) != 8 or parts[7] != "*" or parts[6] not in logs_backends[parts[4]][parts[3]].groups:
            raise Invalid(f"logGroupArn must be the ARN of a log group that exists, with :* at its end; got {arn}")

    def _check_key(self, arn: str) -> None:
        parts = arn.split(":", 5)
        if len(parts) < 6 or parts[5].removeprefix("key/") not in kms_backends[parts[4]][parts[3]].keys:
            raise Invalid(f"The KMS key does not exist: {arn}")
        if parts[3] != self.region_name:
            raise Invalid(f"The KMS key must be in {self.region_name}, where the workspace is; got {arn}")
