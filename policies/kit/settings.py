"""The stack's settings of policies, ``bedplate:policy``: levels, parameters, remediation and exceptions.

What is malformed is collected, never raised: it is reported as a finding, and what it was about keeps its default.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, get_args

import yaml

from policies.kit import exemptions
from policies.kit.exemptions import Exemption
from policies.kit.rules import LEVELS, Level, Rule
from policies.kit.schemas import faults, unknown_name

KEY: Final = "bedplate:policy"
STACK_FILES: Final = Path(__file__).parents[2] / "stacks"
Remediation = Literal["off", "suggest", "apply"]
REMEDIATIONS: Final[tuple[Remediation, ...]] = get_args(Remediation)
_FIELDS: Final = ("enabled", "level", "remediation", "rules", "exceptions", "packs")
_RULE_FIELDS: Final = ("level", "remediation", "parameters")


@dataclass(frozen=True)
class Problem:
    """Something malformed: where, what, and the rule that it is about, "" where it is about none."""

    path: str
    message: str
    rule: str = ""

    def __str__(self) -> str:
        return f"{KEY}.{self.path} {self.message}" if self.path else f"{KEY} {self.message}"


@dataclass(frozen=True)
class RuleSettings:
    """What the settings say of one rule; None where they are silent."""

    level: Level | None = None
    remediation: Remediation | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class PolicySettings:
    """``level`` bounds the levels that rules bring along; one that is written for a rule is what that rule gets."""

    level: Level = "mandatory"
    remediation: Remediation = "suggest"
    rules: Mapping[str, RuleSettings] = field(default_factory=dict[str, RuleSettings])
    exemptions: tuple[Exemption, ...] = ()
    problems: tuple[Problem, ...] = ()

    def level_of(self, rule: Rule) -> Level:
        """The level of a rule in this environment."""
        own = self.rules.get(rule.id, RuleSettings()).level
        return own or LEVELS[max(LEVELS.index(self.level), LEVELS.index(rule.level))]

    def remediation_of(self, rule: Rule) -> Remediation:
        """What is done where a rule could mend its resource; a risky one is only applied where it is named."""
        own = self.rules.get(rule.id, RuleSettings()).remediation
        if own is not None:
            return own
        return "suggest" if rule.mend_risk and self.remediation == "apply" else self.remediation

    def parameters_of(self, rule: Rule) -> dict[str, Any]:
        """The parameters of a rule: its own, under what the settings give and the schema allows."""
        given = self.rules.get(rule.id, RuleSettings()).parameters
        return rule.defaults | {name: value for name, value in given.items() if not _wrong(rule, name, value)}

    def problems_of(self, rule: Rule) -> Iterator[Problem]:
        """What is wrong with what the settings say of a rule."""
        yield from (problem for problem in self.problems if problem.rule == rule.id)
        for name, value in self.rules.get(rule.id, RuleSettings()).parameters.items():
            for path, message in _wrong(rule, name, value):
                yield Problem(f"rules.{rule.id}.parameters.{path}", message, rule.id)


def parse(content: Any) -> PolicySettings:
    """Settings from what was written, with the problems found in it."""
    if content is None:
        return PolicySettings()
    if not isinstance(content, dict):
        return PolicySettings(problems=(Problem("", f"expected {', '.join(_FIELDS)}, seen {content!r}"),))
    problems = list(_unknown(content, _FIELDS, ""))
    if not isinstance(content.get("enabled", True), bool):
        problems.append(Problem("enabled", f"expected true or false, seen {content['enabled']!r}"))
    level = _choice(content, "level", LEVELS, "", problems)
    remediation = _choice(content, "remediation", REMEDIATIONS, "", problems)
    rules = dict(_rules(content.get("rules"), problems))
    found = tuple(_exemptions(content.get("exceptions"), problems))
    return PolicySettings(level or "mandatory", remediation or "suggest", rules, found, tuple(problems))


def from_config(config: Mapping[str, str]) -> PolicySettings:
    """Settings from a stack's configuration, where each value is text."""
    text = config.get(KEY)
    if text is None:
        return PolicySettings()
    try:
        return parse(json.loads(text))
    except ValueError as error:
        return PolicySettings(problems=(Problem("", f"is not JSON: {error}"),))


def from_environment(environment: Mapping[str, str] = os.environ) -> PolicySettings | None:
    """Settings from where the engine leaves a stack's configuration, or from the stack's file; None without either."""
    if "PULUMI_CONFIG" in environment:
        try:
            return from_config(json.loads(environment["PULUMI_CONFIG"]))
        except ValueError as error:
            return PolicySettings(problems=(Problem("", f"can't be read: PULUMI_CONFIG is not JSON: {error}"),))
    return from_stack_file(environment["PULUMI_STACK"]) if "PULUMI_STACK" in environment else None


def from_stack_file(stack: str, folder: Path = STACK_FILES) -> PolicySettings | None:
    """Settings from the file of a stack, None where it has none."""
    path = folder / f"Pulumi.{stack.rpartition('/')[2]}.yaml"
    if not path.is_file():
        return None
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        return parse((content.get("config") or {}).get(KEY))
    except (yaml.YAMLError, AttributeError) as error:
        return PolicySettings(problems=(Problem("", f"can't be read: {path} is malformed: {error}"),))


def _rules(content: Any, problems: list[Problem]) -> Iterator[tuple[str, RuleSettings]]:
    if not isinstance(content, dict):
        if content is not None:
            problems.append(Problem("rules", f"expected rules by their ids, seen {content!r}"))
        return
    for key, entry in content.items():
        rule, place = str(key), f"rules.{key}"
        if not isinstance(entry, dict):
            problems.append(Problem(place, f"expected {', '.join(_RULE_FIELDS)}, seen {entry!r}", rule))
            continue
        problems.extend(_unknown(entry, _RULE_FIELDS, f"{place}.", rule))
        level = _choice(entry, "level", LEVELS, place, problems, rule)
        remediation = _choice(entry, "remediation", REMEDIATIONS, place, problems, rule)
        parameters = entry.get("parameters") or {}
        if not isinstance(parameters, dict):
            problems.append(Problem(f"{place}.parameters", f"expected values by name, seen {parameters!r}", rule))
            parameters = {}
        yield rule, RuleSettings(level, remediation, parameters)


def _exemptions(content: Any, problems: list[Problem]) -> Iterator[Exemption]:
    if not isinstance(content, list):
        if content is not None:
            problems.append(Problem("exceptions", f"expected a list, seen {content!r}"))
        return
    for place, entry in (
        each for index, one in enumerate(content) for each in _one_by_rule(one, f"exceptions[{index}]")
    ):
        exemption, wrong = exemptions.read(entry, place)
        rule = entry.get("rule") if isinstance(entry, dict) else ""
        problems.extend(Problem(path, message, str(rule or "")) for path, message in wrong)
        if exemption is not None:
            yield exemption


def _one_by_rule(entry: Any, place: str) -> Iterator[tuple[str, Any]]:
    """An exception from several rules as several, each of which may turn out to be of no use."""
    rules = entry.get("rule") if isinstance(entry, dict) else None
    if not isinstance(rules, list) or not rules:
        yield place, entry
        return
    for index, rule in enumerate(rules):
        yield f"{place}.rule[{index}]", {**entry, "rule": rule}


def _unknown(content: Mapping[str, Any], known: tuple[str, ...], place: str, rule: str = "") -> Iterator[Problem]:
    for key in map(str, content):
        if key not in known:
            yield Problem(f"{place}{key}", unknown_name(key, dict.fromkeys(known)), rule)


def _choice(
    content: Mapping[str, Any], key: str, choices: tuple[Any, ...], place: str, problems: list[Problem], rule: str = ""
) -> Any:
    value = content.get(key)
    value = {True: "on", False: "off"}.get(value, value) if isinstance(value, bool) else value  # YAML's off is false
    if value is None or value in choices:
        return value
    path = f"{place}.{key}" if place else key
    problems.append(Problem(path, f"expected one of {', '.join(choices)}, seen {value!r}", rule))
    return None


def _wrong(rule: Rule, name: str, value: Any) -> list[tuple[str, str]]:
    if name not in rule.parameters:
        return [(name, unknown_name(name, rule.parameters))]
    return list(faults(value, rule.parameters[name], name))
