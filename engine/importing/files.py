"""Reading a file that names resources to import, in the form of ``pulumi import --file``.

    {"nameTable": {NAME: URN}, "resources": [{"type", "name", "id", "parent", "provider", "version", ...}]}

All that is wrong is collected, each with its place and line. (Source: Pulumi 3.260,
``pkg/cmd/pulumi/operations/import.go``.)
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, cast

import yaml

from engine import urn as urns
from engine.importing.arguments import type_problems
from engine.importing.wanted import BadImport, Problem, Request, Wanted
from engine.state.errors import FormatError, StateError
from engine.state.properties import decode
from engine.state.secrets import SecretCodec
from engine.values import Properties

_TEXTS: Final = ("type", "name", "id", "parent", "provider", "version", "pluginDownloadUrl", "logicalName")
_FLAGS: Final = ("component", "remote")
_NOT_HERE: Final = {
    "parameterization": "packages that are made from others",
    "extension": "extensions of packages",
    "remote": "remote components",
}
_FIELDS: Final = (*_TEXTS, *_FLAGS, "properties", "inputs", "outputs", "parameterization", "extension")


def of_file(path: Path, *, stack: str, project: str, protect: bool, codec: SecretCodec) -> Request:
    """What the file at ``path`` asks for. Raises BadImport with all that is wrong with it."""
    text = _text(path)
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        message = f"not JSON: {error.msg} in column {error.colno}"
        raise BadImport(str(path), [Problem("", message, line=error.lineno)]) from error
    reading = _Reading(stack, project, protect, codec, _lines(text))
    request = reading.request(content)
    if reading.problems:
        raise BadImport(str(path), reading.problems)
    return request


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadImport(str(path), [Problem("", f"not UTF-8 text: {error.reason} at byte {error.start}")]) from error


@dataclass
class _Reading:
    stack: str
    project: str
    protect: bool
    codec: SecretCodec
    lines: Mapping[str, int]
    problems: list[Problem] = field(default_factory=list[Problem])

    def request(self, content: Any) -> Request:
        empty = Request((), {})
        if not isinstance(content, dict):
            self._wrong("", f"expected an object with `resources`, found {_kind(content)}")
            return empty
        members = cast("dict[str, Any]", content)
        self._unknown("", members, ("nameTable", "resources", "providerInputs"))
        table = self._table(members.get("nameTable") or {})
        listed = members.get("resources")
        if not isinstance(listed, list) or not listed:
            self._wrong("resources", "expected a list of at least one resource")
            return empty
        if members.get("providerInputs"):
            self._wrong("providerInputs", "out of use", "declare the provider among `resources`, with its `inputs`")
        specs = [self._spec(f"resources[{index}]", one) for index, one in enumerate(cast("list[Any]", listed))]
        if self.problems:
            return empty
        return self._resolved(table, [spec for spec in specs if spec is not None])

    def _table(self, given: Any) -> dict[str, str]:
        if not isinstance(given, dict):
            self._wrong("nameTable", f"expected an object of names and URNs, found {_kind(given)}")
            return {}
        table: dict[str, str] = {}
        for name, urn in cast("dict[str, Any]", given).items():
            try:
                urns.parse(urn if isinstance(urn, str) else "")
                table[name] = urn
            except ValueError:
                self._wrong(f"nameTable.{name}", f"{urn!r} is not a URN", "`bedplate state list ENV` shows the URNs")
        return table

    def _spec(self, place: str, given: Any) -> dict[str, Any] | None:
        if not isinstance(given, dict):
            self._wrong(place, f"expected an object, found {_kind(given)}")
            return None
        spec = dict(cast("dict[str, Any]", given))
        self._unknown(place, spec, _FIELDS)
        for key in _TEXTS:
            if not isinstance(spec.get(key) or "", str):
                self._wrong(f"{place}.{key}", f"expected text, found {_kind(spec[key])}")
                return None
        for key in _FLAGS:
            if not isinstance(spec.get(key, False), bool):
                self._wrong(f"{place}.{key}", f"expected true or false, found {_kind(spec[key])}")
        for key, what in _NOT_HERE.items():
            if spec.get(key):
                advice = "import it with `pulumi import`, the Pulumi CLI"
                self._wrong(f"{place}.{key}", f"the embedded engine knows no {what}", advice)
        names = spec.get("properties") or []
        if not isinstance(names, list) or not all(isinstance(name, str) for name in cast("list[Any]", names)):
            self._wrong(f"{place}.properties", "expected a list of names of inputs")
        spec["logicalName"] = spec.get("logicalName") or spec.get("name") or ""
        spec["name"] = spec.get("name") or spec["logicalName"]
        spec["place"] = place
        for key in ("inputs", "outputs"):
            spec[key] = self._properties(f"{place}.{key}", spec.get(key))
        self._required(place, spec)
        return spec

    def _required(self, place: str, spec: Mapping[str, Any]) -> None:
        type_, component = spec.get("type") or "", spec.get("component") is True
        if not type_:
            self._wrong(place, "has no type")
        else:
            self.problems += type_problems(type_, f"{place}.type", self._line(f"{place}.type"))
        if not spec["name"]:
            self._wrong(place, "has no name")
        provider = urns.is_provider_type(type_)
        if provider and spec.get("id"):
            self._wrong(f"{place}.id", "a provider is made, not read, and has no id")
        elif provider and (component or spec["outputs"]):
            self._wrong(place, "a provider is no component and has no outputs of its own")
        elif component and spec.get("id"):
            self._wrong(f"{place}.id", "a component has no id")
        elif not component and not provider and not spec.get("id"):
            self._wrong(place, "has no id")

    def _properties(self, place: str, given: Any) -> Properties:
        if given is None:
            return {}
        try:
            return decode(given, self.codec)
        except FormatError as error:
            self._wrong(f"{place}.{error.place}" if error.place else place, error.problem)
        except StateError as error:
            self._wrong(place, f"a secret that can't be opened: {error}")
        return {}

    def _resolved(self, table: Mapping[str, str], specs: list[dict[str, Any]]) -> Request:
        """The resources with parents and providers as URNs; a resource may stand before its parent."""
        found: dict[str, str] = {**table}
        twice = {name for name, count in Counter(spec["name"] for spec in specs).items() if count > 1}
        names: dict[str, str] = {urn: name for name, urn in table.items()}
        known = {spec["name"] for spec in specs} | table.keys()
        waiting, wanted = list(specs), dict[str, Wanted]()
        while waiting:
            ready = [spec for spec in waiting if not spec.get("parent") or found.get(spec["parent"])]
            if not ready:
                break
            for spec in ready:
                waiting.remove(spec)
                if self._ambiguous(spec, "parent", twice, known):
                    continue
                urn = urns.make(
                    self.stack, self.project, found.get(spec.get("parent") or ""), spec["type"], spec["logicalName"]
                )
                if urn in names:
                    self._wrong(spec["place"], f"names {urn} a second time", "give each resource its own name")
                found.setdefault(spec["name"], urn)
                names[urn] = spec["name"] if spec["name"] not in names.values() else f"{spec['name']}_{_short(spec)}"
                spec["urn"] = urn
        for spec in waiting:
            self._ambiguous(spec, "parent", twice, known, circle=True)
        for spec in specs:
            if "urn" in spec and not self._ambiguous(spec, "provider", twice, known):
                wanted[spec["urn"]] = self._wanted(spec, found)
        return Request(tuple(wanted.values()), names)

    def _ambiguous(
        self, spec: Mapping[str, Any], key: str, twice: set[str], known: set[str], *, circle: bool = False
    ) -> bool:
        """Whether what ``spec`` names as its parent or provider is not one thing; says so."""
        name, place = spec.get(key) or "", f"{spec['place']}.{key}"
        if not name:
            return False
        if name in twice:
            self._wrong(place, f"{name!r} is the name of several resources", "give each its own name")
        elif name not in known:
            close = get_close_matches(name, sorted(known), 1)
            advice = f"did you mean {close[0]!r}?" if close else "add it to nameTable, with its URN"
            self._wrong(place, f"{name!r} is neither in nameTable nor among the resources", advice)
        elif circle:
            self._wrong(place, f"{name!r} is below {spec['name']!r} itself, or below what is not there")
        else:
            return False
        return True

    def _wanted(self, spec: Mapping[str, Any], found: Mapping[str, str]) -> Wanted:
        provider = found.get(spec.get("provider") or "", "")
        if provider and not urns.is_provider_type(urns.type_of(provider)):
            self._wrong(f"{spec['place']}.provider", f"{spec['provider']!r} is not a provider but {provider}")
        return Wanted(
            spec["type"], spec["logicalName"], spec.get("id") or "", spec["urn"],
            found.get(spec.get("parent") or "", ""), provider, spec.get("version") or "",
            spec.get("pluginDownloadUrl") or "", self.protect, tuple(spec.get("properties") or ()),
            spec.get("component") is True, spec["inputs"], spec["outputs"],
        )  # fmt: skip

    def _unknown(self, place: str, given: Mapping[str, Any], known: tuple[str, ...]) -> None:
        for key in given:
            if key not in known:
                close = get_close_matches(key, known, 1)
                advice = f"did you mean {close[0]!r}?" if close else f"expected one of {', '.join(known)}"
                self._wrong(f"{place}.{key}".lstrip("."), "unknown field", advice)

    def _wrong(self, place: str, message: str, advice: str = "") -> None:
        self.problems.append(Problem(place, message, advice, self._line(place)))

    def _line(self, place: str) -> int:
        """The line of a place in the file, or of what it lies in."""
        while place and place not in self.lines:
            place = place.rpartition(".")[0]
        return self.lines.get(place, 0)


def _short(spec: Mapping[str, Any]) -> str:
    return str(spec["type"]).rpartition(":")[2]


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "nothing"}
    return names.get(type(value), "a number")


def _lines(text: str) -> Mapping[str, int]:
    """The line of each place in a JSON text, as far as it can be told: YAML's parser, which reads JSON, keeps lines."""
    found: dict[str, int] = {}

    def note(node: Any, place: str) -> None:
        found.setdefault(place, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                inner = f"{place}.{key.value}".lstrip(".")
                found[inner] = key.start_mark.line + 1
                note(value, inner)
        elif isinstance(node, yaml.SequenceNode):
            for index, value in enumerate(node.value):
                note(value, f"{place}[{index}]")

    try:
        note(yaml.compose(text, Loader=yaml.SafeLoader), "")
    except yaml.YAMLError:
        return {}
    return found
