"""The policy commands as their users meet them: in a project with one small pack, and against ours."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cli.exits import ExitCode
from cli.findings.places import ABOUT_SETTINGS
from policies.kit import sdk_policies
from tests.conftest import REPOSITORY
from tests.engine.analyzer.packs import SMALL, write

CASES = """\
rule: small
cases:
  - name: too big
    resources: [{type: "test:index:Thing", name: a, properties: {size: 9}}]
    findings: [{resource: a, contains: "9 is too big"}]
  - name: fits
    resources: [{type: "test:index:Thing", name: a, properties: {size: 2}}]
    findings: []
"""
PODS = """\
apiVersion: v1
kind: Pod
metadata: {name: bad-web, namespace: team}
size: 9
---
apiVersion: v1
kind: Pod
metadata: {name: fine}
size: 1
"""


@dataclass
class Project:
    folder: Path

    def run(self, *arguments: str, code: int = 0, here: Path | None = None, given: str = "") -> str:
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("PULUMI_", "BEDPLATE_"))
        }
        done = subprocess.run(
            [sys.executable, "-m", "cli.main", "policy", *arguments, "--cwd", str(self.folder)],
            cwd=here or self.folder,
            env=environment | {"COLUMNS": "80", "BEDPLATE_ENGINE": "embedded", "PYTHONPATH": str(REPOSITORY)},
            capture_output=True, text=True, check=False, input=given,
        )  # fmt: skip
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    (tmp_path / "Pulumi.dev.yaml").write_text("config: {}\n")
    (tmp_path / "__main__.py").write_text(
        "import pulumi\n"
        "class Thing(pulumi.ComponentResource):\n"
        "    def __init__(self, name, size):\n"
        "        super().__init__('test:index:Thing', name, {'size': size})\n"
        "Thing('bad-one', 9)\nThing('good', 1)\n"
    )
    pack = write(tmp_path / "policies" / "sizes")
    (pack / "cases").mkdir()
    (pack / "cases" / "small.yaml").write_text(CASES)
    (tmp_path / "pods.yaml").write_text(PODS)
    return Project(tmp_path)


def test_rules_are_listed(project: Project) -> None:
    text = project.run("list")
    assert "small  mandatory  high" in text
    assert text.rstrip().endswith("2 rules in sizes")
    rules = json.loads(project.run("list", "dev", "--output", "json"))["rules"]
    assert [(rule["rule"], rule["judges"]) for rule in rules] == [("small", "resource"), ("named", "stack")]


def test_a_rule_is_explained_and_a_misspelt_one_is_guessed(project: Project) -> None:
    text = project.run("explain", "small")
    assert text.startswith("small  Things are small")
    assert "limit" in text and "(default 3)" in text
    assert "did you mean small?" in project.run("explain", "smal", code=ExitCode.USAGE)


def test_packs_are_tested_by_their_cases(project: Project) -> None:
    assert "✓ sizes         2 cases of 1 rules" in project.run("test")
    cases = project.folder / "policies" / "sizes" / "cases" / "small.yaml"
    cases.write_text(CASES.replace("size: 2", "size: 4"))
    text = project.run("test", str(project.folder / "policies" / "sizes"), code=ExitCode.FAILED)
    assert "unexpected  a: " in text and "4 is too big" in text
    assert "2 cases of 1 rules, 1 failed" in text
    cases.write_text("rule: small\ncases: 3\n")
    assert "expected a list of cases" in project.run("test", code=ExitCode.USAGE)


def test_manifests_are_judged_and_reported(project: Project) -> None:
    log, results = project.folder / "findings.sarif", project.folder / "junit.xml"
    reports = ("--report", f"sarif={log}", "--report", f"junit={results}")
    text = project.run("run", "-f", "pods.yaml", *reports, code=ExitCode.REFUSED)
    assert "team/bad-web  pods.yaml:1" in text
    assert "9 is too big" in text
    assert "pods.yaml: 2 rules, 1 mandatory, 0 advisory findings" in text
    (result,) = json.loads(log.read_text())["runs"][0]["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "pods.yaml"
    assert 'failures="1"' in results.read_text()


def test_an_environment_is_judged_by_its_preview_and_by_what_was_written_of_it(project: Project) -> None:
    found = json.loads(project.run("run", "dev", "--output", "json", code=ExitCode.REFUSED))
    said = [(one["rule"], one["resource"], one["location"]["path"]) for one in found["findings"]]
    assert said == [("small", "bad-one", "__main__.py"), ("named", "bad-one", "__main__.py")]
    log = project.folder / "events.ndjson"
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", "preview", "dev", "--event-log", str(log), "--cwd", str(project.folder)],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert log.exists(), done.stderr
    again = json.loads(project.run("run", "--plan", str(log), "--output", "json", code=ExitCode.REFUSED))
    assert [(one["rule"], one["resource"]) for one in again["findings"]] == [(rule, name) for rule, name, _ in said]


def test_a_pack_that_breaks_is_no_pass(project: Project) -> None:
    write(project.folder / "policies" / "broken", "raise RuntimeError('no luck')\n")
    (project.folder / "pods.yaml").write_text(PODS.replace("size: 9", "size: 1"))
    text = project.run("run", "-f", "pods.yaml", code=ExitCode.FAILED)
    assert "RuntimeError: no luck" in text
    assert "policy pack broken failed: not everything was judged by it" in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run",), "no environment was given"),
        (("run", "-f", "pods.yaml", "--plan", "pods.yaml"), "give one of them"),
        (("run", "-f", "none.yaml"), "none.yaml: No such file or directory"),
        (("run", "-f", "pods.yaml", "--report", "xml=a"), "'xml' is no form of report"),
        (("run", "-f", "pods.yaml", "--policy-pack", "."), "is no policy pack"),
    ],
)
def test_what_cannot_be_judged_says_why(project: Project, arguments: tuple[str, ...], said: str) -> None:
    assert said in project.run(*arguments, code=ExitCode.USAGE)


def test_a_preview_writes_its_findings_too(project: Project) -> None:
    log = project.folder / "findings.json"
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", "preview", "dev", "--report", f"json={log}", "--cwd", str(project.folder)],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == ExitCode.REFUSED, done.stdout + done.stderr
    assert [one["resource"] for one in json.loads(log.read_text())["findings"]] == ["bad-one", "bad-one"]


def test_files_are_judged_by_what_is_wrong_in_them_alone(project: Project) -> None:
    """A folder of manifests, in a project whose program would not even start."""
    (project.folder / "__main__.py").write_text("raise SystemExit(3)\n")
    folder = project.folder / "manifests" / "deep"
    folder.mkdir(parents=True)
    (folder / "pods.yaml").write_text(PODS)
    assert "manifests/deep/pods.yaml:1" in project.run("run", "-f", "manifests", code=ExitCode.REFUSED)


def test_a_finding_names_the_file_that_it_is_in_wherever_that_lies(project: Project, tmp_path_factory: Any) -> None:
    """An overlay has objects of the same names as the next; and what is judged need not lie in the project."""
    folder = tmp_path_factory.mktemp("elsewhere")
    for name, content in (("bad", PODS), ("good", PODS.replace("size: 9", "size: 1"))):
        (folder / name).mkdir()
        (folder / name / "pods.yaml").write_text(content)
    found = json.loads(project.run("run", "-f", str(folder), "--output", "json", code=ExitCode.REFUSED))["findings"]
    places = [(one["rule"], one["location"]["path"], one["location"]["line"]) for one in found]
    assert ("small", f"{folder}/bad/pods.yaml", 1) in places
    assert not [path for rule, path, _ in places if rule == "small" and "good" in path]
    text = project.run("run", "-f", ".", code=ExitCode.REFUSED, here=folder / "bad")
    assert "team/bad-web  pods.yaml:1" in text
    assert "bad: 2 rules" in text


def test_manifests_come_from_standard_input_too(project: Project) -> None:
    text = project.run("run", "-f", "-", code=ExitCode.REFUSED, given=PODS)
    assert "team/bad-web  stdin:1" in text
    assert "stdin: 2 rules, 1 mandatory, 0 advisory findings" in text
    assert "stdin: it holds no object" in project.run("run", "-f", "-", code=ExitCode.USAGE)
    assert "stdin:2: not YAML" in project.run("run", "-f", "-", code=ExitCode.USAGE, given="a: 1\nb: [")


def test_what_is_said_of_the_settings_is_shown_there(project: Project) -> None:
    program = """\
from pulumi_policy import *
PolicyPack("saying", [
    StackValidationPolicy("policy-settings", "s", lambda _, report: report("no such rule"), EnforcementLevel.MANDATORY),
    StackValidationPolicy("whole", "w", lambda _, report: report("all of it"), EnforcementLevel.MANDATORY),
])
"""
    write(project.folder / "policies" / "saying", program)
    (project.folder / "Pulumi.dev.yaml").write_text("config:\n  a:b: c\n  bedplate:policy: {}\n")
    asked: dict[str, tuple[str, ...]] = {"pods.yaml": ("-f", "pods.yaml"), "Pulumi.dev.yaml": ()}
    for whole, more in asked.items():
        found = json.loads(project.run("run", "dev", *more, "--output", "json", code=ExitCode.REFUSED))["findings"]
        places = {one["rule"]: one["location"] for one in found}
        assert places["policy-settings"] == {"path": "Pulumi.dev.yaml", "line": 3}
        assert places["whole"] == {"path": whole, "line": 1}


def test_the_policies_about_settings_are_those_of_our_packs() -> None:
    assert {sdk_policies.SETTINGS, sdk_policies.EXCEPTIONS} == ABOUT_SETTINGS


@pytest.mark.parametrize("arguments", [("-f", "pods.yaml"), ("dev",)], ids=["files", "environment"])
def test_a_pack_that_hangs_is_given_up_in_the_time_that_is_asked_for(
    project: Project, arguments: tuple[str, ...]
) -> None:
    (project.folder / "policies" / "sizes").rename(project.folder / "sizes")
    write(project.folder / "policies" / "slow", "import time; time.sleep(600)\n")
    text = project.run("run", *arguments, "--policy-timeout", "2", code=ExitCode.FAILED)
    assert "policy pack slow did not start within 2 s and was ended" in text


def test_packs_of_the_settings_judge_files_and_are_listed(project: Project) -> None:
    write(project.folder / "theirs", SMALL.replace('"sizes"', '"theirs"'))
    (project.folder / "Pulumi.dev.yaml").write_text(
        "config:\n  bedplate:policy:\n    packs: [{path: theirs, config: {small: {limit: 10}}}]\n"
    )
    assert "4 rules in sizes, theirs" in project.run("list", "dev")
    found = json.loads(project.run("run", "dev", "-f", "pods.yaml", "--output", "json", code=ExitCode.REFUSED))
    assert [pack["name"] for pack in found["packs"]] == ["sizes", "theirs"]
    assert [one["pack"] for one in found["findings"] if one["rule"] == "small"] == ["sizes"]


def test_where_the_settings_leave_packs_out_nothing_passes_for_judged(project: Project) -> None:
    (project.folder / "Pulumi.dev.yaml").write_text("config:\n  bedplate:policy: {enabled: false}\n")
    assert "the settings say enabled: false" in project.run("run", "dev", "-f", "pods.yaml", code=ExitCode.USAGE)
