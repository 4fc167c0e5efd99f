"""The Price List and OpenCost, against servers that answer from records; and everything that may go wrong with them."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from policies.pricing import Item, NoPrice, estimate, prices_of
from policies.pricing.reality import of_cluster
from policies.pricing.sources import NoAnswer, NotAllowed, opencost
from policies.pricing.sources.price_list import fetch
from tests.policies.pricing import recorded

TODAY = date(2026, 11, 26)


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Those of a test, and none of whoever runs it."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "TEST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.delenv("AWS_PROFILE", raising=False)


@pytest.fixture
def price_list(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with recorded.serving(recorded.price_list) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_PRICING", url)
        yield url


# The Price List


@pytest.mark.usefixtures("price_list")
def test_a_region_is_priced_by_what_the_price_list_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEDPLATE_PRICES", str(tmp_path / "prices"))
    path = fetch("eu-west-1", TODAY)
    assert path == tmp_path / "prices" / "eu-west-1.csv"
    found = prices_of("eu-west-1")
    expected = {
        ("ec2", "m5.large"): 0.107,  # Linux, shared, on demand: none of the four others of that type
        ("ec2", "g6.xlarge"): 0.9013,
        ("vpc", "NAT gateway"): 0.048,
        ("vpc", "public IPv4 address"): 0.005 * 730,  # a month of hours
        ("ebs", "gp3 throughput above 125 MB/s"): 45.056 / 1024,  # a MiB of a GiB
        ("kms", "requests"): 0.03,  # 10,000 of them, beyond those that are free
        ("kms", "customer managed key"): 1.0,
        ("s3", "standard storage"): 0.023,  # the first tier
        ("s3", "PUT requests"): 0.005,  # 1,000 of them
        ("eks", "control plane (extended support)"): 0.6,
        ("rds", "PostgreSQL db.t4g.medium Multi-AZ"): 0.141,
        ("rds", "PostgreSQL db.t4g.medium single-AZ"): 0.07,  # not the I/O-optimized one
        ("sagemaker", "ml.g5.2xlarge hosting"): 1.69,
    }
    for (service, item), usd in expected.items():
        assert found.find(service, item).usd == pytest.approx(usd), item
    assert {price.date for price in found.table.values()} == {"2026-11-26"}
    assert {price.source for price in found.table.values()} == {"AWS Price List, read 2026-11-26"}
    with pytest.raises(NoPrice, match="no price is known for elb: network load balancer"):
        found.find("elb", "network load balancer")
    nodes = {"region": "eu-west-1", "instanceTypes": ["m5.large"], "diskSize": 10,
             "scalingConfig": {"minSize": 1, "desiredSize": 2, "maxSize": 2}}  # fmt: skip
    priced = estimate([Item("urn:n", "aws:eks/nodeGroup:NodeGroup", "n", nodes)], today=TODAY)
    assert priced.at("desired") == pytest.approx(2 * 0.107 * 730 + 2 * 10 * 0.088)


@pytest.mark.usefixtures("price_list")
def test_a_region_that_is_none_leaves_no_table(tmp_path: Path) -> None:
    with pytest.raises(NoAnswer, match="it has no instances in mars-1: is that a region"):
        fetch("mars-1", TODAY, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("price_list")
def test_a_refusal_names_the_right_that_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "DENIED")
    with pytest.raises(NotAllowed, match=r"AccessDeniedException: .*; these credentials need pricing:GetProducts"):
        fetch("eu-west-1", TODAY, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_without_credentials_nothing_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(NotAllowed, match="log in, or set AWS_PROFILE to an account that may pricing:GetProducts"):
        fetch("eu-west-1", TODAY, tmp_path)


@pytest.mark.parametrize(
    ("products", "said"),
    [
        (["not JSON"], "expected a product with its price, found 'not JSON'"),
        (['{"product": {}}'], "expected a product with its price"),
        (['{"product": {"attributes": {}}, "terms": {"OnDemand": {"a": {}}}}'], "expected a product with its price"),
        ([], "it has no instances in eu-west-1"),
    ],
)
def test_an_answer_that_is_none_is_no_price(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, products: list[str], said: str
) -> None:
    answer = {"FormatVersion": "aws_v1", "PriceList": products}
    with recorded.serving(lambda handler, body: (200, answer)) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_PRICING", url)
        with pytest.raises(NoAnswer, match=said):
            fetch("eu-west-1", TODAY, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_answer_that_goes_in_circles_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("policies.pricing.sources.price_list._PAGES", 3)
    answer: dict[str, Any] = {"FormatVersion": "aws_v1", "PriceList": [], "NextToken": "again"}
    with recorded.serving(lambda handler, body: (200, answer)) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_PRICING", url)
        with pytest.raises(NoAnswer, match="its answer for AmazonEC2 has no end"):
            fetch("eu-west-1", TODAY, tmp_path)


# OpenCost

_SIZES = ("minSize", "desiredSize", "maxSize")


def test_opencost_s_week_is_brought_to_a_month() -> None:
    with recorded.serving(recorded.opencost) as url:
        found = opencost.read(f"{url}/")
    week = {"team-vision": 20 + 79 + 1 + 5, "kube-system": 7.0, "__idle__": 35.0}
    assert [one.name for one in found.allocations] == ["team-vision", "__idle__", "kube-system"]
    assert {one.name: one.monthly for one in found.allocations} == {
        name: pytest.approx(usd * 730 / 168) for name, usd in week.items()
    }
    assert found.idle == pytest.approx(35 * 730 / 168)
    assert found.allocations[0].parts["gpuCost"] == pytest.approx(79 * 730 / 168)


def test_the_cluster_is_compared_with_what_opencost_sees_of_the_estimate() -> None:
    items = [
        Item("urn:n", "aws:eks/nodeGroup:NodeGroup", "n",
             {"instanceTypes": ["m5.large"], "diskSize": 50, "scalingConfig": dict.fromkeys(_SIZES, 1)}),
        Item("urn:c", "aws:eks/cluster:Cluster", "c", {"version": "1.35"}),
    ]  # fmt: skip
    with recorded.serving(recorded.opencost) as url:
        beside = of_cluster(estimate(items, today=TODAY), opencost.read(url))
    assert beside.estimated == pytest.approx(0.096 * 730 + 50 * 0.08)  # the control plane is not OpenCost's
    assert beside.measured.monthly == pytest.approx((105 + 7 + 35) * 730 / 168)


@pytest.mark.parametrize(
    ("status", "content", "error", "said"),
    [
        (200, "<html>", NoAnswer, "expected JSON, found b'<html>'"),
        (200, [], NoAnswer, r"expected an object, found \[\]"),
        (200, {"code": 200}, NoAnswer, "expected allocations by namespace"),
        (200, {"code": 200, "data": [{"a": {"name": "a"}}]}, NoAnswer, "expected allocations by namespace"),
        (200, {"code": 200, "data": [{"a": {"name": "a", "minutes": 1, "totalCost": "NaN"}}]}, NoAnswer, "expected a"),
        (200, {"code": 500, "message": "no data"}, NoAnswer, "500: no data"),
        (400, {"code": 400}, NoAnswer, "400 Bad Request"),
        (401, "", NotAllowed, "401 Unauthorized"),
        (503, "", NoAnswer, "503 Service Unavailable"),
    ],
)  # fmt: skip
def test_an_opencost_that_answers_otherwise_is_told_of(
    status: int, content: Any, error: type[Exception], said: str
) -> None:
    def answer(handler: BaseHTTPRequestHandler, body: bytes) -> recorded.Answer:
        return status, content

    with recorded.serving(answer) as url, pytest.raises(error, match=said):
        opencost.read(url)


def test_an_empty_opencost_has_measured_nothing() -> None:
    answer: dict[str, Any] = {"code": 200, "data": [None, {}]}
    with recorded.serving(lambda handler, body: (200, answer)) as url:
        assert opencost.read(url).monthly == 0


def test_an_opencost_that_is_not_there_is_told_of() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    with pytest.raises(NoAnswer, match=f"OpenCost at http://127.0.0.1:{port}: .*refused"):
        opencost.read(f"http://127.0.0.1:{port}")
