"""Any prefix of a run is a valid state; what was registered, removed and renamed is what the snapshot says."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings

from engine import urn
from engine.state.invariants import problems
from engine.state.ledger import Entry, Ledger, merge
from engine.state.model import Operation, ResourceState, Snapshot
from tests.engine.state.runs import prefixes, runs
from tests.engine.state.stacks import STACK_URN, bucket, component, provider_state, root_state, small_stack


def names(snapshot: Snapshot) -> list[str]:
    return [urn.name_of(state.urn) + ("(delete)" if state.delete else "") for state in snapshot.resources]


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(runs())
def test_every_prefix_of_a_run_is_valid(run: tuple[Snapshot, list[Entry]]) -> None:
    base, entries = run
    for snapshot in prefixes(base, entries):
        assert problems(snapshot) == []
    assert merge(base, entries).pending_operations == ()


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(runs())
def test_a_resource_is_in_the_snapshot_or_being_made(run: tuple[Snapshot, list[Entry]]) -> None:
    """Between two prefixes nothing vanishes without an entry that says so."""
    base, entries = run
    before: Snapshot | None = None
    for entry, snapshot in zip([None, *entries], prefixes(base, entries), strict=True):
        if before is not None and entry is not None:
            grown = len(snapshot.resources) - len(before.resources)
            assert grown == (entry.add is not None) - (entry.remove is not None)
            operations = len(snapshot.pending_operations) - len(before.pending_operations)
            assert operations == (entry.begin is not None) - (entry.end is not None)
        before = snapshot


def test_registered_ones_stand_before_those_not_reached() -> None:
    new = component("new")
    merged = merge(small_stack(), [Entry(keep=0), Entry(keep=1), Entry(add=new), Entry(keep=3)])
    assert names(merged) == ["shop-dev", "default", "new", "second", "first"]
    assert merge(small_stack(), []) == small_stack()


def test_a_replacement_and_its_old_half() -> None:
    first = small_stack().resources[2]
    new = replace(first, id="first-2")
    entries = [
        Entry(keep=0),
        Entry(keep=1),
        Entry(begin=Operation(new, "creating")),
        Entry(end=0, add=new, amend=((2, replace(first, delete=True)),)),
        Entry(keep=3),
    ]
    merged = merge(small_stack(), entries)
    assert names(merged) == ["shop-dev", "default", "first", "second", "first(delete)"]
    assert merged.resources[2].id == "first-2"
    assert names(merge(small_stack(), [*entries, Entry(remove=2)])) == ["shop-dev", "default", "first", "second"]


def test_operations_of_earlier_runs_stay_until_they_are_ended() -> None:
    base = replace(small_stack(), pending_operations=(Operation(component("lost"), "creating"),))
    begun = [Entry(begin=Operation(component("next"), "creating"))]
    assert len(merge(base, begun).pending_operations) == 2
    assert [op.resource.urn for op in merge(base, [*begun, Entry(end=0)]).pending_operations] == [component("next").urn]


def test_what_does_not_exist_cannot_be_changed() -> None:
    for entry in (Entry(remove=9), Entry(keep=9), Entry(end=0)):
        with pytest.raises(KeyError):
            Ledger(small_stack()).apply(entry)


def test_references_to_a_renamed_resource_follow() -> None:
    first = small_stack().resources[2]
    renamed = bucket("renamed", aliases=(first.urn,), id=first.id)
    merged = merge(small_stack(), [Entry(keep=0), Entry(keep=1), Entry(add=renamed, remove=2)])
    assert names(merged) == ["shop-dev", "default", "renamed", "second"]
    assert merged.resources[3].dependencies == (renamed.urn,)
    assert merged.resources[2].aliases == ()
    assert problems(merged) == []


def test_children_of_a_renamed_component_are_renamed_with_it() -> None:
    old_urn = urn.make("dev", "shop", STACK_URN, "shop:index:Old", "part")
    old = ResourceState(old_urn, "shop:index:Old", parent=STACK_URN)
    child = ResourceState(
        urn.make("dev", "shop", old.urn, "shop:index:Part", "child"), "shop:index:Part", parent=old.urn
    )
    base = Snapshot((root_state(), provider_state(), old, child))
    moved_urn = urn.make("dev", "shop", STACK_URN, "shop:index:New", "part")
    moved = ResourceState(moved_urn, "shop:index:New", parent=STACK_URN, aliases=(old.urn,))
    merged = merge(base, [Entry(keep=0), Entry(keep=1), Entry(add=moved, remove=2)])
    assert merged.resources[3].parent == moved_urn
    assert merged.resources[3].urn == urn.make("dev", "shop", moved_urn, "shop:index:Part", "child")
    assert problems(merged) == []


def test_an_alias_that_another_resource_took_over_is_left_alone() -> None:
    first = small_stack().resources[2]
    renamed = bucket("renamed", aliases=(first.urn,))
    successor = bucket("first", id="another")
    user = bucket("user", dependencies=(first.urn,))
    merged = merge(
        small_stack(),
        [Entry(keep=0), Entry(keep=1), Entry(add=renamed, remove=2), Entry(add=successor), Entry(add=user)],
    )
    assert merged.resources[4].dependencies == (successor.urn,)
    assert problems(merged) == []


def test_a_refresh_may_take_away_what_others_depend_on() -> None:
    dangling = merge(small_stack(), [Entry(remove=2)])
    assert problems(dangling) != []
    mended = merge(small_stack(), [Entry(remove=2, refresh=True)])
    assert mended.resources[2].dependencies == ()
    assert problems(mended) == []
