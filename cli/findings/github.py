"""Findings as annotations of a GitHub Actions run: workflow commands on standard output.

Source: GitHub's documentation, "Workflow commands for GitHub Actions". A step shows ten errors and ten warnings; what
is over that is counted in a notice.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cli.findings.report import FindingsReport, Found

MOST: Final = 10  # annotations of one kind that GitHub shows of a step


def workflow_commands(report: FindingsReport) -> Iterator[str]:
    """The lines to print."""
    for kind, refusing in (("error", True), ("warning", False)):
        found = [one for one in report.found if one.finding.refuses is refusing]
        yield from (_command(kind, one) for one in found[:MOST])
        if len(found) > MOST:
            word = "mandatory" if refusing else "advisory"
            yield f"::notice title=bedplate::{len(found) - MOST} more {word} findings in {_data(report.subject)}"
    for name in report.broken:
        yield f"::error title=policy pack {_property(name)}::it failed: not everything was judged by it"


def _command(kind: str, found: Found) -> str:
    about = f"{found.resource}: " if found.resource else ""
    advice = f"\n{found.advice}" if found.advice else ""
    where = f"file={_property(found.place.path)},line={found.place.line}"
    title = f"{found.finding.policy} ({found.finding.severity or found.finding.level})"
    return f"::{kind} {where},title={_property(title)}::{_data(about + found.message + advice)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
