"""Goals as registrations, and back: what is registered on behalf of a component has all that it was given."""

from __future__ import annotations

from dataclasses import fields

from engine.goal_messages import goal_of, registration
from engine.goals import Alias, Goal
from engine.packages import Plugin
from engine.state.model import CustomTimeouts
from engine.values import UNKNOWN, ResourceRef, Secret

WHOLE = Goal(
    type="kubernetes:core/v1:ConfigMap",
    name="a",
    custom=True,
    inputs={"data": {"x": Secret("1"), "y": UNKNOWN, "z": [None, True, 1.5]}, "ref": ResourceRef("urn:pulumi:x", "id")},
    parent="urn:parent",
    dependencies=("urn:one", "urn:two"),
    property_dependencies={"data": ("urn:one",)},
    provider="urn:provider::id",
    providers={"kubernetes": "urn:provider::id"},
    plugin=Plugin("4.34.2", "https://example.com"),
    env_var_mappings={"A": "B"},
    protect=False,
    delete_before_replace=True,
    ignore_changes=("data.x",),
    replace_on_changes=("data.y",),
    additional_secret_outputs=("data",),
    aliases=(Alias(urn="urn:old"), Alias(name="b", no_parent=True), Alias(type="t", parent="urn:p", stack="s")),
    import_id="default/a",
    custom_timeouts=CustomTimeouts(create=60, update=90.5),
    retain_on_delete=True,
    deleted_with="urn:three",
    replace_with=("urn:four",),
    replacement_trigger={"x": 1},
    hide_diffs=("data",),
    resource_hooks={"BeforeCreate": ("h",), "OnError": ("e",)},
)


def test_a_registration_has_every_option_of_its_goal() -> None:
    assert goal_of(registration(WHOLE)) == WHOLE


def test_what_is_not_said_stays_unsaid() -> None:
    bare = Goal("a:b:C", "c", custom=False, inputs={}, remote=True)
    assert goal_of(registration(bare)) == bare


def test_the_whole_goal_of_this_test_leaves_nothing_out() -> None:
    bare = Goal("", "", custom=False, inputs={})
    same = {each.name for each in fields(Goal) if getattr(WHOLE, each.name) == getattr(bare, each.name)}
    assert same == {"source_position", "remote"}  # where the program has said it; another test's
