"""A pack's cases, asked of the running pack: what does each rule answer otherwise than its file says?

The pack is a process of its own that is asked over Pulumi's Analyzer protocol, so that its rules meet the SDK's real
proxies, unknowns and secrets. It is started once; each case configures it anew.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from engine.analyzer.case_files import Case, CaseFile, Expected, Given, valued
from engine.analyzer.client import Analyzer
from engine.analyzer.config import config_in
from engine.analyzer.environment import StackFacts
from engine.analyzer.errors import PolicyError
from engine.analyzer.findings import AnalyzedResource, Level, PolicyConfig, PolicyKind

SETTINGS: Final = "bedplate:policy"
STACK: Final = "case"
PROJECT: Final = "bedplate"


@dataclass(frozen=True)
class Outcome:
    """What came of one case; ``wrong`` says, a line each, what the rule answers otherwise."""

    path: Path
    rule: str
    case: str
    wrong: tuple[str, ...]

    @property
    def passed(self) -> bool:
        return not self.wrong


async def outcomes(file: CaseFile, pack: Analyzer) -> list[Outcome]:
    """What comes of the cases of a file; a pack that breaks is what is wrong with the case that broke it."""
    if pack.info.policy(file.rule) is None:
        known = ", ".join(policy.name for policy in pack.info.policies)
        return [Outcome(file.path, file.rule, "", (f"the pack has no rule {file.rule!r}; it has {known}",))]
    asked = _Asked(pack, file.rule)
    return [Outcome(file.path, file.rule, case.name, await _wrong(case, asked)) for case in file.cases]


class _Asked:
    """A pack that is asked about one rule, configured anew only where a case wants it otherwise than the last one."""

    def __init__(self, pack: Analyzer, rule: str) -> None:
        self.pack = pack
        self.rule = rule
        self._prepared: tuple[StackFacts, Mapping[str, PolicyConfig]] | None = None

    async def prepare(self, case: Case, *, mend: bool) -> None:
        settings: dict[str, Any] = dict(case.settings)
        config = config_in(case.config, "config")
        rule = self.rule
        if mend:
            rules: dict[str, Any] = dict(settings.get("rules") or {})
            settings["rules"] = rules | {rule: {**(rules.get(rule) or {}), "remediation": "apply"}}
            config[rule] = PolicyConfig(Level.REMEDIATE, config[rule].properties if rule in config else {})
        # Nobody asks what the others say: with a hundred rules that takes most of the time.
        off = {other.name: PolicyConfig(Level.DISABLED) for other in self.pack.info.policies if other.name != rule}
        wanted = StackFacts(PROJECT, STACK, config={SETTINGS: json.dumps(settings, default=str)}), off | config
        if wanted != self._prepared:
            self._prepared = None  # where it fails, nobody knows what the pack took
            await self.pack.prepare(*wanted)
            self._prepared = wanted


async def _wrong(case: Case, asked: _Asked) -> tuple[str, ...]:
    try:
        wrong = await _against_findings(case, asked)
        return (*wrong, *(await _against_mended(case, asked) if case.mended else []))
    except PolicyError as error:
        return (f"the pack {error}",)


async def _against_findings(case: Case, asked: _Asked) -> list[str]:
    await asked.prepare(case, mend=False)
    pack = asked.pack
    resources = [_analyzed(given, case) for given in case.resources]
    policy = pack.info.policy(asked.rule)
    kind = policy.kind if policy else PolicyKind.UNKNOWN
    answers = [] if kind is PolicyKind.STACK else [await pack.analyze(resource) for resource in resources]
    answers += [] if kind is PolicyKind.RESOURCE else [await pack.analyze_stack(resources)]
    names = {resource.urn: resource.name for resource in resources}
    said = [
        (names.get(finding.urn, finding.urn), finding.message)
        for answer in answers
        for finding in answer.findings
        if finding.policy == asked.rule
    ]
    return list(_differences(case.findings, said))


def _differences(expected: Sequence[Expected], said: list[tuple[str, str]]) -> Iterator[str]:
    for finding in sorted(expected, key=lambda one: -len(one.contains)):  # the most particular one takes its own first
        told = next((one for one in said if one[0] == finding.resource and finding.contains in one[1]), None)
        if told is None:
            yield f"missing     {finding}"
        else:
            said.remove(told)
    for resource, message in said:
        yield f"unexpected  {resource or 'the stack'}: {message}"


async def _against_mended(case: Case, asked: _Asked) -> list[str]:
    await asked.prepare(case, mend=True)
    wrong: list[str] = []
    for given in case.resources:
        before: Mapping[str, Any] = _analyzed(given, case).properties
        answer = await asked.pack.remediate(_analyzed(given, case))
        mended = [one for one in answer.remediated if one.policy == asked.rule]
        after: Mapping[str, Any] = mended[-1].after if mended else before
        changed = {key: after.get(key) for key in sorted({*before, *after}) if before.get(key) != after.get(key)}
        wanted = valued(case.mended.get(given.name, {}))
        if changed != wanted:
            wrong.append(f"mended      {given.name}: expected {_shown(wanted)}, seen {_shown(changed)}")
    return wrong


def _analyzed(given: Given, case: Case) -> AnalyzedResource:
    refers = {name: [_urn(other, case) for other in others] for name, others in given.refers.items()}
    properties = valued(given.properties)
    assert isinstance(properties, dict)
    return AnalyzedResource(
        urn=_urn(given.name, case),
        type=given.type,
        name=given.name,
        properties=properties,
        parent=_urn(given.parent, case) if given.parent else "",
        dependencies=sorted({urn for urns in refers.values() for urn in urns}),
        property_dependencies=refers,
        protect=given.protect,
    )


def _urn(name: str, case: Case) -> str:
    """The URN of a resource of the case; a name that is none of them stands for itself."""
    token = next((given.type for given in case.resources if given.name == name), None)
    return name if token is None else f"urn:pulumi:{STACK}::{PROJECT}::{token}::{name}"


def _shown(value: Any) -> str:
    return json.dumps(value, default=str, ensure_ascii=False)
