"""What the parts of a JSON path select, and what the tests in its filters say. RFC 9535, 2.3 and 2.4."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, TypeAlias, cast

Json: TypeAlias = Any
# Each is given what it starts from, and the whole document.
Query: TypeAlias = "Callable[[Json, Json], list[Json]]"
Select: TypeAlias = "Callable[[Json, Json], Iterable[Json]]"
Test: TypeAlias = "Callable[[Json, Json], bool]"
Value: TypeAlias = "Callable[[Json, Json], Json]"

NOTHING: Final = object()  # what a query selects that selects nothing: it equals itself only


def in_turn(segments: Sequence[Query]) -> Query:
    """Each segment of all that the one before has selected."""

    def select(value: Json, root: Json) -> list[Json]:
        found = [value]
        for segment in segments:
            found = [each for one in found for each in segment(one, root)]
        return found

    return select


def of_each(*selectors: Select, deep: bool = False) -> Query:
    """What all selectors select; with ``deep`` of everything within the value, too."""

    def select(value: Json, root: Json) -> list[Json]:
        places = _descendants(value) if deep else [value]
        return [each for place in places for selector in selectors for each in selector(place, root)]

    return select


def _descendants(value: Json) -> Iterator[Json]:
    yield value
    for child in children(value, None):
        yield from _descendants(child)


def children(value: Json, _: Json) -> Iterable[Json]:
    if isinstance(value, dict):
        return list(cast("dict[str, Json]", value).values())
    return cast("list[Json]", value) if isinstance(value, list) else []


def member(name: str) -> Select:
    return lambda value, _: [value[name]] if isinstance(value, dict) and name in value else []


def element(index: int) -> Select:
    def select(value: Json, _: Json) -> list[Json]:
        items = cast("list[Json]", value) if isinstance(value, list) else []
        return [items[index]] if -len(items) <= index < len(items) else []

    return select


def part(start: int | None, end: int | None, step: int | None) -> Select:
    if step == 0:
        return lambda _, __: []
    return lambda value, _: cast("list[Json]", value)[start:end:step] if isinstance(value, list) else []


def those_that(test: Test) -> Select:
    return lambda value, root: [child for child in children(value, root) if test(child, root)]


def always(value: Json) -> Value:
    return lambda _, __: value


def compared(left: Value, sign: str, right: Value) -> Test:
    def test(value: Json, root: Json) -> bool:
        one, other = left(value, root), right(value, root)
        if sign in ("==", "!="):
            return _equal(one, other) is (sign == "==")
        if sign in ("<=", ">=") and _equal(one, other):
            return True
        if not ((isinstance(one, str) and isinstance(other, str)) or (_is_number(one) and _is_number(other))):
            return False
        return bool(one < other if sign in ("<", "<=") else one > other)

    return test


def _equal(one: Json, other: Json) -> bool:
    return isinstance(one, bool) is isinstance(other, bool) and bool(one == other)  # True is not 1 in JSON


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def length(of: Value) -> Value:
    """How long a text, a list or an object is."""

    def measured(value: Json, root: Json) -> Json:
        found = of(value, root)
        return len(cast("str", found)) if isinstance(found, str | list | dict) else NOTHING

    return measured


def fits(how: Callable[[str, str], object], text: Value, pattern: Value) -> Test:
    """Whether a text fits a pattern, all of it or a part; what is no text or no pattern doesn't."""

    def test(value: Json, root: Json) -> bool:
        found, wanted = text(value, root), pattern(value, root)
        try:
            return isinstance(found, str) and isinstance(wanted, str) and how(wanted, found) is not None
        except re.error:
            return False

    return test
