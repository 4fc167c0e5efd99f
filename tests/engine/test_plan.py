"""An apply is held to the plan that was shown."""

from __future__ import annotations

import pytest

from engine.plan import Constraint, Op, Plan, Reason, Step

URN = "urn:pulumi:dev::shop::test:index:Thing::a"


def _step(op: Op) -> Step:
    return Step(op, URN, "test:index:Thing", Reason.CHANGED)


@pytest.mark.parametrize(
    ("planned", "done", "allowed"),
    [
        ([Op.UPDATE], Op.UPDATE, True),
        ([Op.UPDATE], Op.SAME, True),
        ([Op.UPDATE], Op.REPLACE, False),
        ([Op.UPDATE], Op.DELETE, False),
        ([Op.SAME], Op.UPDATE, False),
        ([Op.CREATE_REPLACEMENT, Op.REPLACE, Op.DELETE_REPLACED], Op.UPDATE, True),
        ([Op.CREATE_REPLACEMENT, Op.REPLACE, Op.DELETE_REPLACED], Op.DELETE_REPLACED, True),
        ([Op.CREATE_REPLACEMENT, Op.REPLACE, Op.DELETE_REPLACED], Op.DELETE, False),
        ([], Op.CREATE, True),
        ([], Op.UPDATE, False),
        ([], Op.DELETE, False),
    ],
)
def test_what_an_apply_may_do(planned: list[Op], done: Op, allowed: bool) -> None:
    objection = Constraint(Plan([_step(op) for op in planned])).objection(_step(done))
    assert (objection is None) is allowed


def test_the_halves_of_a_replacement_count_once() -> None:
    plan = Plan([_step(op) for op in (Op.CREATE_REPLACEMENT, Op.REPLACE, Op.DELETE_REPLACED)])
    assert plan.counts == {Op.REPLACE: 1}
    assert plan.has_changes


def test_reading_and_standing_still_are_no_changes() -> None:
    assert not Plan([_step(Op.SAME), _step(Op.READ)]).has_changes
