"""Policy packs as users meet them: options, settings, what is shown, exit codes, what is left running."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from cli import packs
from cli.event_log import encode
from cli.requests.runs import Previewing
from engine import events
from engine.analyzer.errors import BadConfig, BadPack
from engine.analyzer.findings import Level, PolicyFinding, Remediated
from engine.project import Project
from engine.session import Session
from engine.values import Secret
from tests.engine.analyzer.packs import SMALL, write

PROGRAM = """
import pulumi

class Thing(pulumi.ComponentResource):
    def __init__(self, name, size):
        super().__init__("demo:storage:Thing", name, {"size": size})

Thing("a", 2)
Thing("bad", 5)
"""
SETTINGS = """
config:
  bedplate:policy:
    packs:
      - path: ../packs/sizes
        config: {small: {enforcementLevel: advisory, limit: 4}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose stacks lie beside it, and a pack in ``packs/sizes``."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text("name: demo\nruntime: python\nstackConfigDir: stacks\n")
    (folder / "__main__.py").write_text(PROGRAM)
    (folder / "stacks").mkdir()
    (folder / "stacks" / "Pulumi.dev.yaml").write_text("config: {}\n")
    write(folder / "packs" / "sizes", SMALL)
    return folder


def run(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cli.main", *arguments, "--cwd", str(project)]
    return subprocess.run(command, capture_output=True, text=True, env=environment(), check=False)


def environment() -> Mapping[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("PULUMI_", "BEDPLATE_"))}
    return ours | {"COLUMNS": "80", "BEDPLATE_ENGINE": "embedded"}


@pytest.mark.slow
def test_a_violated_pack_refuses_a_preview_and_an_up(project: Path, tmp_path: Path) -> None:
    pack = str(project / "packs" / "sizes")
    log = tmp_path / "events"
    preview = run(project, "preview", "dev", "--policy-pack", pack, "--event-log", str(log))
    assert preview.returncode == 5
    assert "mandatory: small (sizes, high)  Things are small\n      bad: 5 is too big" in preview.stdout
    assert "policy   2 rules, 1 mandatory, 1 advisory: small (bad)" in preview.stdout
    told = [json.loads(line) for line in log.read_text().splitlines()]
    [end] = [event["summaryEvent"] for event in told if "summaryEvent" in event]
    assert end["PolicyPacks"] == {f"sizes|local|{pack}": "1.2.3"} and end["result"] == "failed"
    assert [event["policyEvent"]["policyName"] for event in told if "policyEvent" in event] == ["small", "named"]

    up = run(project, "up", "dev", "--yes", "--output", "json", "--policy-pack", pack)
    document = json.loads(up.stdout)
    assert (up.returncode, document["exitCode"], document["result"]) == (5, 5, "refused by policy")
    assert not document["applied"]
    assert [one["name"] for one in document["policy"]["findings"]] == ["bad", "bad"]
    assert not (project / ".bedplate" / "state" / ".pulumi" / "stacks").exists()

    config = tmp_path / "config.json"
    config.write_text('{"small": {"limit": 9}}')
    done = run(project, "up", "dev", "--yes", "--policy-pack", pack, "--policy-pack-config", str(config))
    assert done.returncode == 0 and "+ 3 created" in done.stdout, done.stderr
    assert "advisory: named (sizes)" in done.stdout
    assert run(project, "destroy", "dev", "--yes").returncode == 0, "what goes is not judged"


def test_packs_of_the_settings_are_configured_there(project: Path) -> None:
    (project / "stacks" / "Pulumi.dev.yaml").write_text(SETTINGS)
    preview = run(project, "preview", "dev", "--output", "json")
    assert preview.returncode == 0, preview.stderr
    document = json.loads(preview.stdout)["policy"]
    assert (document["mandatory"], document["advisory"]) == (0, 2)
    assert [one["message"] for one in document["findings"]] == ["5 is too big", "its name is bad"]


@pytest.mark.slow
def test_ctrl_c_while_packs_judge_leaves_no_process(project: Path) -> None:
    pack = write(project / "packs" / "hangs", HANGS)
    command = [sys.executable, "-m", "cli.main", "preview", "dev", "--policy-pack", str(pack), "--cwd", str(project)]
    started = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment())
    marker = pack / "judging"
    _wait_for(marker.exists)
    started.send_signal(signal.SIGINT)
    _, errors = started.communicate(timeout=60)
    assert started.returncode == 8, errors
    pid = int(marker.read_text())
    _wait_for(lambda: not _runs(pid))


HANGS = """
import os, time
from pulumi_policy import *

def judge(args, report):
    open("judging.new", "w").write(str(os.getpid()))
    os.rename("judging.new", "judging")
    time.sleep(600)

PolicyPack("hangs", [ResourceValidationPolicy("judge", "Judges", judge)])
"""


def _wait_for(condition: Any) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except OSError:
        return False


# Which packs


def choose(project: Path, *folders: Path, config: Sequence[Path] = ()) -> Any:
    session = Session.open(Project.load(project), "dev", {}, environment={})
    return packs.chosen(session, Previewing(policy_pack=folders, policy_pack_config=tuple(config)))


def write_section(project: Path, section: object) -> None:
    (project / "stacks" / "Pulumi.dev.yaml").write_text(json.dumps({"config": {"bedplate:policy": section}}))


def test_nothing_is_started_where_there_are_no_packs(project: Path) -> None:
    assert choose(project) is None


def test_what_is_no_pack_is_an_error_of_use(project: Path) -> None:
    refused = run(project, "preview", "dev", "--policy-pack", str(project))
    assert refused.returncode == 2 and "is no policy pack" in refused.stderr
    with pytest.raises(BadPack):
        choose(project, project / "nowhere")


def test_a_configuration_is_given_for_each_pack_or_for_none(project: Path, tmp_path: Path) -> None:
    refused = run(project, "preview", "dev", "--policy-pack-config", str(tmp_path / "config.json"))
    assert refused.returncode == 2 and "0 policy packs, but 1 configuration" in refused.stderr


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read"),
        ("{", "cannot be read"),
        ("[]", "expected an object of policies"),
        ('{"small": "strict"}', "small: 'strict' is no level; expected one of advisory, mandatory"),
        ('{"small": 3}', "small: expected a level or an object of parameters, got 3"),
        ('{"small": {"enforcementLevel": 3}}', "small.enforcementLevel: 3 is no level"),
    ],
)
def test_a_configuration_that_cannot_be_read_says_where(
    project: Path, tmp_path: Path, content: str | None, said: str
) -> None:
    config = tmp_path / "config.json"
    if content is not None:
        config.write_text(content)
    with pytest.raises(BadConfig, match=said):
        choose(project, project / "packs" / "sizes", config=[config])


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"packs": [{"config": {}}]}, r"packs\[0\]: expected the path of a policy pack"),
        ({"packs": ["../packs/sizes"]}, r"packs\[0\]: expected the path of a policy pack"),
        ({"packs": [{"path": "../packs/sizes", "config": "all"}]}, r"packs\[0\].config: expected levels"),
        ({"packs": [{"path": "../packs/sizes", "config": {"all": "on"}}]}, r"packs\[0\].config: all: 'on' is no level"),
        ({"packs": "../packs/sizes"}, "packs: expected a list"),
    ],
)
def test_settings_that_name_no_pack_say_where(project: Path, section: object, said: str) -> None:
    write_section(project, section)
    with pytest.raises(BadConfig, match=said):
        choose(project)


def test_settings_can_leave_the_packs_out_but_the_command_has_its_own(project: Path) -> None:
    write_section(project, {"enabled": False, "packs": [{"path": "../packs/nowhere"}]})
    assert choose(project) is None
    assert choose(project, project / "packs" / "sizes") is not None
    assert "policy   nothing was judged: the settings say" in run(project, "preview", "dev").stdout


def test_the_projects_own_packs_judge_unless_the_settings_leave_them_out(project: Path) -> None:
    write(project / "policies" / "sizes", SMALL, "runtime: {name: python, options: {virtualenv: ../../nowhere}}\n")
    assert choose(project) is not None, "they run in this Python, whatever they name for the Pulumi CLI"
    write_section(project, {"level": "advisory"})
    assert choose(project) is not None
    write_section(project, {"enabled": False})
    assert choose(project) is None


# Events in Pulumi's form

URN = "urn:pulumi:dev::demo::demo:storage:Thing::a"
PACK = {"policyPackName": "sizes", "policyPackVersion": "1.2.3", "policyPackVersionTag": "1.2.3"}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (events.PoliciesLoading(), {"policyLoadEvent": {}}),
        (
            events.PolicyViolated(
                PolicyFinding(
                    "sizes", "small", Level.MANDATORY, "5 is too big", URN, "high", "Things are small", "1.2.3"
                )
            ),
            {"policyEvent": {
                "resourceUrn": URN, "message": "Things are small\n5 is too big\n", "color": "never",
                "policyName": "small", **PACK, "enforcementLevel": "mandatory", "severity": "high",
            }},
        ),
        (
            events.PolicyRemediated(
                Remediated(
                    "sizes", "small", URN, {"key": Secret("old"), "size": 5}, {"key": Secret("new")}, "", "1.2.3"
                )
            ),
            {"policyRemediationEvent": {
                "resourceUrn": URN, "color": "never", "policyName": "small", **PACK,
                "before": {"key": "[secret]", "size": 5}, "after": {"key": "[secret]"},
            }},
        ),
        (
            events.PoliciesSummed("analyze", URN, "sizes", "1.2.3", ("a", "b"), ()),
            {"policyAnalyzeSummaryEvent": {"resourceUrn": URN, **PACK, "passed": ["a", "b"]}},
        ),
        (
            events.PoliciesSummed("remediate", URN, "sizes", "1.2.3", (), ("a",)),
            {"policyRemediateSummaryEvent": {"resourceUrn": URN, **PACK, "failed": ["a"]}},
        ),
        (
            events.PoliciesSummed("stack", "", "sizes", "1.2.3", ("a",), ()),
            {"policyAnalyzeStackSummaryEvent": {**PACK, "passed": ["a"]}},
        ),
    ],
)  # fmt: skip
def test_policy_events_have_pulumis_form(event: events.Event, expected: Mapping[str, Any]) -> None:
    assert encode(event, preview=True) == expected
