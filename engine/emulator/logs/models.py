"""The backend of CloudWatch Logs that moto is given instead of its own.

Source: CloudWatch Logs API reference, CreateLogGroup, PutRetentionPolicy, AssociateKmsKey,
PutLogGroupDeletionProtection, PutMetricFilter, DeleteMetricFilter.
"""

from __future__ import annotations

from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.kms.models import kms_backends
from moto.logs.exceptions import ResourceNotFoundException
from moto.logs.models import LogsBackend

CLASSES = ("STANDARD", "INFREQUENT_ACCESS", "DELIVERY")
RETENTIONS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)  # days


class InvalidParameterError(JsonRESTError):
    code = 400

    def __init__(self, message: str) -> None:
        super().__init__("InvalidParameterException", message)


class ExtendedLogsBackend(LogsBackend):
    def create_log_group(self, log_group_name: str, tags: dict[str, str], **kwargs: Any) -> Any:
        log_class = kwargs.pop("logGroupClass", None) or "STANDARD"
        protected = bool(kwargs.pop("deletionProtectionEnabled", False))
        if log_class not in CLASSES:
            raise InvalidParameterError(f"logGroupClass must be one of {', '.join(CLASSES)}")
        if kwargs.get("kmsKeyId"):
            self._check_key(kwargs["kmsKeyId"])
        group: Any = super().create_log_group(log_group_name, tags, **kwargs)
        group.log_group_class, group.deletion_protection = log_class, protected
        return group

    def delete_log_group(self, log_group_name: str) -> None:
        group: Any = self.groups.get(log_group_name)
        if group is not None and getattr(group, "deletion_protection", False):
            message = f"Log group {log_group_name} has deletion protection enabled; disable it first"
            raise JsonRESTError("ValidationException", message)
        super().delete_log_group(log_group_name)
        for kept in self.filters.get_matching_filters(log_group_name=log_group_name):
            self.filters.metric_filters.remove(kept)

    def put_retention_policy(self, log_group_name: str, retention_in_days: Any) -> None:
        if int(retention_in_days) not in RETENTIONS:
            raise InvalidParameterError(f"retentionInDays must be one of {', '.join(map(str, RETENTIONS))}")
        super().put_retention_policy(log_group_name, retention_in_days)

    def associate_kms_key(self, log_group_name: str, kms_key_id: str) -> None:
        self._check_key(kms_key_id)
        self._group(log_group_name).kms_key_id = kms_key_id

    def disassociate_kms_key(self, log_group_name: str) -> None:
        self._group(log_group_name).kms_key_id = None

    def protect(self, identifier: str, protected: bool) -> None:
        name = identifier.split(":log-group:", 1)[-1].removesuffix(":*")
        self._group(name).deletion_protection = protected

    def put_metric_filter(
        self, filter_name: str, filter_pattern: str, log_group_name: str, metric_transformations: str
    ) -> None:
        """Put it in the place of the one that has its name: moto keeps both."""
        self._group(log_group_name)
        for kept in self._filters(filter_name, log_group_name):
            self.filters.metric_filters.remove(kept)
        super().put_metric_filter(filter_name, filter_pattern, log_group_name, metric_transformations)

    def delete_metric_filter(self, filter_name: str | None = None, log_group_name: str | None = None) -> None:
        if not self._filters(filter_name or "", log_group_name or ""):
            raise ResourceNotFoundException
        super().delete_metric_filter(filter_name, log_group_name)

    def apply_on_transformed(self, filter_name: str, log_group_name: str, apply: bool) -> None:
        for kept in self._filters(filter_name, log_group_name):
            kept["applyOnTransformedLogs"] = apply

    def _filters(self, name: str, group: str) -> list[dict[str, Any]]:
        found = self.filters.get_matching_filters(prefix=name, log_group_name=group)
        return [kept for kept in found if kept["filterName"] == name]

    def _group(self, name: str) -> Any:
        if name not in self.groups:
            raise ResourceNotFoundException
        return self.groups[name]

    def _check_key(self, arn: str) -> None:
        parts = arn.split(":", 5)
        if len(parts) < 6 or parts[5].split("/", 1)[-1] not in kms_backends[parts[4]][parts[3]].keys:
            raise InvalidParameterError(f"The specified KMS key does not exist or is not allowed to be used: {arn}")
