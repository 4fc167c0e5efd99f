"""Schedules as hours: what EC2 Auto Scaling's cron says of a week, and what says nothing of one."""

from __future__ import annotations

import pytest

from policies.pricing import Item, estimate
from policies.pricing.schedules import Action, NotCron, average_nodes, minutes_of

HOUR = 60


@pytest.mark.parametrize(
    ("start", "stop", "hours"),
    [
        ("0 8 * * MON-FRI", "0 20 * * MON-FRI", 60),
        ("0 18 * * MON-FRI", "0 6 * * TUE-SAT", 60),
        ("0 8 * * 1-5", "0 20 * * 1-5", 60),
        ("30 8 * * 1,3", "0 9 * * 1,3", 1),
        ("0 0 * * *", "0 12 * * *", 84),
        ("0 8 * * MON-SUN", "0 9 * * MON-SUN", 7),
        ("0 8 * * 7", "0 10 * * 0", 2),
        ("0 8 * * MON", "0 8 * * SAT", 120),
        ("0 */6 * * *", "0 3-23/6 * * *", 84),
    ],
)
def test_a_week_has_its_hours(start: str, stop: str, hours: float) -> None:
    assert average_nodes([Action(start, 3), Action(stop, 0)]) == pytest.approx(3 * hours / 168)


def test_a_pool_that_is_started_and_never_stopped_runs_always() -> None:
    assert average_nodes([Action("0 8 * * MON", 2)]) == 2


def test_sizes_between_two_actions_count_each_for_its_time() -> None:
    day = [Action("0 0 * * *", 1), Action("0 6 * * *", 4), Action("0 18 * * *", 2)]
    assert average_nodes(day) == pytest.approx((6 * 1 + 12 * 4 + 6 * 2) / 24)


def test_sunday_is_the_first_day() -> None:
    assert minutes_of("5 1 * * SUN") == [65]
    assert minutes_of("0 0 * * SAT") == [6 * 24 * HOUR]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0 8 * *",
        "0 8 1 * *",
        "0 8 * JAN *",
        "61 8 * * *",
        "0 8 * * MON-XYZ",
        "0 25 * * *",
        "0 8 * * 5-2",
        "0 8/0 * * *",
    ],
)
def test_what_is_no_weekly_schedule_is_said_to_be_none(text: str) -> None:
    with pytest.raises(NotCron, match="is no weekly schedule"):
        average_nodes([Action(text, 1)])


def test_no_schedule_is_proposed_for_pools_that_karpenter_shrinks_by_itself() -> None:
    requirements = [{"key": "node.kubernetes.io/instance-type", "operator": "In", "values": ["g6.xlarge"]}]
    pool = Item("urn:k", "kubernetes:karpenter.sh/v1:NodePool", "k", {
        "metadata": {"name": "k", "annotations": {"bedplate.dev/desired-nodes": "2"}},
        "spec": {"limits": {"cpu": "16"}, "template": {"spec": {"requirements": requirements}}},
    })  # fmt: skip
    group = Item("urn:g", "aws:eks/nodeGroup:NodeGroup", "g", {
        "instanceTypes": ["g6.xlarge"], "diskSize": 20, "scalingConfig": {"minSize": 0, "desiredSize": 2, "maxSize": 4},
    })  # fmt: skip
    assert {(one.pool, one.kind) for one in estimate([pool, group]).savings} == {
        ("k", "spot"), ("g", "spot"), ("g", "schedule"),
    }  # fmt: skip
