"""What was billed, read from the emulator's Cost Explorer by the client that `bedplate cost --actual` has."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from cli.views import cost_reality
from engine.emulator.ce.spending import GROUPS_A_PAGE
from policies.pricing import Item, estimate
from policies.pricing.reality import by_service, by_tag, deployment_of
from policies.pricing.sources import NoAnswer, NotAllowed, cost_explorer

COMPUTE, EKS = "Amazon Elastic Compute Cloud - Compute", "Amazon Elastic Container Service for Kubernetes"
TODAY = datetime.now(UTC).date()
MONTH = TODAY.replace(day=1)
BEFORE = (MONTH - timedelta(days=1)).replace(day=1)
MINE = {"DeploymentId": "demo-dev"}


def charge(day: date, service: str, amount: float, **tags: str) -> dict[str, object]:
    return {"Date": day.isoformat(), "Service": service, "Amount": amount, "Tags": MINE | tags}


CHARGES = [
    charge(BEFORE, COMPUTE, 60.0, Component="train", Team="vision"),
    charge(BEFORE + timedelta(days=1), COMPUTE, 40.5, Component="train", Team="vision"),
    charge(BEFORE, EKS, 73.0, Component="cluster"),
    charge(MONTH, COMPUTE, 7.25, Component="train"),
    charge(BEFORE - timedelta(days=1), COMPUTE, 999.0, Component="train"),  # another month
    {"Date": BEFORE.isoformat(), "Service": COMPUTE, "Amount": 999.0, "Tags": {"DeploymentId": "demo-prod"}},
    *(charge(BEFORE, "Amazon FSx", 1.0, Component=f"scratch-{number:02}") for number in range(GROUPS_A_PAGE + 5)),
]  # fmt: skip


@pytest.fixture(scope="module")
def ledger(endpoint: str) -> str:
    """The emulator with these charges in its ledger."""
    body = json.dumps({"results": [{"Charges": CHARGES}]}).encode()
    address = f"{endpoint}/moto-api/static/ce/cost-and-usage-results"
    request = urllib.request.Request(address, data=body, headers={"Content-Type": "application/json"}, method="POST")
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 201
    return endpoint


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch, ledger: str, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("AWS_ENDPOINT_URL_COST_EXPLORER", ledger)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    yield


def read(tag: str = "Component", deployment: str = "demo-dev") -> cost_explorer.Bill:
    return cost_explorer.read(("DeploymentId", deployment), tag, TODAY)


def node_group() -> Item:
    sizes = dict.fromkeys(("minSize", "desiredSize", "maxSize"), 1)
    tags = {"tagsAll": MINE | {"Component": "train"}}
    properties = {"instanceTypes": ["m5.large"], "diskSize": 50, "scalingConfig": sizes, **tags}
    return Item("urn:n", "aws:eks/nodeGroup:NodeGroup", "n", properties)


def test_two_months_are_read_by_tag_and_service_through_all_pages() -> None:
    bill = read()
    assert len(bill.groups) == 2 + GROUPS_A_PAGE + 5  # in more than one page
    amounts = bill.by_tag()
    assert amounts["train"] == (pytest.approx(100.5), pytest.approx(7.25))
    assert amounts["cluster"] == (pytest.approx(73.0), 0)
    assert bill.last_month == pytest.approx(100.5 + 73.0 + GROUPS_A_PAGE + 5)
    assert bill.is_tagged
    assert {one.key for one in bill.groups} == {"ec2", "eks", "fsx"}


def test_what_is_expected_of_the_month_is_what_was_and_what_is_forecast() -> None:
    bill = read()
    assert bill.expected is not None
    assert bill.expected > bill.this_month


def test_another_tag_tells_it_apart_otherwise() -> None:
    assert read("Team").by_tag()["vision"][0] == pytest.approx(100.5)
    assert not read("Owner").is_tagged


def test_what_nothing_was_billed_for_has_no_groups_and_no_forecast() -> None:
    bill = read(deployment="demo-nowhere")
    assert (bill.groups, bill.expected) == ((), None)
    found = estimate([node_group()])
    said = " ".join(line.plain for line in cost_reality.bill(found, bill, 80))
    assert "not activated as a cost allocation tag" in " ".join(said.split())


def test_the_estimate_stands_beside_it() -> None:
    gateway = Item("urn:nat", "aws:ec2/natGateway:NatGateway", "nat", {})
    found, bill = estimate([node_group(), gateway], today=TODAY), read()
    assert deployment_of(found) == "demo-dev"
    train = next(one for one in by_tag(found, bill) if one.name == "train")
    assert train.estimated == pytest.approx(0.096 * 730 + 50 * 0.08)
    assert train.ratio == pytest.approx(100.5 / (0.096 * 730 + 4))
    services = {one.name: one for one in by_service(found, bill)}
    assert services[COMPUTE].estimated == pytest.approx(0.096 * 730)
    assert services["EC2 - Other"].estimated == pytest.approx(4.0 + 0.045 * 730 + 4.5)  # disks, and the gateway
    assert services[EKS].last_month == 73.0
    drawn = [line.plain for line in cost_reality.bill(found, bill, 100)]
    assert any(
        line.split()[:4] == ["train", "$74.08", "$100", "136%"]
        or line.split()[:4] == ["train", "$74.08", "$101", "136%"]
        for line in drawn
    )
    section = cost_reality.bill_section(found, bill)
    assert (section["tag"], section["isTagged"], section["month"]) == ("Component", True, MONTH.isoformat())


def test_a_refused_question_is_told_with_what_the_service_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost_explorer, "_METRIC", "Moneys")
    with pytest.raises(NoAnswer, match="Cost Explorer: ValidationException: Metrics"):
        read()


def test_without_credentials_it_is_said_which_right_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(NotAllowed, match="log in, or set AWS_PROFILE to an account that may ce:GetCostAndUsage"):
        read()


def test_a_cost_explorer_that_is_not_there_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_COST_EXPLORER", "http://127.0.0.1:9")
    with pytest.raises(NoAnswer, match="Cost Explorer: Could not connect"):
        read()
