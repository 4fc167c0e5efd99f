"""Check and diff, by the cases in ``tests/cases/aws/checks.yaml`` and ``diffs.yaml``."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from engine.providers.aws.provider import AwsProvider
from engine.providers.base import DiffKind
from engine.values import UNKNOWN, transform
from tests.engine.aws.cases import CASES


def listed(name: str) -> list[dict[str, Any]]:
    return yaml.safe_load((CASES / name).read_text(encoding="utf-8"))


def with_unknowns(value: Any) -> Any:
    return transform(value, lambda item: UNKNOWN if item == "$unknown" else item)


def urn(case: dict[str, Any]) -> str:
    return f"urn:pulumi:dev::tests::{case['type']}::{case.get('resource', 'thing')}"


@pytest.mark.parametrize("case", listed("checks.yaml"), ids=lambda case: case["name"])
def test_check(case: dict[str, Any]) -> None:
    provider = AwsProvider()
    provider.configure(case.get("provider", {}))
    news = with_unknowns(case["inputs"])
    checked = provider.check(urn(case), case["type"], case.get("olds"), news, seed="seed")
    reasons = {failure.property: failure.reason for failure in checked.failures}
    assert reasons.keys() == case.get("failures", {}).keys(), reasons
    for path, part in case.get("failures", {}).items():
        assert part in reasons[path]
    for key, value in with_unknowns(case.get("expect", {})).items():
        assert checked.inputs.get(key) == value
    for key, pattern in case.get("matches", {}).items():
        assert re.fullmatch(pattern, checked.inputs[key]), checked.inputs[key]


@pytest.mark.parametrize("case", listed("diffs.yaml"), ids=lambda case: case["name"])
def test_diff(case: dict[str, Any]) -> None:
    new = with_unknowns(case["new"])
    diff = AwsProvider().diff(urn(case), case["type"], "id", case["old"], case.get("outputs", {}), new)
    assert diff.detailed == {path: DiffKind(kind) for path, kind in case["detailed"].items()}
    assert diff.changes == bool(case["detailed"])
    assert list(diff.replaces) == case.get("replaces", [])
    assert diff.delete_before_replace == case.get("delete_before_replace", False)


def test_another_seed_makes_another_name() -> None:
    type_ = "aws:s3/bucket:Bucket"
    provider = AwsProvider()
    names = {
        provider.check(f"urn:pulumi:dev::tests::{type_}::lake", type_, None, {}, seed=seed).inputs["bucket"]
        for seed in ("a", "b", "a")
    }
    assert len(names) == 2


def test_another_region_replaces_the_provider() -> None:
    provider = AwsProvider()
    assert provider.diff_config({"region": "us-east-1"}, {"region": "eu-west-1"}).replaces == ("region",)
    tags = provider.diff_config({"defaultTags": "{}"}, {"defaultTags": '{"tags": {"A": "1"}}'})
    assert tags.changes
    assert not tags.replaces


def test_settings_of_the_provider_are_checked() -> None:
    failures = AwsProvider().check_config({"region": "moon", "defaultTags": "{", "reggion": "x"}).failures
    assert {failure.property for failure in failures} == {"region", "defaultTags", "reggion"}


def test_the_preview_of_an_update_keeps_what_stays() -> None:
    type_ = "aws:kms/key:Key"
    old = {"description": "a", "enableKeyRotation": False}
    outputs = {**old, "arn": "arn:x", "keyId": "x", "rotationPeriodInDays": 365, "stray": 1}
    preview = AwsProvider().update(
        f"urn:pulumi:dev::tests::{type_}::key",
        type_,
        "x",
        old,
        outputs,
        {"description": "b", "enableKeyRotation": True},
        timeout=0,
        preview=True,
    )
    assert preview == {
        "description": "b",
        "enableKeyRotation": True,
        "arn": "arn:x",
        "keyId": "x",
        "rotationPeriodInDays": UNKNOWN,
    }
