"""The S3 backend that moto is given instead of its own."""

from __future__ import annotations

from typing import Any

from flask import request
from moto.s3.exceptions import InvalidBucketState
from moto.s3.models import S3Backend

from engine.emulator.s3.policies import check_lifecycle, check_name, check_policy, delivery_statements

MINIMUM_OBJECT_SIZE = "all_storage_classes_128K"  # the default since September 2024
MINIMUM_OBJECT_SIZE_HEADER = "x-amz-transition-default-minimum-object-size"


class ExtendedS3Backend(S3Backend):
    @property
    def _url_module(self) -> Any:
        from engine.emulator.s3 import urls  # it imports moto's responses, which import moto's models

        return urls

    def create_bucket(self, bucket_name: str, *args: Any, **kwargs: Any) -> Any:
        check_name(bucket_name)
        return super().create_bucket(bucket_name, *args, **kwargs)

    def put_bucket_policy(self, bucket_name: str, policy: bytes) -> None:
        bucket: Any = self.get_bucket(bucket_name)
        block = bucket.public_access_block
        blocked = block is not None and str(block.block_public_policy).lower() == "true"
        check_policy(policy, bucket.arn, block_public=blocked)
        super().put_bucket_policy(bucket_name, policy)

    def put_bucket_versioning(self, bucket_name: str, status: str) -> None:
        if status == "Suspended" and self.get_bucket(bucket_name).object_lock_enabled:
            raise InvalidBucketState(
                "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed."
            )
        super().put_bucket_versioning(bucket_name, status)

    def put_bucket_lifecycle_configuration(self, bucket_name: str, rules: list[dict[str, Any]]) -> None:
        check_lifecycle(rules)
        super().put_bucket_lifecycle_configuration(bucket_name, rules)
        bucket: Any = self.get_bucket(bucket_name)
        bucket.lifecycle_request = rules
        bucket.minimum_object_size = request.headers.get(MINIMUM_OBJECT_SIZE_HEADER) or MINIMUM_OBJECT_SIZE

    def put_bucket_logging(self, bucket_name: str, logging_config: dict[str, Any] | None) -> None:
        target: Any = self.buckets.get(logging_config["TargetBucket"]) if logging_config else None
        if logging_config is None or target is None or not target.policy:
            super().put_bucket_logging(bucket_name, logging_config)  # pyright: ignore[reportArgumentType] - moto takes None
            return
        # moto's check of the target's policy breaks at a principal of "*" and knows no wildcard but the last.
        policy = target.policy
        target.policy = delivery_statements(policy, target.arn, logging_config.get("TargetPrefix") or "")
        try:
            super().put_bucket_logging(bucket_name, logging_config)
        finally:
            target.policy = policy

    def put_object_lock_configuration(
        self,
        bucket_name: str,
        lock_enabled: bool,
        mode: str | None = None,
        days: int | None = None,
        years: int | None = None,
    ) -> None:
        bucket: Any = self.get_bucket(bucket_name)
        if not bucket.is_versioned:
            message = "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration"
            raise InvalidBucketState(message)
        # moto refuses a bucket with objects; S3 has allowed it since November 2023.
        bucket.object_lock_enabled = bucket.object_lock_enabled or lock_enabled
        bucket.default_lock_mode = mode
        bucket.default_lock_days, bucket.default_lock_years = days or None, years or None
