"""The declared platform, from its settings files, through the command line, in a running emulator, and gone again.

One story per environment: what a test of its own would need first is what the step before has left.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.integration.commands import Workplace, platform
from tests.integration.conftest import Client, client_of
from tests.integration.presence import DEPLOYMENT_TAGS, managed, present, tags_of

pytestmark = pytest.mark.slow
OPERATION_MARK = "bedplate:operation"  # by which an interrupted run finds what it was making


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Workplace]:
    made = platform(tmp_path / "checkout")
    made.run("sandbox", "up").expect(0)
    yield made
    made.run("sandbox", "down").expect(0)


def edit(work: Workplace, environment: str, *changes: tuple[str, str]) -> None:
    path = work.folder / "stacks" / f"Pulumi.{environment}.yaml"
    text = path.read_text()
    for old, new in changes:
        assert text.count(old) == 1, f"{path} has {old!r} {text.count(old)} times"
        text = text.replace(old, new)
    path.write_text(text)


def check_inventory(work: Workplace, client: Client, environment: str, team: str) -> None:
    """Everything in the state is in AWS, with the tags of this deployment where its type has tags."""
    resources = managed(work.state(environment))
    assert len(resources) > 100
    for resource in resources:
        tags = tags_of(client, resource)
        if tags is None:
            assert "tagsAll" not in resource["outputs"], f"{resource['urn']} can be tagged; nobody looked"
            continue
        declared = {key: value for key, value in tags.items() if key != OPERATION_MARK}
        assert declared == resource["outputs"]["tagsAll"], resource["urn"]
        assert tags.keys() >= DEPLOYMENT_TAGS, resource["urn"]
        expected = {"Environment": environment, "Team": team, "DeploymentId": f"bedplate-{environment}"}
        assert expected.items() <= tags.items(), resource["urn"]


def check_buckets(client: Client, names: dict[str, str], key_arn: str, lock: Mapping[str, object] | None) -> None:
    """What AWS itself says of the buckets' protection."""
    s3 = client("s3")
    for kind, name in names.items():
        assert all(s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"].values())
        assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
        rule = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"][0]
        by_default = rule["ApplyServerSideEncryptionByDefault"]
        if kind != "logs":  # AWS delivers access logs to no bucket that is encrypted with a key
            assert by_default == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key_arn}
        policy = json.loads(s3.get_bucket_policy(Bucket=name)["Policy"])
        insecure = {"Bool": {"aws:SecureTransport": "false"}}
        assert any(each["Effect"] == "Deny" and each.get("Condition") == insecure for each in policy["Statement"])
    if lock is not None:
        configuration = s3.get_object_lock_configuration(Bucket=names["audit"])["ObjectLockConfiguration"]
        assert configuration["Rule"]["DefaultRetention"] == lock


def test_the_sandbox_environment_lives(work: Workplace) -> None:
    client = client_of(work)
    work.run("up", "sandbox", "--yes").expect(0, "created", "outputs")
    check_inventory(work, client, "sandbox", "ml-platform")
    outputs = work.run("outputs", "sandbox", "--output", "json").expect(0).json()["outputs"]
    check_buckets(client, outputs["bucketNames"], outputs["keyArns"]["data"], None)
    work.run("up", "sandbox", "--yes", "--expect-no-changes").expect(0, "unchanged")
    work.run("preview", "sandbox", "--expect-no-changes").expect(0)

    former = {resource["urn"]: resource["id"] for resource in managed(work.state("sandbox"))}
    edit(work, "sandbox", ("team: ml-platform", "team: research"), ("retention_days: 1\n", "retention_days: 3\n"))
    changed = work.run("up", "sandbox", "--yes", "--output", "json").expect(0).json()
    assert set(changed["done"]) <= {"update", "same"}, changed["done"]
    assert former == {resource["urn"]: resource["id"] for resource in managed(work.state("sandbox"))}
    check_inventory(work, client, "sandbox", "research")
    groups = client("logs").describe_log_groups(logGroupNamePrefix="/bedplate/sandbox/")["logGroups"]
    assert {group["retentionInDays"] for group in groups} == {3}

    replaced = managed(work.state("sandbox"))
    vpc = next(resource for resource in replaced if resource["type"] == "aws:ec2/vpc:Vpc")
    edit(work, "sandbox", ("availability_zones: 2", "availability_zones: 2\n    cidr: 10.9.0.0/16"))
    work.run("up", "sandbox", "--yes").expect(0, "replaced")
    assert not present(client, vpc)
    check_inventory(work, client, "sandbox", "research")
    work.run("up", "sandbox", "--yes", "--expect-no-changes").expect(0)

    last = managed(work.state("sandbox"))
    work.run("destroy", "sandbox", "--yes").expect(0)
    assert [resource["urn"] for resource in [*replaced, *last] if present(client, resource)] == []
    assert work.state("sandbox") == []
    work.run("destroy", "sandbox", "--yes").expect(0)


def test_the_production_environment_is_protected(work: Workplace) -> None:
    client = client_of(work)
    work.run("up", "prod", "--yes").expect(0, "never to AWS")
    check_inventory(work, client, "prod", "ml-platform")
    outputs = work.run("outputs", "prod", "--output", "json").expect(0).json()["outputs"]
    locked = {"Mode": "COMPLIANCE", "Days": 2557}
    check_buckets(client, outputs["bucketNames"], outputs["keyArns"]["data"], locked)
    work.run("up", "prod", "--yes", "--expect-no-changes").expect(0)

    refused = work.run("destroy", "prod", "--yes").expect(
        4, "protected", "left alone: keys, which keys-alerts still needs"
    )
    assert "Traceback" not in refused.text
    check_inventory(work, client, "prod", "ml-platform")


def test_drift_is_found_and_healed(work: Workplace) -> None:
    client = client_of(work)
    work.run("up", "sandbox", "--yes").expect(0)
    outputs = work.run("outputs", "sandbox", "--output", "json").expect(0).json()["outputs"]
    bucket = outputs["bucketNames"]["datasets"]
    client("s3").put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    client("logs").delete_log_group(logGroupName=outputs["logGroups"]["workloads"])
    client("ecr").put_image_tag_mutability(repositoryName="bedplate/sandbox/jobs", imageTagMutability="MUTABLE")
    work.run("up", "sandbox", "--yes", "--expect-no-changes").expect(0)  # an up believes its state
    work.run("refresh", "sandbox", "--yes", "--expect-no-changes").expect(7)
    found = work.run("refresh", "sandbox", "--yes").expect(0).text
    # Below the components storage, logs and registry, whose names a tree does not repeat.
    for name in ("…datasets", "…workloads", "…jobs"):
        assert name in found
    healed = work.run("up", "sandbox", "--yes", "--output", "json").expect(0).json()
    assert {op: count for op, count in healed["done"].items() if op != "same"} == {"create": 1, "update": 2}
    assert client("s3").get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    check_inventory(work, client, "sandbox", "ml-platform")
    work.run("refresh", "sandbox", "--yes", "--expect-no-changes").expect(0)
