"""Where the budget rules have their limits from: the stack's own settings, and what the command line hands over."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.analyzer.client import started
from engine.analyzer.environment import StackFacts
from engine.analyzer.findings import Analysis, AnalyzedProvider, AnalyzedResource, PolicyConfig
from policies.budget import limits, money
from policies.budget.limits import Limits, UnreadableLimit
from policies.subjects.taggable import TABLE, of_sdk, table_of

PACK = Path(__file__).parents[2] / "policies" / "budget"


def _environment(**sections: Any) -> dict[str, str]:
    config = {f"bedplate:{name}": json.dumps(content) for name, content in sections.items()}
    return {"PULUMI_CONFIG": json.dumps(config)}


def _pool(*types: str) -> AnalyzedResource:
    sizes = {"minSize": 0, "desiredSize": 1, "maxSize": 2}
    urn = "urn:pulumi:case::p::aws:eks/nodeGroup:NodeGroup::train"
    inputs = {"instanceTypes": list(types), "diskSize": 20, "scalingConfig": sizes}
    return AnalyzedResource(urn, "aws:eks/nodeGroup:NodeGroup", "train", inputs)


def _cluster(stack: str) -> AnalyzedResource:
    urn = f"urn:pulumi:{stack}::p::aws:eks/cluster:Cluster::main"
    return AnalyzedResource(urn, "aws:eks/cluster:Cluster", "main", {"version": "1.35"})


async def _judged(config: Mapping[str, Any], *given: Mapping[str, PolicyConfig]) -> list[Analysis]:
    """What the pack says of one cluster, with each of these configurations."""
    facts = StackFacts("p", "case", config={key: json.dumps(value) for key, value in config.items()})
    answers: list[Analysis] = []
    async with started(PACK, facts) as pack:
        for each in given:
            await pack.configure(each)
            answers.append(await pack.analyze_stack([_cluster("case")]))
    return answers


def test_the_ceiling_is_the_budget_unless_another_is_given() -> None:
    names = ("ceiling_usd", "monthly_budget_usd")
    assert Limits("case", _environment(cost={"monthly_budget_usd": 100})).usd(*names) == 100
    assert Limits("case", _environment(cost={"monthly_budget_usd": 100, "ceiling_usd": 120})).usd(*names) == 120
    assert Limits("case", _environment()).usd(*names) is None


@pytest.mark.parametrize("value", [0, -5, True, "100", [1], float("inf"), float("nan")])
def test_an_absurd_limit_is_refused(value: object) -> None:
    with pytest.raises(UnreadableLimit, match=r"bedplate:cost.ceiling_usd: expected an amount above 0, seen"):
        Limits("case", _environment(cost={"ceiling_usd": value})).usd("ceiling_usd")


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"PULUMI_CONFIG": "{"}, "PULUMI_CONFIG is not JSON"),
        ({"PULUMI_CONFIG": json.dumps({"bedplate:cost": "{"})}, "bedplate:cost is not JSON"),
        ({"PULUMI_CONFIG": json.dumps({"bedplate:cost": "[]"})}, "bedplate:cost: expected a group of settings"),
    ],
)
def test_settings_that_are_none_are_refused(environment: dict[str, str], says: str) -> None:
    with pytest.raises(UnreadableLimit, match=says):
        Limits("case", environment).usd("ceiling_usd")


def test_lists_and_teams_are_read_as_such() -> None:
    found = Limits("case", _environment(cost={"team_ceilings_usd": {"ml": 5}, "allowed_gpus": ["L4"]}))
    assert (found.by_team(), found.gpus()) == ({"ml": 5.0}, ["L4"])
    assert (Limits("case", _environment()).by_team(), Limits("case", _environment()).gpus()) == ({}, None)
    with pytest.raises(UnreadableLimit, match="team_ceilings_usd: expected USD by team"):
        Limits("case", _environment(cost={"team_ceilings_usd": 5})).by_team()
    with pytest.raises(UnreadableLimit, match="allowed_gpus: expected a list of names"):
        Limits("case", _environment(cost={"allowed_gpus": "L4"})).gpus()


def test_the_stage_is_that_of_the_settings_else_the_stack() -> None:
    assert Limits("review-7", _environment(environment={"stage": "dev"})).stage == "dev"
    assert Limits("acme/dev", _environment()).stage == "dev"


def test_without_an_engine_the_stack_has_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Pulumi.filed.yaml").write_text("config:\n  bedplate:cost: {ceiling_usd: 7}\n", encoding="utf-8")
    (tmp_path / "Pulumi.broken.yaml").write_text("config: [", encoding="utf-8")
    monkeypatch.setattr(limits, "STACK_FILES", tmp_path)
    assert Limits("acme/filed", {}).usd("ceiling_usd") == 7
    assert Limits("none", {}).usd("ceiling_usd") is None
    with pytest.raises(UnreadableLimit, match=r"Pulumi\.broken\.yaml can't be read"):
        Limits("broken", {}).usd("ceiling_usd")


def test_the_pack_holds_a_stack_against_its_settings_and_against_what_it_cost_before() -> None:
    before = {"cost-increase": PolicyConfig(None, {"prior_monthly_usd": 50})}
    silent, told = asyncio.run(
        _judged({"bedplate:cost": {"monthly_budget_usd": 50, "max_increase_usd": 10}}, {}, before)
    )
    assert [one.message for one in silent.findings if one.policy == "cost-ceiling"] == [
        "estimated at 73 USD a month, above the ceiling of 50 (most of it: the rest 73)"
    ]
    assert [(one.policy, one.reason) for one in silent.not_applicable] == [
        ("cost-increase", "what the stack cost before is not known, or nothing")
    ]
    assert not told.not_applicable
    assert [one.message for one in told.findings if one.policy == "cost-increase"] == [
        "the change adds 23 USD a month to 50; allowed are 10"
    ]


def test_prices_that_were_agreed_let_a_ceiling_be_held() -> None:
    async def judged(**cost: Any) -> list[str]:
        facts = StackFacts("p", "case", config={"bedplate:cost": json.dumps(cost)})
        async with started(PACK, facts) as pack:
            found = (await pack.analyze_stack([_pool("p5e.48xlarge")])).findings
        return [one.message for one in found if one.policy in ("cost-ceiling", "pool-cost")]

    async def all_of_them() -> list[list[str]]:
        limits = {"ceiling_usd": 1000, "max_pool_usd": 1000}
        prices: list[Any] = [{}, {"p5e.48xlarge": 1}, {"p5e.48xlarge": 2}, {"p5e.48xlarge": "dear"}]
        return [await judged(**limits, prices=one) for one in prices]

    unsaid, low, high, wrong = asyncio.run(all_of_them())
    assert ["bedplate:cost.prices.p5e.48xlarge" in message for message in unsaid] == [True, True]
    assert [message[:45] for message in low] == ["p5e.48xlarge on-demand: costs up to 1,460 USD"]
    assert [message[:45] for message in high] == [
        "estimated at 1,462 USD a month, above the cei",
        "p5e.48xlarge on-demand: costs up to 2,920 USD",
    ]
    assert ["bedplate:cost.prices.p5e.48xlarge: expected USD an hour above 0, seen 'dear'" in one for one in wrong] == [
        True, True,
    ]  # fmt: skip


def test_a_resource_is_priced_where_its_provider_is() -> None:
    def made(region: str) -> AnalyzedResource:
        provider = AnalyzedProvider(f"urn:pulumi:case::p::pulumi:providers:aws::{region}", "pulumi:providers:aws", {})
        return replace(_cluster("case"), urn=f"{_cluster('case').urn}-{region}", provider=provider)

    async def judged() -> Analysis:
        facts = StackFacts("p", "case", config={"bedplate:cost": json.dumps({"ceiling_usd": 50})})
        providers = [
            AnalyzedResource(f"urn:pulumi:case::p::pulumi:providers:aws::{region}", "pulumi:providers:aws", region,
                             {"region": region}) for region in ("us-east-1", "eu-west-9")
        ]  # fmt: skip
        async with started(PACK, facts) as pack:
            return await pack.analyze_stack([*providers, made("us-east-1"), made("eu-west-9")])

    found = [one.message for one in asyncio.run(judged()).findings if one.policy == "cost-ceiling"]
    assert [message[:40] for message in found] == [
        "estimated at 73 USD a month, above the c",
        "there are no prices for eu-west-9, so wh",
    ]


def test_the_table_of_taggable_types_is_that_of_the_installed_sdk() -> None:
    assert TABLE.read_text(encoding="utf-8") == table_of(of_sdk()), "run `python -m policies.subjects.taggable`"


def test_estimates_take_the_usage_that_lies_beside_the_settings(tmp_path: Path) -> None:
    (tmp_path / "usage.dev.yaml").write_text("version: 1\nresources:\n  data: {standard_gb: 5}\n", encoding="utf-8")
    assert money.usage_of("acme/dev", tmp_path).resources == {"data": {"standard_gb": 5}}
    assert not money.usage_of("prod", tmp_path).resources
