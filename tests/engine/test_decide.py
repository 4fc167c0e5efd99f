"""Deciding about one resource: pure, from its state, its goal and the provider's diff."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.decide import annotate_secrets, decide, forced_replacement, triggered, wants_import
from engine.goals import Goal
from engine.plan import Op, Reason
from engine.providers.base import NO_DIFF, Diff, DiffKind
from engine.state.model import ResourceState
from engine.values import UNKNOWN, Properties, Secret, Value

URN = "urn:pulumi:dev::shop::test:index:Thing::a"
OLD = ResourceState(URN, "test:index:Thing", custom=True, id="a-1", provider=f"{URN}::p")
UPDATE = Diff(changes=True, detailed={"tags.x": DiffKind.UPDATE})
REPLACE = Diff(changes=True, detailed={"key": DiffKind.UPDATE_REPLACE}, delete_before_replace=True)


def _goal(**options: Any) -> Goal:
    return Goal("test:index:Thing", "a", custom=True, inputs={}, **options)


@pytest.mark.parametrize(
    ("old", "options", "diff", "op", "reason"),
    [
        ({}, {}, NO_DIFF, Op.SAME, Reason.UNCHANGED),
        ({}, {}, UPDATE, Op.UPDATE, Reason.CHANGED),
        ({}, {}, REPLACE, Op.REPLACE, Reason.IMMUTABLE),
        ({}, {}, Diff(changes=True, replaces=["key"]), Op.REPLACE, Reason.IMMUTABLE),
        ({"init_errors": ("x",)}, {}, NO_DIFF, Op.UPDATE, Reason.UNFINISHED),
        ({"pending_replacement": True}, {}, NO_DIFF, Op.REPLACE, Reason.INTERRUPTED_REPLACEMENT),
        ({}, {"replace_on_changes": ("tags",)}, UPDATE, Op.REPLACE, Reason.REPLACE_ON_CHANGES),
        ({}, {"replace_on_changes": ("tags.y",)}, UPDATE, Op.UPDATE, Reason.CHANGED),
        ({}, {"replace_on_changes": ("*",)}, NO_DIFF, Op.SAME, Reason.UNCHANGED),
        ({"init_errors": ("x",)}, {"replace_on_changes": ("#initerror",)}, NO_DIFF, Op.REPLACE,
         Reason.REPLACE_ON_CHANGES),
    ],
)  # fmt: skip
def test_what_becomes_of_a_resource(
    old: dict[str, Any], options: dict[str, Any], diff: Diff, op: Op, reason: Reason
) -> None:
    decision = decide(replace(OLD, **old), _goal(**options), diff)
    assert (decision.op, decision.reason) == (op, reason)


@pytest.mark.parametrize(("option", "first"), [(None, True), (True, True), (False, False)])
def test_the_program_has_the_last_word_about_deleting_first(option: bool | None, first: bool) -> None:
    assert decide(OLD, _goal(delete_before_replace=option), REPLACE).delete_before_replace is first


@pytest.mark.parametrize(
    ("before", "after", "fires"),
    [(None, None, False), (None, 1, False), (1, None, False), (1, 1, False), (1, 2, True), (1, UNKNOWN, True),
     (Secret("a"), "a", False), ({"x": 1}, {"x": 2}, True),
     (Secret(None), Secret("a"), False)],  # what `pulumi stack import` makes of a secret trigger
)  # fmt: skip
def test_when_a_trigger_fires(before: Value, after: Value, fires: bool) -> None:
    """As Pulumi 3.260 does: no trigger, before or after, means no replacement."""
    assert triggered(replace(OLD, replacement_trigger=before), replace(OLD, replacement_trigger=after)) is fires


@pytest.mark.parametrize(
    ("change", "replaced", "reason"),
    [
        ({"replace_with": ("x",)}, {"x"}, Reason.REPLACED_WITH),
        ({"deleted_with": "x"}, {"x"}, Reason.DELETED_WITH),
        ({"provider": "", "custom": False}, set[str](), Reason.KIND_CHANGED),
        ({"taint": True}, set[str](), None),  # of the new state: nothing
        ({}, {"x"}, None),
    ],
)
def test_replacements_that_nobody_asks_the_provider_about(
    change: dict[str, Any], replaced: set[str], reason: Reason | None
) -> None:
    decision = forced_replacement(OLD, replace(OLD, **change), replaced)
    assert (decision and decision.reason) == reason


def test_what_is_marked_to_be_replaced_is() -> None:
    decision = forced_replacement(replace(OLD, taint=True), OLD, set())
    assert decision is not None
    assert decision.reason is Reason.TAINTED


@pytest.mark.parametrize(
    ("old", "wanted", "imports"),
    [(None, "x", True), (OLD, "a-1", False), (OLD, "x", True), (replace(OLD, import_id="x"), "x", False),
     (replace(OLD, external=True), "a-1", True), (None, "", False)],
)  # fmt: skip
def test_when_an_import_is_due(old: ResourceState | None, wanted: str, imports: bool) -> None:
    assert wants_import(_goal(import_id=wanted), old) is imports


@pytest.mark.parametrize(
    ("inputs", "outputs", "marked"),
    [
        ({"a": Secret(1)}, {"a": 1, "b": 2}, {"a": Secret(1), "b": 2}),
        ({"a": {"x": Secret(1), "y": 2}}, {"a": {"x": 1, "y": 2}}, {"a": {"x": Secret(1), "y": 2}}),
        ({"a": [Secret("z"), "b"]}, {"a": ["b", "z", "c"]}, {"a": Secret(["b", "z", "c"])}),
        ({"a": {"x": Secret(1)}}, {"a": "text"}, {"a": Secret("text")}),
        ({"a": Secret({"x": 1})}, {"a": {"x": Secret(1)}}, {"a": Secret({"x": 1})}),
        ({}, {"more": 1, "id": "x"}, {"more": Secret(1), "id": "x"}),
        (  # all inputs below one output: secret where they are, and nowhere else
            {"a": Secret("s"), "b": {"c": Secret("t"), "d": "plain"}},
            {"__inputs": {"a": "s", "b": {"c": "t", "d": "plain"}}},
            {"__inputs": {"a": Secret("s"), "b": {"c": Secret("t"), "d": "plain"}}},
        ),
    ],
)
def test_secrets_stay_secret_in_what_echoes_them(inputs: Properties, outputs: Properties, marked: Properties) -> None:
    state = replace(OLD, inputs=inputs, additional_secret_outputs=("more", "id"))
    assert annotate_secrets(outputs, state) == marked
