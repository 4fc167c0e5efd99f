"""The declared platform, from its settings files, through the command line, in a running emulator, and gone again.

One story per environment: what a test of its own would need first is what the step before has left. Those of the
sandbox's own environment go on in one sandbox, each bringing up what is not there: a whole platform takes 15 seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.commands import Workplace, platform
from tests.integration.conftest import client_of
from tests.integration.presence import present
from tests.integration.standing import Cluster, check_buckets, check_gone, check_inventory, gpus_declared

# A command waits for others where these have the machine's cores.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Workplace]:
    yield from _in_sandbox(tmp_path / "checkout")


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    yield from _in_sandbox(tmp_path_factory.mktemp("standing") / "checkout")


def _in_sandbox(folder: Path) -> Iterator[Workplace]:
    made = platform(folder)
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

    # There is one Kubernetes API in a sandbox, and gp3, gpu-system and the like can be in it once.
    work.run("up", "sandbox", "--skip-preview").expect(
        1,
        "previewed all the same: stack prod is in the sandbox, too",
        "stack prod has Kubernetes objects in this sandbox that sandbox would make, too",
        "nothing was changed",
    )
    assert work.state("sandbox") == []
    assert Cluster.of(work).differences(work.state("prod")) == []


def test_drift_is_found_and_healed(standing: Workplace) -> None:
    work, client = standing, client_of(standing)
    work.run("up", "sandbox", "--yes").expect(0)
    outputs = work.run("outputs", "sandbox", "--output", "json").expect(0).json()["outputs"]
    bucket = outputs["bucketNames"]["datasets"]
    client("s3").put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    client("logs").delete_log_group(logGroupName=outputs["logGroups"]["workloads"])
    client("ecr").put_image_tag_mutability(repositoryName="bedplate/sandbox/jobs", imageTagMutability="MUTABLE")
    work.run("up", "sandbox", "--yes", "--expect-no-changes").expect(0)  # an up believes its state
    work.run("refresh", "sandbox", "--yes", "--expect-no-changes").expect(7)
    told = work.run("refresh", "sandbox", "--preview-only", "--output", "json").expect(0).json()
    assert {group["name"] for group in told["drift"]} == {"storage", "logs", "registry"}
    work.run("preview", "sandbox", "--refresh", "--expect-no-changes").expect(7, "drift: what exists", "+ 1 create")
    found = work.run("refresh", "sandbox", "--yes").expect(0).text
    # Below the components storage, logs and registry, whose names a tree does not repeat.
    for name in ("…datasets", "…workloads", "…jobs"):
        assert name in found
    healed = work.run("up", "sandbox", "--yes", "--output", "json").expect(0).json()
    assert {op: count for op, count in healed["done"].items() if op != "same"} == {"create": 1, "update": 2}
    assert client("s3").get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    check_inventory(work, client, "sandbox", "ml-platform")
    work.run("refresh", "sandbox", "--yes", "--expect-no-changes").expect(0)


def test_a_sandbox_that_ended_is_filled_again(standing: Workplace) -> None:
    work = standing
    work.run("up", "sandbox", "--yes").expect(0)
    first = {each["urn"] for each in work.state("sandbox")}
    work.run("sandbox", "down").expect(0)  # without destroy, as when a laptop was switched off
    work.run("sandbox", "up", "sandbox").expect(0, "looking for what is gone")
    state = work.state("sandbox")
    assert {each["urn"] for each in state} == first
    assert Cluster.of(work).differences(state) == []
    work.run("up", "sandbox", "--yes", "--expect-no-changes").expect(0)


def test_another_network_takes_its_cluster_along(standing: Workplace) -> None:
    work, client = standing, client_of(standing)
    work.run("up", "sandbox", "--yes").expect(0)
    former = work.state("sandbox")
    (vpc,) = (one for one in former if one["type"] == "aws:ec2/vpc:Vpc")
    edit(work, "sandbox", ("availability_zones: 2", "availability_zones: 2\n    cidr: 10.9.0.0/16"))
    work.run("up", "sandbox", "--yes").expect(0, "replaced")
    assert not present(client, vpc)
    state = check_inventory(work, client, "sandbox", "ml-platform")
    (vpc,) = (one for one in state if one["type"] == "aws:ec2/vpc:Vpc")
    (cluster,) = (one for one in state if one["type"] == "aws:eks/cluster:Cluster")
    described = client("eks").describe_cluster(name=cluster["id"])["cluster"]
    assert described["resourcesVpcConfig"]["vpcId"] == vpc["id"]
    assert Cluster.of(work).differences(state) == []
    assert Cluster.of(work).gpus_by_pool() == gpus_declared(state)
    work.run("up", "sandbox", "--yes", "--expect-no-changes").expect(0)

    work.run("destroy", "sandbox", "--yes").expect(0)
    check_gone(work, client, "sandbox", former, state)
