"""What an import has a program say: how often the provider is asked for it."""

from __future__ import annotations

from engine.importing.saying import to_say
from engine.providers.base import Checked, CheckFailure
from engine.values import Properties


def test_the_provider_is_asked_no_question_twice() -> None:
    asked: list[Properties] = []

    def check(inputs: Properties) -> Checked:
        asked.append(dict(inputs))
        both = "name" in inputs and "prefix" in inputs
        failures = (CheckFailure("prefix", "conflicts with name"),) if both else ()
        return Checked({"size": 3, **inputs}, failures)

    said = to_say({"name": "a", "prefix": "b", "size": 3, "tags": {}}, check, lambda inputs: inputs.get("tags") is None)
    assert said == {"name": "a", "tags": {}}
    for inputs in asked:
        assert asked.count(inputs) == 1, inputs


def test_where_nothing_is_empty_nobody_is_asked_to_leave_it_out() -> None:
    asked: list[Properties] = []

    def check(inputs: Properties) -> Checked:
        asked.append(dict(inputs))
        return Checked(dict(inputs))

    assert to_say({"name": "a"}, check, lambda _inputs: False) == {"name": "a"}
    assert asked == [{}, {"name": "a"}]
