"""Rules that hold for every resource of every environment; a new component is covered without a word here."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pulumi_aws as aws
import pytest

from tests.components.platform_recording import UNKNOWN, Recorded, Run, config_of, run_program

DEPLOYMENT_TAGS = {"Project", "Environment", "Team", "Owner", "CostCenter", "DeploymentId", "ManagedBy"}

# What AWS takes as a name, by type and property: kept apart from components/names.py, so that one checks the other.
NAMES = {
    "aws:s3/bucket:Bucket": ("bucket", r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"),
    "aws:iam/role:Role": ("name", r"[\w+=,.@-]{1,64}"),
    "aws:iam/rolePolicy:RolePolicy": ("name", r"[\w+=,.@-]{1,128}"),
    "aws:iam/policy:Policy": ("name", r"[\w+=,.@-]{1,128}"),
    "aws:sns/topic:Topic": ("name", r"[A-Za-z0-9_-]{1,256}"),
    "aws:cloudwatch/logGroup:LogGroup": ("name", r"[A-Za-z0-9_/.#-]{1,512}"),
    "aws:kms/alias:Alias": ("name", r"alias/(?!aws/)[A-Za-z0-9/_-]{1,250}"),
    "aws:ecr/repository:Repository": ("name", r"(?=.{2,256}$)[a-z0-9]+([._/-][a-z0-9]+)*"),
    "aws:ecr/pullThroughCacheRule:PullThroughCacheRule": (
        "ecrRepositoryPrefix",
        r"(?=.{2,30}$)[a-z0-9]+([._/-][a-z0-9]+)*",
    ),
    "aws:ec2/securityGroup:SecurityGroup": ("name", r"(?!sg-)[A-Za-z0-9 ._:/()#,@\[\]+=&;{}!$*-]{1,255}"),
    "aws:budgets/budget:Budget": ("name", r"[^:\\]{1,100}"),
    "aws:costexplorer/costCategory:CostCategory": ("name", r"(?! )[^\x00-\x1f]{1,50}(?<! )"),
    "aws:costexplorer/anomalyMonitor:AnomalyMonitor": ("name", r".{1,1024}"),
    "aws:costexplorer/anomalySubscription:AnomalySubscription": ("name", r".{1,1024}"),
    "aws:secretsmanager/secret:Secret": ("name", r"[A-Za-z0-9/_+=.@-]{1,512}"),
    "aws:eks/cluster:Cluster": ("name", r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}"),
    "aws:ec2/launchTemplate:LaunchTemplate": ("name", r"[A-Za-z0-9()./_-]{3,128}"),
    "aws:ec2/placementGroup:PlacementGroup": ("name", r"[ -~]{1,255}"),
    "aws:iam/instanceProfile:InstanceProfile": ("name", r"[\w+=,.@-]{1,128}"),
    "aws:sqs/queue:Queue": ("name", r"[A-Za-z0-9_-]{1,80}"),
    "aws:cloudwatch/eventRule:EventRule": ("name", r"[A-Za-z0-9._-]{1,64}"),
    "aws:cloudwatch/metricAlarm:MetricAlarm": ("name", r"[ -~]{1,255}"),
    "aws:cloudwatch/dashboard:Dashboard": ("dashboardName", r"[A-Za-z0-9_-]{1,255}"),
    "aws:amp/workspace:Workspace": ("alias", r".{1,100}"),
}
# Policies, by the property that holds them.
POLICIES = ("policy", "assumeRolePolicy")


def _class_of(type_: str) -> type[Any]:
    """The SDK's class of a type token such as ``aws:s3/bucket:Bucket``."""
    _, module, name = type_.split(":")
    return getattr(getattr(aws, module.split("/")[0]), name)


def _takes_tags(type_: str) -> bool:
    return hasattr(_class_of(type_), "tags_all")


def _statements(run: Run) -> Iterator[tuple[Recorded, Mapping[str, Any]]]:
    for resource in run.aws:
        for key in POLICIES:
            text = resource.inputs.get(key)
            if text is not None and "lifecycle" not in resource.type:
                for statement in json.loads(text)["Statement"]:
                    yield resource, statement


def test_every_resource_that_takes_tags_has_its_own_and_the_deployments(run: Run) -> None:
    (provider,) = run.of("pulumi:providers:aws")
    assert set(json.loads(provider.inputs["defaultTags"])["tags"]) >= DEPLOYMENT_TAGS
    for resource in run.aws:
        # The provider's default tags reach only what names that provider.
        assert resource.provider.startswith(f"{provider.urn}::"), resource.urn
        if _takes_tags(resource.type):
            tags = resource.inputs["tags"]
            assert tags["Name"].startswith("bedplate-"), resource.urn
            assert tags["Component"], resource.urn
        else:
            assert "tags" not in resource.inputs, resource.urn


def test_the_deployments_tags_say_whose_it_is(recorded: Callable[[str], Run]) -> None:
    (provider,) = recorded("prod").of("pulumi:providers:aws")
    assert json.loads(provider.inputs["defaultTags"])["tags"] == {
        "Project": "bedplate",
        "Environment": "prod",
        "Team": "ml-platform",
        "Owner": "ml-platform-oncall@example.com",
        "CostCenter": "CC-1001",
        "DeploymentId": "bedplate-prod",
        "ManagedBy": "bedplate",
        "DataClassification": "confidential",
    }


def test_every_name_is_one_that_aws_takes(run: Run) -> None:
    for resource in run.aws:
        if resource.type in NAMES:
            key, pattern = NAMES[resource.type]
            # Pulumi completes a bucket's logical name with a dash and seven digits.
            name = resource.inputs.get(key) or f"{resource.name}-0123abc"
            assert re.fullmatch(pattern, name), (resource.urn, name)
        else:
            # Whatever else has a name in AWS is named by Pulumi or has none; ours must be in the table above.
            assert "name" not in resource.inputs, resource.urn


def test_every_name_of_a_long_stack_is_one_that_aws_takes() -> None:
    stack = "sandbox-pull-request-1234-with-a-very-long-branch-name-that-goes-on-and-on"
    test_every_name_is_one_that_aws_takes(run_program(config_of("sandbox"), stack))


def test_two_long_stacks_that_begin_alike_share_no_name() -> None:
    begin = "sandbox-pull-request-1234-with-a-very-long-branch-name-that-goes-on-and-on-"
    taken: list[set[str]] = []
    for stack in (f"{begin}a", f"{begin}b"):
        run = run_program(config_of("sandbox"), stack)
        named = [resource for resource in run.aws if resource.type in NAMES]
        taken.append({resource.inputs.get(NAMES[resource.type][0], resource.name) for resource in named})
    assert not taken[0] & taken[1]


def test_no_two_resources_of_a_type_share_a_name(run: Run) -> None:
    urns = [resource.urn for resource in run.resources]
    assert len(urns) == len(set(urns))


def test_every_resource_is_below_its_component(run: Run) -> None:
    components = {resource.urn: resource for resource in run.resources if resource.type.startswith("bedplate:")}
    for resource in run.aws:
        parent = components[resource.parent]
        assert resource.inputs.get("tags", {}).get("Component", parent.name) == parent.name, resource.urn
        assert parent.name in resource.name or resource.type == "aws:s3/bucket:Bucket", resource.urn


def _is_of_the_platform(run: Run, resource: Recorded) -> bool:
    """Whether the platform is above it; the recorder's URNs name a parent only, not all that are above."""
    by_urn = {each.urn: each for each in run.resources}
    while resource.name != "platform" and resource.parent in by_urn:
        resource = by_urn[resource.parent]
    return resource.name == "platform"


def test_every_component_is_of_the_platform(run: Run) -> None:
    for resource in run.resources:
        if resource.type.startswith("bedplate:"):
            assert re.fullmatch(r"bedplate:[a-z]+:[A-Z][A-Za-z]+", resource.type)
            assert _is_of_the_platform(run, resource), resource.urn


def test_every_policy_parses_and_lets_nobody_in_from_outside(run: Run) -> None:
    seen = 0
    for resource, statement in _statements(run):
        seen += 1
        assert statement["Effect"] in ("Allow", "Deny"), resource.urn
        if statement["Effect"] == "Allow" and "Principal" in statement:
            assert statement["Principal"] != "*", resource.urn
            if statement["Principal"].get("AWS") == "*":
                _names_a_role_of_this_account(run, resource, statement)
    assert seen > 20


def _names_a_role_of_this_account(run: Run, resource: Recorded, statement: Mapping[str, Any]) -> None:
    """Keys come before the roles that they let in, and KMS takes no principal that isn't there."""
    assert resource.type == "aws:kms/key:Key", resource.urn
    condition = statement["Condition"]
    assert condition["StringEquals"]["kms:CallerAccount"] == "123456789012", resource.urn
    roles = {f"arn:aws:iam::123456789012:role/{role.inputs['name']}" for role in run.of("aws:iam/role:Role")}
    assert condition["ArnEquals"]["aws:PrincipalArn"] in roles, resource.urn


def test_every_service_principal_is_held_to_this_account(run: Run) -> None:
    for resource, statement in _statements(run):
        # ECR and EC2 do not say for whom they assume a role; they take roles of the registry's or the instance's own
        # account only.
        if statement.get("Principal") in ({"Service": "ecr.amazonaws.com"}, {"Service": "ec2.amazonaws.com"}):
            assert "Condition" not in statement
        elif "Service" in statement.get("Principal", {}):
            conditions = json.dumps(statement["Condition"])
            assert "SourceAccount" in conditions or "EncryptionContext" in conditions, (resource.urn, statement["Sid"])
            assert "123456789012" in conditions, (resource.urn, statement["Sid"])


def test_nothing_is_public(run: Run) -> None:
    for resource in run.aws:
        assert resource.inputs.get("mapPublicIpOnLaunch", False) is False, resource.urn
        assert "acl" not in resource.inputs, resource.urn
        if resource.type.endswith("SecurityGroupIngressRule"):
            assert resource.inputs.get("cidrIpv4") != "0.0.0.0/0", resource.urn
            assert "cidrIpv6" not in resource.inputs, resource.urn


def test_every_role_is_bounded(run: Run) -> None:
    for role in run.of("aws:iam/role:Role"):
        assert role.inputs["permissionsBoundary"], role.urn


def test_what_holds_data_is_protected_unless_it_may_be_thrown_away(run: Run, environment: str) -> None:
    holders = ("aws:s3/bucket:Bucket", "aws:kms/key:Key", "aws:ecr/repository:Repository")
    for resource in run.aws:
        expected = environment != "sandbox" and resource.type in holders
        assert resource.protect is expected, resource.urn


@pytest.mark.parametrize("flag", ["forceDestroy", "forceDelete"])
def test_only_the_sandbox_deletes_what_is_not_empty(run: Run, environment: str, flag: str) -> None:
    for resource in run.aws:
        if flag in resource.inputs:
            assert resource.inputs[flag] is (environment == "sandbox"), resource.urn


def test_a_preview_without_aws_registers_the_same_resources(
    environment: str, recorded: Callable[[str], Run], recorded_offline: Callable[[str], Run]
) -> None:
    online, offline = recorded(environment), recorded_offline(environment)
    assert sorted(each.urn for each in offline.resources) == sorted(each.urn for each in online.resources)
    if environment == "sandbox":  # which names no account: emulators differ in it
        return
    # The settings name the account, and resources are named before they exist: every policy is known beforehand.
    for resource in offline.aws:
        for key in POLICIES:
            assert resource.inputs.get(key) != UNKNOWN, (resource.urn, key)


def test_a_preview_without_aws_knows_what_does_not_depend_on_the_account() -> None:
    config = config_of("prod")
    del config["aws:allowedAccountIds"]
    offline = run_program(config, "prod", offline=True)
    known = [each for each in offline.of("aws:s3/bucketPolicy:BucketPolicy") if each.inputs["policy"] != UNKNOWN]
    assert len(known) == 5  # all but the logs bucket's, which names the account


def test_a_preview_knows_the_account_that_the_settings_name() -> None:
    config: dict[str, Any] = {**config_of("prod"), "aws:allowedAccountIds": ["111122223333"]}
    config.setdefault("bedplate:cluster", {})["deployer_arn"] = "arn:aws:iam::111122223333:role/up"
    run = run_program(config, "prod", offline=True)
    assert "aws:index/getCallerIdentity:getCallerIdentity" not in [token for token, _ in run.calls]
    for key in run.of("aws:kms/key:Key"):
        assert "111122223333" in key.inputs["policy"]
    (provider,) = run.of("pulumi:providers:aws")
    assert json.loads(provider.inputs["allowedAccountIds"]) == ["111122223333"]


def _identities(run: Run) -> set[tuple[str, str]]:
    return {(resource.urn, str(resource.inputs.get(NAMES.get(resource.type, ("", ""))[0]))) for resource in run.aws}


def test_names_stay_when_an_unrelated_setting_changes(recorded: Callable[[str], Run]) -> None:
    config = config_of("dev")
    changed = {
        **config,
        "bedplate:logs": {"retention_days": 7},
        "bedplate:cost": {**config["bedplate:cost"], "monthly_budget_usd": 1},
        "bedplate:network": {**config["bedplate:network"], "nat": "none", "public_subnets": False},
    }
    after, before = _identities(run_program(changed, "dev")), _identities(recorded("dev"))
    assert after < before
    gone = {urn.split("::")[-1] for urn, _ in before - after}
    assert all("public" in name or "nat" in name or "internet" in name or "private" in name for name in gone)


def test_another_zone_moves_nothing_that_exists(recorded: Callable[[str], Run]) -> None:
    config = config_of("dev")
    config["bedplate:network"]["availability_zones"] = 4
    config["bedplate:network"]["pod_prefix"] = 18
    before = {each.name: each.inputs["cidrBlock"] for each in recorded("dev").of("aws:ec2/subnet:Subnet")}
    after = {each.name: each.inputs["cidrBlock"] for each in run_program(config, "dev").of("aws:ec2/subnet:Subnet")}
    assert after.items() > before.items()
