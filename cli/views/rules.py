"""The rules of policy packs on a terminal: a table of all, a page about one, what came of their cases."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from cli.views.columns import Column, Row, table
from cli.views.lines import Line, Style
from engine.analyzer.findings import Level, PackInfo, PolicyInfo

_COLUMNS: Final = (
    Column("rule"),
    Column("level", optional=2),
    Column("severity", optional=1),
    Column("what it asks for", shrinks=True),
)
SEVERITIES: Final = {"critical": Style.ERROR, "high": Style.RED, "medium": Style.YELLOW}


def all_rules(packs: Sequence[PackInfo], *, width: int) -> Iterable[Line]:
    """The rules of each pack in a table of its own."""
    rules = [rule for pack in packs for rule in pack.policies]
    for pack in packs:
        yield Line().add(f"  {pack.name}", Style.STRONG).add(f"  {pack.description}", Style.DIM).cut(width)
        yield from table(_COLUMNS, [_row(rule) for rule in pack.policies], width=width)
        yield Line()
    count = sum(rule.level is not Level.DISABLED for rule in rules)
    off = f", {len(rules) - count} disabled" if count < len(rules) else ""
    yield Line().add(f"  {count} rules in {', '.join(pack.name for pack in packs)}{off}", Style.DIM)


def _row(rule: PolicyInfo) -> Row:
    cells = (rule.name, str(rule.level), rule.severity, rule.display_name or rule.description)
    level = Style.DIM if rule.level is Level.DISABLED else Style.PLAIN
    return Row(cells, (Style.PLAIN, level, SEVERITIES.get(rule.severity, Style.PLAIN), Style.PLAIN))


def one_rule(pack: PackInfo, policy: PolicyInfo, page: str, *, width: int) -> Iterable[Line]:
    """Everything about one rule; ``page`` is its documentation, "" where there is none."""
    title = policy.display_name or policy.description
    yield Line().add(f"{policy.name}", Style.STRONG).add(f"  {title}")
    yield Line()
    facts = {
        "pack": f"{pack.name} {pack.version}".rstrip(),
        "level": str(policy.level),
        "severity": policy.severity,
        "judges": f"each {policy.kind}" if policy.kind == "resource" else f"the {policy.kind}",
        "standard": policy.framework,
        "also known": ", ".join(policy.tags),
        "what to do": policy.remediation_steps,
        "read more": policy.url,
    }
    for name, text in facts.items():
        yield from _fact(name, text, width)
    yield from _parameters(policy.schema, width)
    if page:
        yield Line()
        yield from (Line().add(line) for line in page.splitlines())


def _fact(name: str, text: str, width: int, column: int = 12) -> Iterable[Line]:
    wrapped = textwrap.wrap(text, max(width - column - 2, 20)) if text else []
    for index, line in enumerate(wrapped):
        yield Line().add(f"  {name if index == 0 else '':<{column}}", Style.DIM).add(line)


def _parameters(schema: Mapping[str, Any], width: int) -> Iterable[Line]:
    if schema:
        yield Line()
        yield Line().add("  parameters", Style.DIM)
    column = max((len(name) for name in schema), default=0) + 4
    for name, facts in schema.items():
        default = f" (default {_shown(facts['default'])})" if isinstance(facts, dict) and "default" in facts else ""
        text = f"{facts.get('description', '')}{default}".strip() if isinstance(facts, dict) else ""
        yield from _fact(f"  {name}", text or "-", width, max(column, 12))


def _shown(value: Any) -> str:
    """A parameter's value as it is written in the settings; the wire has no whole numbers."""
    whole = int(value) if isinstance(value, float) and value.is_integer() else value
    return json.dumps(whole, ensure_ascii=False)
