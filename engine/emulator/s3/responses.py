"""Reads the requests of S3 and writes the answers."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.s3.exceptions import NoSuchLifecycleConfiguration
from moto.s3.responses import S3Response

from engine.emulator.s3.policies import lifecycle_answer

MINIMUM_OBJECT_SIZE = "all_storage_classes_128K"  # the default since September 2024


class ExtendedS3Response(S3Response):
    def get_bucket_lifecycle(self) -> Any:
        self.data["Action"] = "GetBucketLifecycleConfiguration"
        bucket: Any = self.backend.get_bucket(self.bucket_name)
        if not bucket.rules:
            raise NoSuchLifecycleConfiguration(bucket_name=self.bucket_name)
        if not hasattr(bucket, "lifecycle_request"):  # made by CloudFormation, past the API
            return super().get_bucket_lifecycle()
        pairs = zip(bucket.lifecycle_request, bucket.rules, strict=True)
        rules = [lifecycle_answer(sent, kept.id) for sent, kept in pairs]
        result = {"Rules": rules, "TransitionDefaultMinimumObjectSize": MINIMUM_OBJECT_SIZE}
        return self.serialized(ActionResult(result))

    def get_bucket_logging(self) -> Any:
        logging: dict[str, Any] = self.backend.get_bucket_logging(self.bucket_name) or {}
        if "TargetObjectKeyFormat" not in logging:
            return super().get_bucket_logging()
        self.data["Action"] = "GetBucketLogging"
        key_format = {key: value or {} for key, value in logging["TargetObjectKeyFormat"].items()}
        enabled = {key: logging[key] for key in ("TargetBucket", "TargetPrefix")}
        return self.serialized(ActionResult({"LoggingEnabled": enabled | {"TargetObjectKeyFormat": key_format}}))
