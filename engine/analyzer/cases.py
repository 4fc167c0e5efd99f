"""Rules' cases as files: resources in, findings out, asked of a running policy pack over Pulumi's Analyzer protocol.

    rule: s3-versioning
    cases:
      - name: suspended is not enabled
        resources:
          - {type: "aws:s3/bucketVersioning:BucketVersioning", name: data,
             properties: {bucket: "${unknown}", versioningConfiguration: {status: Suspended}}}
        settings: {}        # the stack's `bedplate:policy`
        config: {}          # what --policy-pack-config would give, for packs that know no `bedplate:policy`
        findings: [{resource: data, contains: Suspended}]
        mended: {data: {versioningConfiguration: {status: Enabled}}}

A resource also has ``refers`` (names by property), ``parent`` (a name) and ``protect``. ``"${unknown}"`` is a value
that is not known yet, ``"${secret:TEXT}"`` a secret one. ``findings`` are all that the rule has to say, in any order; a
finding without ``resource`` is about the stack. ``mended`` holds the properties that a remediation changes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml
from google.protobuf import json_format, struct_pb2
from pulumi.runtime.proto import analyzer_pb2 as wire

from engine.wire import SECRET, SIGNATURE, UNKNOWN_STRING

STACK: Final = "case"
PROJECT: Final = "bedplate"
_SECRET: Final = re.compile(r"\$\{secret:(.*)\}", re.DOTALL)
_CASE: Final = frozenset({"name", "resources", "settings", "config", "findings", "mended"})
_RESOURCE: Final = frozenset({"type", "name", "properties", "refers", "parent", "protect"})
_FINDING: Final = frozenset({"resource", "contains"})
# The lists of a case: what their elements may have, and the texts that they must have.
_PARTS: Final = {"resources": (_RESOURCE, ("type", "name")), "findings": (_FINDING, ("contains",))}


class CaseError(Exception):
    """A file of cases is malformed; the message lists everything that is wrong with it."""


@dataclass(frozen=True)
class Given:
    """A resource of a case."""

    type: str
    name: str
    properties: Mapping[str, Any] = field(default_factory=dict[str, Any])
    refers: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    parent: str = ""
    protect: bool = False

    @property
    def urn(self) -> str:
        return f"urn:pulumi:{STACK}::{PROJECT}::{self.type}::{self.name}"


@dataclass(frozen=True)
class Expected:
    """A finding: on which resource ("" for the stack), and what its message contains."""

    resource: str = ""
    contains: str = ""

    def __str__(self) -> str:
        return f"{self.resource or 'the stack'}: …{self.contains}…"


@dataclass(frozen=True)
class Case:
    """What a rule says of some resources."""

    name: str
    resources: tuple[Given, ...]
    findings: tuple[Expected, ...]
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    config: Mapping[str, Any] = field(default_factory=dict[str, Any])
    mended: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])


@dataclass(frozen=True)
class CaseFile:
    """The cases of one rule."""

    path: Path
    rule: str
    cases: tuple[Case, ...]


def load(path: Path) -> CaseFile:
    """Read a file of cases. Raises CaseError."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise CaseError(f"{path}: can't be read: {error}") from error
    faults = list(_faults(content))
    if faults:
        raise CaseError("\n".join([f"{path}: {len(faults)} problem{'s' * (len(faults) > 1)}", *faults]))
    return CaseFile(path, content["rule"], tuple(_case(entry) for entry in content["cases"]))


def differences(case: Case, rule: str, pack: Any) -> list[str]:
    """What the pack answers otherwise than the case says; ``pack`` is a stub of Pulumi's Analyzer service."""
    _configure(case, rule, pack, mend=False)
    wrong = _against(case.findings, list(_said(case, rule, pack)))
    if case.mended:
        _configure(case, rule, pack, mend=True)
        wrong.extend(_against_mended(case, rule, pack))
    return wrong


def _said(case: Case, rule: str, pack: Any) -> Iterator[tuple[str, str]]:
    """Resource and message of everything that the rule says."""
    answers: list[wire.AnalyzeResponse] = [pack.Analyze(_analyze_request(given, case)) for given in case.resources]
    answers.append(pack.AnalyzeStack(_stack_request(case)))
    names: dict[str, str] = {given.urn: given.name for given in case.resources}
    for answer in answers:
        for diagnostic in answer.diagnostics:
            if diagnostic.policyName == rule:
                yield names.get(diagnostic.urn, diagnostic.urn), diagnostic.message.removeprefix(diagnostic.description)


def _against(expected: Sequence[Expected], said: list[tuple[str, str]]) -> list[str]:
    missing: list[str] = []
    for finding in expected:
        told = next((one for one in said if one[0] == finding.resource and finding.contains in one[1]), None)
        if told is None:
            missing.append(f"missing     {finding}")
        else:
            said.remove(told)
    return missing + [f"unexpected  {resource or 'the stack'}: {message.strip()}" for resource, message in said]


def _against_mended(case: Case, rule: str, pack: Any) -> Iterator[str]:
    for given in case.resources:
        answer = pack.Remediate(_analyze_request(given, case))
        mended = [one for one in answer.remediations if one.policyName == rule and one.HasField("properties")]
        after = _plain(mended[-1].properties) if mended else _written(given.properties)
        before = _written(given.properties)
        changed = {key: after.get(key) for key in {*before, *after} if before.get(key) != after.get(key)}
        wanted = _written(case.mended.get(given.name, {}))
        if changed != wanted:
            yield f"mended      {given.name}: expected {json.dumps(wanted)}, seen {json.dumps(changed)}"


def _configure(case: Case, rule: str, pack: Any, *, mend: bool) -> None:
    settings: dict[str, Any] = dict(case.settings)
    config: dict[str, Any] = {key: dict(value) for key, value in case.config.items()}
    if mend:
        rules = dict(settings.get("rules") or {})
        settings["rules"] = rules | {rule: {**(rules.get(rule) or {}), "remediation": "apply"}}
        config[rule] = {**config.get(rule, {}), "enforcementLevel": "remediate"}
    stack = wire.AnalyzerStackConfigureRequest(
        stack=STACK, project=PROJECT, dry_run=True, config={"bedplate:policy": json.dumps(settings, default=str)}
    )
    pack.ConfigureStack(stack)
    pack.Configure(wire.ConfigureAnalyzerRequest(policyConfig={key: _policy(value) for key, value in config.items()}))


def _policy(content: Mapping[str, Any]) -> wire.PolicyConfig:
    level = wire.EnforcementLevel.Value(str(content.get("enforcementLevel", "mandatory")).upper())
    properties = {key: value for key, value in content.items() if key != "enforcementLevel"}
    return wire.PolicyConfig(enforcementLevel=level, properties=_struct(properties))


def _analyze_request(given: Given, case: Case) -> wire.AnalyzeRequest:
    return wire.AnalyzeRequest(
        type=given.type,
        urn=given.urn,
        name=given.name,
        properties=_struct(_written(given.properties)),
        options=wire.AnalyzerResourceOptions(protect=given.protect, parent=_urn(given.parent, case)),
    )


def _stack_request(case: Case) -> wire.AnalyzeStackRequest:
    return wire.AnalyzeStackRequest(resources=[_stack_resource(given, case) for given in case.resources])


def _stack_resource(given: Given, case: Case) -> wire.AnalyzerResource:
    refers = {name: [_urn(other, case) for other in others] for name, others in given.refers.items()}
    return wire.AnalyzerResource(
        type=given.type,
        urn=given.urn,
        name=given.name,
        properties=_struct(_written(given.properties)),
        options=wire.AnalyzerResourceOptions(protect=given.protect, parent=_urn(given.parent, case)),
        parent=_urn(given.parent, case),
        dependencies=sorted({urn for urns in refers.values() for urn in urns}),
        propertyDependencies={key: wire.AnalyzerPropertyDependencies(urns=urns) for key, urns in refers.items()},
    )


def _urn(name: str, case: Case) -> str:
    return next((given.urn for given in case.resources if given.name == name), name)


def _written(value: Any) -> Any:
    """Properties in the wire's form."""
    if isinstance(value, Mapping):
        return {str(key): _written(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_written(inner) for inner in value]
    if value == "${unknown}":
        return UNKNOWN_STRING
    if isinstance(value, str) and (match := _SECRET.fullmatch(value)):
        return {SIGNATURE: SECRET, "value": match[1]}
    return value if value is None or isinstance(value, (str, bool, int, float)) else str(value)


def _struct(content: Mapping[str, Any]) -> struct_pb2.Struct:
    struct = struct_pb2.Struct()
    struct.update(dict(content))
    return struct


def _plain(struct: struct_pb2.Struct) -> dict[str, Any]:
    return json_format.MessageToDict(struct)


def _case(entry: Mapping[str, Any]) -> Case:
    return Case(
        name=entry["name"],
        resources=tuple(_given(resource) for resource in entry.get("resources") or ()),
        findings=tuple(Expected(**finding) for finding in entry.get("findings") or ()),
        settings=entry.get("settings") or {},
        config=entry.get("config") or {},
        mended=entry.get("mended") or {},
    )


def _given(entry: Mapping[str, Any]) -> Given:
    refers = {name: [to] if isinstance(to, str) else list(to) for name, to in (entry.get("refers") or {}).items()}
    properties, parent = entry.get("properties") or {}, entry.get("parent") or ""
    return Given(entry["type"], entry["name"], properties, refers, parent, entry.get("protect") is True)


def _faults(content: Any) -> Iterator[str]:
    if not isinstance(content, dict) or not isinstance(content.get("rule"), str):
        yield "  rule   is missing: say which rule the cases are of"
        return
    cases = content.get("cases")
    if not isinstance(cases, list) or not cases:
        yield f"  cases  expected a list of cases, seen {cases!r}"
        return
    names = [entry.get("name") for entry in cases if isinstance(entry, dict)]
    for index, entry in enumerate(cases):
        yield from _faults_of_case(entry, f"  cases[{index}]", names)


def _faults_of_case(entry: Any, place: str, names: list[Any]) -> Iterator[str]:
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
        yield f"{place}  expected a case with a name, seen {entry!r}"
        return
    if names.count(entry["name"]) > 1:
        yield f"{place}.name  {entry['name']!r} is the name of another case, too"
    yield from _unknown(entry, _CASE, place)
    if "findings" not in entry:
        yield f"{place}.findings  is missing; write [] where the rule has nothing to say"
    for part, (known, needed) in _PARTS.items():
        elements: list[Any] = entry.get(part) or []
        for index, element in enumerate(elements):
            where = f"{place}.{part}[{index}]"
            if not isinstance(element, dict) or not all(isinstance(element.get(key), str) for key in needed):
                yield f"{where}  expected {' and '.join(needed)}, seen {element!r}"
            else:
                yield from _unknown(element, known, where)
    yield from _dangling(entry, place)


def _dangling(entry: Mapping[str, Any], place: str) -> Iterator[str]:
    """Names that are none of the case's resources."""
    known = {element.get("name") for element in entry.get("resources") or () if isinstance(element, dict)}
    findings = [element.get("resource", "") for element in entry.get("findings") or () if isinstance(element, dict)]
    for name in [*filter(None, findings), *(entry.get("mended") or {})]:
        if name not in known:
            yield f"{place}  {name!r} is none of the resources of the case"


def _unknown(entry: Mapping[str, Any], known: frozenset[str], place: str) -> Iterator[str]:
    for key in entry:
        if key not in known:
            yield f"{place}.{key}  is not known; expected {', '.join(sorted(known))}"
