"""The program's side of an import: Python that declares what was imported, to be pasted.

One statement a resource, in an order in which each stands behind what it refers to. What another imported resource is
called (its id, ARN or name) is written as a reference to it, as Pulumi's import does, where only one has that text. A
secret is read from the configuration and never written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from engine import urn as urns
from engine.importing import sdk
from engine.importing.text import WIDTH, Call, Code, identifier, written
from engine.importing.wanted import Request, Wanted
from engine.provider_registry import split_reference
from engine.state.model import ResourceState
from engine.values import Archive, Asset, Properties, ResourceRef, Secret, Value, reveal, secret

_REFERRED: Final = ("id", "arn", "name")  # outputs that a reference may name
_SEPARATORS: Final = ((", ", ": "), (",", ":"))


@dataclass(frozen=True)
class Declared:
    """A resource whose declaration is to be written: what was asked for, its state, and the inputs that it ``says``."""

    wanted: Wanted
    state: ResourceState
    says: Properties


@dataclass(frozen=True)
class Needed:
    """A secret that the code reads from the configuration: whose it is, and what it is."""

    urn: str
    value: Secret


@dataclass
class Program:
    """What has been written. ``secrets`` are the keys of the configuration that the code asks for."""

    imports: set[str] = field(default_factory=set[str])
    statements: list[str] = field(default_factory=list[str])
    secrets: dict[str, Needed] = field(default_factory=dict[str, Needed])
    left_out: list[str] = field(default_factory=list[str])  # URNs that no code can be written for

    @property
    def text(self) -> str:
        if not self.statements:
            return ""
        config = ["config = pulumi.Config()"] if self.secrets else []
        standard = sorted(one for one in self.imports if one == "import json")
        others = sorted(self.imports - set(standard))
        heads = ["\n".join(part) for part in (standard, others) if part]
        return "\n\n".join([*heads, *config, *self.statements]) + "\n"


def program_of(request: Request, declared: Sequence[Declared], notes: Mapping[str, str] | None = None) -> Program:
    """The code for ``declared``; ``notes`` are comments by URN that stand above a resource's declaration."""
    writer = _Writer(request, declared)
    for one in _in_order(declared, writer.references):
        writer.write(one, (notes or {}).get(one.state.urn, ""))
    return writer.program


class _References:
    """Which texts stand for another resource."""

    def __init__(self, declared: Sequence[Declared], variables: Mapping[str, str]) -> None:
        self._owners: dict[str, list[tuple[str, str]]] = {}
        for one in declared:
            state = one.state
            outputs = {**state.outputs, "id": state.id}
            texts = {name: reveal(outputs.get(name)) for name in _REFERRED}
            for name, text in texts.items():
                if isinstance(text, str) and text and (name == "id" or text != state.id):
                    self._owners.setdefault(text, []).append((state.urn, f"{variables[state.urn]}.{name}"))

    def of(self, text: str, by: str) -> tuple[str, Code] | None:
        """The resource that ``text`` means where ``by`` says it, and how to refer to it."""
        others = [owner for owner in self._owners.get(text, ()) if owner[0] != by]
        return (others[0][0], Code(others[0][1])) if len(others) == 1 else None

    def needed(self, one: Declared) -> set[str]:
        """The URNs that the code of ``one`` refers to."""
        return {found[0] for text in _texts(one.says) if (found := self.of(text, one.state.urn))}


def _texts(value: Value) -> Iterable[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key not in ("tags", "tagsAll", "labels", "annotations"):
                yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, str):
        yield value


def _in_order(declared: Sequence[Declared], references: _References) -> list[Declared]:
    """``declared`` with each behind its parent, its provider and, as far as there is no circle, what it refers to."""
    by_urn = {one.state.urn: one for one in declared}
    ordered: dict[str, Declared] = {}
    open_: set[str] = set()

    def place(one: Declared) -> None:
        urn = one.state.urn
        if urn in ordered or urn in open_:
            return
        open_.add(urn)
        provider = split_reference(one.state.provider)[0] if one.state.provider else ""
        for other in (one.state.parent, provider, *sorted(references.needed(one))):
            if other in by_urn:
                place(by_urn[other])
        ordered[urn] = one

    for one in declared:
        place(one)
    return list(ordered.values())


class _Writer:
    def __init__(self, request: Request, declared: Sequence[Declared]) -> None:
        self.program = Program()
        self._names = _variables(request)
        self.references = _References(declared, self._names)
        self._written: set[str] = set()

    def write(self, one: Declared, note: str) -> None:
        variable, state = self._names[one.state.urn], one.state
        call = self._component(one) if one.wanted.component else self._call(one)
        if call is None:
            self.program.left_out.append(state.urn)
            return
        comment = "".join(f"# {line}\n" for line in note.splitlines())
        self.program.imports.add("import pulumi")
        start = f"{variable} = "
        self.program.statements.append(f"{comment}{start}{written(call, room=WIDTH - len(start))}")
        self._written.add(state.urn)

    def _component(self, one: Declared) -> Call:
        arguments: list[Any] = [one.state.type, one.wanted.name]
        if one.says:
            arguments.append(one.says)
        return Call("pulumi.ComponentResource", arguments, self._options(one))

    def _call(self, one: Declared) -> Call | None:
        found = sdk.resource_class(one.state.type)
        if found is None:
            return None
        alias = found.module.removeprefix("pulumi_")
        self.program.imports.add(f"import {found.module} as {alias}")
        members = found.arguments.members
        named: dict[str, Any] = dict(_given(found.given))
        for wire, value in one.says.items():
            if wire in members:
                python, shape = members[wire]
                named[python] = self._value(value, shape, one, (python,))
        return Call(f"{alias}.{found.path}", [one.wanted.name], {**named, **self._options(one)})

    def _options(self, one: Declared) -> dict[str, Any]:
        options: dict[str, Any] = {}
        if one.wanted.parent:
            options["parent"] = Code(self._names[one.wanted.parent])
        if one.wanted.provider:
            options["provider"] = Code(self._names[one.wanted.provider])
        if one.wanted.protect and not one.wanted.is_provider:
            options["protect"] = True
        return {"opts": Call("pulumi.ResourceOptions", (), options)} if options else {}

    def _value(self, value: Value, shape: sdk.Shape, one: Declared, path: tuple[str, ...]) -> Any:
        if isinstance(value, Secret) and isinstance(value.value, dict):
            value = {key: secret(each) for key, each in value.value.items()}
        if isinstance(value, Secret):
            return self._secret(value, one, path)
        if isinstance(value, dict):
            members, item = shape.members, shape.item or sdk.PLAIN
            named = {key: members.get(key, (key, item)) for key in value}
            return {
                named[key][0]: self._value(each, named[key][1], one, (*path, str(key))) for key, each in value.items()
            }
        if isinstance(value, list):
            return [
                self._value(each, shape.item or sdk.PLAIN, one, (*path, str(index)))
                for index, each in enumerate(value)
            ]  # fmt: skip
        if isinstance(value, ResourceRef):
            value = reveal(value)
        if isinstance(value, Asset | Archive):
            return _content(value)
        if isinstance(value, float) and value.is_integer():
            return int(value)
        return self._text(value, one, path) if isinstance(value, str) else value

    def _text(self, text: str, one: Declared, path: tuple[str, ...]) -> Any:
        found = None if path[0] == "tags" or "labels" in path else self.references.of(text, one.state.urn)
        if found is not None and found[0] in self._written:
            return found[1]
        document = _document(text)
        if document is not None:
            self.program.imports.add("import json")
        return document or text

    def _secret(self, value: Secret, one: Declared, path: tuple[str, ...]) -> Code:
        key = re.sub(r"\W+", "_", "_".join([self._names[one.state.urn], *path]))
        self.program.secrets[key] = Needed(one.state.urn, value)
        kind = "" if isinstance(value.value, str) else "_object"
        return Code(f'config.require_secret{kind}("{key}")')


def _given(fields: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    for wire, value in fields.items():
        yield re.sub(r"(?<=[a-z])(?=[A-Z])", "_", wire).lower(), value


def _variables(request: Request) -> dict[str, str]:
    """What each resource is called in the code; none like a module that the code uses."""
    asked = {one.urn for one in request.resources}
    # What stands in the program already is called what the table says.
    variables = {urn: name for urn, name in request.names.items() if urn not in asked}
    taken = {"pulumi", "json", "config", *(urns.package_of(one.type) for one in request.resources), *variables.values()}
    for one in request.resources:
        variables[one.urn] = identifier(request.names[one.urn], taken)
        taken.add(variables[one.urn])
    return variables


def _document(text: str) -> Call | None:
    """JSON written out, where that gives the very same text."""
    if text[:1] not in "{[" or len(text) < 3:
        return None
    try:
        content = json.loads(text)
    except ValueError:
        return None
    for item, key in _SEPARATORS:
        if json.dumps(content, separators=(item, key)) == text:
            named = {} if item == ", " else {"separators": Code(f'("{item}", "{key}")')}
            return Call("json.dumps", [content], named)
    return None


def _content(value: Asset | Archive) -> Call:
    if isinstance(value, Asset):
        kind, argument = next(
            (kind, text) for kind, text in (
                ("StringAsset", value.text), ("FileAsset", value.path), ("RemoteAsset", value.uri)
            ) if text is not None
        )  # fmt: skip
        return Call(f"pulumi.{kind}", [argument])
    if value.assets is not None:
        return Call("pulumi.AssetArchive", [{key: _content(each) for key, each in value.assets.items()}])
    kind, argument = ("FileArchive", value.path) if value.path is not None else ("RemoteArchive", value.uri)
    return Call(f"pulumi.{kind}", [argument])
