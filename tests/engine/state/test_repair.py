"""A state that breaks the invariants is put in order and loses what points at nothing; the rest nobody can guess."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import urn as urns
from engine.state.errors import EditRefused
from engine.state.invariants import problems
from engine.state.model import ResourceState, Snapshot
from engine.state.repair import Pruned, repaired
from tests.engine.state.runs import snapshots
from tests.engine.state.stacks import bucket, component, provider_state, root_state, small_stack

GONE = component("gone").urn


@given(snapshots(), st.randoms())
@settings(max_examples=60, deadline=None)
def test_any_order_is_mended(snapshot: Snapshot, chance: random.Random) -> None:
    shuffled = list(snapshot.resources)
    chance.shuffle(shuffled)
    after, found = repaired(replace(snapshot, resources=tuple(shuffled)))
    assert problems(after) == []
    assert found == []
    assert {one.urn: one for one in after.resources} == {one.urn: one for one in snapshot.resources}


def test_a_valid_order_stays_as_it_is() -> None:
    assert repaired(small_stack()) == (small_stack(), [])


def test_references_to_nothing_are_taken_out_and_told() -> None:
    part = bucket(
        "part", dependencies=(GONE, bucket("first").urn), property_dependencies={"a": (GONE,)}, deleted_with=GONE,
        replace_with=(GONE,),
    )  # fmt: skip
    before = Snapshot((*small_stack().resources, part))
    after, found = repaired(before)
    assert problems(after) == []
    mended = after.resources[-1]
    assert mended == replace(
        part, dependencies=(bucket("first").urn,), property_dependencies={}, deleted_with="", replace_with=()
    )
    whats = ("dependency", "dependency of property 'a'", "deleted_with", "replace_with")
    assert found == [Pruned(part.urn, part.urn, tuple((what, GONE) for what in whats))]


def test_whose_parent_is_gone_is_called_otherwise_and_so_are_its_children() -> None:
    gone = component("gone")
    child = _below(component("child"), gone.urn)
    leaf = _below(component("leaf"), child.urn)
    user = component("user", dependencies=(leaf.urn,))
    after, found = repaired(Snapshot((root_state(), child, leaf, user)))
    assert problems(after) == []
    new_child = "urn:pulumi:dev::shop::shop:index:Part::child"
    new_leaf = "urn:pulumi:dev::shop::shop:index:Part$shop:index:Part::leaf"
    assert [(one.urn, one.parent) for one in after.resources[1:3]] == [(new_child, ""), (new_leaf, new_child)]
    assert after.resources[3].dependencies == (new_leaf,)
    assert [(one.urn, one.new_urn) for one in found] == [(child.urn, new_child), (leaf.urn, new_leaf)]


def _below(state: ResourceState, parent: str) -> ResourceState:
    return replace(state, parent=parent, urn=urns.make("dev", "shop", parent, state.type, urns.name_of(state.urn)))


def test_a_provider_that_is_missing_stays_missing() -> None:
    root, _, *rest = small_stack().resources
    after, _ = repaired(Snapshot((root, *rest)))
    assert any("its provider" in one for one in problems(after))


def test_a_provider_that_comes_after_is_put_before() -> None:
    root, provider, first, second = small_stack().resources
    after, found = repaired(Snapshot((root, second, first, provider)))
    assert after == Snapshot((root, provider, first, second))
    assert found == []


def test_a_circle_is_told() -> None:
    one, other = component("one"), component("other")
    one, other = replace(one, dependencies=(other.urn,)), replace(other, dependencies=(one.urn,))
    with pytest.raises(EditRefused, match=r"circle:\n.*::one\n.*::other\n.*::one"):
        repaired(Snapshot((root_state(), one, other)))


def test_a_provider_reference_that_is_none_is_told() -> None:
    with pytest.raises(EditRefused, match="not a provider reference"):
        repaired(Snapshot((root_state(), bucket("first", provider="aws"))))


def test_what_waits_to_be_deleted_means_its_own_kind() -> None:
    """Old and new of one URN: what is old depends on the old one, what is new on the new one."""
    old, new = bucket("first", id="old", delete=True), bucket("first")
    last = bucket("last", dependencies=(new.urn,), delete=True, id="waits")
    after, _ = repaired(Snapshot((last, root_state(), new, old, provider_state())))
    assert problems(after) == []
    order = [one.id for one in after.resources]
    assert order.index("old") < order.index("waits")


def test_a_long_chain() -> None:
    states = [component("r0")]
    for number in range(1, 3000):
        states.append(component(f"r{number}", dependencies=(states[-1].urn,)))
    after, _ = repaired(Snapshot((root_state(), *reversed(states))))
    assert after.resources == (root_state(), *states)
