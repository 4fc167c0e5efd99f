"""Buckets: what each has beside itself, and what the logs and the audit bucket have that others don't."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from components.storage import BucketKind
from tests.components.platform_recording import Run, config_of, run_program

COMPANIONS = (
    "aws:s3/bucketVersioning:BucketVersioning",
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
    "aws:s3/bucketPolicy:BucketPolicy",
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
    "aws:s3/bucketLogging:BucketLogging",
)


def _companion(run: Run, type_: str, kind: BucketKind) -> Any:
    bucket = f"-{kind.value}-0123abc"
    found = [each for each in run.of(type_) if each.inputs["bucket"].endswith(bucket)]
    return found[0].inputs if found else None


def test_every_bucket_has_its_seven_companions(run: Run) -> None:
    assert len(run.of("aws:s3/bucket:Bucket")) == len(BucketKind)
    for kind in BucketKind:
        missing = {type_.split(":")[-1] for type_ in COMPANIONS if _companion(run, type_, kind) is None}
        # A bucket that logs to itself would log its own logs for ever.
        assert missing == ({"BucketLogging"} if kind is BucketKind.LOGS else set()), kind


def test_every_bucket_is_closed_versioned_and_owned(run: Run) -> None:
    for kind in BucketKind:
        block = _companion(run, COMPANIONS[2], kind)
        assert all(block[key] for key in block if key != "bucket")
        assert len(block) == 5
        assert _companion(run, COMPANIONS[0], kind)["versioningConfiguration"]["status"] == "Enabled"
        assert _companion(run, COMPANIONS[3], kind)["rule"]["objectOwnership"] == "BucketOwnerEnforced"


def test_every_bucket_refuses_requests_without_tls(run: Run) -> None:
    for kind in BucketKind:
        statements = json.loads(_companion(run, COMPANIONS[4], kind)["policy"])["Statement"]
        (deny,) = [statement for statement in statements if statement["Effect"] == "Deny"]
        arn = f"arn:aws:s3:::{_companion(run, COMPANIONS[4], kind)['bucket']}"
        assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        assert deny["Resource"] == [arn, f"{arn}/*"]


def test_data_is_encrypted_with_the_key_and_access_logs_with_s3s_own(run: Run) -> None:
    for kind in BucketKind:
        (rule,) = _companion(run, COMPANIONS[1], kind)["rules"]
        default = rule["applyServerSideEncryptionByDefault"]
        if kind is BucketKind.LOGS:
            # S3 does not deliver access logs to a bucket with SSE-KMS.
            assert default == {"sseAlgorithm": "AES256"}
        else:
            assert (default["sseAlgorithm"], rule["bucketKeyEnabled"]) == ("aws:kms", True)
            assert default["kmsMasterKeyId"].endswith(":keys-data")


def test_every_lifecycle_ends_uploads_and_old_versions(run: Run) -> None:
    for kind in BucketKind:
        (rule,) = _companion(run, COMPANIONS[5], kind)["rules"]
        assert rule["abortIncompleteMultipartUpload"]["daysAfterInitiation"] > 0
        assert rule["noncurrentVersionExpiration"]["noncurrentDays"] > 0
        assert rule["expiration"].get("days") or rule["expiration"]["expiredObjectDeleteMarker"]
        days = [step["days"] for step in rule.get("transitions", [])]
        assert days == sorted(days)


def test_only_the_other_buckets_may_deliver_access_logs(run: Run) -> None:
    statements = json.loads(_companion(run, COMPANIONS[4], BucketKind.LOGS)["policy"])["Statement"]
    (delivery,) = [each for each in statements if each["Sid"] == "AccessLogDelivery"]
    assert delivery["Principal"] == {"Service": "logging.s3.amazonaws.com"}
    assert delivery["Condition"]["StringEquals"] == {"aws:SourceAccount": "123456789012"}
    sources = delivery["Condition"]["ArnEquals"]["aws:SourceArn"]
    assert len(sources) == len(BucketKind) - 1
    assert not any("-logs-" in arn for arn in sources)
    for kind in BucketKind:
        if kind is not BucketKind.LOGS:
            logging = _companion(run, COMPANIONS[6], kind)
            assert delivery["Resource"].endswith("/access/*")
            assert logging["targetPrefix"].startswith("access/")
            assert "-logs-" in logging["targetBucket"]


def test_access_logs_begin_after_their_delivery_is_allowed(run: Run) -> None:
    (policy,) = [each for each in run.of(COMPANIONS[4]) if each.name.endswith("-logs")]
    for logging in run.of(COMPANIONS[6]):
        assert policy.urn in logging.depends_on


def test_records_and_models_can_be_locked_everywhere_and_records_are_as_the_environment_says(
    recorded: Callable[[str], Run],
) -> None:
    lock = "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration"
    modes = {"dev": "GOVERNANCE", "staging": "GOVERNANCE", "prod": "COMPLIANCE", "sandbox": None}
    for environment, mode in modes.items():
        run = recorded(environment)
        lockable = {each.name for each in run.of("aws:s3/bucket:Bucket") if each.inputs["objectLockEnabled"]}
        assert lockable == {f"bedplate-{environment}-audit", f"bedplate-{environment}-models"}
        locks = [each.inputs["rule"]["defaultRetention"]["mode"] for each in run.of(lock)]
        assert locks == ([] if mode is None else [mode])


def test_flow_logs_are_let_into_the_logs_bucket_only_where_they_go_there() -> None:
    config = config_of("dev")
    config["bedplate:network"]["flow_logs"] = {"destination": "s3"}
    run = run_program(config, "dev")
    statements = json.loads(_companion(run, COMPANIONS[4], BucketKind.LOGS)["policy"])["Statement"]
    (delivery,) = [each for each in statements if each["Sid"] == "FlowLogDelivery"]
    assert delivery["Resource"] == "arn:aws:s3:::bedplate-dev-logs-0123abc/flow/*"
    (flow_log,) = run.of("aws:ec2/flowLog:FlowLog")
    assert flow_log.inputs["logDestination"] == "arn:aws:s3:::bedplate-dev-logs-0123abc/flow/"
    # S3 delivery needs no role.
    assert not [each for each in run.of("aws:iam/role:Role") if each.name.startswith("flow-logs")]
