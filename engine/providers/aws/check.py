"""Check: are these inputs what the type takes? Fill in what the program left out. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any, cast

from engine import paths
from engine.providers.aws import documents, names, tags
from engine.providers.aws.config import Config
from engine.providers.aws.schema import Field, ListOf, MapOf, Object, PropertyType, Scalar
from engine.providers.aws.spec import Autoname, Spec, ValueCheck
from engine.providers.base import Checked, CheckFailure
from engine.urn import name_of
from engine.values import UNKNOWN, Archive, Asset, Properties, ResourceRef, Value, has_unknown

EXPECTED = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "json": "JSON",
    "ref": "a text",
    "url": "a text",
    "asset": "an asset or an archive (pulumi.FileAsset, pulumi.StringAsset, pulumi.FileArchive)",
}


def check(spec: Spec, config: Config, urn: str, olds: Properties | None, news: Properties, seed: str) -> Checked:
    """``news`` in the types that the specification declares, with defaults, a name and ``tagsAll`` filled in."""
    failures: list[CheckFailure] = []
    given = {key: value for key, value in news.items() if value is not None and not key.startswith("__")}
    given.pop("tagsAll", None)  # always computed, below
    inputs = _fields(spec.inputs, given, (), failures, spec.unsupported, spec.outputs)
    for key, value in spec.defaults.items():
        inputs.setdefault(key, value)
    if spec.autoname:
        _name(spec.autoname, name_of(urn), olds or {}, inputs, seed)
    failures += _missing(spec.inputs, inputs, ())
    failures += _not_for_programs(spec, given)
    failures += _conflicts(spec, given)
    failures += _limits(spec, inputs)
    if spec.taggable and not any(failure.property.startswith("tags") for failure in failures):
        inputs["tagsAll"] = tags.merged(config, inputs)
    return Checked(inputs, tuple(failures))


def _name(rule: Autoname, resource: str, olds: Properties, inputs: Properties, seed: str) -> None:
    """Keep the automatic name that the resource has, or make one."""
    if rule.property in inputs or any(inputs.get(key) is UNKNOWN for key in (rule.prefix, *rule.suffix) if key):
        return
    old = olds.get(rule.property)
    same_prefix = not rule.prefix or olds.get(rule.prefix) == inputs.get(rule.prefix)
    if isinstance(old, str) and same_prefix and names.is_automatic(rule, resource, olds):
        inputs[rule.property] = old
    else:
        inputs[rule.property] = names.automatic(rule, resource, inputs, seed)


def _fields(
    fields: Mapping[str, Field],
    source: Mapping[str, Value],
    path: paths.Path,
    failures: list[CheckFailure],
    unsupported: Mapping[str, str],
    outputs: Mapping[str, Field],
) -> Properties:
    result: Properties = {}
    for key, value in source.items():
        if value is None:
            continue
        if key in fields:
            result[key] = _coerce(fields[key].type, value, (*path, key), failures)
        else:
            failures.append(CheckFailure(paths.join((*path, key)), _unknown(key, fields, unsupported, outputs)))
    return result


def _unknown(
    key: str, fields: Mapping[str, Field], unsupported: Mapping[str, str], outputs: Mapping[str, Field]
) -> str:
    if key in unsupported:
        return f"not supported here: {unsupported[key]}"
    if key in outputs:
        return "is set by AWS and can't be given"
    close = difflib.get_close_matches(key, fields, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"expected one of {', '.join(sorted(fields))}"
    return f"unknown property; {hint}"


def _coerce(type_: PropertyType, value: Value, path: paths.Path, failures: list[CheckFailure]) -> Value:
    """``value`` in the declared type; texts and numbers stand in for each other, as Pulumi's own providers allow."""
    if value is UNKNOWN:
        return value
    match type_:
        case Scalar(kind):
            return _scalar(kind, value, path, failures)
        case ListOf(item) if isinstance(value, list):
            return [_coerce(item, element, (*path, i), failures) for i, element in enumerate(cast("list[Any]", value))]
        case MapOf(item) if isinstance(value, dict):
            members = cast("dict[str, Any]", value).items()
            return {k: _coerce(item, v, (*path, k), failures) for k, v in members if v is not None}
        case Object(fields) if isinstance(value, dict):
            members = {k: v for k, v in cast("dict[str, Any]", value).items() if not k.startswith("__")}
            return _fields(fields, members, path, failures, {}, {})
        case _:
            expected = "a list" if isinstance(type_, ListOf) else "an object"
            failures.append(CheckFailure(paths.join(path), f"expected {expected}, got {_seen(value)}"))
            return value


def _scalar(kind: str, value: Value, path: paths.Path, failures: list[CheckFailure]) -> Value:
    if kind == "any":
        return value
    if kind == "asset" and isinstance(value, Asset | Archive):
        return value
    if kind == "json":
        return _document(value, path, failures)
    if kind in ("str", "ref", "url") and isinstance(value, bool):
        return "true" if value else "false"
    if kind in ("str", "ref", "url") and isinstance(value, int | float):
        return str(int(value) if float(value).is_integer() else value)
    if kind == "bool" and value in ("true", "false"):
        return value == "true"
    if kind in ("int", "float") and not isinstance(value, bool) and (number := _number(value)) is not None:
        if kind == "float" or number.is_integer():
            return number if kind == "float" else int(number)
    elif (kind in ("str", "ref", "url") and isinstance(value, str)) or (kind == "bool" and isinstance(value, bool)):
        return value
    failures.append(CheckFailure(paths.join(path), f"expected {EXPECTED[kind]}, got {_seen(value)}"))
    return value


def _number(value: Value) -> float | None:
    try:
        return float(value) if isinstance(value, int | float | str) else None
    except ValueError:
        return None


def _document(value: Value, path: paths.Path, failures: list[CheckFailure]) -> Value:
    if isinstance(value, dict | list):
        return UNKNOWN if has_unknown(value) else documents.as_text(cast("Any", value))
    if not isinstance(value, str):
        failures.append(CheckFailure(paths.join(path), f"expected a JSON document, got {_seen(value)}"))
    elif fault := documents.fault(value):
        failures.append(CheckFailure(paths.join(path), f"contains invalid JSON: {fault}"))
    return value


def _missing(fields: Mapping[str, Field], source: Mapping[str, Value], path: paths.Path) -> Iterable[CheckFailure]:
    for key, field in fields.items():
        here = (*path, key)
        if key not in source:
            if field.required:
                yield CheckFailure(paths.join(here), "is required and missing")
            continue
        yield from _missing_below(field.type, source[key], here)


def _missing_below(type_: PropertyType, value: Value, path: paths.Path) -> Iterable[CheckFailure]:
    if isinstance(type_, Object) and isinstance(value, dict):
        yield from _missing(type_.fields, cast("dict[str, Any]", value), path)
    elif isinstance(type_, ListOf) and isinstance(value, list):
        for index, item in enumerate(cast("list[Any]", value)):
            yield from _missing_below(type_.item, item, (*path, index))
    elif isinstance(type_, MapOf) and isinstance(value, dict):
        for key, item in cast("dict[str, Any]", value).items():
            yield from _missing_below(type_.item, item, (*path, key))


def _limits(spec: Spec, inputs: Properties) -> Iterable[CheckFailure]:
    """What breaks the limits of names and values."""
    rules = dict(spec.checks)
    if spec.autoname and (failure := _too_long(spec.autoname, inputs)):
        yield failure
    elif spec.autoname and spec.autoname.pattern:
        rules.setdefault(spec.autoname.property, ValueCheck(pattern=spec.autoname.pattern))
    for place, rule in rules.items():
        yield from _violations(paths.parse(place), rule, inputs, ())


def _not_for_programs(spec: Spec, given: Mapping[str, Value]) -> Iterable[CheckFailure]:
    for path in spec.set_by_aws:
        if _at(given, path) is not None:
            yield CheckFailure(path, "is set by AWS and can't be given")


def _at(given: Mapping[str, Value], path: str) -> Value:
    """What ``given`` has at ``path``, a member's or a member's member's; None where there is nothing."""
    found: Value = given
    for part in paths.parse(path):
        found = cast("dict[str, Any]", found).get(str(part)) if isinstance(found, Mapping) else None
    return found


def _conflicts(spec: Spec, given: Mapping[str, Value]) -> Iterable[CheckFailure]:
    for group in spec.conflicts:
        present = [key for key in group if _at(given, key) is not None]
        if len(present) > 1:
            yield CheckFailure(present[1], f"conflicts with {present[0]}: give one of them")
    for group in spec.exactly_one:
        present = [key for key in group if key in given]
        if len(present) > 1:
            yield CheckFailure(present[1], f"conflicts with {present[0]}: give exactly one of {', '.join(group)}")
        elif not present:
            yield CheckFailure(group[0], f"is missing: give exactly one of {', '.join(group)}")


def _violations(pattern: paths.Path, rule: ValueCheck, value: Value, path: paths.Path) -> Iterable[CheckFailure]:
    """What breaks ``rule`` among the values that ``pattern`` (wildcards count) names below ``value``."""
    if not pattern:
        if reason := _broken(rule, value):
            yield CheckFailure(paths.join(path), reason)
        return
    part, rest = pattern[0], pattern[1:]
    if isinstance(value, dict):
        mapping = cast("dict[str, Any]", value)
        for key in mapping if part == "*" else [part] if part in mapping else []:
            yield from _violations(rest, rule, mapping[str(key)], (*path, str(key)))
    elif isinstance(value, list) and part == "*":
        for index, item in enumerate(cast("list[Any]", value)):
            yield from _violations(rest, rule, item, (*path, index))


def _broken(rule: ValueCheck, value: Value) -> str | None:
    if value is UNKNOWN:
        return None
    if rule.one_of and value not in rule.one_of:
        close = difflib.get_close_matches(str(value), [str(item) for item in rule.one_of], n=1)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
        return f"expected one of {', '.join(str(item) for item in rule.one_of)}, got {value!r}{hint}"
    if rule.pattern and isinstance(value, str) and not re.fullmatch(rule.pattern, value):
        return f"{value!r} does not match {rule.pattern}"
    if isinstance(value, int | float):
        if rule.min is not None and value < rule.min:
            return f"expected at least {rule.min:g}, got {value}"
        if rule.max is not None and value > rule.max:
            return f"expected at most {rule.max:g}, got {value}"
    return None


def _too_long(rule: Autoname, inputs: Properties) -> CheckFailure | None:
    name = inputs.get(rule.property)
    if isinstance(name, str) and len(name) > rule.max:
        return CheckFailure(rule.property, f"{name!r} has {len(name)} characters; AWS allows {rule.max}")
    return None


def _seen(value: Value) -> str:
    if isinstance(value, Asset | Archive | ResourceRef):
        return f"a {type(value).__name__.lower()}"
    if isinstance(value, dict):
        return "an object"
    return "a list" if isinstance(value, list) else repr(value)
