"""Which inputs of an imported resource its program has to say: those that nothing else would bring about."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from engine import paths
from engine.values import Properties, Value

Compare: TypeAlias = Callable[[Properties], bool]  # whether a program that says these inputs would change nothing
Check: TypeAlias = Callable[[Properties], Properties]  # inputs with what the provider fills in


def to_say(inputs: Properties, check: Check, same: Compare) -> Properties:
    """``inputs`` without what ``check`` fills in and without what is empty, as far as that stays the ``same``."""
    said = {key: value for key, value in inputs.items() if value is not None and not key.startswith("__")}
    for key in list(said):
        rest = {other: value for other, value in said.items() if other != key}
        if check(rest).get(key) == said[key] and same(rest):
            said = rest
    if not same(said):
        return said  # it can't get worse, and nothing can be told from comparisons
    empty = list(_empty(said))
    without = _without(said, empty)
    if same(without):
        return without
    for path in empty:
        without = _without(said, [path])
        said = without if same(without) else said
    return said


def _empty(value: Value, path: paths.Path = ()) -> Iterator[paths.Path]:
    """Where in ``value`` there is nothing: no text, no list, no map. An item of a list keeps its place."""
    if isinstance(value, dict):
        for key, item in value.items():
            if item is None or item == "" or item == [] or item == {}:
                yield (*path, key)
            else:
                yield from _empty(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _empty(item, (*path, index))


def _without(value: Value, gone: list[paths.Path], path: paths.Path = ()) -> Value:
    if isinstance(value, dict):
        return {
            key: _without(item, gone, (*path, key)) for key, item in value.items() if (*path, key) not in gone
        }  # fmt: skip
    if isinstance(value, list):
        return [_without(item, gone, (*path, index)) for index, item in enumerate(value)]
    return value
