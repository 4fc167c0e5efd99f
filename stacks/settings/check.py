"""Settings from plain values: one validation, whether they came from a file or from Pulumi's configuration."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from stacks.settings.base import Contradiction, EncryptedValue, Section
from stacks.settings.descriptions import descriptions
from stacks.settings.platform import ACROSS_SECTIONS, PlatformSettings
from stacks.settings.problems import Problem, SettingsError, did_you_mean

Location = Sequence[int | str]

_GLANCE = 80  # characters of a wrong value that are shown
# What pydantic calls by the names of Python's types.
_KINDS = {
    "model_type": "should be a group of settings",
    "model_attributes_type": "should be a group of settings",
    "dict_type": "should be a group of settings",
    "tuple_type": "should be a list",
}


def settings_from(values: Mapping[str, Any], source: str) -> PlatformSettings:
    """Settings from ``values`` by section. Raises SettingsError, about ``source``, with all that is wrong."""
    try:
        return PlatformSettings.model_validate(values)
    except ValidationError as error:
        raise SettingsError(source, list(problems_in(values, error))) from None


def problems_in(values: Mapping[str, Any], error: ValidationError) -> Iterator[Problem]:
    """The problems that pydantic found, and the contradictions between those sections that are sound.

    A section (or a pool, a team) in which something has the wrong type can't be asked whether it contradicts itself:
    that is said once the types are right. All others are asked.
    """
    broken: set[str] = set()
    for detail in error.errors(include_url=False):
        location = detail["loc"]
        broken.update(str(part) for part in location[:1])
        if detail["type"] == "contradiction":
            yield from _contradictions(location, detail)
        elif detail["type"] == "missing":
            yield from _missing(location)
        else:
            yield _problem(location, detail)
    if broken:
        yield from _across_sections(values, broken)


def render(location: Location) -> str:
    """A path as people write it: ``network.zone_ids[1]``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return text.removeprefix(".")


def _contradictions(location: Location, detail: ErrorDetails) -> Iterator[Problem]:
    found: Iterable[Contradiction] = detail.get("ctx", {})["found"]
    for each in found:
        yield Problem(".".join(filter(None, (render(location), each.path))), each.message, each.advice)


def _across_sections(values: Mapping[str, Any], broken: set[str]) -> Iterator[Problem]:
    fields = PlatformSettings.model_fields
    sound: dict[str, Any] = {}
    for name in fields.keys() - broken:
        if name in values:
            model = _model_of(fields[name].annotation)
            sound[name] = model.model_validate(values[name]) if model else values[name]
    # Sections without a value take their defaults, broken ones are absent: no rule that reads those is asked.
    partial = PlatformSettings.model_construct(None, **sound)
    for needs, rule in ACROSS_SECTIONS:
        if not broken.intersection(needs):
            for each in rule(partial):
                yield Problem(each.path, each.message, each.advice)


def _missing(location: Location) -> Iterator[Problem]:
    """One problem per setting, not per section: whoever adds a section wants to know what has to be in it."""
    section = _model_of(_annotation_at(location))
    if section is None:
        yield Problem(render(location), "is missing", _expected(location))
        return
    for name, field in section.model_fields.items():
        if field.is_required():
            yield from _missing((*location, field.alias or name))


def _problem(location: Location, detail: ErrorDetails) -> Problem:
    if location[-1] == "[key]":  # pydantic's word for the name of a group's member, below that name
        found = _problem(location[:-1], detail)
        return replace(found, message=f"is no name for it: {found.message.rpartition(', but is ')[0]}")
    path, seen, kind = render(location), detail["input"], detail["type"]
    if kind == "extra_forbidden":
        return Problem(path, "unknown setting", _known_settings(location))
    if isinstance(seen, EncryptedValue):
        return Problem(path, "is encrypted, but is not a secret", "write the value itself")
    if kind == "plain_secret":
        command = f"bedplate config set ENV --secret --path 'bedplate:{path}'"
        advice = f"run `{command}`, and change the value: it was in plain text"
        return Problem(path, "is a secret and must be stored encrypted", advice)
    if kind == "literal_error":
        return _unknown_value(path, location, seen)
    if kind == "too_short":
        return Problem(path, f"needs {detail.get('ctx', {})['min_length']} or more", _expected(location))
    if kind == "too_long":
        about = detail.get("ctx", {})
        return Problem(path, f"takes {about['max_length']}, but has {about['actual_length']}", _expected(location))
    return Problem(path, f"{_KINDS.get(kind, _lowered(detail['msg']))}, but is {_shown(seen)}", _expected(location))


def _shown(seen: object) -> str:
    """A value in the words of the file that it stands in, at most as long as is read at a glance."""
    if isinstance(seen, Mapping):
        return "a group of settings"
    if seen is None:
        return "empty"
    if isinstance(seen, bool):
        return str(seen).lower()
    text = repr(seen)
    return text if len(text) <= _GLANCE else f"{text[:_GLANCE]}..."


def _unknown_value(path: str, location: Location, seen: object) -> Problem:
    allowed = [str(value) for value in _literal_values(_annotation_at(location))]
    guess = did_you_mean(seen, allowed) if isinstance(seen, str) else ""
    return Problem(path, f"unknown value {_shown(seen)}", guess or f"one of {', '.join(allowed)}")


def _known_settings(location: Location) -> str:
    owner = _model_of(_annotation_at(location[:-1]))
    known = sorted(field.alias or name for name, field in owner.model_fields.items()) if owner else []
    return did_you_mean(str(location[-1]), known) or f"known here: {', '.join(known)}"


def _expected(location: Location) -> str:
    owner = _model_of(_annotation_at(location[:-1]))
    for name, field in (owner.model_fields if owner else {}).items():
        if owner and location and location[-1] in (name, field.alias) and name in descriptions(owner):
            return " ".join(descriptions(owner)[name].split())
    return _expected(location[:-1]) if len(location) > 1 else ""


def _annotation_at(location: Location) -> Any:
    """The type of what is expected at ``location``, or None where nothing is."""
    annotation: Any = PlatformSettings
    for part in location:
        model = _model_of(annotation)
        if isinstance(part, int):
            annotation = next(iter(get_args(_without_none(annotation))), None)
        elif model is None:
            annotation = next(iter(get_args(_without_none(annotation))[1:]), None)
        else:
            fields = {field.alias or name: field for name, field in model.model_fields.items()}
            annotation = fields[part].annotation if part in fields else None
    return annotation


def _without_none(annotation: Any) -> Any:
    """``X`` of ``X | None``, anything else as it is."""
    members = [member for member in get_args(annotation) if member is not type(None)]
    return members[0] if len(members) == 1 and type(None) in get_args(annotation) else annotation


def _model_of(annotation: Any) -> type[Section] | None:
    plain = _without_none(annotation)
    return plain if isinstance(plain, type) and issubclass(plain, Section) else None


def _literal_values(annotation: Any) -> tuple[Any, ...]:
    return get_args(_without_none(annotation))


def _lowered(message: str) -> str:
    return message.removeprefix("Input ").removeprefix("Value ").removeprefix("String ")
