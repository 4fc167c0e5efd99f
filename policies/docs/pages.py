"""Pages of the rules, in Markdown: what each checks and why, how to mend it, what it is called elsewhere, examples."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from policies.budget import BUDGET
from policies.docs.examples import Example, examples
from policies.governance import GOVERNANCE
from policies.kit import Pack
from policies.kit.rules import Rule
from policies.kit.sdk_policies import EXCEPTIONS, SETTINGS
from policies.security import SECURITY

FOLDER: Final = Path(__file__).parent
MOST_TYPES: Final = 8  # shown by name
SEVERITIES: Final = ("critical", "high", "medium", "low")


def packs() -> tuple[Pack, ...]:
    """The packs of this repository."""
    return (SECURITY, BUDGET, GOVERNANCE)


def page(pack: Pack) -> str:
    """The page of a pack."""
    rules = sorted(pack.rules.values(), key=lambda rule: (rule.number, rule.id))
    blocks = [_head(pack, rules), *(_section(pack, rule) for rule in rules), _own(pack)]
    return "\n\n".join(blocks) + "\n"


def _head(pack: Pack, rules: list[Rule]) -> str:
    rows = [_row(rule) for rule in rules]
    counts = ", ".join(f"{count} {name}" for name in SEVERITIES if (count := _count(rules, name)))
    return "\n".join(
        [
            "<!-- Written by `python -m policies.docs` from the rules and their cases. -->",
            f"# {pack.title}",
            "",
            pack.description,
            "",
            f"{len(rules)} rules: {counts}. The [README](README.md) says how levels, parameters, exceptions and",
            "remediation are set. *Mends* is whether `remediation: apply` rewrites the input: always, or only where",
            "the settings name the rule.",
            "",
            "| # | rule | title | severity | level | mends |",
            "| ---: | --- | --- | --- | --- | --- |",
            *rows,
        ]
    )


def _row(rule: Rule) -> str:
    cells = (f"[{rule.id}](#{rule.id})", _cell(rule.title), rule.severity, rule.level, _mends(rule))
    return f"| {rule.number} | {' | '.join(cells)} |"


def _section(pack: Pack, rule: Rule) -> str:
    return "\n\n".join(
        block for block in (f"## {rule.id}", *_about(rule), *_parameters(rule), *_examples(pack, rule)) if block
    )


def _about(rule: Rule) -> Iterator[str]:
    yield f"**{rule.title}.** {rule.severity.capitalize()}, {rule.level} unless the settings say otherwise."
    yield _text(rule.why)
    yield f"*To mend it:* {rule.fix}"
    if rule.mend is not None:
        risk = f" where the settings name this rule. {_sentence(rule.mend_risk)}" if rule.mend_risk else "."
        yield f"*By itself:* `remediation: suggest` shows the patch, `apply` makes it{risk}"
    if rule.frameworks:
        yield f"*Standards:* {', '.join(rule.frameworks)}"
    if rule.tags:
        yield f"*Elsewhere:* {', '.join(rule.tags)}"
    if rule.types:
        yield f"*Judges:* {_types(rule.types)}{' (with the whole stack in view)' if rule.of_stack else ''}"


def _parameters(rule: Rule) -> Iterator[str]:
    if not rule.parameters:
        return
    rows = [_parameter(name, schema) for name, schema in rule.parameters.items()]
    yield "\n".join(["| parameter | type | default | meaning |", "| --- | --- | --- | --- |", *rows])


def _parameter(name: str, schema: Mapping[str, Any]) -> str:
    kind = f"{schema.get('type', 'any')}{_limits(schema)}"
    return f"| `{name}` | {kind} | {_default(schema)} | {_cell(schema.get('description', ''))} |"


def _examples(pack: Pack, rule: Rule) -> Iterator[str]:
    breaking, keeping = examples(pack.name, rule)
    if breaking is not None:
        yield _example("Breaks it", breaking)
    if keeping is not None:
        yield _example("Keeps it", keeping)


def _example(title: str, example: Example) -> str:
    settings = textwrap.indent(example.settings, "#   ")
    says = textwrap.indent("\n".join(example.says), "# ")
    lines = ["```yaml", "# bedplate:policy:" if settings else "", settings, example.resources, says, "```"]
    return f"{title} ({example.name}):\n\n" + "\n".join(filter(None, lines))


def _own(pack: Pack) -> str:
    """The sections of what each pack reports of itself."""
    whole = ", and what is wrong with the settings as a whole" if pack.keeps_settings else ""
    return f"""## {EXCEPTIONS}

Advisory. Every exception from a rule of this pack stays visible: in use, unused (remove it) or expired (its finding is
back).

## {SETTINGS}

Mandatory. What is malformed in `bedplate:policy` about a rule of this pack{whole}: unknown names, levels that there are
not, parameters that their schema refuses, exceptions without reason, owner or expiry. Until it is corrected the
defaults hold, and a malformed exception excuses nothing."""


def _mends(rule: Rule) -> str:
    return "" if rule.mend is None else "named" if rule.mend_risk else "yes"


def _types(types: tuple[str, ...]) -> str:
    shown = ", ".join(f"`{token}`" for token in types[:MOST_TYPES])
    return shown if len(types) <= MOST_TYPES else f"{shown} and {len(types) - MOST_TYPES} more"


def _limits(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return f": {', '.join(map(str, schema['enum']))}"
    limits = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤"}
    return "".join(f" {sign} {schema[key]}" for key, sign in limits.items() if key in schema)


def _default(schema: Mapping[str, Any]) -> str:
    return f"`{json.dumps(schema['default'], ensure_ascii=False)}`" if "default" in schema else "none"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def _text(docstring: str) -> str:
    """A docstring as Markdown: its doubled backquotes are single ones there."""
    return re.sub(r"``(.+?)``", r"`\1`", docstring)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _count(rules: list[Rule], severity: str) -> int:
    return sum(rule.severity == severity for rule in rules)
