"""Files of a rule's cases: resources in, findings out.

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

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from engine.values import UNKNOWN, Secret, Value

LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where it was built
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
        content = yaml.load(path.read_text(encoding="utf-8"), LOADER)  # noqa: S506 - a safe loader
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise CaseError(f"{path}: can't be read: {error}") from error
    faults = list(_faults(content))
    if faults:
        raise CaseError("\n".join([f"{path}: {len(faults)} problem{'s' * (len(faults) > 1)}", *faults]))
    return CaseFile(path, content["rule"], tuple(_case(entry) for entry in content["cases"]))


def case_files(pack: Path) -> list[Path]:
    """The files of the cases of the pack in that folder."""
    return sorted((pack / "cases").glob("*.yaml"))


def valued(written: Any) -> Value:
    """What is written in a file of cases, as the engine's values."""
    if isinstance(written, Mapping):
        return {str(key): valued(inner) for key, inner in written.items()}
    if isinstance(written, list):
        return [valued(inner) for inner in written]
    if isinstance(written, str):
        match = _SECRET.fullmatch(written)
        return UNKNOWN if written == "${unknown}" else Secret(match[1]) if match else written
    return written if written is None or isinstance(written, (bool, int, float)) else str(written)  # a date of YAML's


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
    yield from _no_mappings(entry, ("settings", "config", "mended"), place)
    wrong = [fault for part in _PARTS for fault in _faults_of_list(entry.get(part), part, f"{place}.{part}")]
    yield from wrong or _dangling(entry, place)


def _faults_of_list(elements: Any, part: str, place: str) -> Iterator[str]:
    known, needed = _PARTS[part]
    if not isinstance(elements, list):
        if elements is not None:
            yield f"{place}  expected a list, seen {elements!r}"
        return
    for index, element in enumerate(elements):
        where = f"{place}[{index}]"
        if not isinstance(element, dict) or not all(isinstance(element.get(key), str) for key in needed):
            yield f"{where}  expected {' and '.join(needed)}, seen {element!r}"
        else:
            yield from _unknown(element, known, where)
            yield from _no_mappings(element, ("properties", "refers"), where)


def _no_mappings(entry: Mapping[str, Any], keys: tuple[str, ...], place: str) -> Iterator[str]:
    for key in keys:
        if not isinstance(entry.get(key) or {}, dict):
            yield f"{place}.{key}  expected values by name, seen {entry[key]!r}"


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
