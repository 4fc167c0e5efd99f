"""Findings as our own JSON document."""

from __future__ import annotations

from typing import Any

from cli.findings.report import FindingsReport, Found
from cli.screen import VERSION
from engine.analyzer.findings import PackInfo, PolicyInfo


def document(report: FindingsReport) -> dict[str, Any]:
    """The document of what packs have found."""
    return {
        "version": VERSION,
        "subject": report.subject,
        "refused": bool(report.mandatory or report.broken),
        "mandatory": report.mandatory,
        "advisory": report.advisory,
        "findings": [of_found(found) for found in report.found],
        "packs": [{"name": pack.name, "version": pack.version, "rules": len(pack.policies)} for pack in report.packs],
        "broken": list(report.broken),
    }


def of_found(found: Found) -> dict[str, Any]:
    """One finding."""
    finding = found.finding
    return {
        "rule": finding.policy,
        "pack": finding.pack,
        "level": str(finding.level),
        "severity": finding.severity,
        "title": found.title,
        "resource": found.resource,
        "urn": finding.urn,
        "message": found.message,
        "advice": found.advice,
        "location": {"path": found.place.path, "line": found.place.line},
        "fingerprint": found.fingerprint,
    }


def of_policy(pack: PackInfo, policy: PolicyInfo) -> dict[str, Any]:
    """One rule of a pack."""
    return {
        "rule": policy.name,
        "pack": pack.name,
        "title": policy.display_name or policy.description,
        "description": policy.description,
        "level": str(policy.level),
        "severity": policy.severity,
        "judges": str(policy.kind),
        "framework": policy.framework,
        "tags": list(policy.tags),
        "advice": policy.remediation_steps,
        "documentation": policy.url,
        "parameters": dict(policy.schema),
    }
