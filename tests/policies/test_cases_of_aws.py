"""Rules and cases speak of AWS as its SDK does: a misspelt type or property would let a rule pass on nothing."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from engine.analyzer.case_files import Given, load
from tests.policies import aws_sdk

POLICIES = Path(__file__).parents[2] / "policies"
FILES = sorted(POLICIES.glob("*/cases/*.yaml"))
# Names that load balancers had in older releases of the SDK, which are still in states and in other languages' SDKs.
FORMER = ("aws:applicationloadbalancing/", "aws:elasticloadbalancing/", "aws:elasticloadbalancingv2/")


@pytest.mark.parametrize("pack", ["security", "budget", "governance"])
def test_types_of_rules_are_those_of_the_sdk(pack: str) -> None:
    rules = importlib.import_module(f"policies.{pack}").__dict__[pack.upper()].rules.values()
    exact = {token for rule in rules for token in rule.types if re.fullmatch(r"aws:\w+/\w+:\w+", token)}
    assert not [token for token in sorted(exact) if not token.startswith(FORMER) and not aws_sdk.source(token)]


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_properties_of_cases_are_those_of_the_sdk(path: Path) -> None:
    resources = [(case.name, each) for case in load(path).cases for each in case.resources]
    ours = [(case, each) for case, each in resources if each.type.startswith("aws:")]
    wrong = [f"{case}: {name}" for case, each in ours if not each.type.startswith(FORMER) for name in misspelt(each)]
    assert not wrong, "\n".join(wrong)


def misspelt(resource: Given) -> Iterator[str]:
    """The properties that the SDK doesn't have; a value of another type is what a case may be about."""
    declared, outputs = aws_sdk.arguments(resource.type), aws_sdk.outputs(resource.type)
    assert declared, f"the SDK has no {resource.type}"
    for key, value in resource.properties.items():
        if key in declared:
            yield from _below(resource.type, value, declared[key], f"{resource.name}.{key}")
        elif key not in outputs:
            yield f"{resource.name}.{key}"


def _below(type_: str, given: Any, annotation: str, path: str) -> Iterator[str]:
    if isinstance(given, list):
        for index, element in enumerate(given):
            yield from _below(type_, element, annotation, f"{path}[{index}]")
    elif isinstance(given, Mapping) and (fields := aws_sdk.below(type_, annotation)) is not None:
        for key, value in given.items():
            if key in fields:
                yield from _below(type_, value, fields[key], f"{path}.{key}")
            else:
                yield f"{path}.{key}"


def test_what_the_sdk_does_not_have_is_found() -> None:
    template = {"metadataOptions": {"httpToken": "required"}, "networkInterfaces": [{"publicIp": True}], "name": "a"}
    given = Given("aws:ec2/launchTemplate:LaunchTemplate", "lt", {**template, "latestVersion": 1, "metadata": {}})
    assert list(misspelt(given)) == ["lt.metadataOptions.httpToken", "lt.networkInterfaces[0].publicIp", "lt.metadata"]
    assert not aws_sdk.source("aws:ec2/launchTemplates:LaunchTemplates")
