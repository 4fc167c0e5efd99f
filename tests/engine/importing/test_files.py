"""The file of a bulk import: what it may say, and what is wrong with it, with place and line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.importing.arguments import of_arguments
from engine.importing.files import of_file
from engine.importing.wanted import BadImport, Request
from engine.state.properties import SIGNATURE
from engine.state.secrets import Keyring, SecretCodec
from engine.values import Secret

BUCKET = "aws:s3/bucket:Bucket"
STORE = "urn:pulumi:dev::shop::acme:index:Store::store"
WEST = "urn:pulumi:dev::shop::pulumi:providers:aws::west"


def read(folder: Path, content: Any) -> Request:
    path = folder / "resources.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content, indent=2), encoding="utf-8")
    return of_file(path, stack="dev", project="shop", protect=True, codec=SecretCodec(Keyring("dev", "geheim")))


def wrong(folder: Path, content: Any) -> list[str]:
    with pytest.raises(BadImport) as raised:
        read(folder, content)
    return [f"{one.path}:{one.line}: {one.message}" for one in raised.value.problems]


def test_resources_get_their_urns_parents_and_providers(tmp_path: Path) -> None:
    request = read(tmp_path, {
        "nameTable": {"store": STORE, "west": WEST},
        "resources": [
            {"type": BUCKET, "name": "child", "id": "c", "parent": "part", "version": "7.1.0", "properties": ["tags"]},
            {"type": "acme:index:Part", "name": "part", "component": True, "parent": "store"},
            {"type": BUCKET, "logicalName": "media", "name": "m", "id": "acme-media", "provider": "west"},
        ],
    })  # fmt: skip
    child, part, media = request.resources
    assert part.urn == "urn:pulumi:dev::shop::acme:index:Store$acme:index:Part::part"
    assert (child.parent, child.version, child.properties) == (part.urn, "7.1.0", ("tags",))
    assert child.urn == f"urn:pulumi:dev::shop::acme:index:Store$acme:index:Part${BUCKET}::child"
    assert (media.name, media.provider, media.protect) == ("media", WEST, True)
    assert request.names == {STORE: "store", WEST: "west", child.urn: "child", part.urn: "part", media.urn: "m"}


def test_inputs_may_hold_secrets(tmp_path: Path) -> None:
    sealed = {SIGNATURE: "1b47061264138c4ac30d75fd1eb44270", "plaintext": '"geheim"'}
    (one,) = read(
        tmp_path, {"resources": [{"type": BUCKET, "name": "a", "id": "a", "inputs": {"x": sealed}}]}
    ).resources
    assert one.inputs == {"x": Secret("geheim")}


def test_a_provider_of_the_file_is_used_by_its_name(tmp_path: Path) -> None:
    request = read(tmp_path, {"resources": [
        {"type": BUCKET, "name": "a", "id": "a", "provider": "west"},
        {"type": "pulumi:providers:aws", "name": "west", "inputs": {"region": "us-west-2"}},
    ]})  # fmt: skip
    assert request.resources[0].provider == WEST


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('{"resources": [\n  {"type": x}\n]}', [":2: not JSON: Expecting value in column 12"]),
        ([], [":1: expected an object with `resources`, found a list"]),
        ({"resources": []}, ["resources:2: expected a list of at least one resource"]),
        (
            {"resource": [], "resources": [1]},
            ["resource:2: unknown field", "resources[0]:4: expected an object, found a number"],
        ),
        ({"resources": [{"type": BUCKET, "name": "a"}]}, ["resources[0]:3: has no id"]),
        ({"resources": [{"name": "a", "id": "a"}]}, ["resources[0]:3: has no type"]),
        ({"resources": [{"type": BUCKET, "id": "a"}]}, ["resources[0]:3: has no name"]),
        (
            {"resources": [{"type": "Bucket", "name": "a", "id": 3, "nam": "b"}]},
            ["resources[0].nam:7: unknown field", "resources[0].id:6: expected text, found a number"],
        ),
        (
            {"resources": [{"type": "Bucket", "name": "a", "id": "3"}]},
            ["resources[0].type:4: 'Bucket' is not a type token: expected PACKAGE:MODULE:TYPE"],
        ),
        (
            {"nameTable": {"x": "y"}, "resources": [{"type": BUCKET, "name": "a", "id": "3"}]},
            ["nameTable.x:3: 'y' is not a URN"],
        ),
        (
            {"nameTable": {"store": STORE}, "resources": [{"type": BUCKET, "name": "a", "id": "3", "parent": "stor"}]},
            ["resources[0].parent:10: 'stor' is neither in nameTable nor among the resources"],
        ),
        (
            {"nameTable": {"s": STORE}, "resources": [{"type": BUCKET, "name": "a", "id": "3", "provider": "s"}]},
            [f"resources[0].provider:10: 's' is not a provider but {STORE}"],
        ),
        (
            {"resources": [{"type": BUCKET, "name": "a", "id": "3", "parent": "a"}]},
            ["resources[0].parent:7: 'a' is below 'a' itself, or below what is not there"],
        ),
        (
            {"resources": [{"type": BUCKET, "name": "a", "id": "1"}, {"type": BUCKET, "name": "a", "id": "2"}]},
            [f"resources[1]:8: names urn:pulumi:dev::shop::{BUCKET}::a a second time"],
        ),
        (
            {"resources": [{"type": "pulumi:providers:aws", "name": "w", "id": "1"}]},
            ["resources[0].id:6: a provider is made, not read, and has no id"],
        ),
        (
            {"resources": [{"type": "a:b:C", "name": "w", "id": "1", "component": True}]},
            ["resources[0].id:6: a component has no id"],
        ),
        (
            {"resources": [{"type": BUCKET, "name": "a", "id": "1", "parameterization": {"value": "x"}}]},
            ["resources[0].parameterization:7: the embedded engine knows no packages that are made from others"],
        ),
        (
            {"resources": [{"type": BUCKET, "name": "a", "id": "1", "inputs": {"x": {SIGNATURE: "z"}}}]},
            ["resources[0].inputs.x:8: a value with the unknown signature 'z'"],
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place_and_line(tmp_path: Path, content: Any, expected: list[str]) -> None:
    assert wrong(tmp_path, content) == expected


def test_a_file_that_is_no_text_is_said(tmp_path: Path) -> None:
    path = tmp_path / "resources.json"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadImport, match="not UTF-8 text"):
        of_file(path, stack="dev", project="shop", protect=True, codec=SecretCodec(Keyring("dev", "x")))


def test_an_argument_may_name_its_parent_in_the_code_or_leave_that_out() -> None:
    request = of_arguments(BUCKET, "a", "a", stack="dev", project="shop", parent=f"store={STORE}", provider=WEST)
    assert (request.resources[0].parent, request.names[STORE], request.names[WEST]) == (STORE, "store", "provider")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"parent": "store=nonsense"}, "not a URN: 'nonsense'"),
        ({"provider": STORE}, f"{STORE} is not a provider"),
        ({"parent": f"x={STORE}", "provider": f"x={WEST}"}, "parent and provider must have distinct names"),
        ({"type_": "Bucket"}, "'Bucket' is not a type token"),
        ({"id_": ""}, "ID is empty"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(given: dict[str, str], expected: str) -> None:
    arguments = {"type_": BUCKET, "name": "a", "id_": "a", "stack": "dev", "project": "shop", **given}
    with pytest.raises(BadImport, match=expected.replace("$", "\\$")):
        of_arguments(**arguments)  # pyright: ignore[reportArgumentType]
