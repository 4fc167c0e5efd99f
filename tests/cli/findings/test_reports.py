"""Findings in the forms that other tools read: what they hold, and that nothing in a message can break out of them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import pytest

from cli.exits import CommandError, UsageError
from cli.findings.document import document
from cli.findings.github import workflow_commands
from cli.findings.gitlab import code_quality
from cli.findings.junit import junit
from cli.findings.places import Place, Places
from cli.findings.report import FindingsReport
from cli.findings.sarif import FINGERPRINT, sarif
from cli.findings.written import asked
from engine.analyzer.findings import Level, PackInfo, PolicyFinding, PolicyInfo, PolicyKind, Verdict
from engine.plan import Plan
from engine.run import Outcome, Result

DATA = "urn:pulumi:dev::shop::aws:s3/bucket:Bucket::data"
WEB = "urn:pulumi:dev::shop::kubernetes:apps/v1:Deployment::web"
OPEN = PolicyInfo(
    "bucket-open", "Buckets are closed.", Level.MANDATORY, PolicyKind.RESOURCE, "Buckets are closed", "high",
    "CIS 2.1.4", ("checkov:CKV_AWS_53",), "Close it.", "https://example.org/rules#bucket-open",
)  # fmt: skip
PROBES = PolicyInfo("probes", "Containers have probes.", Level.ADVISORY, severity="low", remediation_steps="Add one.")
OFF = PolicyInfo("off", "Nobody asks.", Level.DISABLED)
SECURITY = PackInfo("security", "1.2.0", (OPEN, PROBES, OFF))


def finding(policy: PolicyInfo, message: str, urn: str = "") -> PolicyFinding:
    return PolicyFinding("security", policy.name, policy.level, message, urn, policy.severity, policy.description)


VERDICT = Verdict(
    (SECURITY,),
    (
        finding(OPEN, "it's open: a, b\n100%", DATA),
        finding(OPEN, "and again", DATA),
        finding(PROBES, "no <probe> \x07", WEB),
        finding(PROBES, "no Budget"),
    ),
    (),
    ("custom",),
)


@pytest.fixture
def report(tmp_path: Path) -> FindingsReport:
    positions = [(DATA, f"{tmp_path}/components/storage.py:12"), (WEB, "/usr/lib/python3/pulumi/resource.py:1")]
    return FindingsReport.of(VERDICT, Places.among(positions, tmp_path, "stacks/Pulumi.dev.yaml"), "dev")


def test_a_finding_is_at_the_line_that_declares_its_resource_else_in_the_settings(report: FindingsReport) -> None:
    line, settings = Place("components/storage.py", 12), Place("stacks/Pulumi.dev.yaml", 1)
    assert [found.place for found in report.found] == [line, line, settings, settings]


def test_lines_in_hidden_folders_are_no_help(tmp_path: Path) -> None:
    places = Places.among([(DATA, f"{tmp_path}/.venv/lib/sdk.py:3"), (WEB, "nonsense")], tmp_path, "settings.yaml")
    assert places.of(DATA) == places.of(WEB) == Place("settings.yaml", 1)


def test_whoever_names_files_gets_their_lines_wherever_they_are(tmp_path: Path) -> None:
    positions = [(DATA, f"{tmp_path}/.deploy/a.yaml:3"), (WEB, "/elsewhere/b.yaml:4")]
    places = Places.among(positions, tmp_path, "manifests", anywhere=True)
    assert [places.of(DATA), places.of(WEB)] == [Place(".deploy/a.yaml", 3), Place("/elsewhere/b.yaml", 4)]


def test_fingerprints_tell_findings_apart_and_stay(report: FindingsReport, tmp_path: Path) -> None:
    again = FindingsReport.of(VERDICT, Places.among([], tmp_path, "elsewhere.yaml"), "dev")
    fingerprints = [found.fingerprint for found in report.found]
    assert len(set(fingerprints)) == 4
    assert fingerprints == [found.fingerprint for found in again.found]


def test_sarif_has_rules_results_and_what_failed(report: FindingsReport) -> None:
    log = json.loads(json.dumps(sarif(report, "0.1.0")))
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert log["version"] == "2.1.0"
    assert [(rule["id"], rule["defaultConfiguration"]) for rule in rules] == [
        ("bucket-open", {"level": "error", "enabled": True}),
        ("probes", {"level": "warning", "enabled": True}),
        ("off", {"level": "none", "enabled": False}),
    ]
    tags = ["security", "CIS 2.1.4", "checkov:CKV_AWS_53"]
    assert rules[0]["properties"] == {"tags": tags, "security-severity": "8.0"}
    assert rules[0]["helpUri"] == "https://example.org/rules#bucket-open"
    first = run["results"][0]
    assert (first["ruleId"], first["ruleIndex"], first["level"]) == ("bucket-open", 0, "error")
    assert first["message"]["text"] == "data: it's open: a, b\n100%"
    assert first["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "components/storage.py", "uriBaseId": "%SRCROOT%"}, "region": {"startLine": 12},
    }  # fmt: skip
    assert first["partialFingerprints"] == {FINGERPRINT: report.found[0].fingerprint}
    assert run["results"][3]["level"] == "warning"
    assert "logicalLocations" not in run["results"][3]["locations"][0]
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    assert "custom failed" in invocation["toolExecutionNotifications"][0]["message"]["text"]


@pytest.mark.parametrize(
    ("path", "written"),
    [
        ("my pods.yaml", {"uri": "my%20pods.yaml", "uriBaseId": "%SRCROOT%"}),
        ("/elsewhere/pods.yaml", {"uri": "file:///elsewhere/pods.yaml"}),
    ],
)
def test_sarif_names_files_by_uri(tmp_path: Path, path: str, written: dict[str, str]) -> None:
    (run,) = sarif(FindingsReport.of(VERDICT, Places.among([], tmp_path, path), "dev"), "0")["runs"]
    assert run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"] == written


@pytest.mark.parametrize(
    ("url", "base", "shown"),
    [
        ("policies/docs/security.md#a", "", None),
        (
            "policies/docs/security.md#a",
            "https://example.org/repo/",
            "https://example.org/repo/policies/docs/security.md#a",
        ),
        ("https://example.org/a", "https://example.org/repo", "https://example.org/a"),
        ("httpd.md", "", None),
        ("", "https://example.org/repo", None),
    ],
)
def test_sarif_links_to_a_rules_page_by_an_absolute_address_or_not_at_all(
    tmp_path: Path, url: str, base: str, shown: str | None
) -> None:
    verdict = Verdict((PackInfo("security", "1", (replace(OPEN, url=url),)),))
    (run,) = sarif(FindingsReport.of(verdict, Places.among([], tmp_path, "s.yaml"), "dev", base), "0")["runs"]
    assert run["tool"]["driver"]["rules"][0].get("helpUri") == shown


def test_an_address_of_rules_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="--rules-url takes a URL such as"):
        asked(["sarif=a"], "github.com/acme")


def test_two_packs_may_have_a_rule_of_one_name(tmp_path: Path) -> None:
    other = PackInfo("other", "1.0.0", (PROBES,))
    verdict = Verdict((SECURITY, other), (PolicyFinding("other", "probes", Level.ADVISORY, "none", WEB),))
    (run,) = sarif(FindingsReport.of(verdict, Places.among([], tmp_path, "s.yaml"), "dev"), "0")["runs"]
    names = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert names == ["bucket-open", "security/probes", "off", "other/probes"]
    assert (run["results"][0]["ruleId"], run["results"][0]["ruleIndex"]) == ("other/probes", 3)


def test_junit_fails_what_is_mandatory_and_tells_what_is_advisory(report: FindingsReport) -> None:
    root = Xml.fromstring(junit(report))
    assert {name: root.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "4", "failures": "1", "errors": "1", "skipped": "1",
    }  # fmt: skip
    cases: dict[str, Any] = {str(case.get("name")): case for case in root.iter("testcase")}
    failure = cases["bucket-open"].find("failure")
    assert failure.get("type") == "high"
    assert "data (components/storage.py:12): it's open: a, b" in failure.text
    assert "Close it." in failure.text
    assert "advisory: web (stacks/Pulumi.dev.yaml:1): no <probe> �" in cases["probes"].find("system-out").text
    assert cases["off"].find("skipped") is not None


def test_github_gets_a_command_a_finding(report: FindingsReport) -> None:
    lines = list(workflow_commands(report))
    where = "file=components/storage.py,line=12,title=bucket-open (high)"
    assert lines[0] == f"::error {where}::data: it's open: a, b%0A100%25%0AClose it."
    assert [line.split(" ")[0] for line in lines] == ["::error", "::error", "::warning", "::warning", "::error"]
    assert all("\n" not in line for line in lines)


def test_a_message_cannot_begin_a_command_of_its_own(tmp_path: Path) -> None:
    nasty = PolicyFinding("p", "r", Level.MANDATORY, "x\n::add-mask::y", WEB)
    report = FindingsReport.of(Verdict((), (nasty,)), Places.among([], tmp_path, "a,b:c.yaml"), "dev")
    (line,) = workflow_commands(report)
    assert line == "::error file=a%2Cb%3Ac.yaml,line=1,title=r (mandatory)::web: x%0A::add-mask::y"


def test_what_github_would_not_show_is_counted(tmp_path: Path) -> None:
    many = tuple(PolicyFinding("p", "r", Level.MANDATORY, f"number {number}", WEB) for number in range(13))
    report = FindingsReport.of(Verdict((), many), Places.among([], tmp_path, "s.yaml"), "dev")
    lines = list(workflow_commands(report))
    assert len(lines) == 11
    assert lines[-1] == "::notice title=bedplate::3 more mandatory findings in dev"


def test_gitlab_gets_what_code_quality_reads(report: FindingsReport) -> None:
    first, *_, last = code_quality(report)
    assert first == {
        "description": "data: it's open: a, b\n100%",
        "check_name": "bucket-open",
        "severity": "critical",
        "fingerprint": report.found[0].fingerprint,
        "location": {"path": "components/storage.py", "lines": {"begin": 12}},
    }
    assert (last["description"], last["severity"]) == ("no Budget", "minor")


def test_our_own_document_counts(report: FindingsReport) -> None:
    found = document(report)
    assert (found["refused"], found["mandatory"], found["advisory"], found["broken"]) == (True, 2, 2, ["custom"])
    assert found["findings"][0]["location"] == {"path": "components/storage.py", "line": 12}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("sarf=x", "'sarf' is no form of report; expected one of sarif, junit, github, gitlab, json"),
        ("sarif", "--report sarif=FILE"),
        ("sarif=", "--report sarif=FILE"),
    ],
)
def test_a_report_that_is_asked_for_wrongly_says_how(given: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        asked([given])
    assert said in str(caught.value)


def test_reports_are_written_whole_or_not_at_all(
    report: FindingsReport, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for one in asked([f"sarif={tmp_path}/out/findings.sarif", "github", f"junit={tmp_path}/junit.xml"]):
        one.write(report)
    assert json.loads((tmp_path / "out" / "findings.sarif").read_text())["version"] == "2.1.0"
    assert capsys.readouterr().out.startswith("::error ")
    (tmp_path / "taken").mkdir()
    with pytest.raises(CommandError, match=r"--report json=.*taken: Is a directory"):
        asked([f"json={tmp_path}/taken"])[0].write(report)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["junit.xml", "out", "taken"]


def test_what_a_run_returns_has_a_short_text_however_much_was_found() -> None:
    """asyncio.run asks for it: of 44,000 findings that took a second."""
    verdict = Verdict((), tuple(finding(OPEN, "it's open", f"{DATA}{number}") for number in range(50)))
    assert len(repr(verdict)) < 100
    assert len(repr(Outcome(Result.SUCCEEDED, Plan((), policy=verdict), 1.0))) < 100
