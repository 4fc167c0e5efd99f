"""Findings as SARIF 2.1.0, which GitHub's code scanning and most editors read.

Source: OASIS "Static Analysis Results Interchange Format (SARIF) Version 2.1.0", and GitHub's "SARIF support for code
scanning" for ``security-severity`` and the fingerprint.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from cli.findings.report import FindingsReport, Found
from engine.analyzer.findings import Level, PackInfo, PolicyInfo

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
FINGERPRINT: Final = "bedplateFinding/v1"
# GitHub's scale: over 9 is critical, from 7 high, from 4 medium, below that low.
SECURITY_SEVERITY: Final = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "2.5", "": "0.0"}
_LEVELS: Final = {Level.MANDATORY: "error", Level.REMEDIATE: "error", Level.ADVISORY: "warning", Level.DISABLED: "none"}


def sarif(report: FindingsReport, version: str) -> dict[str, Any]:
    """The report as one SARIF log with one run; ``version`` is that of this tool."""
    policies = [(pack, policy) for pack in report.packs for policy in pack.policies]
    names = [_identifier(pack, policy.name, report) for pack, policy in policies]
    places = {name: index for index, name in reversed(list(enumerate(names)))}
    notes = [
        {"level": "error", "message": {"text": f"policy pack {name} failed: not everything was judged by it"}}
        for name in report.broken
    ]
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "bedplate",
                        "version": version,
                        "rules": [
                            _rule(name, pair[1], pair[0], report) for name, pair in zip(names, policies, strict=True)
                        ],
                    }
                },
                "automationDetails": {"id": f"bedplate/{report.subject}/"},
                "invocations": [{"executionSuccessful": not notes, "toolExecutionNotifications": notes}],
                "results": [_result(found, report, places) for found in report.found],
            }
        ],
    }


def _file(path: str) -> dict[str, Any]:
    """A file of the repository, or one that lies elsewhere."""
    return {"uri": Path(path).as_uri()} if path.startswith("/") else {"uri": quote(path), "uriBaseId": "%SRCROOT%"}


def _identifier(pack: PackInfo, policy: str, report: FindingsReport) -> str:
    """A policy's name, with its pack where two packs have one of that name."""
    packs = [one for one in report.packs if one.policy(policy) is not None]
    return policy if len(packs) < 2 else f"{pack.name}/{policy}"


def _rule(name: str, policy: PolicyInfo, pack: PackInfo, report: FindingsReport) -> dict[str, Any]:
    text = policy.remediation_steps or policy.description
    rule: dict[str, Any] = {
        "id": name,
        "name": "".join(word.capitalize() for word in policy.name.split("-")),
        "shortDescription": {"text": policy.display_name or policy.description},
        "fullDescription": {"text": policy.description},
        "help": {"text": text, "markdown": text},
        "defaultConfiguration": {"level": _LEVELS[policy.level], "enabled": policy.level is not Level.DISABLED},
        "properties": {
            "tags": [pack.name, *([policy.framework] if policy.framework else []), *policy.tags],
            "security-severity": SECURITY_SEVERITY.get(policy.severity, "0.0"),
        },
    }
    # 3.49.12: an absolute URI. A path of the repository is none, and left out where nobody says what lies above it.
    return rule | ({"helpUri": address} if (address := report.address_of(policy)) else {})


def _result(found: Found, report: FindingsReport, rules: Mapping[str, int]) -> dict[str, Any]:
    finding = found.finding
    pack = next((one for one in report.packs if one.name == finding.pack), None)
    name = _identifier(pack, finding.policy, report) if pack else finding.policy
    location: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": _file(found.place.path),
            "region": {"startLine": found.place.line},
        }
    }
    if finding.urn:
        location["logicalLocations"] = [{"fullyQualifiedName": finding.urn, "name": found.resource, "kind": "resource"}]
    about = f"{found.resource}: " if found.resource else ""
    return {
        "ruleId": name,
        **({"ruleIndex": rules[name]} if name in rules else {}),
        "level": "error" if finding.refuses else "warning",
        "message": {"text": about + found.message},
        "locations": [location],
        "partialFingerprints": {FINGERPRINT: found.fingerprint},
        "properties": {"environment": report.subject, "severity": finding.severity or "unspecified"},
    }
