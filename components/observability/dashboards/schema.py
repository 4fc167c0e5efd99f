"""Whether a document is what Grafana takes for a dashboard, by the types of its foundation SDK.

Grafana's schema of dashboards is CUE under a licence that keeps it out of here, and the SDK's types are made from it:
reading a document into them and looking at every value is to hold it against that schema. What the types don't know is
lost on the way, and so found by writing it out again.
"""

from __future__ import annotations

import enum
import functools
import json
import types
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal, Union, cast, get_args, get_origin, get_type_hints

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

# Fields that sources have beside the model's own. Source: grafana/grafana, packages/grafana-prometheus/src/types.ts.
_OF_SOURCES: Final = frozenset({"titleFormat", "textFormat", "tagKeys", "step"})
_NUMBERS: Final[Mapping[Any, tuple[type, ...]]] = {float: (int, float), int: (int,)}


def schema_problems(document: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with ``document``, each with its place."""
    register_default_plugins()
    yield from _problems(document, Dashboard)


def _problems(document: Mapping[str, Any], declared: Any) -> Iterator[str]:
    try:
        read = declared.from_json(dict(document))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        yield f" is no {declared.__name__}: {type(error).__name__}: {error}"
        return
    yield from _wrong_types("", read)
    yield from _lost("", document, json.loads(json.dumps(read, cls=JSONEncoder)))


def _lost(place: str, given: Any, kept: Any) -> Iterator[str]:
    """The fields of ``given`` that are not in ``kept``, which is what the types made of it."""
    if isinstance(given, Mapping) and isinstance(kept, Mapping):
        fields, there = cast("Mapping[str, Any]", given), cast("Mapping[str, Any]", kept)
        for key, value in fields.items():
            if key in there:
                yield from _lost(f"{place}.{key}", value, there[key])
            elif key not in _OF_SOURCES:
                yield f"{place}.{key} is no field that Grafana knows there"
    elif isinstance(given, list) and isinstance(kept, list):
        for index, (one, other) in enumerate(zip(cast("list[Any]", given), cast("list[Any]", kept), strict=True)):
            yield from _lost(f"{place}[{index}]", one, other)


@functools.cache
def _declared(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _wrong_types(place: str, read: object) -> Iterator[str]:
    """The fields of ``read``, and of all that it holds, whose values are not of their declared type."""
    for name, declared in _declared(type(read)).items():
        if not hasattr(read, name):
            continue
        value = getattr(read, name)
        at = f"{place}.{name.removesuffix('_val')}"
        if not _is_of(value, declared):
            yield f"{at} is {value!r}, which is no {_said(declared)}"
        else:
            yield from _inside(at, value)


def _inside(place: str, value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for index, one in enumerate(cast("Sequence[Any]", value)):
            yield from _inside(f"{place}[{index}]", one)
    elif isinstance(value, dict):
        for key, one in cast("dict[str, Any]", value).items():
            yield from _inside(f"{place}.{key}", one)
    elif hasattr(value, "to_json"):
        yield from _wrong_types(place, value)


def _is_of(value: Any, declared: Any) -> bool:
    """Whether ``value`` is of the type ``declared``; an enumeration's values stand for its members."""
    origin, parts = get_origin(declared), get_args(declared)
    if declared in (object, Any):
        return True
    if origin in (Union, types.UnionType):
        return any(_is_of(value, part) for part in parts)
    if origin is Literal:
        return value in parts and any(type(value) is type(part) for part in parts)
    if origin is list:
        return isinstance(value, list) and all(_is_of(one, parts[0]) for one in cast("list[Any]", value))
    if origin is dict:
        return isinstance(value, dict) and all(_is_of(one, parts[1]) for one in cast("dict[str, Any]", value).values())
    if isinstance(declared, type) and issubclass(declared, enum.Enum):
        return value in [each.value for each in declared]
    if isinstance(value, dict) and hasattr(declared, "from_json"):  # some are kept as they were read
        return not any(_problems(cast("dict[str, Any]", value), declared))
    if isinstance(value, bool):
        return declared is bool
    return isinstance(value, _NUMBERS.get(declared, declared))


def _said(declared: Any) -> str:
    if isinstance(declared, type) and issubclass(declared, enum.Enum):
        return f"one of {', '.join(str(each.value) for each in declared)}"
    return declared.__name__ if isinstance(declared, type) else str(declared)
