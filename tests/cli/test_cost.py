"""The costs of a plan: what of it is priced, how a preview says it, and that nothing keeps a preview from going on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cli.costs import Costs, compared, of_run
from cli.usage_files import usage_file
from cli.views import cost_line
from engine.plan import Op, Plan, Reason, Step
from engine.project import Project
from engine.run import Outcome, Result
from engine.session import Session
from engine.state.model import ResourceState
from engine.values import UNKNOWN, Secret
from policies.pricing import BadUsage, Usage

ADDRESS = "aws:ec2/eip:Eip"
VOLUME = "aws:ebs/volume:Volume"


def state(type_: str, name: str, inputs: Mapping[str, Any] | None = None, **more: Any) -> ResourceState:
    return ResourceState(
        f"urn:pulumi:dev::demo::{type_}::{name}", type_, custom=True, inputs=dict(inputs or {}), **more
    )


def step(op: Op, old: ResourceState | None = None, new: ResourceState | None = None) -> Step:
    one = new or old
    assert one is not None
    return Step(op, one.urn, one.type, Reason.NEW, old, new)


def volume(name: str, size: Any) -> ResourceState:
    return state(VOLUME, name, {"type": "gp3", "size": size})


def plan(*steps: Step) -> Plan:
    return Plan(steps)


CHANGING = plan(
    step(Op.SAME, state(ADDRESS, "kept"), state(ADDRESS, "kept")),
    step(Op.UPDATE, volume("data", 100), volume("data", 300)),
    step(Op.CREATE, new=state(ADDRESS, "new")),
    step(Op.DELETE, state(ADDRESS, "gone")),
    step(Op.DELETE, state(ADDRESS, "gone too")),
)


def test_a_resource_is_priced_where_its_provider_is() -> None:
    near, far = (state("pulumi:providers:aws", region, {"region": region}) for region in ("us-east-1", "eu-west-9"))
    addresses = [
        state(ADDRESS, name, provider=f"{one.urn}::id") for name, one in zip("abc", (near, near, far), strict=True)
    ]
    found = compared(plan(*(step(Op.SAME, one, one) for one in (near, far, *addresses))), "dev", Usage())
    assert (found.after.region, found.after.at("desired")) == ("us-east-1", pytest.approx(7.30))
    assert ["eu-west-9" in one.reason for one in found.after.unpriced] == [True]


def text(found: Plan, usage: Usage | None = None) -> str:
    return "\n".join(line.plain for line in cost_line.line(compared(found, "dev", usage or Usage())))


def test_a_change_costs_what_stands_after_it_less_what_stood_before() -> None:
    # before: 3 addresses × 3.65 + 100 GB × 0.08 = 18.95; after: 2 × 3.65 + 300 × 0.08 = 31.30
    found = compared(CHANGING, "dev", Usage())
    assert found.before.at("desired") == pytest.approx(18.95)
    assert found.after.at("desired") == pytest.approx(31.30)
    assert text(CHANGING) == "  cost     $18.95 → $31.30 a month (+$12.35; idle floor $31.30)"
    assert cost_line.markdown(found) == (r"**cost** \$18.95 → **\$31.30** a month (+\$12.35; idle floor \$31.30)")


def test_a_replacement_counts_once_on_each_side() -> None:
    old, new = volume("data", 100), volume("data", 200)
    replaced = plan(step(Op.CREATE_REPLACEMENT, old, new), step(Op.REPLACE, old, new), step(Op.DELETE_REPLACED, old))
    found = compared(replaced, "dev", Usage())
    assert (found.before.at("desired"), found.after.at("desired")) == (pytest.approx(8.0), pytest.approx(16.0))


def test_what_was_replaced_earlier_and_still_stands_does_not_hide_what_took_its_place() -> None:
    left = state(VOLUME, "data", {"type": "gp3", "size": 100}, delete=True)
    for steps in ([step(Op.DELETE_REPLACED, left), step(Op.SAME, volume("data", 300), volume("data", 300))],):
        for order in (steps, steps[::-1]):
            assert compared(plan(*order), "dev", Usage()).before.at("desired") == pytest.approx(24.0)


def test_nothing_that_changes_is_said_so() -> None:
    same = plan(step(Op.SAME, state(ADDRESS, "kept"), state(ADDRESS, "kept")))
    assert text(same) == "  cost     $3.65 a month (unchanged; idle floor $3.65)"


def test_a_program_that_costs_nothing_gets_no_line() -> None:
    assert text(plan(step(Op.CREATE, new=state("demo:storage:Thing", "thing")))) == ""


def test_what_is_not_known_yet_is_counted_as_not_priced() -> None:
    steps = (step(Op.CREATE, new=volume("data", UNKNOWN)), step(Op.CREATE, new=state(ADDRESS, "a")))
    first, second = text(plan(*steps)).splitlines()
    assert first == "  cost     $0 → $3.65 a month (+$3.65; idle floor $3.65)"
    assert second == "           1 not priced"


def test_no_figure_at_all_is_not_nothing() -> None:
    there = state(ADDRESS, "there", {"region": "mars-1"})
    found = plan(step(Op.CREATE, new=there))
    said = "not known (1 not priced: there are no prices for mars-1; `bedplate cost --fetch-prices` reads them from AWS"
    assert text(found).startswith(f"  cost     {said}")
    assert cost_line.markdown(compared(found, "dev", Usage())).startswith(f"**cost** {said}")


def test_a_secret_that_is_no_number_is_neither_read_nor_shown() -> None:
    found = compared(plan(step(Op.CREATE, new=volume("data", Secret("hunter2")))), "dev", Usage())
    assert "hunter2" not in str(cost_line.section(found))
    assert [one.reason for one in found.after.unpriced] == ["size is unknown until it is applied"]
    assert compared(plan(step(Op.CREATE, new=volume("data", Secret(100)))), "dev", Usage()).after.at("desired") == 8.0


def test_what_is_only_read_costs_somebody_else() -> None:
    assert text(plan(step(Op.READ, new=state(ADDRESS, "theirs", external=True)))) == ""


def test_the_document_has_every_group_of_costs() -> None:
    document = cost_line.section(compared(CHANGING, "dev", Usage()))
    assert document["delta"] == {"min": 12.35, "desired": 12.35, "max": 12.35}
    assert document["byEnvironment"][0]["name"] == "dev"
    assert document["byComponent"] == [
        {
            "name": "",
            "before": {"min": 18.95, "desired": 18.95, "max": 18.95},
            "after": {"min": 31.3, "desired": 31.3, "max": 31.3},
            "delta": {"min": 12.35, "desired": 12.35, "max": 12.35},
        }
    ]
    assert (document["currency"], document["region"], document["idle"]) == ("USD", "us-east-1", 31.3)


# What may be wrong, and must not keep a preview from going on


def session(folder: Path) -> Session:
    (folder / "Pulumi.yaml").write_text("name: demo\nruntime: python\n")
    (folder / "Pulumi.dev.yaml").write_text("config: {}\n")
    return Session.open(Project.load(folder), "dev", {})


def costs(folder: Path, usage: str) -> Costs:
    opened = session(folder)
    usage_file(opened.project, "dev").write_text(usage)
    return of_run("preview", Outcome(Result.SUCCEEDED, CHANGING, 0.0), opened)


def test_the_usage_beside_the_settings_counts(tmp_path: Path) -> None:
    found = costs(tmp_path, "version: 1\n")
    assert found.section()["cost"]["after"]["desired"] == 31.3


def test_a_usage_file_of_other_resources_is_said_in_place_of_the_costs(tmp_path: Path) -> None:
    found = costs(tmp_path, "resources: {datta: {processed_gb: 3}}\n")
    assert found.section()["cost"]["error"].startswith("not known: ")
    assert "usage.dev.yaml: 1 problem" in found.lines()[0].plain
    with pytest.raises(BadUsage, match=r"resources\.datta: no resource is called that"):
        compared(CHANGING, "dev", Usage.of({"resources": {"datta": {"processed_gb": 3}}}))


def test_a_broken_price_table_is_said_in_place_of_the_costs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "us-east-1.csv").write_text("service,price\n")
    monkeypatch.setenv("BEDPLATE_PRICES", str(tmp_path))
    found = of_run("preview", Outcome(Result.SUCCEEDED, CHANGING, 0.0), session(tmp_path))
    assert "expected the columns service,item,unit,usd,verified,source" in found.lines()[0].plain


def test_what_policies_refuse_has_its_price_too(tmp_path: Path) -> None:
    assert (
        of_run("preview", Outcome(Result.REFUSED, CHANGING, 0.0), session(tmp_path)).section()["cost"]["idle"] == 31.3
    )


def test_a_plan_that_did_not_come_to_its_end_has_no_costs(tmp_path: Path) -> None:
    assert not of_run("preview", Outcome(Result.PROGRAM_FAILED, CHANGING, 0.0), session(tmp_path)).section()
