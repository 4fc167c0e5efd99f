"""Property paths: reading, writing, and setting back what they name."""

from __future__ import annotations

import pytest

from engine import paths
from engine.values import Secret, Value


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a", ("a",)),
        ("tags.Team", ("tags", "Team")),
        ("rules[0].days", ("rules", 0, "days")),
        ('tags["a.b"]', ("tags", "a.b")),
        ('tags["with \\"quotes\\""].x', ("tags", 'with "quotes"', "x")),
        ("list[*].name", ("list", "*", "name")),
        ("tags.*", ("tags", "*")),
        ('["a"]', ("a",)),
        ("#initerror", ("#initerror",)),
    ],
)
def test_a_path_is_read(text: str, path: paths.Path) -> None:
    assert paths.parse(text) == path
    assert paths.parse(paths.join(path).replace("[*]", "*")) is not None


@pytest.mark.parametrize("text", ["a..b", "a[", "a[x]", ".a", 'a["b'])
def test_a_malformed_path_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="malformed property path"):
        paths.parse(text)


@pytest.mark.parametrize("path", [("a", 0, "b.c"), ("x y", ""), ("a", 'q"')])
def test_writing_is_the_inverse_of_reading(path: paths.Path) -> None:
    assert paths.parse(paths.join(path)) == path


@pytest.mark.parametrize(
    ("pattern", "path", "contains"),
    [("a", "a.b", True), ("a.b", "a", False), ("a.*", "a.b", True), ("*", "a", True), ("a[*].x", "a[3].x", True)],
)
def test_what_a_pattern_contains(pattern: str, path: str, contains: bool) -> None:
    assert paths.contains(paths.parse(pattern), paths.parse(path)) is contains


@pytest.mark.parametrize(
    ("pattern", "old", "new", "result"),
    [
        ("a", {"a": 1}, {"a": 2}, {"a": 1}),
        ("a", {}, {"a": 2}, {}),
        ("a", {"a": 1}, {}, {"a": 1}),
        ("a.b", {"a": {"b": 1}}, {"a": {"b": 2, "c": 3}}, {"a": {"b": 1, "c": 3}}),
        ("a.b", {}, {"a": {"b": 2}}, {"a": {}}),
        ("a.b", {"a": {"b": 1}}, {}, {}),
        ("a[0]", {"a": [1, 2]}, {"a": [3, 4]}, {"a": [1, 4]}),
        ("a[1]", {"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ("a[*].n", {"a": [{"n": 1}, {"n": 2}]}, {"a": [{"n": 3}, {"n": 4}]}, {"a": [{"n": 1}, {"n": 2}]}),
        ("a.*", {"a": {"x": 1}}, {"a": {"y": 2}}, {"a": {"x": 1}}),
        ("*", {"a": 1}, {"b": 2}, {"a": 1}),
        ("a.*", {"a": 1}, {"a": {"b": 2}}, {"a": {"b": 2}}),
        ("a.b", {"a": Secret({"b": 1})}, {"a": Secret({"b": 2})}, {"a": Secret({"b": 1})}),
        ("a.b", {"a": Secret({"b": 1})}, {"a": {"b": 2}}, {"a": {"b": Secret(1)}}),
        ("a[*]", {"a": Secret([1])}, {"a": [2]}, {"a": [Secret(1)]}),
    ],
)
def test_ignored_changes_are_set_back(pattern: str, old: Value, new: Value, result: Value) -> None:
    assert paths.ignore_changes([pattern], old, new) == result


@pytest.mark.parametrize(
    ("path", "written"),
    [("a.b", "a.b"), ('a["b"]', "a.b"), ('a["b.c"]', 'a["b.c"]'), ("a[0].*", 'a[0]["*"]'), ("a-b", '["a-b"]')],
)
def test_paths_are_written_down_as_pulumi_does_it(path: str, written: str) -> None:
    assert paths.canonical(path) == written
