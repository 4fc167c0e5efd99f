"""What a stack costs before a change, as the budget rules are told of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from cli.prior_cost import RULE, config_for
from engine.pulumi_cli.errors import NoSuchStack
from engine.session import Session
from engine.state.model import ResourceState

BUDGET = Path(__file__).parents[2] / "policies" / "budget"
URN = "urn:pulumi:dev::shop::aws:eks/cluster:Cluster::main"
LIMIT = {"max_increase_usd": 10}


def session(folder: Path, cost: Any, states: Sequence[ResourceState]) -> Session:
    """As much of a session as is asked for here."""
    return cast(
        "Session",
        SimpleNamespace(
            stack="dev",
            project=SimpleNamespace(config_folder=folder),
            snapshot=lambda: SimpleNamespace(resources=states),
            configuration=SimpleNamespace(texts={} if cost is None else {"bedplate:cost": cost}),
        ),
    )


def cluster() -> ResourceState:
    return ResourceState(urn=URN, type="aws:eks/cluster:Cluster", custom=True, id="main", inputs={"version": "1.35"})


def figure(found: Any) -> Any:
    return {name: dict(one.properties) for name, one in found.items()}


def test_the_rule_is_told_what_stands(tmp_path: Path) -> None:
    found = config_for(BUDGET, session(tmp_path, json.dumps(LIMIT), [cluster()]))
    assert figure(found) == {RULE: {"prior_monthly_usd": pytest.approx(73)}}
    assert found[RULE].level is None, "its level stays that of the settings"
    assert figure(config_for(BUDGET, session(tmp_path, json.dumps(LIMIT), []))) == {RULE: {"prior_monthly_usd": 0}}


def test_a_stack_that_is_about_to_be_made_costs_nothing_yet(tmp_path: Path) -> None:
    opened = session(tmp_path, json.dumps(LIMIT), [])

    def not_there() -> Any:
        raise NoSuchStack("no stack named 'dev' found")

    cast("Any", opened).snapshot = not_there
    assert figure(config_for(BUDGET, opened)) == {RULE: {"prior_monthly_usd": 0}}


@pytest.mark.parametrize("cost", [None, "{}", '{"max_increase_usd": null}', "[]", "{", '{"monthly_budget_usd": 5}'])
def test_without_a_limit_nothing_is_worked_out(cost: str | None, tmp_path: Path) -> None:
    assert config_for(BUDGET, session(tmp_path, cost, [cluster()])) == {}


def test_other_packs_are_told_nothing(tmp_path: Path) -> None:
    assert config_for(tmp_path, session(tmp_path, json.dumps(LIMIT), [cluster()])) == {}


def test_usage_that_can_not_be_read_is_no_figure(tmp_path: Path) -> None:
    (tmp_path / "usage.dev.yaml").write_text("version: 7\n", encoding="utf-8")
    assert config_for(BUDGET, session(tmp_path, json.dumps(LIMIT), [cluster()])) == {}
