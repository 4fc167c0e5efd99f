"""Checkpoints: those of Pulumi's CLI come back byte for byte; what can't be read is refused with its place."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.state import format as form
from engine.state import properties
from engine.state.errors import FormatError, StateTooNew, WrongPassphrase
from engine.state.invariants import problems
from engine.state.model import CustomTimeouts, ResourceState, Snapshot
from engine.state.secrets import SecretCodec
from engine.values import UNKNOWN, Archive, Asset, ResourceRef, Secret, Value
from tests.engine.state.stacks import CASES, codec, small_stack

CHECKPOINTS = sorted(CASES.glob("*.checkpoint.json"))


def read_case(name: str) -> tuple[Snapshot, SecretCodec]:
    opened = codec()
    snapshot = form.read_checkpoint((CASES / f"{name}.checkpoint.json").read_bytes(), opened)
    assert snapshot is not None
    return snapshot, opened


def named(snapshot: Snapshot, name: str) -> ResourceState:
    (found,) = [state for state in snapshot.resources if state.urn.endswith(f"::{name}") and not state.delete]
    return found


@pytest.mark.parametrize("path", CHECKPOINTS, ids=lambda path: path.name)
def test_a_checkpoint_of_the_cli_comes_back_byte_for_byte(path: Path) -> None:
    content = path.read_text()
    opened = codec()
    snapshot = form.read_checkpoint(content, opened)
    assert snapshot is not None
    assert form.checkpoint(json.loads(content)["checkpoint"]["stack"], snapshot, opened) == content
    assert problems(snapshot) == []


def test_an_export_of_the_cli_comes_back() -> None:
    content = (CASES / "plain.export.json").read_text()
    opened = codec()
    assert json.loads(form.export(form.read_export(content, opened), opened)) == json.loads(content)


def test_revealed_secrets_are_read_and_written_encrypted() -> None:
    revealed = (CASES / "plain.revealed.json").read_text()
    assert "hunter2" in revealed
    opened = codec()
    snapshot = form.read_export(revealed, opened)
    hidden, _ = read_case("plain")
    assert snapshot.resources == hidden.resources
    assert "hunter2" not in form.export(snapshot, opened)


def test_what_the_clis_state_says() -> None:
    snapshot, _ = read_case("plain")
    first = named(snapshot, "a")
    assert first.inputs["password"] == Secret('hunter2 "quoted"')
    assert first.custom_timeouts == CustomTimeouts(create=600, update=90, delete=3600)
    assert first.outputs["big"] == 1e21
    second = named(snapshot, "b")
    assert second.retain_on_delete
    assert second.deleted_with == named(snapshot, "box").urn
    assert second.ignore_changes == ("of",)
    assert second.property_dependencies["of"] == (first.urn,)
    third = named(snapshot, "c")
    assert third.inputs["asset"].text == "hello"
    assert third.inputs["archive"].assets["sub"].assets["z"].text == "w"
    assert third.inputs["ref"] == ResourceRef(first.urn, first.id)
    assert named(snapshot, "got").external


def test_leftovers_of_interrupted_runs_are_read() -> None:
    replaced, _ = read_case("replaced")
    assert [state.urn.rsplit("::")[-1] for state in replaced.resources if state.delete] == ["keep"]
    pending, _ = read_case("pending")
    (operation,) = pending.pending_operations
    assert operation.kind == "creating"
    assert operation.resource.inputs["password"] == Secret('hunter2 "quoted"')
    assert operation.resource.id == ""


def test_features_make_it_version_4() -> None:
    snapshot, opened = read_case("features")
    assert snapshot.features == ("replaceWith",)
    assert named(snapshot, "trigger").replacement_trigger == {"v": 2}
    assert form.checkpoint("s", snapshot, opened).startswith('{"version":4,"features":["replaceWith"],"checkpoint":')
    assert form.checkpoint("s", small_stack(), codec()).startswith('{"version":3,"checkpoint":')


def test_a_wrong_passphrase_is_said() -> None:
    with pytest.raises(WrongPassphrase):
        form.read_checkpoint((CASES / "plain.checkpoint.json").read_bytes(), codec("nope"))


def test_unknown_fields_are_kept() -> None:
    whole = json.loads((CASES / "other.checkpoint.json").read_text())
    whole["checkpoint"]["latest"]["resources"][0]["fromTheFuture"] = {"a": [1]}
    whole["checkpoint"]["latest"]["alsoNew"] = 7
    opened = codec()
    snapshot = form.read_checkpoint(json.dumps(whole), opened)
    assert json.loads(form.checkpoint("organization/other/dev", snapshot, opened)) == whole


def old_form(version: int) -> str:
    """A checkpoint of version 1 or 2, or of the time before versions (0), as Pulumi's ``apitype`` describes them."""
    urn = "urn:pulumi:dev::shop::aws:s3/bucket:Bucket::b"
    resource: dict[str, Any] = {"urn": urn, "custom": True, "id": "b", "type": "aws:s3/bucket:Bucket"}
    if version < 2:
        resource |= {"dependencies": None, "initErrors": None, "inputs": {"a": 1}}
    latest = {"manifest": {"time": "", "magic": "", "version": ""}, "resources": [resource]}
    inner: dict[str, Any] = {"stack": "dev", "config": {}, "latest": latest}
    return json.dumps({"version": version, "checkpoint": inner} if version else inner)


@pytest.mark.parametrize("version", [0, 1, 2])
def test_older_versions_are_read(version: int) -> None:
    snapshot = form.read_checkpoint(old_form(version), codec())
    assert snapshot is not None
    assert [state.id for state in snapshot.resources] == ["b"]
    assert problems(snapshot) == []


def test_a_stack_that_was_never_deployed() -> None:
    content = form.checkpoint("organization/shop/dev", None, codec())
    assert content == '{"version":3,"checkpoint":{"stack":"organization/shop/dev"}}'
    assert form.read_checkpoint(content, codec()) is None


@pytest.mark.parametrize(
    ("head", "expected"),
    [({"version": 5}, "version 5"), ({"version": 4, "features": ["taint", "time-travel"]}, "time-travel")],
)
def test_what_is_too_new_is_refused(head: dict[str, Any], expected: str) -> None:
    with pytest.raises(StateTooNew, match=expected):
        form.read_checkpoint(json.dumps({**head, "checkpoint": {"stack": "s"}}), codec())


def deployment(**fields: Any) -> str:
    return json.dumps({"version": 3, "checkpoint": {"stack": "s", "latest": fields}})


RESOURCE = {"urn": "urn:pulumi:s::p::a:b:C::n", "type": "a:b:C", "custom": False}


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ("", "line 1, column 1"),
        ('{"version": 3, ', "line 1, column 16"),
        ("[]", "the file"),
        ('{"version": "3"}', "version"),
        ('{"version": true}', "version"),
        ('{"version": 3}', "checkpoint"),
        ("[" * 100_000, "deeply"),
        (b"\xff{}", "byte 0"),
        (deployment(resources=[{}]), "resources[0]"),
        (deployment(resources={}), "resources"),
        (deployment(resources=[{**RESOURCE, "protect": "yes"}]), "resources[0].protect"),
        (deployment(resources=[{**RESOURCE, "dependencies": [1]}]), "resources[0].dependencies"),
        (deployment(resources=[{**RESOURCE, "customTimeouts": {"create": "1m"}}]), "customTimeouts"),
        (deployment(resources=[{**RESOURCE, "inputs": {"a": {"b": {properties.SIGNATURE: "?"}}}}]), "inputs.a.b"),
        (deployment(pending_operations=[{"type": "dancing", "resource": RESOURCE}]), "pending_operations[0].type"),
        (deployment(secrets_providers={"type": "passphrase", "state": "x"}), "secrets_providers.state"),
        (deployment(manifest={"time": 1}), "manifest.time"),
    ],
)
def test_what_is_no_checkpoint_is_refused_with_its_place(content: str | bytes, place: str) -> None:
    with pytest.raises(FormatError) as caught:
        form.read_checkpoint(content, codec())
    assert place in str(caught.value)


def test_a_secret_that_holds_no_json_is_not_quoted() -> None:
    value = {properties.SIGNATURE: properties.SECRET, "plaintext": "hunter2 is no JSON"}
    with pytest.raises(FormatError) as caught:
        properties.decode({"password": value}, codec())
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None or "hunter2" not in str(caught.value.__cause__)
    assert "password" in str(caught.value)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
plain = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | texts
contents = st.builds(Asset, text=texts, hash=texts) | st.builds(Asset, path=texts.filter(bool))
specials = (
    st.just(UNKNOWN)
    | contents
    | st.builds(Archive, assets=st.dictionaries(texts, contents, max_size=2))
    | st.builds(ResourceRef, texts, st.none() | texts.filter(bool) | st.just(UNKNOWN), texts)
)
keys = texts.filter(lambda key: key != properties.SIGNATURE)


def nested(inner: st.SearchStrategy[Value]) -> st.SearchStrategy[Value]:
    return st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3)


unsecret = st.recursive(plain | specials, nested, max_leaves=8)
values = st.recursive(unsecret | st.builds(Secret, unsecret), nested, max_leaves=8)
OPENED = codec()  # one key for all examples


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(values)
def test_every_value_comes_back(value: Value) -> None:
    encoded = properties.dumps(properties.encode_value(value, OPENED))
    assert properties.decode_value(json.loads(encoded), OPENED) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1"),
        (0.1, "0.1"),
        (1e21, "1e+21"),
        ("<&>\u2028", '"<&>\\u2028"'),
        ({"b": 1, "a": 2}, '{"a":2,"b":1}'),
        ("\ud800", '"\N{REPLACEMENT CHARACTER}"'),
    ],
)
def test_values_are_written_as_go_does(value: Value, text: str) -> None:
    assert properties.dumps(properties.encode_value(value, codec())) == text


def test_what_json_lacks() -> None:
    for number in (math.inf, -math.inf):
        assert properties.decode_value(properties.encode_value(number, codec()), codec()) == number
    assert math.isnan(properties.decode_value(properties.encode_value(math.nan, codec()), codec()))
    raw = b"\xffbytes".decode(errors="surrogateescape")
    encoded = properties.encode_value(raw, codec())
    assert encoded == {properties.SIGNATURE: properties.BYTE_STRING, "value": "/2J5dGVz"}
    assert properties.decode_value(encoded, codec()) == raw
