"""Values on the wire and back."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import wire
from engine.values import UNKNOWN, Archive, Asset, ResourceRef, Secret, Value

PLAIN = st.recursive(
    st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text() | st.just(UNKNOWN),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), PLAIN | PLAIN.map(Secret), max_size=4))
def test_any_value_survives_the_wire(properties: dict[str, Value]) -> None:
    assert wire.decode(wire.encode(properties)) == properties


@pytest.mark.parametrize(
    "value",
    [
        Secret({"a": [1, None]}),
        Asset(text="hi", hash=hashlib.sha256(b"hi").hexdigest()),
        Archive(assets={"x": Asset(text="", hash=hashlib.sha256(b"").hexdigest())}, hash="h"),
        ResourceRef("urn:pulumi:dev::shop::test:index:Thing::a", "a-1"),
        ResourceRef("urn:pulumi:dev::shop::test:index:Thing::a", UNKNOWN),
        [None, 1.5],
    ],
)
def test_special_values_survive_the_wire(value: Value) -> None:
    assert wire.decode_value(wire.encode_value(value)) == value


def test_nulls_are_dropped_from_mappings_only() -> None:
    assert wire.decode(wire.encode({"a": None, "b": [None], "c": {"d": None}})) == {"b": [None], "c": {}}


def test_a_text_around_an_unknown_is_unknown() -> None:
    assert wire.decode(wire.encode({"a": f"arn:{wire.UNKNOWN_STRING}/x"})) == {"a": UNKNOWN}


def test_an_output_value_becomes_what_it_stands_for() -> None:
    dependencies: set[str] = set()
    value = {"a": wire.OutputValue([1], True, ("x",)), "b": [wire.OutputValue(UNKNOWN, False, ("y",))]}
    assert wire.flatten_outputs(value, dependencies) == {"a": Secret([1]), "b": [UNKNOWN]}
    assert dependencies == {"x", "y"}


def test_a_signature_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="older than the SDK"):
        wire.decode(wire.encode({"a": {wire.SIGNATURE: "new"}}))
