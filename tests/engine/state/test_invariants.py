"""Each invariant, broken once; and that a valid snapshot has nothing to be said against it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from engine.state.invariants import problems
from engine.state.model import ResourceState, Snapshot
from tests.engine.state.stacks import PROVIDER, PROVIDER_URN, STACK_URN, bucket, component, root_state, small_stack

GONE = component("gone").urn

Change = Callable[[ResourceState], ResourceState]

BROKEN: list[tuple[str, Change]] = [
    ("no URN", lambda state: replace(state, urn="")),
    ("not a URN", lambda state: replace(state, urn="bucket")),
    ("no type", lambda state: replace(state, type="")),
    (
        "its URN says 'aws:s3/bucket:Bucket' and its type 'aws:ec2/vpc:Vpc'",
        lambda s: replace(s, type="aws:ec2/vpc:Vpc"),
    ),
    ("it has no id", lambda state: replace(state, id="")),
    ("is a component and has the id", lambda state: replace(state, custom=False)),
    ("its parent .*gone is missing", lambda state: replace(state, parent=GONE)),
    ("its dependency .*gone is missing", lambda state: replace(state, dependencies=(GONE,))),
    ("dependency of property 'acl' .*gone", lambda s: replace(s, property_dependencies={"acl": (GONE,)})),
    ("its deleted_with .*gone is missing", lambda state: replace(state, deleted_with=GONE)),
    ("its replace_with .*gone is missing", lambda state: replace(state, replace_with=(GONE,))),
    ("its provider .*::other is missing", lambda state: replace(state, provider=f"{PROVIDER_URN}::other")),
    ("not a provider reference", lambda state: replace(state, provider="aws")),
    ("another resource of this URN", lambda state: replace(state, urn=bucket("first").urn)),
]


def test_a_valid_snapshot() -> None:
    assert problems(small_stack()) == []
    assert problems(Snapshot()) == []


@pytest.mark.parametrize(("expected", "change"), BROKEN, ids=[expected for expected, _ in BROKEN])
def test_each_invariant(expected: str, change: Change, request: pytest.FixtureRequest) -> None:
    *rest, last = small_stack().resources
    found = problems(Snapshot((*rest, change(last))))
    assert len(found) == 1
    assert re.search(expected, found[0]), found


def test_the_order_counts() -> None:
    root, provider, first, second = small_stack().resources
    found = problems(Snapshot((root, provider, second, first)))
    assert found == [f"resources[2] {second.urn}: its dependency {first.urn} comes after it"]


def test_of_one_urn_all_but_one_may_wait_to_be_deleted() -> None:
    *rest, last = small_stack().resources
    waiting = replace(last, delete=True)
    assert problems(Snapshot((*rest, last, waiting, waiting))) == []
    assert problems(Snapshot((*rest, waiting, waiting))) == []


def test_what_waits_to_be_made_again_may_have_lost_its_provider() -> None:
    lost = bucket("lost", provider=f"{PROVIDER_URN}::old", pending_replacement=True)
    assert problems(Snapshot((*small_stack().resources, lost))) == []


def test_snippets_have_their_own_ids() -> None:
    snapshot = Snapshot((root_state(),), snippets=({"uuid": "a"}, {"uuid": "a"}, {}))
    assert len(problems(snapshot)) == 2


def test_all_problems_are_found() -> None:
    snapshot = Snapshot((bucket("x"), component("y", parent=GONE)))
    found = problems(snapshot)
    assert len(found) == 3
    assert any(STACK_URN in problem for problem in found)
    assert any(PROVIDER in problem for problem in found)
