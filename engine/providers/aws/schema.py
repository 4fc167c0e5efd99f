"""The types of properties, as specifications write them.

str, int, float, bool, any            scalars
json                                  a JSON document in a string, compared by structure
asset                                 a file or an archive, compared by what it holds
url                                   an address; outputs have it as the API answers, perhaps without its scheme
ref                                   a name or an ARN that ends in it, which mean the same
{"*": str}                            a map with free keys
{scanOnPush!: bool, kmsKey?: str}     an object; ``!`` marks a required field, ``?`` one that AWS fills in
[{id!: str}]                          a list of such objects
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast, get_args

Kind: TypeAlias = Literal["str", "int", "float", "bool", "json", "ref", "url", "asset", "any"]
KINDS: frozenset[str] = frozenset(get_args(Kind))


@dataclass(frozen=True, slots=True)
class Scalar:
    kind: Kind


@dataclass(frozen=True, slots=True)
class ListOf:
    item: PropertyType


@dataclass(frozen=True, slots=True)
class MapOf:
    item: PropertyType


@dataclass(frozen=True, slots=True)
class Object:
    fields: Mapping[str, Field]


PropertyType: TypeAlias = Scalar | ListOf | MapOf | Object


@dataclass(frozen=True, slots=True)
class Field:
    """A property: its type, whether a program must give it, and whether AWS fills it in where a program doesn't."""

    type: PropertyType
    required: bool = False
    computed: bool = False


STRING = Scalar("str")


def parse_type(source: object, place: str, problems: list[str]) -> PropertyType:
    """The type that ``source`` (a part of a specification) writes; what is wrong with it goes to ``problems``."""
    if isinstance(source, str) and source in KINDS:
        return Scalar(cast(Kind, source))
    if isinstance(source, list) and len(cast("list[Any]", source)) == 1:
        return ListOf(parse_type(cast("list[Any]", source)[0], place + "[]", problems))
    if isinstance(source, dict):
        mapping = cast("dict[str, Any]", source)
        if set(mapping) == {"*"}:
            return MapOf(parse_type(mapping["*"], place + ".*", problems))
        return Object(parse_fields(mapping, place, problems))
    problems.append(f"{place}: expected one of {', '.join(sorted(KINDS))}, [type] or {{name: type}}, got {source!r}")
    return Scalar("any")


def parse_fields(source: Mapping[str, Any], place: str, problems: list[str]) -> dict[str, Field]:
    """``{name!: type, ...}`` as fields by name."""
    return {
        key.rstrip("!?"): Field(
            parse_type(written, f"{place}.{key}", problems), required=key.endswith("!"), computed=key.endswith("?")
        )
        for key, written in source.items()
    }


def paths(fields: Mapping[str, Field], prefix: str = "") -> Iterator[tuple[str, Field]]:
    """Every property below ``fields`` with its path; items of lists and maps are written ``[*]`` and ``.*``."""
    for name, field in fields.items():
        yield f"{prefix}{name}", field
        inner, path = field.type, f"{prefix}{name}"
        while isinstance(inner, ListOf | MapOf):
            path += "[*]" if isinstance(inner, ListOf) else ".*"
            inner = inner.item
        if isinstance(inner, Object):
            yield from paths(inner.fields, path + ".")
