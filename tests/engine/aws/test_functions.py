"""Functions: what a preview can answer, and what only the endpoint can."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.providers.aws.policy_document import policy_document
from engine.providers.aws.provider import AwsProvider
from engine.providers.base import ProviderError
from engine.values import UNKNOWN, Secret


def ask(token: str, args: dict[str, Any] | None = None, region: str = "eu-central-1") -> dict[str, Any]:
    provider = AwsProvider()
    provider.configure({"region": region})
    invoked = provider.invoke(token, args or {}, preview=True)
    assert not invoked.failures
    return invoked.result


def test_region() -> None:
    assert ask("aws:index/getRegion:getRegion") == {
        "description": "Europe (Frankfurt)",
        "endpoint": "ec2.eu-central-1.amazonaws.com",
        "id": "eu-central-1",
        "name": "eu-central-1",
        "region": "eu-central-1",
    }


@pytest.mark.parametrize(
    ("region", "partition"), [("us-west-2", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")]
)
def test_partition(region: str, partition: str) -> None:
    assert ask("aws:index/getPartition:getPartition", region=region)["partition"] == partition


def test_zones() -> None:
    zones = ask("aws:index/getAvailabilityZones:getAvailabilityZones", {"state": "available"}, "us-east-1")
    assert zones["names"] == [f"us-east-1{letter}" for letter in "abcdef"]
    assert len(set(zones["zoneIds"])) == 6
    assert zones["id"] == "us-east-1"
    fewer = ask(
        "aws:index/getAvailabilityZones:getAvailabilityZones",
        {"excludeZoneIds": ["use1-az3"], "filters": [{"name": "opt-in-status", "values": ["opt-in-not-required"]}]},
        "us-east-1",
    )
    assert "use1-az3" not in fewer["zoneIds"]
    assert len(fewer["names"]) == 5


def test_only_the_cloud_knows_the_account(provider: AwsProvider) -> None:
    token = "aws:index/getCallerIdentity:getCallerIdentity"
    assert ask(token)["accountId"] is UNKNOWN
    assert provider.invoke(token, {}, preview=False).result["accountId"] == "123456789012"


def test_a_session_leads_to_its_role(provider: AwsProvider) -> None:
    token = "aws:iam/getSessionContext:getSessionContext"
    session = "arn:aws:sts::123456789012:assumed-role/deployers/ada"
    role = (
        provider.caller()
        .client("iam", "us-east-1")
        .create_role(
            RoleName="deployers", Path="/teams/", AssumeRolePolicyDocument='{"Version": "2012-10-17", "Statement": []}'
        )["Role"]
    )
    assert ask(token, {"arn": session})["issuerArn"] is UNKNOWN
    found = provider.invoke(token, {"arn": session}, preview=False).result
    assert found == {
        "arn": session,
        "id": session,
        "issuerArn": "arn:aws:iam::123456789012:role/teams/deployers",
        "issuerId": role["RoleId"],
        "issuerName": "deployers",
        "sessionName": "ada",
    }


def test_what_is_no_session_stands_for_itself() -> None:
    user = "arn:aws:iam::123456789012:user/ada"
    assert ask("aws:iam/getSessionContext:getSessionContext", {"arn": user})["issuerArn"] == user
    refused = AwsProvider().invoke("aws:iam/getSessionContext:getSessionContext", {}, preview=True)
    assert [failure.property for failure in refused.failures] == ["arn"]


def test_an_existing_network(provider: AwsProvider) -> None:
    ec2 = provider.caller().client("ec2", "us-east-1")
    network = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=network, CidrBlock="10.9.1.0/24")["Subnet"]["SubnetId"]
    token = "aws:ec2/getVpc:getVpc"
    preview = provider.invoke(token, {"id": network}, preview=True).result
    assert preview["id"] == network
    assert preview["cidrBlock"] is UNKNOWN
    found = provider.invoke(token, {"id": network}, preview=False).result
    assert found["cidrBlock"] == "10.9.0.0/16"
    assert found["enableDnsSupport"] is True
    assert found["mainRouteTableId"].startswith("rtb-")
    assert found.keys() >= preview.keys() - {"ipv6AssociationId", "ipv6CidrBlock", "enableNetworkAddressUsageMetrics"}
    of_network = {"filters": [{"name": "vpc-id", "values": [network]}]}
    assert provider.invoke("aws:ec2/getSubnets:getSubnets", of_network, preview=False).result["ids"] == [subnet]
    one = provider.invoke("aws:ec2/getSubnet:getSubnet", {"id": subnet}, preview=False).result
    assert one["vpcId"] == network
    assert one["arn"].endswith(subnet)


def test_a_parameter(provider: AwsProvider) -> None:
    token = "aws:ssm/getParameter:getParameter"
    name = "/aws/service/eks/optimized-ami/1.35/amazon-linux-2023/x86_64/nvidia/recommended/release_version"
    preview = ask(token, {"name": name}, "us-east-1")
    assert preview["id"] == name
    assert preview["value"] is UNKNOWN
    found = provider.invoke(token, {"name": name}, preview=False).result
    assert found.keys() == preview.keys()
    assert (found["value"], found["insecureValue"]) == (Secret("1.35.8-20261110"), "1.35.8-20261110")
    provider.caller().client("ssm", "us-east-1").put_parameter(Name="/functions/key", Value="k", Type="SecureString")
    kept = provider.invoke(token, {"name": "/functions/key"}, preview=False).result
    assert (kept["value"], kept["insecureValue"]) == (Secret("k"), "")


def test_a_policy_document() -> None:
    result, failures = policy_document(
        {
            "statements": [
                {
                    "sid": "Read",
                    "actions": ["s3:GetObject", "s3:ListBucket"],
                    "resources": ["arn:aws:s3:::b/&{aws:username}"],
                    "principals": [{"type": "AWS", "identifiers": ["111111111111"]}],
                    "conditions": [{"test": "StringLike", "variable": "s3:prefix", "values": ["<a>", "b"]}],
                },
                {
                    "effect": "Deny",
                    "actions": ["*"],
                    "resources": ["*"],
                    "principals": [{"type": "*", "identifiers": ["*"]}],
                },
            ]
        }
    )
    assert not failures
    assert result["json"] == (
        '{\n  "Version": "2012-10-17",\n  "Statement": [\n    {\n      "Sid": "Read",\n      "Effect": "Allow",\n'
        '      "Action": [\n        "s3:ListBucket",\n        "s3:GetObject"\n      ],\n'
        '      "Resource": "arn:aws:s3:::b/${aws:username}",\n'
        '      "Principal": {\n        "AWS": "111111111111"\n      },\n'
        '      "Condition": {\n        "StringLike": {\n          "s3:prefix": [\n            "\\u003ca\\u003e",\n'
        '            "b"\n          ]\n        }\n      }\n    },\n    {\n      "Effect": "Deny",\n'
        '      "Action": "*",\n'
        '      "Resource": "*",\n      "Principal": "*"\n    }\n  ]\n}'
    )
    assert json.loads(result["minifiedJson"]) == json.loads(result["json"])


def test_documents_are_merged_by_sid() -> None:
    def document(sid: str, action: str) -> str:
        statement = {"Sid": sid, "Effect": "Allow", "Action": action, "Resource": "*"}
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    result, failures = policy_document(
        {
            "sourcePolicyDocuments": [document("A", "a:A"), document("B", "b:B")],
            "overridePolicyDocuments": [document("B", "c:C")],
        }
    )
    assert not failures
    assert [item["Action"] for item in json.loads(result["json"])["Statement"]] == ["a:A", "c:C"]
    _, failures = policy_document({"sourcePolicyDocuments": [document("A", "a:A"), document("A", "b:B")]})
    assert [failure.property for failure in failures] == ["sourcePolicyDocuments[1]"]


def test_an_unknown_argument_makes_the_document_unknown() -> None:
    result, failures = policy_document({"statements": [{"actions": ["a:B"], "resources": [UNKNOWN]}]})
    assert result["json"] is UNKNOWN
    assert not failures


def test_an_image_is_found_by_filters_the_newest_of_several(provider: AwsProvider) -> None:
    token = "aws:ec2/getAmi:getAmi"
    amazon = {"owners": ["amazon"], "filters": [{"name": "name", "values": ["amzn2-ami-hvm-*"]}]}
    assert ask(token, amazon)["id"] is UNKNOWN
    found = provider.invoke(token, {**amazon, "mostRecent": True}, preview=False).result
    assert found["id"] == found["imageId"] != ""
    assert found["arn"].endswith(f"::image/{found['id']}")
    assert found["name"].startswith("amzn2-ami-hvm-")
    mapped = {item["deviceName"]: item["ebs"] for item in found["blockDeviceMappings"]}
    assert mapped[found["rootDeviceName"]]["snapshot_id"] == found["rootSnapshotId"]
    with pytest.raises(ProviderError, match="none matches"):
        provider.invoke(token, {**amazon, "nameRegex": "^no-such-image"}, preview=False)
    with pytest.raises(ProviderError, match="match; give narrower filters, or mostRecent"):
        provider.invoke(token, {"owners": ["amazon"]}, preview=False)
    wrong = provider.invoke(token, {"nameRegex": "("}, preview=False)
    assert [failure.property for failure in wrong.failures] == ["nameRegex"]
