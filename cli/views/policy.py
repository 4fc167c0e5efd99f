"""What the policy packs say, as lines: one that sums it up, the findings below their rules, what was changed."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import Final

from cli.views.changes import between
from cli.views.diff import entry
from cli.views.lines import Line, Style
from engine import urn as urns
from engine.analyzer.findings import PolicyFinding, PolicyInfo, Remediated, Verdict

_SHOWN: Final = 3  # resources that advice names, unless property diffs are asked for
_INDENT: Final = "      "


def summary(verdict: Verdict, width: int) -> Line:
    """``policy   83 rules, 0 mandatory, 1 advisory: rds-multi-az (database)``."""
    mandatory = [one for one in verdict.findings if one.refuses]
    advisory = len(verdict.findings) - len(mandatory)
    line = Line().add("  policy   ").add(f"{_counted(verdict.rules, 'rule')}, ")
    line.add(f"{len(mandatory)} mandatory", Style.ERROR if mandatory else Style.PLAIN)
    line.add(f", {advisory} advisory", Style.YELLOW if advisory else Style.PLAIN)
    if verdict.remediated:
        line.add(f", {len({one.urn for one in verdict.remediated})} remediated", Style.MAGENTA)
    if verdict.broken:
        line.add(f", {_counted(len(verdict.broken), 'pack')} failed: {', '.join(verdict.broken)}", Style.ERROR)
    elif verdict.findings:
        first = verdict.findings[0]
        named = f": {first.policy} ({_where(first)})"
        line.add(named if line.width + len(named) <= width else f": {first.policy}", Style.DIM)
    return line.cut(width)


def left_out(key: str) -> Line:
    """What is said instead where the settings say that nothing is judged."""
    return Line().add("  policy   ").add(f"nothing was judged: the settings say {key}: enabled: false", Style.YELLOW)


def remediations(done: Sequence[Remediated]) -> list[Line]:
    """What packs have changed: which property, from what to what, by which rule."""
    if not done:
        return []
    lines = [Line().add("  remediated", Style.STRONG)]
    for one in done:
        head = Line().add(f"    {urns.name_of(one.urn)}", Style.MAGENTA)
        lines.append(head.add(f"  by {one.policy} ({one.pack})", Style.DIM))
        for change in between(one.before, one.after):
            lines += entry(change, _INDENT, full=False)
    return [*lines, Line()]


def findings(verdict: Verdict, *, width: int, full: bool) -> list[Line]:
    """Findings below their rules, the mandatory ones first and always whole; advice is short unless ``full``."""
    groups: dict[tuple[bool, str, str], list[PolicyFinding]] = {}
    for one in verdict.findings:
        groups.setdefault((not one.refuses, one.pack, one.policy), []).append(one)
    lines: list[Line] = []
    for (advisory, _, _), found in groups.items():
        if not lines:
            lines.append(Line().add("  policy", Style.STRONG))
        lines += _group(found, verdict.policy(found[0]), width, short=advisory and not full)
    return [*lines, Line()] if lines else []


def _group(found: Sequence[PolicyFinding], policy: PolicyInfo | None, width: int, *, short: bool) -> Iterator[Line]:
    first = found[0]
    style = Style.ERROR if first.refuses else Style.YELLOW
    about = ", ".join(part for part in (first.pack, first.severity) if part)
    head = (
        Line().add("    ").add(f"{first.level}: ", style).add(first.policy, Style.STRONG).add(f" ({about})", Style.DIM)
    )
    title = (policy.display_name if policy else "") or first.description.partition("\n")[0]
    yield from _with_title(head, title, width)
    if short:
        names = list(dict.fromkeys(map(_where, found)))
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        yield from _wrapped(", ".join(names[:_SHOWN]) + more, _INDENT, width, Style.DIM)
        return
    for one in found:
        yield from _wrapped(f"{_where(one)}: {one.message or one.description}", _INDENT, width, Style.PLAIN)
    if policy is not None and policy.remediation_steps:
        yield from _wrapped(f"fix: {policy.remediation_steps}", _INDENT, width, Style.CYAN)
    if policy is not None and policy.url and first.refuses:
        yield Line().add(f"{_INDENT}see {policy.url}", Style.DIM)


def _with_title(head: Line, title: str, width: int) -> Iterator[Line]:
    """The title behind the head where it fits, else below it."""
    if head.width + len(title) + 2 <= width:
        yield head.add(f"  {title}")
        return
    yield head
    yield from _wrapped(title, _INDENT, width, Style.PLAIN)


def _wrapped(text: str, indent: str, width: int, style: Style) -> Iterator[Line]:
    room = max(width - len(indent), 20)
    for paragraph in text.splitlines() or [""]:
        pieces = textwrap.wrap(paragraph, room, subsequent_indent="  ", break_on_hyphens=False) or [""]
        yield from (Line().add(indent).add(piece, style) for piece in pieces)
        indent = f"{indent[: len(_INDENT)]}  "


def _where(finding: PolicyFinding) -> str:
    return urns.name_of(finding.urn) if finding.urn else "stack"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
