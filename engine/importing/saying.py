"""Which inputs of an imported resource its program has to say: those that nothing else would bring about."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from engine import paths
from engine.providers.base import Checked
from engine.values import Properties, Value

Check: TypeAlias = Callable[[Properties], Checked]
Changes: TypeAlias = Callable[[Properties], bool]  # whether what a check gave differs from what was read


def to_say(inputs: Properties, check: Check, changes: Changes) -> Properties:
    """``inputs`` without what the provider fills in by itself, refuses beside the rest, or takes for nothing.

    Nothing is left out whose absence ``changes`` the resource, as the provider compares.
    """
    said = sayable(inputs)
    check = _remembered(check)

    def same(given: Properties) -> bool:
        checked = check(given)
        return not checked.failures and not changes(checked.inputs)

    said = _without_filled_in(said, check)
    refused = left = check(said).failures
    for failure in refused:
        fewer = _without(said, [paths.parse(failure.property)] if failure.property else [])
        # What is refused for itself alone is left for whoever mends the code.
        checked = check(fewer)
        if len(checked.failures) < len(left) and not changes(checked.inputs):
            said, left = fewer, checked.failures
    empty = list(_empty(said))
    if not empty or same(_without(said, empty)):
        return _without(said, empty)
    for path in empty:
        fewer = _without(said, [path])
        said = fewer if same(fewer) else said
    return said


def sayable(inputs: Properties) -> Properties:
    """What of ``inputs`` a program can say at all."""
    return {key: value for key, value in inputs.items() if value is not None and not key.startswith("__")}


def _remembered(check: Check) -> Check:
    """``check``, which asks the provider of another process no question twice; all are of parts of the same inputs."""
    answers: list[tuple[Properties, Checked]] = []

    def answered(given: Properties) -> Checked:
        known = next((checked for asked, checked in answers if asked == given), None)
        if known is None:
            known = check(given)
            answers.append((given, known))
        return known

    return answered


def _without_filled_in(said: Properties, check: Check) -> Properties:
    """``said`` without the inputs that a check gives the very value that they have."""
    for key in list(said):
        rest = {other: value for other, value in said.items() if other != key}
        if check(rest).inputs.get(key) == said[key]:
            said = rest
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
