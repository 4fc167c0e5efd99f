"""Findings as GitLab's Code Quality report. Source: GitLab's documentation, "Code Quality report format"."""

from __future__ import annotations

from typing import Any, Final

from cli.findings.report import FindingsReport

# What GitLab calls a severity, by ours.
SEVERITIES: Final = {"critical": "blocker", "high": "critical", "medium": "major", "low": "minor", "": "info"}


def code_quality(report: FindingsReport) -> list[dict[str, Any]]:
    """The report as a list of issues."""
    return [
        {
            "description": f"{found.resource + ': ' if found.resource else ''}{found.message}",
            "check_name": found.finding.policy,
            "fingerprint": found.fingerprint,
            "severity": SEVERITIES.get(found.finding.severity, "info"),
            "location": {"path": found.place.path, "lines": {"begin": found.place.line}},
        }
        for found in report.found
    ]
