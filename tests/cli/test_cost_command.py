"""`bedplate cost` as its users meet it: a process, its streams, its exit code, and the files it writes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.commands.cost import check
from cli.exits import UsageError
from cli.main import application
from cli.requests.manner import Output
from cli.requests.views import Costing
from tests.policies.pricing import recorded

PROGRAM = """
import pulumi

class Raw(pulumi.CustomResource):
    def __init__(self, token, name, **inputs):
        super().__init__(token, name, inputs)

Raw("aws:eks/nodeGroup:NodeGroup", "web", instanceTypes=["m5.large"], diskSize=50, clusterName="demo",
    nodeRoleArn="arn:aws:iam::123456789012:role/x", subnetIds=["subnet-1"],
    scalingConfig={"minSize": 1, "desiredSize": 2, "maxSize": 4})
Raw("aws:ec2/natGateway:NatGateway", "nat", connectivityType="public", subnetId="subnet-1")
Raw("aws:msk/cluster:Cluster", "kafka")
"""
# 2 × 0.096 × 730 + 2 × 50 × 0.08 + 0.045 × 730 + 100 GB × 0.045
DESIRED = 140.16 + 8.0 + 32.85 + 4.5


@dataclass
class Project:
    """A project in a folder of its own."""

    folder: Path

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "cli.main", "cost", *arguments, "--cwd", str(self.folder)]
        environment = {**self.environment, **variables}
        return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)

    @property
    def environment(self) -> Mapping[str, str]:
        left = ("PULUMI_", "BEDPLATE_", "AWS_")
        ours = {name: value for name, value in os.environ.items() if not name.startswith(left)}
        none = str(self.folder / "none")
        return ours | {
            "COLUMNS": "80", "BEDPLATE_ENGINE": "embedded",
            "AWS_CONFIG_FILE": none, "AWS_SHARED_CREDENTIALS_FILE": none, "AWS_EC2_METADATA_DISABLED": "true",
        }  # fmt: skip


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "Pulumi.yaml").write_text("name: demo\nruntime: python\n")
    (tmp_path / "Pulumi.dev.yaml").write_text("config: {aws:region: us-east-1}\n")
    (tmp_path / "__main__.py").write_text(PROGRAM)
    return Project(tmp_path)


def test_the_costs_are_told_drawn_and_compared_with_the_cluster(project: Project) -> None:
    with recorded.serving(recorded.opencost) as url:
        done = project.run("dev", "--output", "json", "--svg", str(project.folder / "cost.svg"), "--opencost", url)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["summary"]["after"]["desired"] == pytest.approx(DESIRED)
    assert document["summary"]["before"]["desired"] == 0
    assert [one["what"] for one in document["summary"]["unpriced"]] == [
        "data transfer to the internet", "kafka",
    ]  # fmt: skip
    assert document["cluster"]["measured"] == pytest.approx(147 * 730 / 168, abs=0.01)
    assert (project.folder / "cost.svg").read_text().startswith("<svg")
    assert not (project.folder / ".bedplate" / "state").exists()


def test_usage_beside_the_settings_and_in_a_named_file_count(project: Project) -> None:
    (project.folder / "usage.dev.yaml").write_text("resources: {nat: {processed_gb: 1000}}\n")
    log = project.folder / "events.json"
    done = project.run("dev", "--event-log", str(log))
    assert done.returncode == 0, done.stderr
    assert "summaryEvent" in json.loads(log.read_text().splitlines()[-1])
    assert "$226 a month" in done.stdout  # 45.00 for the data instead of 4.50
    (project.folder / "bad.yaml").write_text("resources: {nat: {procesed_gb: -1}, natt: {}}\n")
    refused = project.run("dev", "--usage", str(project.folder / "bad.yaml"), "--output", "json")
    assert refused.returncode == 2
    assert json.loads(refused.stdout)["error"]["problems"][0]["path"] == "resources.nat.procesed_gb"


def test_prices_that_were_agreed_count_and_are_said_to_be(project: Project) -> None:
    settings = project.folder / "Pulumi.dev.yaml"
    settings.write_text("config: {aws:region: us-east-1, bedplate:cost: {prices: {m5.large: 0.05}}}\n")
    done = project.run("dev", "--explain", COLUMNS="200")
    assert done.returncode == 0, done.stderr
    assert "2 nodes × 730 h × $0.05" in done.stdout
    assert "web; agreed, as the settings say (bedplate:cost.prices)\n" in done.stdout
    settings.write_text("config: {aws:region: us-east-1, bedplate:cost: {prices: {m5.large: -1}}}\n")
    refused = project.run("dev")
    assert refused.returncode == 2
    assert "bedplate:cost.prices.m5.large: expected USD an hour above 0, seen -1" in refused.stderr


def test_a_command_without_markdown_says_what_it_has(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        application()(["preview", "dev", "--output", "markdown"], prog_name="bedplate")
    assert ended.value.code == 2
    assert "`preview` has no output markdown; it has text, json" in capsys.readouterr().err


def test_bills_without_credentials_are_a_matter_of_credentials(project: Project) -> None:
    (project.folder / "__main__.py").write_text(
        PROGRAM.replace('"public"', '"public", tags={"DeploymentId": "demo-dev"}')
    )
    done = project.run("dev", "--actual")
    assert done.returncode == 3, done.stderr
    assert "ce:GetCostAndUsage" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (Costing(opencost="localhost:9003"), "--opencost takes a URL such as http://localhost:9003"),
        (Costing(actual=True, output=Output.MARKDOWN), "told as text or json, not as markdown"),
    ],
)
def test_what_does_not_go_together_is_refused_before_anything_runs(request_: Costing, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        check(request_)
