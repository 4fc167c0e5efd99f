"""Flags as targets: what contradicts itself, and what names nothing."""

from __future__ import annotations

from typing import Any

import pytest

from cli.exits import UsageError
from cli.requests.runs import BringingUp, Destroying, Refreshing
from cli.selection import targets_of, unmatched, without_protected
from engine.plan import Op, Plan, Reason, Step
from engine.state.model import ResourceState
from engine.targets import Targets

DATA = "urn:pulumi:dev::shop::aws:s3/bucket:Bucket::data"
NEW = "urn:pulumi:dev::shop::aws:s3/bucket:Bucket::new"
KEPT = "urn:pulumi:dev::shop::aws:s3/bucket:Bucket::kept"
PLAN = Plan(
    (
        Step(Op.UPDATE, DATA, "aws:s3/bucket:Bucket", Reason.CHANGED, ResourceState(DATA, ""), ResourceState(DATA, "")),
        Step(Op.CREATE, NEW, "aws:s3/bucket:Bucket", Reason.NEW, None, ResourceState(NEW, "")),
    )
)


def said(**given: Any) -> str:
    return unmatched(Targets(**given), PLAN, lambda: [DATA, KEPT], "dev")


def test_what_the_flags_say() -> None:
    request = BringingUp(target=("a",), target_replace=("b",), replace=("c",), target_dependents=True)
    assert targets_of(request) == Targets(("a", "b"), (), True, False, ("c", "b"))
    assert targets_of(Refreshing(exclude=("a",), exclude_dependents=True)) == Targets((), ("a",), False, True)
    assert targets_of(Destroying(target=("a",), target_dependents=True)) == Targets(("a",), (), True)


@pytest.mark.parametrize(
    ("given", "flag"), [({"target": ("a",)}, "--target "), ({"target_replace": ("a",)}, "--target-")]
)
def test_targets_and_exclusions_contradict_each_other(given: dict[str, Any], flag: str) -> None:
    with pytest.raises(UsageError, match=f"{flag}.*--exclude can't be given together"):
        targets_of(BringingUp(exclude=("b",), **given))


def test_all_but_what_is_protected() -> None:
    resources = [ResourceState(DATA, "", protect=True), ResourceState(NEW, "")]
    assert without_protected(Targets((), ("x",)), resources) == Targets((), ("x", DATA))
    assert without_protected(Targets(), resources[1:]) == Targets()
    with pytest.raises(UsageError, match="--target and --exclude-protected"):
        targets_of(Destroying(target=("a",), exclude_protected=True))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"only": ("data", "new"), "replace": ("data",)}, ""),
        ({"only": ("nosuch",)}, "--target 'nosuch' matches no resource; give a resource's name"),
        ({"only": ("da*",)}, "did you mean '**::da*'?"),
        ({"replace": ("nosuch", "**::data")}, "--replace 'nosuch' matches no resource of the state"),
        ({"replace": ("new",)}, "--replace 'new' matches no resource of the state"),
        ({"exclude": ("kept", "**::nosuch*")}, ""),
        ({"exclude": ("nosuch",)}, "--exclude 'nosuch' matches no resource; give"),
    ],
)
def test_what_names_nothing_is_told(given: dict[str, Any], message: str) -> None:
    assert message in said(**given)
    assert bool(said(**given)) is bool(message)
