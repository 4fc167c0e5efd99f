"""What rules read: over the SDK's real proxies and over the wire's own form, the same view."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf import json_format, struct_pb2
from pulumi_policy.deserialize import deserialize_properties
from pulumi_policy.proxy import unknown_checking_proxy

from policies.kit import UnknownValue, Value, WrongType
from policies.kit.requests import plain
from tests.policies.kit_packs import UNKNOWN, secret

Read = Callable[[dict[str, Any]], Value]


def _struct(content: dict[str, Any]) -> struct_pb2.Struct:
    struct = struct_pb2.Struct()
    struct.update(content)
    return struct


def from_wire(content: dict[str, Any]) -> Value:
    return Value(plain(_struct(content)))


def from_proxy(content: dict[str, Any]) -> Value:
    return Value(unknown_checking_proxy(deserialize_properties(json_format.MessageToDict(_struct(content)))))


def from_secrets_proxy(content: dict[str, Any]) -> Value:
    """As a remediation gets its properties."""
    return Value(unknown_checking_proxy(deserialize_properties(json_format.MessageToDict(_struct(content)), True)))


@pytest.fixture(params=[from_wire, from_proxy, from_secrets_proxy])
def read(request: pytest.FixtureRequest) -> Read:
    return request.param


def test_what_is_given_is_read_with_its_path(read: Read) -> None:
    value = read({"spec": {"containers": [{"name": "a", "cpu": 2, "share": 0.5, "tty": True}, {"name": "b"}]}})
    first, second = value.get("spec", "containers").items()
    assert (first.get("name").text(), second.get("name").text()) == ("a", "b")
    assert first.get("cpu").number() == 2 and isinstance(first.get("cpu").number(), int)
    assert first.get("share").number() == 0.5
    assert first.get("tty").boolean() is True
    assert value.get("spec", "containers", 1, "name").path == "spec.containers[1].name"
    assert [(key, inner.text()) for key, inner in second.entries()] == [("name", "b")]
    assert len(value.get("spec", "containers")) == 2


def test_a_key_with_a_dot_keeps_its_own_place_in_the_path(read: Read) -> None:
    assert read({"tags": {"a.b": "c"}}).get("tags", "a.b").path == 'tags["a.b"]'


@pytest.mark.parametrize("content", [{}, {"a": None}, {"a": {}}, {"a": {"b": None}}])
def test_what_is_absent_or_null_is_missing_and_has_the_default(content: dict[str, Any], read: Read) -> None:
    value = read(content).get("a", "b")
    assert value.missing and not value.present and value.known and not value.unknown
    assert (value.text(), value.text("x"), value.boolean(), value.boolean(default=True)) == (None, "x", False, True)
    assert (value.number(), value.number(3), list(value.items()), list(value.entries())) == (None, 3, [], [])
    assert value.plain() is None and value.json().missing and value.shown() == "nothing"
    assert value.get("deeper", 0).missing


def test_an_element_that_a_list_does_not_have_is_missing(read: Read) -> None:
    value = read({"a": ["x"]})
    assert value.get("a", 0).text() == "x" and value.get("a", 1).missing


READINGS: list[Callable[[Value], object]] = [
    lambda value: value.text("x"),
    lambda value: value.boolean(),
    lambda value: value.number(),
    lambda value: value.items(),
    lambda value: value.entries(),
    lambda value: value.plain(),
    len,
]


@pytest.mark.parametrize("reading", READINGS)
def test_what_is_not_known_can_not_be_read(reading: Callable[[Value], object], read: Read) -> None:
    value = read({"a": {"b": UNKNOWN}}).get("a", "b")
    assert value.unknown and not value.known and value.shown() == "(not known yet)"
    with pytest.raises(UnknownValue, match=r"^a\.b is not known before the change is applied$"):
        reading(value)


def test_what_is_not_known_is_given_all_the_same(read: Read) -> None:
    value = read({"key": UNKNOWN}).get("key")
    assert value.present and not value.missing


def test_below_what_is_not_known_nothing_is_known_and_the_error_names_what_is_unknown(read: Read) -> None:
    value = read({"a": UNKNOWN}).get("a", "b", "c")
    assert value.unknown
    with pytest.raises(UnknownValue, match=r"^a is not known"):
        value.text()
    with pytest.raises(UnknownValue, match=r"^a is not known"):
        _ = value.present


def test_a_list_with_something_unknown_in_it_is_a_list(read: Read) -> None:
    known, unknown = read({"a": ["x", UNKNOWN]}).get("a").items()
    assert known.text() == "x" and unknown.unknown


def test_plain_values_may_take_something_else_for_what_is_not_known(read: Read) -> None:
    value = read({"a": [1, UNKNOWN], "b": {"c": 2.5}})
    assert value.plain(unknown=None) == {"a": [1, None], "b": {"c": 2.5}}
    with pytest.raises(UnknownValue, match=r"a\[1\]"):
        value.plain()


REFUSED: list[tuple[Any, Callable[[Value], object], str]] = [
    ("true", lambda value: value.boolean(), 'a: expected a boolean, seen the text "true"'),
    (1, lambda value: value.boolean(), "a: expected a boolean, seen a number"),
    (True, lambda value: value.number(), "a: expected a number, seen a boolean"),
    (True, lambda value: value.text(), "a: expected text, seen a boolean"),
    (["x"], lambda value: value.entries(), "a: expected an object, seen a list"),
    ({"x": 1}, lambda value: value.items(), "a: expected a list, seen an object"),
    ("x", lambda value: value.get("b"), 'a: expected an object, seen the text "x"'),
    ({"x": 1}, lambda value: value.get(0), "a: expected a list, seen an object"),
    ("{", lambda value: value.json(), "a: expected JSON text, seen text that is not JSON"),
    (3, lambda value: value.json(), "a: expected JSON text, seen a number"),
]


@pytest.mark.parametrize(("given", "reading", "message"), REFUSED)
def test_another_type_is_refused_with_what_was_seen(
    given: Any, reading: Callable[[Value], object], message: str, read: Read
) -> None:
    with pytest.raises(WrongType) as refused:
        reading(read({"a": given}).get("a"))
    assert str(refused.value).startswith(message)


def test_json_text_is_read_as_what_it_holds(read: Read) -> None:
    document = read({"policy": '{"Statement": [{"Effect": "Allow"}]}'}).get("policy").json()
    assert document.get("Statement", 0, "Effect").text() == "Allow"
    assert document.get("Statement", 0, "Effect").path == "policy.Statement[0].Effect"
    assert read({"policy": {"Statement": []}}).get("policy").json().get("Statement").present
    assert read({"policy": UNKNOWN}).get("policy").json().unknown


@pytest.mark.parametrize("read", [from_wire, from_secrets_proxy])
def test_a_secret_can_be_read_and_is_never_shown(read: Read) -> None:
    value = read({"db": {"password": secret("hush")}, "more": secret({"x": ["hush"]})})
    password = value.get("db", "password")
    assert password.secret and password.text() == "hush" and password.shown() == "[secret]"
    inner = value.get("more", "x", 0)
    assert inner.secret and inner.text() == "hush"
    assert value.shown() == '{"db": {"password": "[secret]"}, "more": "[secret]"}'
    assert "hush" not in repr(value) and not value.get("db").secret
    with pytest.raises(WrongType, match=r"expected a boolean, seen the text \[secret\]"):
        password.boolean()


def test_a_secret_in_json_text_stays_one() -> None:
    assert from_wire({"a": secret('{"b": "hush"}')}).get("a").json().get("b").shown() == "[secret]"


def test_assets_are_assets(read: Read) -> None:
    text = {"4dabf18193072939515e22adb298388d": "c44067f5952c0a294b673a41bacd8c17", "text": "x"}
    assert read({"source": text}).get("source").kind == "an asset"


def test_long_values_are_cut_when_they_are_shown(read: Read) -> None:
    shown = read({"a": "x" * 500}).get("a").shown()
    assert len(shown) == 80 and shown.endswith("…")


def test_a_value_has_no_truth(read: Read) -> None:
    with pytest.raises(TypeError, match="neither true nor false"):
        bool(read({"a": 1}).get("a"))


def test_numbers_that_json_can_not_write_do_not_end_the_pack() -> None:
    assert str(from_wire({"a": float("nan")}).get("a").number()) == "nan"
