"""Reads the requests of S3 and writes the answers."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.s3.exceptions import NoSuchLifecycleConfiguration
from moto.s3.responses import S3Response

from engine.emulator.s3.policies import lifecycle_answer


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
        result = {"Rules": rules, "TransitionDefaultMinimumObjectSize": bucket.minimum_object_size}
        return self.serialized(ActionResult(result))

    def get_bucket_encryption(self) -> Any:
        self.data["Action"] = "GetBucketEncryption"
        kept: Any = self.backend.get_bucket_encryption(self.bucket_name)
        if not kept or "BlockedEncryptionTypes" not in kept["Rule"]:
            return super().get_bucket_encryption()
        rule = kept["Rule"]
        types = (rule["BlockedEncryptionTypes"] or {}).get("EncryptionType") or []
        told = {
            "ApplyServerSideEncryptionByDefault": rule["ApplyServerSideEncryptionByDefault"],
            "BucketKeyEnabled": rule.get("BucketKeyEnabled") == "true",
            "BlockedEncryptionTypes": {"EncryptionType": types if isinstance(types, list) else [types]},
        }
        return self.serialized(ActionResult({"ServerSideEncryptionConfiguration": {"Rules": [told]}}))

    def get_bucket_logging(self) -> Any:
        logging: dict[str, Any] = self.backend.get_bucket_logging(self.bucket_name) or {}
        if "TargetObjectKeyFormat" not in logging:
            return super().get_bucket_logging()
        self.data["Action"] = "GetBucketLogging"
        key_format = {key: value or {} for key, value in logging["TargetObjectKeyFormat"].items()}
        enabled: dict[str, Any] = {key: logging[key] for key in ("TargetBucket", "TargetPrefix")}
        if grants := logging.get("TargetGrants"):
            enabled["TargetGrants"] = [_grant(grant) for grant in grants]
        return self.serialized(ActionResult({"LoggingEnabled": enabled | {"TargetObjectKeyFormat": key_format}}))

    def get_bucket_notification(self) -> Any:
        kept: Any = self.backend.get_bucket_notification_configuration(self.bucket_name)
        if not kept or kept.event_bridge is None:
            return super().get_bucket_notification()
        self.data["Action"] = "GetBucketNotificationConfiguration"
        told: dict[str, Any] = {
            "TopicConfigurations": [_notification(each, "TopicArn") for each in kept.topic],
            "QueueConfigurations": [_notification(each, "QueueArn") for each in kept.queue],
            "LambdaFunctionConfigurations": [_notification(each, "LambdaFunctionArn") for each in kept.cloud_function],
        }
        return self.serialized(ActionResult(told | {"EventBridgeConfiguration": {}}))


def _notification(kept: Any, arn: str) -> dict[str, Any]:
    told = {"Id": kept.id, arn: kept.arn, "Events": kept.events}
    return told | ({"Filter": {"Key": {"FilterRules": kept.filters["S3Key"]["FilterRule"]}}} if kept.filters else {})


def _grant(grant: Any) -> dict[str, Any]:
    """What moto keeps of a grant, in the form of the answer."""
    grantee = grant.grantees[0]
    told = {"Type": grantee.type, "URI": grantee.uri, "ID": grantee.id, "DisplayName": grantee.display_name}
    return {"Grantee": {key: value for key, value in told.items() if value}, "Permission": grant.permissions[0]}
