"""Policy documents in every form in which a program may declare them."""

from __future__ import annotations

import json
import re
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from policies.kit import Resource, UnknownValue, Value, WrongType
from policies.kit.values import UNKNOWNS
from policies.subjects.documents import IdentityDocument, PolicyDocument, ResourceDocument, TrustDocument
from policies.subjects.statements import Condition

SDK = Path(sysconfig.get_path("purelib")) / "pulumi_aws"
UNKNOWN = sorted(UNKNOWNS)[0]
ALLOW = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::data/*"}
DOCUMENT = {"Version": "2012-10-17", "Statement": [ALLOW]}


def resource(type_: str, **properties: Any) -> Resource:
    return Resource(type_, "it", "urn:it", Value(properties, owner="urn:it"))


def _snake(name: str) -> str:
    return re.sub("([A-Z])", r"_\1", name).lower()


def policy(document: Any) -> PolicyDocument:
    (found,) = PolicyDocument.found_in(resource("aws:iam/policy:Policy", policy=document))
    return found


@pytest.mark.parametrize("type_", sorted(PolicyDocument.types))
def test_every_type_is_of_the_aws_sdk_and_has_the_property(type_: str) -> None:
    _, package, file, name = re.split("[:/]", type_)
    # Read as text: importing the SDK's modules takes seconds.
    source = (SDK / package / f"{_snake(file)}.py").read_text(encoding="utf-8")
    assert f"class {name}(pulumi.CustomResource)" in source
    for path in (path for places in PolicyDocument.places for path in places.get(type_, ())):
        assert f"def {_snake(path.split('.')[0])}(self)" in source, path


@pytest.mark.parametrize(
    "form",
    [
        json.dumps(DOCUMENT),
        DOCUMENT,
        {"Statement": ALLOW},
        {"statement": [{key.lower(): value for key, value in ALLOW.items()}]},
        {"Statement": [{"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::data/*"]}]},
        {"id": "1", "json": json.dumps(DOCUMENT), "statements": [{"actions": ["s3:GetObject"]}]},
    ],
    ids=["text", "object", "one statement", "lower case", "lists", "result of getPolicyDocument"],
)
def test_every_form_is_the_same_statement(form: Any) -> None:
    (statement,) = policy(form).statements
    assert statement.allows
    assert (statement.actions, statement.resources) == (("s3:GetObject",), ("arn:aws:s3:::data/*",))
    assert policy(form).faults == ()


def test_a_role_has_documents_of_two_kinds() -> None:
    role = resource(
        "aws:iam/role:Role",
        assumeRolePolicy=json.dumps(DOCUMENT),
        inlinePolicies=[
            {"name": "a", "policy": json.dumps(DOCUMENT)},
            {"name": "b"},
            {"name": "c", "policy": DOCUMENT},
        ],
    )
    assert [document.path for document in TrustDocument.found_in(role)] == ["assumeRolePolicy"]
    identity = [document.path for document in IdentityDocument.found_in(role)]
    assert identity == ["inlinePolicies[0].policy", "inlinePolicies[2].policy"]
    assert len(list(PolicyDocument.found_in(role))) == 3
    assert not list(ResourceDocument.found_in(role))


def test_principals_and_conditions_are_read_in_every_form() -> None:
    statement = {
        "Effect": "Deny",
        "Principal": {"aws": ["*", "123456789012"], "Service": "ec2.amazonaws.com"},
        "NotAction": "s3:*",
        "NotResource": "arn:aws:s3:::a",
        "Condition": {"Bool": {"aws:SecureTransport": False}, "NumericLessThan": {"s3:TlsVersion": ["1.2", 3]}},
    }
    (read,) = policy({"Statement": statement}).statements
    assert read.principals == (("AWS", "*"), ("AWS", "123456789012"), ("Service", "ec2.amazonaws.com"))
    assert (read.not_actions, read.not_resources) == (("s3:*",), ("arn:aws:s3:::a",))
    assert read.conditions == (
        Condition("Bool", "aws:SecureTransport", ("false",)),
        Condition("NumericLessThan", "s3:TlsVersion", ("1.2", "3")),
    )
    assert read.denies
    assert read.covers("ec2:RunInstances")
    assert not read.covers("S3:getobject")


def test_a_star_alone_is_everybody() -> None:
    (statement,) = policy({"Statement": {**ALLOW, "Principal": "*"}}).statements
    assert statement.principals == (("AWS", "*"),)


@pytest.mark.parametrize("absent", [None, "", "  "])
def test_no_document_is_none(absent: str | None) -> None:
    assert not list(PolicyDocument.found_in(resource("aws:sqs/queue:Queue", policy=absent)))
    assert not list(PolicyDocument.found_in(resource("aws:sqs/queue:Queue")))


def test_an_unknown_document_is_found_and_raises_when_read() -> None:
    with pytest.raises(UnknownValue, match="policy is not known"):
        list(policy(UNKNOWN).statements)


def test_an_unknown_result_of_get_policy_document_raises() -> None:
    with pytest.raises(UnknownValue, match=r"policy\.json is not known"):
        list(policy({"id": "1", "json": UNKNOWN}).statements)


def test_an_unknown_part_raises_after_what_is_known() -> None:
    document = policy({"Statement": [{**ALLOW, "Resource": UNKNOWN}, ALLOW]})
    statements = iter(document.statements)
    assert next(statements).resources == ("arn:aws:s3:::data/*",)
    with pytest.raises(UnknownValue, match=r"policy\.Statement\[0\]\.Resource is not known"):
        next(statements)
    assert len(list(document.acting)) == 2


@pytest.mark.parametrize(
    "part",
    [UNKNOWN, {**ALLOW, "Effect": UNKNOWN}, {**ALLOW, "Condition": UNKNOWN}, {**ALLOW, "Condition": {"Bool": UNKNOWN}}],
)
def test_every_part_may_be_unknown(part: Any) -> None:
    with pytest.raises(UnknownValue):
        list(policy({"Statement": [part]}).statements)


def test_unknown_statements_are_unknown() -> None:
    with pytest.raises(UnknownValue, match=r"policy\.Statement is"):
        list(policy({"Statement": UNKNOWN}).statements)


def test_an_unknown_list_of_inline_policies_raises() -> None:
    with pytest.raises(UnknownValue, match="inlinePolicies"):
        list(IdentityDocument.found_in(resource("aws:iam/role:Role", inlinePolicies=UNKNOWN)))


def test_a_number_is_no_document() -> None:
    with pytest.raises(WrongType, match="policy: expected a policy document"):
        list(policy(5).statements)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("{", "is not JSON"),
        ("[]", "is a list"),
        ("7", "is a number"),
        ("{}", "has no Statement"),
        ('{"Statement": []}', "has no Statement"),
        ('{"Statement": ["x"]}', "Statement[0] is text"),
        ('{"Version": "2012-10-18", "Statement": {"Effect": "Allow", "Action": "a:b"}}', "Version '2012-10-18'"),
        ('{"Statement": {"Effect": "allow", "Action": "a:b"}}', "Effect 'allow'"),
        ('{"Statement": {"Action": "a:b"}}', "Effect ''"),
        ('{"Statement": {"Effect": "Allow"}}', "neither Action nor NotAction"),
        ('{"Statement": {"Effect": "Allow", "Action": "a:b", "NotAction": "a:c"}}', "both Action and NotAction"),
        ('{"Statement": {"Effect": "Allow", "Action": [5]}}', "holds a number in Action"),
        ('{"Statement": {"Effect": "Allow", "Effect": "Deny", "Action": "a:b"}}', "gives 'Effect' twice"),
        ('{"Statement": {"Effect": "Allow", "Action": "a:b", "Resources": "*"}}', "element 'resources'"),
        ('{"Statement": {"Effect": "Allow", "Action": "a:b", "Principal": "me"}}', "Principal 'me'"),
        ('{"Statement": {"Effect": "Allow", "Action": "a:b", "Condition": "x"}}', "text as Condition"),
        ('{"Statement": {"Effect": "Allow", "Action": "a:b", "Condition": {"Bool": "x"}}}', "text in Condition.Bool"),
        ("[" * 100_000, "is not JSON"),
    ],
)
def test_what_aws_refuses_is_a_fault(text: str, fault: str) -> None:
    document = policy(text)
    assert any(fault in one for one in document.faults), document.faults


def test_a_comma_too_many_is_a_fault_and_the_statements_are_judged_all_the_same() -> None:
    document = policy('{"Statement": [{"Effect": "Allow", "Action": ["a:b,]",], "Resource": "*",},]}')
    assert [statement.actions for statement in document.statements] == [("a:b,]",)]
    assert any("is not JSON" in fault for fault in document.faults)


def test_an_effect_that_is_neither_may_allow() -> None:
    (statement,) = policy({"Statement": {"Action": "*", "Resource": "*"}}).statements
    assert statement.allows


@pytest.mark.parametrize(
    ("resources", "everywhere"),
    [
        ("*", True),
        ("arn:*", True),
        ("arn:aws:s3:::*", True),
        ("arn:aws:s3:::*/*", True),
        (["arn:aws:s3:::data", "*"], True),
        ("arn:aws:s3:::data*", False),
        ("arn:aws:logs:*:*:*", False),
        ("arn:aws:ec2:us-east-1:123456789012:instance/*", False),
    ],
)
def test_what_reaches_everything(resources: Any, everywhere: bool) -> None:
    (statement,) = policy({"Statement": {**ALLOW, "Resource": resources}}).statements
    assert statement.everywhere is everywhere


def test_a_denial_takes_away_what_is_allowed_only_where_it_always_holds() -> None:
    allow = {"Effect": "Allow", "Action": ["iam:*", "s3:PutObject"], "Resource": "*"}
    deny = {"Effect": "Deny", "Action": "iam:*", "Resource": "*"}
    unlimited = policy({"Statement": [allow, deny]}).content.unlimited
    assert [action.name for action in unlimited] == ["s3:PutObject"]
    for limit in ({"Resource": "arn:aws:iam::1:role/a"}, {"Condition": {"Bool": {"aws:ViaAWSService": "true"}}}):
        content = policy({"Statement": [allow, {**deny, **limit}]}).content
        assert content.unlimited_statement("iam:CreateUser") is not None
