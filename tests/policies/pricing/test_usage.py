"""Usage files: what they may say, and that nothing in one is passed over in silence."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from policies.pricing import BadUsage, Basis, Item, Price, Prices, Usage, estimate
from policies.pricing.estimate import PARTS
from policies.pricing.usage import measures_of

BUCKET, NAT = "aws:s3/bucket:Bucket", "aws:ec2/natGateway:NatGateway"


def item(type_: str, name: str) -> Item:
    return Item(f"urn:pulumi:dev::demo::{type_}::{name}", type_, name, {})


ITEMS = [item(NAT, "nat-1"), item(NAT, "nat-2"), item(BUCKET, "data"), item("aws:iam/role:Role", "role")]


def amounts(usage: Usage) -> dict[str, tuple[float, Basis]]:
    """What each gateway is taken to process."""
    found = {one.origin.name: one for one in estimate(ITEMS, usage=usage).lines if one.what == "NAT gateway data"}
    return {name: (line.quantity.desired, line.basis) for name, line in found.items()}


def test_what_nobody_says_is_assumed_and_said_to_be() -> None:
    assert amounts(Usage()) == {"nat-1": (100, Basis.ASSUMED), "nat-2": (100, Basis.ASSUMED)}


@pytest.mark.parametrize("name", ["nat-1", f"{NAT}::nat-1", f"urn:pulumi:dev::demo::{NAT}::nat-1", "*-1"])
def test_a_resource_is_meant_by_name_by_type_and_name_by_urn_or_by_a_pattern(name: str) -> None:
    usage = Usage.of({"resources": {name: {"processed_gb": 7}}})
    usage.check(ITEMS)
    assert amounts(usage) == {"nat-1": (7, Basis.USAGE), "nat-2": (100, Basis.ASSUMED)}


def test_what_is_said_of_one_goes_before_a_pattern_and_that_before_the_type() -> None:
    given = {
        "defaults": {NAT: {"processed_gb": 1}},
        "resources": {"nat-*": {"processed_gb": 2}, "nat-1": {"processed_gb": 3}},
    }
    assert amounts(Usage.of(given)) == {"nat-1": (3, Basis.USAGE), "nat-2": (2, Basis.USAGE)}
    assert amounts(Usage.of({"defaults": given["defaults"]}))["nat-2"] == (1, Basis.USAGE)


def test_traffic_stops_when_nothing_runs_and_data_stays() -> None:
    usage = Usage.of({"resources": {"data": {"standard_gb": 1000, "get_requests": 0, "put_requests": 0}}})
    found = estimate([item(BUCKET, "data"), item(NAT, "nat")], usage=usage)
    assert found.idle == pytest.approx(1000 * 0.023 + 0.045 * 730)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([], "expected an object with version, defaults, resources, found []"),
        ("text", "found 'text'"),
        ({"resource": {}}, "resource: unknown section; there are version, defaults, resources"),
        ({"version": 2}, "version: expected 1, found 2"),
        ({"resources": []}, "resources: expected an object, found []"),
        ({"resources": {"nat-1": 3}}, "resources.nat-1: expected keys with numbers, found 3"),
        ({"resources": {"nat-1": {"processed_gb": -1}}}, "nat-1.processed_gb: expected a number from 0 to 1e+12"),
        ({"resources": {"nat-1": {"processed_gb": 1e13}}}, "found 10000000000000.0"),
        ({"resources": {"nat-1": {"processed_gb": math.inf}}}, "found inf"),
        ({"resources": {"nat-1": {"processed_gb": math.nan}}}, "found nan"),
        ({"resources": {"nat-1": {"processed_gb": "12 TB"}}}, "found '12 TB'"),
        ({"resources": {"nat-1": {"processed_gb": True}}}, "found True"),
        ({"defaults": {"aws:s3/bucket:Buckett": {}}}, "billed by use here; did you mean 'aws:s3/bucket:Bucket'?"),
        ({"defaults": {BUCKET: {"standrd_gb": 1}}}, "unknown key; did you mean 'standard_gb'?; there are "),
    ],
)  # fmt: skip
def test_a_file_that_is_wrong_is_refused_with_the_place(content: Any, said: str) -> None:
    with pytest.raises(BadUsage) as caught:
        Usage.of(content, "usage.yaml")
    assert said in str(caught.value)
    assert str(caught.value).startswith("usage.yaml: 1 problem\n")


@pytest.mark.parametrize(
    ("resources", "said"),
    [
        ({"nat1": {"processed_gb": 1}}, "resources.nat1: no resource is called that; did you mean 'nat-1'?"),
        ({"zzz*": {}}, "resources.zzz*: no resource is called that"),
        ({"nat-1": {"procesed_gb": 1}}, "resources.nat-1.procesed_gb: unknown key; did you mean 'processed_gb'?"),
        ({"role": {"requests": 1}}, "resources.role.requests: nothing of it is billed by use"),
    ],
)
def test_a_file_about_what_is_not_there_is_refused(resources: Any, said: str) -> None:
    with pytest.raises(BadUsage) as caught:
        Usage.of({"resources": resources}).check(ITEMS)
    assert said in str(caught.value)


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(BadUsage, match="2 problems"):
        Usage.of({"resources": {"a": {"b": -1, "c": "x"}}})


def test_a_file_that_is_not_yaml_or_not_there_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "usage.yaml"
    with pytest.raises(BadUsage, match="can't be read: No such file"):
        Usage.read(path)
    path.write_text("a: [")
    with pytest.raises(BadUsage, match="is not YAML"):
        Usage.read(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadUsage, match="is not YAML"):
        Usage.read(path)
    path.write_text("")
    assert Usage.read(path).resources == {}


@pytest.mark.parametrize("type_", sorted(PARTS))
def test_every_quantity_of_the_defaults_is_charged_for(type_: str) -> None:
    """A default that no part reads would be a key that a usage file may set without effect."""
    asked: list[str] = []

    class Asked(Usage):
        def of_item(self, item: Item, key: str) -> Any:
            asked.append(key)
            return super().of_item(item, key)

    for properties in _VARIANTS.get(type_, [{}]):
        estimate([Item(f"urn:{type_}", type_, "one", properties), *_BESIDE.get(type_, ())], usage=Asked())
    assert set(asked) == set(measures_of(type_))


_VARIANTS: dict[str, list[dict[str, object]]] = {
    "aws:ec2/vpcEndpoint:VpcEndpoint": [{"vpcEndpointType": "Interface"}],
    "aws:ec2/vpc:Vpc": [{"id": "vpc-1"}],
    "kubernetes:core/v1:Service": [{
        "metadata": {"annotations": {"service.beta.kubernetes.io/aws-load-balancer-scheme": "internet-facing"}},
        "spec": {"type": "LoadBalancer"},
    }],
    "kubernetes:networking.k8s.io/v1:Ingress": [{
        "metadata": {"annotations": {"alb.ingress.kubernetes.io/scheme": "internet-facing"}},
        "spec": {"ingressClassName": "alb"},
    }],
}  # fmt: skip
_BESIDE = {
    "aws:ec2/vpc:Vpc": [
        Item(f"urn:subnet-{zone}", "aws:ec2/subnet:Subnet", zone, {"vpcId": "vpc-1", "availabilityZone": zone})
        for zone in ("a", "b")
    ]
}


def test_transfer_is_charged_for_where_its_amount_and_its_price_are_known() -> None:
    gateway = item(NAT, "nat")
    table = {("transfer", "to the internet"): Price("transfer", "to the internet", "GB", 0.5, "us-east-1", "ours", "")}
    ours, usage = Prices("us-east-1", table), Usage.of({"resources": {"nat": {"internet_gb": 8}}})
    (line,) = estimate([gateway], ours, usage).lines
    assert (line.what, line.monthly.desired, line.idle_monthly) == ("to the internet", 4.0, 0)
    reasons = [one.reason for one in estimate([gateway], usage=usage).unpriced]
    assert reasons == ["no price is known for transfer: to the internet"]
    assert "a usage file may say (internet_gb)" in estimate([gateway]).unpriced[0].reason
