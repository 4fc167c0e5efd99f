"""Resources in, USD a month out: figures that were computed by hand, each with its working."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from policies.pricing import SIZES, UNKNOWN, Estimate, Item, Usage, estimate

FOLDER = Path(__file__).parent / "cases"
_UNKNOWN = "${unknown}"
_TODAY = date(2026, 11, 26)


@dataclass(frozen=True)
class Case:
    """One case file's entry: ``working`` is what the expected figures were computed by."""

    name: str
    resources: list[dict[str, Any]]
    working: str
    expected: Mapping[str, Any]
    usage: Mapping[str, Any]
    agreed: Mapping[str, float]
    today: date

    def items(self) -> list[Item]:
        return [_item(one) for one in self.resources]

    def estimate(self) -> Estimate:
        items = self.items()
        usage = Usage.of(self.usage)
        usage.check(items)
        return estimate(items, usage=usage, today=self.today, agreed=self.agreed)


def _item(given: Mapping[str, Any]) -> Item:
    parent = given.get("parent", "platform")
    urn = f"urn:pulumi:test::bedplate::{given['type']}::{given['name']}"
    refers = {path: [f"urn:pulumi:test::bedplate::{one}"] for path, one in given.get("refers", {}).items()}
    above = f"urn:pulumi:test::bedplate::bedplate:platform:Part::{parent}"
    return Item(urn, given["type"], given["name"], _plain(given.get("properties", {})), above, refers)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return UNKNOWN if value == _UNKNOWN else value


def _cases() -> list[Case]:
    found: list[Case] = []
    for path in sorted(FOLDER.glob("*.yaml")):
        for one in yaml.safe_load(path.read_text(encoding="utf-8")):
            usage, agreed, today = one.get("usage", {}), one.get("agreed", {}), one.get("today", _TODAY)
            found.append(
                Case(f"{path.stem}: {one['name']}", one["resources"], one["working"], one["usd"], usage, agreed, today)
            )
    return found


CASES = _cases()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_costs_what_was_computed_by_hand(case: Case) -> None:
    found = case.estimate()
    for size in SIZES:
        expected = case.expected[size] if size in case.expected else case.expected["desired"]
        assert found.at(size) == pytest.approx(expected, rel=0.01, abs=0.005), (size, case.working, found.lines)
    if "idle" in case.expected:
        assert found.idle == pytest.approx(case.expected["idle"], rel=0.01, abs=0.005)
    lacking = sorted(f"{one.origin.name}: {one.reason}" for one in found.unpriced)
    wanted = sorted(case.expected.get("unpriced", []))
    assert len(lacking) == len(wanted), lacking
    assert all(part in said for part, said in zip(wanted, lacking, strict=True)), lacking


def test_there_are_enough_cases_to_trust_the_estimate() -> None:
    assert len([case for case in CASES if case.expected["desired"]]) >= 20
