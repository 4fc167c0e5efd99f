"""Whatever a resource's inputs hold, an estimate is made: what can't be read is listed, nothing counts below zero."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from policies.pricing import SIZES, UNKNOWN, Item, estimate
from policies.pricing.estimate import PARTS
from tests.policies.pricing.test_cases import CASES, Case

ODD: tuple[Any, ...] = (None, UNKNOWN, True, -1, math.nan, 10**40, "x", [UNKNOWN], {"x": 1})
_TODAY = date(2026, 11, 26)


def changed(value: Any) -> Iterator[Any]:
    """``value`` with one part of it replaced by each odd one."""
    yield from ODD
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from ({**value, key: other} for other in changed(inner))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from ([*value[:index], other, *value[index + 1 :]] for other in changed(inner))


def check(items: list[Item]) -> None:
    found = estimate(items, today=_TODAY)
    for line in found.lines:
        for size in SIZES:
            assert math.isfinite(line.monthly.at(size)), line
            assert line.monthly.at(size) >= 0, line
    assert math.isfinite(found.idle)
    assert all(one.usd >= 0 for one in found.savings), found.savings


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_one_odd_value_keeps_no_estimate_from_being_made(case: Case) -> None:
    items = case.items()
    for index, item in enumerate(items):
        for key, value in item.properties.items():
            for odd in changed(value):
                other = replace(item, properties={**item.properties, key: odd})
                check([*items[:index], other, *items[index + 1 :]])


def test_resources_that_say_nothing_are_estimated_or_listed() -> None:
    for type_ in PARTS:
        found = estimate([Item(f"urn:{type_}", type_, "empty", {})], today=_TODAY)
        free = type_ in {"kubernetes:core/v1:Service", "kubernetes:networking.k8s.io/v1:Ingress",
                         "kubernetes:apps/v1:StatefulSet", "aws:ec2/vpcEndpoint:VpcEndpoint",
                         "aws:ssm/parameter:Parameter", "aws:ec2/vpc:Vpc",
                         "aws:ecr/registryScanningConfiguration:RegistryScanningConfiguration"}  # fmt: skip
        assert found.lines or found.unpriced or free, type_


def test_odd_urns_and_parents_belong_to_nobody() -> None:
    loop = Item("urn:a", "aws:ec2/eip:Eip", "a", {"tags": "x", "tagsAll": {"Team": UNKNOWN}}, "urn:a")
    odd = Item("", "aws:ec2/eip:Eip", "", {"tags": UNKNOWN, "region": UNKNOWN}, "nonsense")
    provider = Item("urn:p", "pulumi:providers:aws", "p", {"region": UNKNOWN, "defaultTags": "{not json"})
    found = estimate([loop, odd, provider])
    assert [line.origin.team for line in found.lines] == ["", ""]
    assert found.at("desired") == pytest.approx(7.3)
