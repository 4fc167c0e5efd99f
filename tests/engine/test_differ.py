"""The differ: what differs, where and how."""

from __future__ import annotations

import pytest

from engine.differ import equal, property_changes
from engine.paths import join
from engine.values import UNKNOWN, Secret, Value


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 1.0}, []),
        ({"a": 1}, {"a": True}, ["update a"]),
        ({"a": 1}, {}, ["delete a"]),
        ({}, {"a": 1}, ["add a"]),
        ({"b": 1, "a": 1}, {"b": 2, "a": 2}, ["update a", "update b"]),
        ({"a": [1, 2]}, {"a": [1]}, ["delete a[1]"]),
        ({"a": [{"x": 1}]}, {"a": [{"x": 2}, 3]}, ["update a[0].x", "add a[1]"]),
        ({"a": {"b.c": 1}}, {"a": {"b.c": 2}}, ['update a["b.c"]']),
        ({"a": '{"x": [1, 2]}'}, {"a": '{"x":[1,2]}'}, []),
        ({"a": '{"x": 1}'}, {"a": '{"x": 2}'}, ["update a"]),
        ({"a": Secret("x")}, {"a": "x"}, []),
        ({"a": Secret("x")}, {"a": Secret("y")}, ["update a"]),
        ({"a": 1}, {"a": UNKNOWN}, ["update a"]),
        ({"a": [1]}, {"a": {"b": 1}}, ["update a"]),
    ],
)
def test_differences(old: Value, new: Value, found: list[str]) -> None:
    changes = property_changes(old, new)
    assert [f"{change.kind} {join(change.path)}" for change in changes] == found
    assert equal(old, new) is not bool(found)


def test_an_unknown_equals_nothing_not_even_itself() -> None:
    assert not equal(UNKNOWN, UNKNOWN)
