"""Edits of a snapshot: what follows, what refuses, and that what comes out is valid."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.state.editing import delete, depending, rename, unprotect
from engine.state.errors import EditRefused
from engine.state.invariants import problems
from engine.state.model import Operation, ResourceState, Snapshot
from tests.engine.state.stacks import PROVIDER, PROVIDER_URN, bucket, component, provider_state, root_state, small_stack


def named(snapshot: Snapshot, name: str) -> ResourceState:
    return next(one for one in snapshot.resources if one.urn.endswith(f"::{name}"))


def names(snapshot: Snapshot) -> list[str]:
    return [one.urn.rpartition("::")[2] for one in snapshot.resources]


def referring() -> Snapshot:
    """A bucket that is referred to in every way."""
    first = bucket("first")
    waiting = Operation(bucket("new", dependencies=(first.urn,)), "creating")
    last = bucket(
        "last", dependencies=(first.urn,), property_dependencies={"acl": (first.urn,)}, deleted_with=first.urn,
        replace_with=(first.urn,), parent=first.urn, view_of=first.urn,
    )  # fmt: skip
    return Snapshot((root_state(), provider_state(), first, last), (waiting,))


def test_only_what_was_chosen_loses_its_protection() -> None:
    snapshot = Snapshot(tuple(replace(one, protect=True) for one in small_stack().resources))
    after = unprotect(snapshot, [snapshot.resources[2]])
    assert [one.protect for one in after.resources] == [True, True, False, True]


def test_a_new_name_is_used_wherever_the_old_one_was() -> None:
    before = referring()
    old = named(before, "first").urn
    after = rename(before, named(before, "first"), "primary")
    new = old.replace("first", "primary")
    assert named(after, "primary").id == "first-1"
    assert problems(after) == []
    last = named(after, "last")
    for found in (last.parent, last.deleted_with, last.view_of, *last.dependencies, *last.replace_with):
        assert found == new
    assert last.property_dependencies == {"acl": (new,)}
    assert after.pending_operations[0].resource.dependencies == (new,)
    assert old not in repr(after)


def test_a_provider_with_a_new_name_stays_the_provider() -> None:
    after = rename(small_stack(), small_stack().resources[1], "main")
    assert problems(after) == []
    assert {one.provider for one in after.resources[2:]} == {PROVIDER.replace("::default", "::main")}


def test_names_that_are_refused() -> None:
    before = small_stack()
    with pytest.raises(EditRefused, match=r"there is a resource .*::second already"):
        rename(before, named(before, "first"), "second")
    with pytest.raises(EditRefused, match="not empty"):
        rename(before, named(before, "first"), "")
    assert rename(before, named(before, "first"), "first") == before
    twice = replace(before, resources=(*before.resources, bucket("first", delete=True, id="old")))
    with pytest.raises(EditRefused, match="several resources"):
        rename(twice, twice.resources[2], "other")


def test_what_is_depended_on_is_deleted_only_with_its_dependents() -> None:
    before = small_stack()
    with pytest.raises(EditRefused, match=r"for what depends on it(.|\n)*::second"):
        delete(before, [named(before, "first")], force=True, dependents=False)
    after = delete(before, [named(before, "first")], force=False, dependents=True)
    assert names(after) == ["shop-dev", "default"]
    assert names(delete(before, before.resources[2:], force=False, dependents=False)) == ["shop-dev", "default"]


@pytest.mark.parametrize("name", ["shop-dev", "default"])
def test_a_parent_and_a_provider_are_depended_on(name: str) -> None:
    before = small_stack()
    with pytest.raises(EditRefused, match=r"::first(.|\n)*::second"):
        delete(before, [named(before, name)], force=False, dependents=False)


def test_each_kind_of_reference_is_a_dependency() -> None:
    first = bucket("first")
    for field in (
        {"dependencies": (first.urn,)}, {"property_dependencies": {"x": (first.urn,)}}, {"deleted_with": first.urn},
        {"replace_with": (first.urn,)}, {"parent": first.urn},
    ):  # fmt: skip
        last = bucket("last", **field)
        assert depending((root_state(), provider_state(), first, last), first) == [last]


def test_protected_resources_go_by_force_alone() -> None:
    before = Snapshot(
        (*small_stack().resources[:3], bucket("second", protect=True, dependencies=(bucket("first").urn,)))
    )
    for chosen in ("first", "second"):
        with pytest.raises(EditRefused, match="::second is protected"):
            delete(before, [named(before, chosen)], force=False, dependents=True)
        assert "second" not in names(delete(before, [named(before, chosen)], force=True, dependents=True))


def test_everything_at_once() -> None:
    before = small_stack()
    assert delete(before, before.resources, force=False, dependents=False).resources == ()
    protected = Snapshot((*before.resources, component("part", protect=True)))
    with pytest.raises(EditRefused, match="::part is protected"):
        delete(protected, protected.resources, force=False, dependents=False)


def test_what_waits_to_be_deleted_has_no_dependents_of_its_own() -> None:
    """The live one of its URN is what others refer to; of two providers, the id says which."""
    old = bucket("first", id="old", delete=True)
    before = replace(small_stack(), resources=(*small_stack().resources[:3], old, small_stack().resources[3]))
    assert names(delete(before, [old], force=False, dependents=False)) == names(small_stack())
    gone = replace(provider_state(), id="gone", delete=True)
    using = bucket("using", provider=f"{PROVIDER_URN}::gone", delete=True)
    both = Snapshot((root_state(), provider_state(), bucket("first"), gone, using))
    assert depending(both.resources, gone) == [using]
    assert depending(both.resources, both.resources[1]) == [both.resources[2]]
