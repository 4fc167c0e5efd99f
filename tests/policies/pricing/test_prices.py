"""Price tables: each figure with its source and date, and that none is read from a table that is broken."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from policies.pricing import Item, MalformedPrices, NoPrice, Prices, estimate, prices, prices_of
from policies.pricing.names import SERVICES
from policies.pricing.prices import COLUMNS, EC2, UNDATED, read, shipped

HEAD = ",".join(COLUMNS)
SHARED = Path(__file__).parents[3] / "policies" / "pricing" / "data"


def test_every_price_has_a_unit_a_source_and_a_name_on_bills() -> None:
    for price in shipped().table.values():
        assert price.usd > 0, price
        assert price.unit, price
        assert price.source, price
        assert price.service in SERVICES, price
        assert price.date == UNDATED or re.fullmatch(r"\d{4}-\d{2}(-\d{2})?|\d{8}", price.date), price


def test_prices_are_those_of_the_region_that_they_are_of() -> None:
    assert {price.region for price in shipped().table.values()} == {"us-east-1"}
    assert shipped().find("eks", "control plane (standard support)").usd == 0.10
    assert shipped().instance("p5.48xlarge").source.startswith("AWS price list")


def test_what_has_no_price_says_why() -> None:
    with pytest.raises(NoPrice, match=r"no on-demand price: AWS sells p5e\.48xlarge by reservation"):
        shipped().instance("p5e.48xlarge")
    with pytest.raises(NoPrice, match=r"no price is known for instance type x9\.huge"):
        shipped().instance("x9.huge")
    with pytest.raises(NoPrice, match="no price is known for eks: tea"):
        shipped().find("eks", "tea")
    with pytest.raises(NoPrice, match="there are no prices for eu-west-1; `bedplate cost --fetch-prices` reads them"):
        prices_of("eu-west-1", Path("/nowhere")).find("eks", "tea")


def test_a_cached_price_takes_the_place_of_one_that_is_shipped(tmp_path: Path) -> None:
    (tmp_path / "us-east-1.csv").write_text(f"{HEAD}\nec2,m5.large,hour,0.5,yes,AWS price list 2027-01-02\n")
    found = prices_of("us-east-1", tmp_path)
    assert found.instance("m5.large").usd == 0.5
    assert found.instance("m5.large").date == "2027-01-02"
    assert found.find("eks", "control plane (standard support)").date == "2026-08-21"


def test_another_region_is_priced_by_its_own_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEDPLATE_PRICES", str(tmp_path))
    (tmp_path / "eu-west-1.csv").write_text(f"{HEAD}\nvpc,public IPv4 address,month,4,yes,AWS price list 2027-01-02\n")
    provider = Item("urn:p", "pulumi:providers:aws", "aws", {"region": "eu-west-1"})
    address = Item("urn:a", "aws:ec2/eip:Eip", "a", {})
    found = estimate([provider, address], today=date(2026, 11, 26))
    assert (found.region, found.at("desired"), found.lines[0].price.region) == ("eu-west-1", 4.0, "eu-west-1")


def test_a_pack_finds_the_prices_that_the_command_has_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BEDPLATE_PRICES", raising=False)
    pack, kept = tmp_path / "policies" / "budget", tmp_path / ".bedplate" / "prices"
    pack.mkdir(parents=True)
    monkeypatch.chdir(pack)
    assert prices_of("eu-west-1").table == {}
    kept.mkdir(parents=True)
    (kept / "eu-west-1.csv").write_text(f"{HEAD}\nvpc,public IPv4 address,month,4,yes,AWS price list 2027-01-02\n")
    assert prices_of("eu-west-1").find("vpc", "public IPv4 address").usd == 4


def test_each_resource_is_where_its_own_provider_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEDPLATE_PRICES", str(tmp_path))
    (tmp_path / "eu-west-1.csv").write_text(
        f"{HEAD}\nvpc,public IPv4 address,month,4,yes,AWS price list 2027-01-02\n"
        "ebs,gp3 storage,GB-month,0.1,yes,AWS price list 2027-01-02\n"
    )
    own = {"region": "eu-west-1", "defaultTags": '{"tags": {"Team": "ours"}}'}
    home, far, address = "urn:home", "urn:far", "aws:ec2/eip:Eip"
    class_ = {"metadata": {"name": "fast"}, "provisioner": "ebs.csi.aws.com"}
    claim = {"storageClassName": "fast", "resources": {"requests": {"storage": "10Gi"}}}
    found = estimate([
        Item(home, "pulumi:providers:aws", "home", own),
        Item(far, "pulumi:providers:aws", "far", {"region": "us-east-1"}),
        Item("urn:k", "pulumi:providers:kubernetes", "k", {}),
        Item("urn:a", address, "a", {}, provider=home),
        Item("urn:b", address, "b", {}, provider=home),
        Item("urn:c", address, "c", {}, provider=far),
        Item("urn:s", "kubernetes:storage.k8s.io/v1:StorageClass", "s", class_, provider="urn:k"),
        Item("urn:v", "kubernetes:core/v1:PersistentVolumeClaim", "v", {"spec": claim}, provider="urn:k"),
    ], today=date(2026, 11, 26))  # fmt: skip
    assert {line.origin.name: line.monthly.desired for line in found.lines} == {"a": 4, "b": 4, "c": 3.65, "v": 1}
    assert found.region == "eu-west-1"
    assert {line.origin.name: line.origin.team for line in found.lines} == {"a": "ours", "b": "ours", "c": "", "v": ""}


def test_volumes_of_a_stateful_set_are_on_its_teams_and_its_components_bill() -> None:
    parent = "urn:pulumi:prod::bedplate::bedplate:observability:Prometheus::prometheus"
    class_ = {"metadata": {"name": "gp3"}, "provisioner": "ebs.csi.aws.com", "parameters": {"type": "gp3"}}
    template = {"spec": {"storageClassName": "gp3", "resources": {"requests": {"storage": "50Gi"}}}}
    server = {
        "metadata": {"labels": {"Team": "ml-platform"}},
        "spec": {"replicas": 2, "volumeClaimTemplates": [template], "template": {"spec": {"containers": []}}},
    }
    found = estimate([
        Item("urn:aws", "pulumi:providers:aws", "aws", {"region": "us-east-1"}),
        Item("urn:k", "pulumi:providers:kubernetes", "k", {}),
        Item("urn:s", "kubernetes:storage.k8s.io/v1:StorageClass", "s", class_, provider="urn:k"),
        Item("urn:p", "kubernetes:apps/v1:StatefulSet", "server", server, parent, provider="urn:k"),
    ], today=date(2026, 11, 26))  # fmt: skip
    (line,) = found.lines
    assert (line.monthly.desired, line.origin.team, line.origin.component) == (8.0, "ml-platform", "prometheus")


def test_what_lies_in_a_teams_namespace_is_the_teams() -> None:
    """The deployment's Team, which is the platform's, is on every object."""
    balanced = {"spec": {"type": "LoadBalancer"}}
    both, ours = {"Team": "ml-platform", "bedplate.dev/team": "vision"}, {"Team": "ml-platform"}
    found = estimate([
        Item("urn:aws", "pulumi:providers:aws", "aws", {"region": "us-east-1"}),
        Item("urn:k", "pulumi:providers:kubernetes", "k", {}),
        Item("urn:t", "kubernetes:core/v1:Service", "team", {**balanced, "metadata": {"labels": both}}),
        Item("urn:p", "kubernetes:core/v1:Service", "ours", {**balanced, "metadata": {"labels": ours}}),
        Item("urn:e", "aws:ec2/eip:Eip", "address", {"tags": both}),
    ], today=date(2026, 11, 26))  # fmt: skip
    assert {line.origin.name: line.origin.team for line in found.lines} == {
        "team": "vision",
        "ours": "ml-platform",
        "address": "ml-platform",
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ":1: expected the columns service,item,unit,usd,verified,source, found nothing"),
        ("service,price\n", ":1: expected the columns"),
        (f"{HEAD}\neks,plane,hour\n", ":2: expected 6 values"),
        (f"{HEAD}\neks,plane,hour,0.1,yes,x,y\n", ":2: expected 6 values"),
        (f"{HEAD}\neks,plane,hour,0.1,perhaps,x\n", ":2: verified is yes or no, found 'perhaps'"),
        (f"{HEAD}\neks,plane,hour,free,yes,x\n", ":2: expected a price above 0 in USD, found 'free'"),
        (f"{HEAD}\neks,plane,hour,0,yes,x\n", ":2: expected a price above 0 in USD, found '0'"),
        (f"{HEAD}\neks,plane,hour,-1,yes,x\n", "found '-1'"),
        (f"{HEAD}\neks,plane,hour,nan,yes,x\n", "found 'nan'"),
        (f"{HEAD}\neks,plane,hour,inf,yes,x\n", "found 'inf'"),
    ],
)
def test_a_malformed_table_is_refused_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "us-east-1.csv"
    path.write_text(text)
    with pytest.raises(MalformedPrices) as caught:
        read(path, "us-east-1")
    assert f"{path}{said}" in str(caught.value) or said in str(caught.value)


def test_a_table_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "us-east-1.csv"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(MalformedPrices, match="can't be read as a price table"):
        read(path, "us-east-1")


def test_instance_types_that_are_sold_are_priced_as_the_components_know_them() -> None:
    assert len([key for key in shipped().table if key[0] == EC2]) > 200
    assert not {name for name in shipped().unsold if (EC2, name) in shipped().table}


def test_importing_the_estimate_brings_nothing_heavy_along() -> None:
    """Policy packs and every preview pay for it."""
    command = (
        "import sys, policies.pricing; print([name for name in ('pulumi', 'yaml', 'boto3') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", command], capture_output=True, text=True, check=True, cwd=SHARED.parents[2]
    )
    assert done.stdout.strip() == "[]"


def test_a_table_is_read_once_for_all_resources_of_its_region(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEDPLATE_PRICES", str(tmp_path))
    (tmp_path / "eu-west-1.csv").write_text(f"{HEAD}\nvpc,public IPv4 address,month,4,yes,AWS price list 2027-01-02\n")
    asked: list[str] = []

    def counted(path: Path, region: str) -> Prices:
        asked.append(region)
        return read(path, region)

    monkeypatch.setattr(prices, "read", counted)
    items = [Item(f"urn:{n}", "aws:ec2/eip:Eip", str(n), {"region": "eu-west-1"}) for n in range(50)]
    assert estimate(items).at("desired") == 200
    assert asked == ["eu-west-1"]
