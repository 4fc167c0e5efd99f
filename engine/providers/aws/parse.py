"""From the text of a specification to a ``Spec``, with everything that is wrong with it reported at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, cast

import yaml

from engine.providers.aws import grammar, schema
from engine.providers.aws.schema import STRING, Field, MapOf
from engine.providers.aws.spec import Autoname, Find, Operation, Spec, ValueCheck, Wait
from engine.providers.base import ProviderError

REQUIRED = ("type", "service", "id", "inputs", "create", "read", "delete", "find")
OPERATION_KEYS = {"if": "conditions", "as": "place"}


class SpecInvalid(ProviderError):
    """A specification file breaks the form of ``spec.py``; the message lists every fault as ``file: path: fault``."""


def parse(path: Path) -> Spec:
    """Read one file. Raises SpecInvalid with all of its faults."""
    problems: list[str] = []
    try:
        source = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SpecInvalid(f"{path}: {_yaml_fault(error)}") from error
    spec = _spec(_mapping(source, "", problems), problems)
    if spec is not None:
        problems += _wrong_expressions(spec)
    if spec is None or problems:
        raise SpecInvalid("\n".join(f"{path}: {problem}" for problem in problems))
    return spec


def _yaml_fault(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
    return f"{place}expected YAML: {getattr(error, 'problem', None) or error}"


def _spec(source: Mapping[str, Any], problems: list[str]) -> Spec | None:
    absent = [key for key in REQUIRED if key not in source]
    problems += [f"{key}: is missing" for key in absent]
    _refuse_unknown(source, Spec, "", problems)
    if absent:
        return None
    inputs = schema.parse_fields(_mapping(source["inputs"], "inputs", problems), "inputs", problems)
    outputs = schema.parse_fields(_mapping(source.get("outputs", {}), "outputs", problems), "outputs", problems)
    if "tags" in inputs:
        outputs["tagsAll"] = Field(MapOf(STRING))
    problems += [f"{key}: is both an input and an output" for key in inputs.keys() & outputs.keys()]
    problems += _unknown_paths(source, inputs, outputs)
    operations = {
        verb: tuple(_operations(source.get(verb, ()), verb, problems))
        for verb in ("create", "read", "update", "delete")
    }
    return Spec(
        type=str(source["type"]),
        service=str(source["service"]),
        id=str(source["id"]),
        inputs=inputs,
        outputs=outputs,
        find=_find(source["find"], problems),
        defaults=_mapping(source.get("defaults", {}), "defaults", problems),
        unsupported=_mapping(source.get("unsupported", {}), "unsupported", problems),
        local=frozenset(_strings(source.get("local", ()))),
        secret=frozenset(_strings(source.get("secret", ()))),
        told_once=_mapping(source.get("told_once", {}), "told_once", problems),
        sets=frozenset(_strings(source.get("sets", ()))),
        autoname=_autoname(source.get("autoname"), problems),
        checks={
            place: _fill(ValueCheck, _mapping(check, f"checks.{place}", problems), f"checks.{place}", problems)
            for place, check in _mapping(source.get("checks", {}), "checks", problems).items()
        },
        set_by_aws=_strings(source.get("set_by_aws", ())),
        conflicts=_groups(
            source.get("conflicts", ()), "conflicts", {path for path, _ in schema.paths(inputs)}, problems
        ),
        exactly_one=_groups(source.get("exactly_one", ()), "exactly_one", set(inputs), problems),
        kinds=_groups(source.get("kinds", ()), "kinds", set(inputs), problems),
        stays_given=frozenset(_strings(source.get("stays_given", ()))),
        replace_on=_strings(source.get("replace_on", ())),
        delete_before_replace=bool(source.get("delete_before_replace", False)),
        changes_with={
            key: _strings(names)
            for key, names in _mapping(source.get("changes_with", {}), "changes_with", problems).items()
        },
        renames=_mapping(source.get("renames", {}), "renames", problems),
        missing=_strings(source.get("missing", ())),
        gone=source.get("gone"),
        properties=_mapping(source.get("properties", {}), "properties", problems),
        **operations,
    )


def _unknown_paths(
    source: Mapping[str, Any], inputs: Mapping[str, Field], outputs: Mapping[str, Field]
) -> Iterable[str]:
    """Faults of the sections that name properties which the file doesn't declare."""
    known = {path for path, _ in schema.paths({**inputs, **outputs})}
    sections = (
        "defaults", "local", "secret", "sets", "checks", "set_by_aws", "stays_given", "replace_on", "changes_with",
        "properties", "told_once",
    )  # fmt: skip
    for section in sections:
        named: Any = source.get(section, ())
        for path in named if isinstance(named, dict | list) else (named,) if named else ():
            if str(path).removesuffix("[*]") not in known:  # the items of a list of scalars have no path of their own
                yield f"{section}.{path}: no such property is declared under inputs or outputs"


def _groups(source: object, place: str, known: Collection[str], problems: list[str]) -> tuple[tuple[str, ...], ...]:
    """Lists of inputs that belong together, each of which is one of those ``known``."""
    listed: list[Any] = cast("list[Any]", source) if isinstance(source, list | tuple) else [source]
    groups: list[tuple[str, ...]] = []
    for index, group in enumerate(listed):
        if not isinstance(group, list):
            problems.append(f"{place}[{index}]: expected a list of inputs, got {group!r}")
            continue
        groups.append(_strings(cast("list[Any]", group)))
        problems += [f"{place}[{index}]: no input {key!r}" for key in groups[-1] if key not in known]
    return tuple(groups)


def _wrong_expressions(spec: Spec) -> Iterable[str]:
    """Faults of expressions and of the properties that operations name."""
    known = {*spec.inputs, *spec.outputs}
    yield from grammar.faults(spec.id, known, "id")
    yield from grammar.faults(dict(spec.properties), known, "properties")
    yield from grammar.faults(dict(spec.told_once), known, "told_once")
    for verb in ("create", "read", "update", "delete"):
        for index, operation in enumerate(getattr(spec, verb)):
            yield from _wrong_operation(operation, known, f"{verb}[{index}]")
    yield from grammar.faults(dict(spec.find.params), known, "find.params")
    yield from grammar.faults(dict(spec.find.match), known, "find.match")
    if spec.find.tags:
        yield from _wrong_operation(spec.find.tags, known, "find.tags")


def _wrong_operation(operation: Operation, known: set[str], place: str) -> Iterable[str]:
    yield from (f"{place}.when: no such property {key!r}" for key in operation.when if key not in known)
    yield from grammar.faults([*operation.conditions], known, f"{place}.if")
    yield from grammar.faults(dict(operation.params), known, f"{place}.params")
    yield from grammar.faults(operation.each, known, f"{place}.each")
    if operation.wait:
        yield from grammar.faults(dict(operation.wait.params), known, f"{place}.wait.params")


def _operations(source: object, place: str, problems: list[str]) -> Iterable[Operation]:
    listed = cast("list[Any]", source) if isinstance(source, list) else [source] if source else []
    for index, item in enumerate(listed):
        where = f"{place}[{index}]"
        mapping = {OPERATION_KEYS.get(key, key): value for key, value in _mapping(item, where, problems).items()}
        if ("operation" in mapping) == ("hook" in mapping):
            problems.append(f"{where}: expected either an operation or a hook")
        if wait := mapping.get("wait"):
            mapping["wait"] = _fill(Wait, _mapping(wait, f"{where}.wait", problems), f"{where}.wait", problems)
        yield _fill(Operation, mapping, where, problems)


def _find(source: object, problems: list[str]) -> Find:
    mapping = dict(_mapping({"by": source} if isinstance(source, str) else source, "find", problems))
    if mapping.get("by") not in ("id", "token", "keys", "nobody"):
        problems.append(f"find: expected id, token, keys or nobody, got {mapping.get('by')!r}")
        return Find(by="id")
    if mapping["by"] not in ("id", "nobody") and not mapping.keys() >= {"operation", "id"}:
        problems.append("find: expected an operation that lists and the id within its answer")
    if tags := mapping.get("tags"):
        mapping["tags"] = _fill(Operation, _mapping(tags, "find.tags", problems), "find.tags", problems)
    return _fill(Find, mapping, "find", problems)


def _autoname(source: object, problems: list[str]) -> Autoname | None:
    if source is None:
        return None
    return _fill(Autoname, _mapping(source, "autoname", problems), "autoname", problems)


def _fill(kind: type[Any], source: Mapping[str, Any], place: str, problems: list[str]) -> Any:
    """An instance of the dataclass ``kind``, lists as tuples; keys that it doesn't have are faults."""
    _refuse_unknown(source, kind, place, problems)
    tuples = {name for name, field in kind.__dataclass_fields__.items() if str(field.type).startswith("tuple")}
    values = {
        key: _strings(value) if key in tuples else value
        for key, value in source.items()
        if key in kind.__dataclass_fields__
    }
    try:
        return kind(**values)
    except TypeError as error:
        problems.append(f"{place}: {error}")
        return kind(property="") if kind is Autoname else kind()


def _refuse_unknown(source: Mapping[str, Any], kind: type[Any], place: str, problems: list[str]) -> None:
    known = set(kind.__dataclass_fields__)
    problems += [
        f"{place + '.' if place else ''}{key}: unknown key (one of {', '.join(sorted(known))})"
        for key in source
        if key not in known
    ]


def _mapping(source: object, place: str, problems: list[str]) -> Mapping[str, Any]:
    if isinstance(source, dict):
        return cast("dict[str, Any]", source)
    problems.append(f"{place or 'file'}: expected a mapping, got {type(source).__name__}")
    return {}


def _strings(source: object) -> tuple[Any, ...]:
    return tuple(cast("list[Any]", source)) if isinstance(source, list | tuple) else (source,)
