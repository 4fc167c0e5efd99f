"""What policy packs found, on a terminal: rule by rule, the gravest first, each with what to do."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from typing import Final

from cli.findings.report import FindingsReport, Found, by_rule
from cli.views.lines import Line, Style
from cli.views.rules import SEVERITIES
from engine.analyzer.findings import Level

_MOST_RESOURCES: Final = 12  # of one rule; the reports have them all


def judged_lines(report: FindingsReport, *, width: int) -> Iterable[Line]:
    """All findings, then what they come to."""
    for refusing, title in ((True, "mandatory"), (False, "advisory")):
        found = [one for one in report.found if one.finding.refuses is refusing]
        if found:
            yield Line().add(f"  {title}", Style.STRONG)
            yield from _rules(found, width)
    for name in report.broken:
        yield Line().add("  ✗ ", Style.ERROR).add(f"policy pack {name} failed: not everything was judged by it")
    yield Line().add("  ").add(summary(report))


def summary(report: FindingsReport) -> str:
    """The findings in one line."""
    rules = sum(policy.level is not Level.DISABLED for pack in report.packs for policy in pack.policies)
    return f"{report.subject}: {rules} rules, {report.mandatory} mandatory, {report.advisory} advisory findings"


def _rules(found: Sequence[Found], width: int) -> Iterable[Line]:
    for own in by_rule(found).values():
        first = own[0]
        mark = Line().add(
            "  ✗ " if first.finding.refuses else "  ! ", Style.ERROR if first.finding.refuses else Style.DIM
        )
        severity = first.finding.severity
        mark.add(first.finding.policy, Style.STRONG)
        yield mark.add(f"  {severity}", SEVERITIES.get(severity, Style.DIM)).add(f"  {first.title}").cut(width)
        for one in own[:_MOST_RESOURCES]:
            yield from _resource(one, width)
        if len(own) > _MOST_RESOURCES:
            yield Line().add(f"      {len(own) - _MOST_RESOURCES} more", Style.DIM)
        yield from _wrapped(first.advice, width, Style.DIM)
        yield Line()


def _resource(found: Found, width: int) -> Iterable[Line]:
    where = f"  {found.place.path}:{found.place.line}"
    yield Line().add(f"      {found.resource or 'the stack'}").add(where, Style.DIM).cut(width)
    for line in found.message.splitlines():
        yield from _wrapped(line.rstrip(), width, Style.PLAIN, indent=8)


def _wrapped(text: str, width: int, style: Style, *, indent: int = 6) -> Iterable[Line]:
    for line in textwrap.wrap(text, max(width - indent, 20), break_long_words=False) if text else ():
        yield Line().add(" " * indent + line, style)
