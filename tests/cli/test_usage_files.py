"""One usage file for all of a command: the line of costs and the rules of budgets estimate by the same."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cli.exits import ExitCode
from cli.usage_files import PARAMETER, RULES, config_for, merged
from engine.analyzer.findings import Level, PolicyConfig
from policies.budget import BUDGET
from tests.cli.test_packs import environment

PACK = Path(__file__).parents[2] / "policies" / "budget"
PROGRAM = """
import pulumi

class Raw(pulumi.CustomResource):
    def __init__(self, token, name, **inputs):
        super().__init__(token, name, inputs)

Raw("aws:ec2/natGateway:NatGateway", "nat", connectivityType="public", subnetId="subnet-1")
"""
SETTINGS = "config: {aws:region: us-east-1, bedplate:cost: {ceiling_usd: 100}}\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").write_text("name: demo\nruntime: python\n")
    (tmp_path / "Pulumi.dev.yaml").write_text(SETTINGS)
    (tmp_path / "__main__.py").write_text(PROGRAM)
    (tmp_path / "much.yaml").write_text("resources: {nat: {processed_gb: 10000}}\n")
    return tmp_path


def run(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cli.main", *arguments, "--policy-pack", str(PACK), "--cwd", str(project)]
    return subprocess.run(command, capture_output=True, text=True, env=environment(), check=False)


def about_the_ceiling(findings: list[dict[str, Any]], key: str) -> list[str]:
    return [one["message"] for one in findings if one[key] == "cost-ceiling"]


def test_the_file_that_a_preview_names_is_that_of_its_costs_and_of_its_rules(project: Path) -> None:
    much = project / "much.yaml"
    document = json.loads(run(project, "preview", "dev", "--usage", str(much), "--output", "json").stdout)
    assert document["cost"]["usage"] == str(much)
    assert document["cost"]["after"]["desired"] == pytest.approx(0.045 * 730 + 10000 * 0.045)
    assert about_the_ceiling(document["policy"]["findings"], "policy") == [
        "estimated at 483 USD a month, above the ceiling of 100 (most of it: the rest 483)"
    ]


def test_the_file_beside_the_settings_is_that_of_the_rules_wherever_these_lie(project: Path) -> None:
    (project / "much.yaml").rename(project / "usage.dev.yaml")
    done = run(project, "policy", "run", "dev", "--output", "json")
    assert about_the_ceiling(json.loads(done.stdout)["findings"], "rule")
    (project / "usage.dev.yaml").unlink()
    done = run(project, "policy", "run", "dev", "--output", "json")
    assert not about_the_ceiling(json.loads(done.stdout)["findings"], "rule")


@pytest.mark.parametrize("command", [("preview",), ("policy", "run"), ("policy", "run", "-f", "much.yaml")])
def test_a_file_that_can_not_be_used_stops_the_command(project: Path, command: tuple[str, ...]) -> None:
    (project / "bad.yaml").write_text("version: 7\n")
    done = run(project, *command, "dev", "--usage", str(project / "bad.yaml"))
    assert done.returncode == ExitCode.USAGE
    assert "bad.yaml: 1 problem\n  version: expected 1, found 7" in done.stderr


def test_the_rules_that_are_told_are_those_that_estimate() -> None:
    assert sorted(rule.id for rule in BUDGET.rules.values() if PARAMETER in rule.parameters) == sorted(RULES)
    assert {name: dict(one.properties) for name, one in config_for(PACK, Path("/u.yaml")).items()} == {
        rule: {PARAMETER: "/u.yaml"} for rule in RULES
    }
    assert config_for(PACK, None)["pool-cost"].properties == {PARAMETER: ""}
    assert not config_for(PACK.parent / "security", None)


def test_what_a_pack_is_told_stands_beside_what_it_is_configured_with() -> None:
    told, given = {"a": PolicyConfig(None, {"x": 1, "y": 1})}, {"a": PolicyConfig(Level.ADVISORY, {"y": 2})}
    assert merged(told, given) == {"a": PolicyConfig(Level.ADVISORY, {"x": 1, "y": 2})}
    assert merged(given, told) == {"a": PolicyConfig(Level.ADVISORY, {"x": 1, "y": 1})}
