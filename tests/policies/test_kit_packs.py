"""Registering rules: what a rule has to say of itself, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from pulumi.runtime.proto import analyzer_pb2 as wire

from policies.kit import Pack, Resource, Stack
from tests.policies.kit_packs import Serve, pack_of


def fine(thing: Resource) -> Iterator[str]:
    """Why this matters.

    And more of it.
    """
    yield from ()


def over_the_stack(stack: Stack) -> Iterator[str]:
    yield from ()


def test_the_sdk_is_told_everything_that_it_can_show(serve: Serve) -> None:
    pack = pack_of(fine, frameworks=("CIS:2.1.4", "FSBP:S3.8"), tags=("trivy:AWS-0086",), number=7)
    told = serve(pack).info().policies[0]
    assert (told.name, told.displayName, told.description) == ("fine", "Things are fine", "Things are fine")
    assert (told.framework.name, told.framework.specification) == ("CIS", "2.1.4")
    assert list(told.tags) == ["FSBP:S3.8", "trivy:AWS-0086", "bedplate:7"]
    assert (told.severity, told.policy_type) == (wire.POLICY_SEVERITY_HIGH, wire.POLICY_TYPE_RESOURCE)
    assert (told.remediation_steps, told.url) == ("Mend it.", "policies/docs/shop.md#fine")
    assert pack.rules["fine"].why == "Why this matters.\n\nAnd more of it."


def test_a_rule_over_the_stack_is_a_policy_of_the_stack(serve: Serve) -> None:
    assert serve(pack_of(over_the_stack)).info().policies[0].policy_type == wire.POLICY_TYPE_STACK


def unannotated(thing) -> Iterator[str]:  # type: ignore[no-untyped-def]  # pyright: ignore
    yield from ()


def of_text(thing: str) -> Iterator[str]:
    yield from ()


def of_more(thing: Resource, limit: int) -> Iterator[str]:
    yield from ()


@pytest.mark.parametrize(
    ("judge", "message"),
    [
        (unannotated, "test_kit_packs.unannotated: annotate the first parameter"),
        (of_text, "test_kit_packs.of_text: thing is a <class 'str'>, which has no classmethod `found_in"),
        (of_more, "test_kit_packs.of_more: limit is neither the Stack nor the rule's parameters"),
    ],
)
def test_a_function_whose_annotations_do_not_say_what_it_judges_is_refused(judge: Any, message: str) -> None:
    with pytest.raises(TypeError) as refused:
        pack_of(judge)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("id", "declared", "message"),
    [
        ("Fine", {}, "an id is words of a-z and 0-9 joined by hyphens"),
        ("fine_thing", {}, "an id is words"),
        ("fine", {"types": ()}, "say which `types` of resources it judges"),
    ],
)
def test_a_rule_that_can_not_be_registered_is_refused(id: str, declared: Mapping[str, Any], message: str) -> None:
    known: dict[str, Any] = {"number": 1, "title": "T", "severity": "low", "fix": "F", "types": ("a",), **declared}
    with pytest.raises(ValueError, match=message):
        Pack("shop", title="Shop", description="D").rule(id, **known)(fine)


def test_an_id_is_taken_once() -> None:
    pack = pack_of(fine)
    with pytest.raises(ValueError, match="registered twice"):
        pack.rule("fine", number=1, title="T", severity="low", fix="F", types=("a",))(fine)


def test_a_rule_over_the_stack_can_not_mend() -> None:
    with pytest.raises(ValueError, match="can't mend a resource"):
        pack_of(over_the_stack, mend=dict)
