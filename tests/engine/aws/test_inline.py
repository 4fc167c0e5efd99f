"""Rules and routes that a group or table holds itself: beside resources of their own, imported, drifted, refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from engine.providers.aws import inline
from engine.providers.aws.provider import AwsProvider
from engine.providers.base import PartialFailure, ProviderError
from tests.engine.aws.test_types import Life

GROUP = "aws:ec2/securityGroup:SecurityGroup"
TABLE = "aws:ec2/routeTable:RouteTable"
WEB = {"protocol": "tcp", "fromPort": 443, "toPort": 443, "cidrBlocks": ["10.0.0.0/8"], "description": "TLS"}
OUT = {"protocol": "-1", "fromPort": 0, "toPort": 0, "cidrBlocks": ["0.0.0.0/0"]}


@pytest.fixture
def vpc(provider: AwsProvider) -> Iterator[str]:
    life = Life(provider, "aws:ec2/vpc:Vpc", "inline")
    life.create({"cidrBlock": "10.46.0.0/16"})
    yield life.id
    life.delete()


@pytest.fixture
def ec2(provider: AwsProvider) -> Any:
    return provider.caller().client("ec2", "us-east-1")


def group(provider: AwsProvider, name: str, vpc: str, **inputs: Any) -> Life:
    life = Life(provider, GROUP, name)
    life.create({"vpcId": vpc, **inputs})
    return life


def open_ssh(ec2: Any, life: Life) -> None:
    source = {"IpRanges": [{"CidrIp": "10.9.0.0/16"}]}
    permission = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, **source}
    ec2.authorize_security_group_ingress(GroupId=life.id, IpPermissions=[permission])


def drift(life: Life) -> dict[str, Any]:
    found = life.provider.read(life.urn, life.type, life.id, life.inputs, life.outputs)
    assert found is not None
    return dict(life.diff(found.inputs, found.outputs, life.inputs).detailed)


def test_rules_of_their_own_are_no_difference_of_the_group(provider: AwsProvider, ec2: Any, vpc: str) -> None:
    life = group(provider, "apart", vpc)
    open_ssh(ec2, life)
    assert drift(life) == {}
    found = provider.read(life.urn, GROUP, life.id, life.inputs, life.outputs)
    assert found is not None
    assert found.outputs == life.outputs
    life.delete()


def test_what_was_opened_beside_inline_rules_is_drift(provider: AwsProvider, ec2: Any, vpc: str) -> None:
    life = group(provider, "beside", vpc, ingress=[WEB])
    open_ssh(ec2, life)
    found = provider.read(life.urn, GROUP, life.id, life.inputs, life.outputs)
    assert found is not None
    assert [rule["fromPort"] for rule in found.inputs["ingress"]] == [443, 22]
    assert list(life.diff(found.inputs, found.outputs, life.inputs).detailed) == ["ingress[1]"]
    arguments = (life.urn, GROUP, life.id, found.inputs, found.outputs, life.inputs)
    outputs = provider.update(*arguments, timeout=30, preview=False)
    assert [rule["fromPort"] for rule in outputs["ingress"]] == [443]
    life.delete()


def test_all_inline_rules_gone_is_drift(provider: AwsProvider, ec2: Any, vpc: str) -> None:
    life = group(provider, "emptied", vpc, ingress=[WEB])
    rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [life.id]}])["SecurityGroupRules"]
    ec2.revoke_security_group_ingress(GroupId=life.id, SecurityGroupRuleIds=[rules[0]["SecurityGroupRuleId"]])
    assert list(drift(life)) == ["ingress"]
    life.delete()


def test_an_import_tells_the_inline_rules(provider: AwsProvider, vpc: str) -> None:
    life = group(provider, "imported", vpc, ingress=[WEB], egress=[OUT])
    found = provider.read(life.urn, GROUP, life.id, {}, {})
    assert found is not None
    assert (found.inputs["ingress"], found.inputs["egress"]) == ([WEB], [OUT])
    life.delete()


def test_order_is_no_difference(provider: AwsProvider, vpc: str) -> None:
    rule = {**WEB, "cidrBlocks": ["10.1.0.0/16", "10.2.0.0/16"]}
    life = group(provider, "ordered", vpc, ingress=[rule, {**OUT, "description": "all"}])
    turned = {**rule, "cidrBlocks": ["10.2.0.0/16", "10.1.0.0/16"]}
    news = life.checked({"vpcId": vpc, "ingress": [{**OUT, "description": "all"}, turned]})
    assert not life.diff(life.inputs, life.outputs, news).changes
    life.delete()


def test_rules_that_a_program_no_longer_says_stay(provider: AwsProvider, vpc: str) -> None:
    """As the real provider has it: to remove all of them, a program gives an empty list."""
    life = group(provider, "unsaid", vpc, ingress=[WEB])
    assert not life.diff(life.inputs, life.outputs, life.checked({"vpcId": vpc})).changes
    emptied = life.checked({"vpcId": vpc, "ingress": []})
    assert life.diff(life.inputs, life.outputs, emptied).changes
    life.delete()


def test_revoke_rules_on_delete_lets_other_groups_go(provider: AwsProvider, vpc: str) -> None:
    named = group(provider, "named", vpc)
    rule = {"protocol": "tcp", "fromPort": 22, "toPort": 22, "securityGroups": [named.id]}
    life = group(provider, "naming", vpc, ingress=[rule], revokeRulesOnDelete=True)
    back = {"protocol": "tcp", "fromPort": 22, "toPort": 22, "securityGroups": [life.id]}
    news = named.checked({"vpcId": vpc, "ingress": [back], "revokeRulesOnDelete": True})
    arguments = (named.urn, GROUP, named.id, named.inputs, named.outputs, news)
    named.outputs = provider.update(*arguments, timeout=30, preview=False)
    named.inputs = news
    with pytest.raises(ProviderError, match="DependencyViolation"):
        life.delete()  # its own rules are gone now, those that name it are not
    named.delete()
    life.delete()


REFUSED = {
    r"ingress\[0\]: with all protocols fromPort and toPort must be 0, got 0 and 65535": {**OUT, "toPort": 65535},
    r"ingress\[0\]: expected one of cidrBlocks": {**OUT, "cidrBlocks": []},
}


@pytest.mark.parametrize("message", REFUSED)
def test_a_rule_that_says_nothing_or_too_much_is_refused(provider: AwsProvider, vpc: str, message: str) -> None:
    with pytest.raises(PartialFailure, match=message) as caught:
        group(provider, "refused", vpc, ingress=[REFUSED[message]])
    provider.delete("urn:pulumi:x::y::z::w", GROUP, caught.value.id, {"vpcId": vpc}, {}, timeout=30)


def test_a_group_is_named_by_its_id(provider: AwsProvider) -> None:
    rule = {**OUT, "cidrBlocks": [], "securityGroups": ["default"], "fromPort": 70000}
    checked = provider.check("urn:pulumi:a::b::c::d", GROUP, None, {"ingress": [rule]}, seed="s")
    assert {failure.property for failure in checked.failures} == {"ingress[0].fromPort", "ingress[0].securityGroups[0]"}


def test_routes_that_aws_makes_are_told_only_where_a_program_names_them() -> None:
    live = [
        {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "Origin": "CreateRouteTable"},
        {"DestinationPrefixListId": "pl-1", "GatewayId": "vpce-1", "Origin": "CreateRoute"},
        {"DestinationCidrBlock": "10.8.0.0/16", "GatewayId": "vgw-1", "Origin": "EnableVgwRoutePropagation"},
        {"DestinationCidrBlock": "10.7.0.0/16", "GatewayId": "vpce-2", "Origin": "CreateRoute"},
    ]
    assert inline.routes(live, []) == [{"cidrBlock": "10.7.0.0/16", "vpcEndpointId": "vpce-2"}]
    local = {"cidrBlock": "10.0.0.0/16", "gatewayId": "local"}
    assert local in inline.routes(live, [local])


def test_routes_of_their_own_are_no_difference_of_the_table(provider: AwsProvider, ec2: Any, vpc: str) -> None:
    gateway = Life(provider, "aws:ec2/internetGateway:InternetGateway", "inline")
    gateway.create({"vpcId": vpc})
    life = Life(provider, TABLE, "apart")
    life.create({"vpcId": vpc})
    ec2.create_route(RouteTableId=life.id, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway.id)
    assert drift(life) == {}
    found = provider.read(life.urn, TABLE, life.id, life.inputs, life.outputs)
    assert found is not None
    assert found.outputs == life.outputs
    found = provider.read(life.urn, TABLE, life.id, {}, {})
    assert found is not None
    assert found.inputs["routes"] == [{"cidrBlock": "0.0.0.0/0", "gatewayId": gateway.id}]
    life.delete()
    gateway.delete()


def test_grants_are_compared_as_ec2_answers_them() -> None:
    rule = {"protocol": "17", "fromPort": 53, "toPort": 53, "cidrBlocks": ["10.1.2.3/16"], "ipv6CidrBlocks": ["0::/0"]}
    sources = [(grant.protocol, grant.source) for grant in inline.grants([rule], "sg-1")]
    assert sources == [("udp", "10.1.0.0/16"), ("udp", "::/0")]
