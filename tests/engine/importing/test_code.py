"""The code that an import writes: what refers to what, in which order, under which names."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from engine.importing.code import Declared, Program, program_of
from engine.importing.text import Call, Code, identifier, written
from engine.importing.wanted import Request, Wanted
from engine.state.model import ResourceState
from engine.values import Properties, Secret
from tests.engine.pasting import registered_by

BUCKET, VERSIONING = "aws:s3/bucket:Bucket", "aws:s3/bucketVersioning:BucketVersioning"
PARAMETER = "aws:ssm/parameter:Parameter"


def urn(type_: str, name: str) -> str:
    return f"urn:pulumi:case::tests::{type_}::{name}"


def one(type_: str, name: str, id_: str, outputs: Properties | None = None, /, **says: Any) -> Declared:
    wanted = Wanted(type_, name, id_, urn(type_, name), protect=False)
    return Declared(wanted, ResourceState(wanted.urn, type_, True, id_, says, outputs or {}), says)


def code_of(*declared: Declared, table: dict[str, str] | None = None) -> Program:
    names = {**(table or {}), **{each.wanted.urn: each.wanted.name for each in declared}}
    return program_of(Request(tuple(each.wanted for each in declared), names), declared)


def lines_of(program: Program) -> list[str]:
    return [line for line in program.text.splitlines() if line and not line.startswith(("import", "config"))]


def test_what_another_is_called_is_a_reference_to_it_and_stands_behind_it() -> None:
    media = one(BUCKET, "media", "acme-media", {"arn": "arn:aws:s3:::acme-media"}, bucket="acme-media")
    versioning = one(VERSIONING, "versions", "acme-media-v", bucket="acme-media")
    assert lines_of(code_of(versioning, media)) == [
        'media = aws.s3.Bucket("media", bucket="acme-media")',
        'versions = aws.s3.BucketVersioning("versions", bucket=media.id)',
    ]


def test_a_text_that_two_are_called_by_is_written_out() -> None:
    texts = lines_of(code_of(one(BUCKET, "a", "x"), one(BUCKET, "b", "x"), one(VERSIONING, "v", "y", bucket="x")))
    assert texts[-1] == 'v = aws.s3.BucketVersioning("v", bucket="x")'


def test_tags_and_what_one_is_called_itself_are_never_references() -> None:
    other = one(BUCKET, "b", "two", bucket="two", tags={"Of": "one"})
    assert lines_of(code_of(one(BUCKET, "a", "one", bucket="one"), other)) == [
        'a = aws.s3.Bucket("a", bucket="one")',
        'b = aws.s3.Bucket("b", bucket="two", tags={"Of": "one"})',
    ]


def test_two_that_name_each_other_are_both_declared() -> None:
    first, second = one(BUCKET, "a", "one", bucket="two"), one(BUCKET, "b", "two", bucket="one")
    assert lines_of(code_of(first, second)) == [
        'b = aws.s3.Bucket("b", bucket="one")',
        'a = aws.s3.Bucket("a", bucket=b.id)',
    ]


def test_options_name_what_the_table_names() -> None:
    parent, provider = urn("acme:index:Store", "store"), urn("pulumi:providers:aws", "west")
    wanted = Wanted(BUCKET, "media", "m", urn(f"acme:index:Store${BUCKET}", "media"), parent, provider)
    state = ResourceState(wanted.urn, BUCKET, True, "m", parent=parent, provider=f"{provider}::1")
    request = Request((wanted,), {parent: "theStore", provider: "west", wanted.urn: "media"})
    assert lines_of(program_of(request, [Declared(wanted, state, {})])) == [
        "media = aws.s3.Bucket(",
        '    "media",',
        "    opts=pulumi.ResourceOptions(parent=theStore, provider=west, protect=True),",
        ")",
    ]


def test_components_and_providers_are_declared_too() -> None:
    store = Wanted("acme:index:Store", "store", "", urn("acme:index:Store", "store"), component=True, protect=False)
    west = one("pulumi:providers:aws", "west", "1", region="us-west-2")
    program = code_of(Declared(store, ResourceState(store.urn, store.type), {}), west)
    assert lines_of(program) == [
        'store = pulumi.ComponentResource("acme:index:Store", "store")',
        'west = aws.Provider("west", region="us-west-2")',
    ]
    assert [(each.type, each.name) for each in registered_by(program.text)] == [
        ("acme:index:Store", "store"), ("pulumi:providers:aws", "west"),
    ]  # fmt: skip


def test_secrets_are_read_from_the_configuration_and_never_written() -> None:
    program = code_of(one(PARAMETER, "db-password", "/db", name="/db", type="SecureString", value=Secret("geheim")))
    assert 'value=config.require_secret("db_password_value")' in program.text
    assert "geheim" not in program.text + repr(program)
    assert list(program.secrets) == ["db_password_value"]
    (made,) = registered_by(program.text, secrets={"db_password_value": "geheim"})
    assert made.inputs["value"] == Secret("geheim")


def test_a_type_without_a_class_is_left_out_and_named() -> None:
    program = code_of(one("random:index/randomPet:RandomPet", "pet", "x"))
    assert (program.text, program.left_out) == ("", [urn("random:index/randomPet:RandomPet", "pet")])


def test_a_note_stands_above_its_resource() -> None:
    media = one(BUCKET, "media", "m")
    request = Request((media.wanted,), {media.state.urn: "media"})
    assert (
        '# see Store\nmedia = aws.s3.Bucket("media")'
        in program_of(request, [media], {media.state.urn: "see Store"}).text
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("media", "media"), ("acme-media.eu", "acme_media_eu"), ("class", "class_"), ("match", "match_"),
        ("2nd", "_2nd"), ("§$%", "resource"), ("webServer", "web_server"), ("aws", "aws_2"), ("ÄÖ", "resource"),
    ],
)  # fmt: skip
def test_names_are_identifiers_that_mean_nothing_else(name: str, expected: str) -> None:
    assert identifier(name, {"aws"}) == expected


def test_two_of_like_names_are_two_variables() -> None:
    assert [line.split(" ")[0] for line in lines_of(code_of(one(BUCKET, "a-b", "1"), one(BUCKET, "a_b", "2")))] == [
        "a_b", "a_b_2",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "value",
    [
        "plain", 'it\'s "quoted"', "back\\slash", "two\nlines\n", "tab\there", "\x00\x7f", "Grüße ☃", "'''", '"""',
        {"a": [1, 2.5, True, None]}, [], {}, {"key with 'quotes'": "x" * 200}, [["a" * 60], ["b" * 60]], -1, "\u2028",
    ],
)  # fmt: skip
def test_values_are_written_so_that_python_reads_them_again(value: Any) -> None:
    for room in (100, 5):
        assert ast.literal_eval(written(value, room=room)) == value


def test_calls_are_written_with_an_argument_a_line_where_one_line_is_too_short() -> None:
    call = Call("f", ["a"], {"b": Code("c"), "d": {"e": 1}})
    assert written(call) == 'f("a", b=c, d={"e": 1})'
    assert written(call, room=10) == 'f(\n    "a",\n    b=c,\n    d={"e": 1},\n)'
