"""Network, registry and cost: what the settings ask for is what is registered."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from stacks.choices import platform_args
from stacks.settings import from_config
from tests.components.platform_recording import (
    UNKNOWN,
    Run,
    config_of,
    config_with_cluster,
    is_secret,
    run_component,
    run_program,
)

SUBNET, NAT = "aws:ec2/subnet:Subnet", "aws:ec2/natGateway:NatGateway"


def _dev(section: str, **settings: Any) -> Run:
    config = config_of("dev")
    config[f"bedplate:{section}"] = {**config.get(f"bedplate:{section}", {}), **settings}
    return run_program(config, "dev")


@pytest.mark.parametrize(("nat", "gateways", "routes"), [("none", 0, 0), ("single", 1, 3), ("per_az", 3, 3)])
def test_nat_gateways_are_as_many_as_asked_for(nat: str, gateways: int, routes: int) -> None:
    run = _dev("network", nat=nat)
    assert len(run.of(NAT)) == len(run.of("aws:ec2/eip:Eip")) == gateways
    out = [route for route in run.of("aws:ec2/route:Route") if "natGatewayId" in route.inputs]
    assert len(out) == routes
    assert len({route.inputs["natGatewayId"] for route in out}) == gateways
    assert {len(run.of("aws:ec2/routeTable:RouteTable")), len(run.of(SUBNET))} == {4, 9}


def test_each_tier_is_found_by_its_tags_and_spread_over_good_zones(run: Run) -> None:
    tags = {
        "public": "kubernetes.io/role/elb",
        "private": "kubernetes.io/role/internal-elb",
        "pods": "kubernetes.io/role/cni",
    }
    for tier, tag in tags.items():
        subnets = [each for each in run.of(SUBNET) if f"-{tier}-" in each.name]
        assert all(each.inputs["tags"][tag] == "1" for each in subnets)
        zones = [each.inputs["availabilityZoneId"] for each in subnets]
        assert len(set(zones)) == len(zones) >= 2
        assert "use1-az3" not in zones
    private = [each for each in run.of(SUBNET) if "karpenter.sh/discovery" in each.inputs["tags"]]
    assert {each.name.split("-")[1] for each in private} == {"private"}


def test_pods_subnets_wait_for_their_range(run: Run) -> None:
    (association,) = run.of("aws:ec2/vpcIpv4CidrBlockAssociation:VpcIpv4CidrBlockAssociation")
    for subnet in run.of(SUBNET):
        assert (association.urn in subnet.depends_on) == ("-pods-" in subnet.name)


def test_the_default_security_group_has_no_rules(run: Run) -> None:
    (group,) = run.of("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup")
    assert not {"ingress", "egress"} & group.inputs.keys()


def test_gateway_endpoints_are_in_every_private_table_and_interfaces_closed(recorded: Callable[[str], Run]) -> None:
    endpoints = recorded("prod").of("aws:ec2/vpcEndpoint:VpcEndpoint")
    gateways = [each for each in endpoints if each.inputs["vpcEndpointType"] == "Gateway"]
    assert {each.inputs["serviceName"] for each in gateways} == {
        "com.amazonaws.us-east-1.s3",
        "com.amazonaws.us-east-1.dynamodb",
    }
    assert all(len(each.inputs["routeTableIds"]) == 3 for each in gateways)
    interfaces = [each for each in endpoints if each.inputs["vpcEndpointType"] == "Interface"]
    assert len(interfaces) == 10
    assert all(each.inputs["privateDnsEnabled"] and each.inputs["securityGroupIds"] for each in interfaces)
    rules = recorded("prod").of("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
    rules = [rule for rule in rules if rule.name.startswith("network-")]
    assert {rule.inputs["cidrIpv4"] for rule in rules} == {"10.30.0.0/16", "100.64.0.0/16"}
    assert {(rule.inputs["fromPort"], rule.inputs["toPort"]) for rule in rules} == {(443, 443)}


def test_the_group_of_endpoints_stays_until_those_of_the_old_vpc_have_gone(recorded: Callable[[str], Run]) -> None:
    (group,) = (each for each in recorded("prod").of("aws:ec2/securityGroup:SecurityGroup") if "endpoints" in each.name)
    # By its fixed name, the provider would delete it first.
    assert group.inputs["name"] and group.delete_before_replace is False


def test_an_existing_vpc_is_looked_up_and_nothing_is_made_in_it() -> None:
    config = {**config_of("dev"), "bedplate:network": {"vpc_id": "vpc-0123abcd"}}
    for offline in (False, True):
        run = run_program(config, "dev", offline=offline)
        # Launch templates lie in no network; everything else of EC2 would.
        made = {each.type for each in run.aws if each.type.startswith("aws:ec2/")}
        assert made == {"aws:ec2/launchTemplate:LaunchTemplate"}
        asked = [json.dumps(args) for token, args in run.calls if token == "aws:ec2/getSubnets:getSubnets"]
        assert len(asked) == 3
        assert all("vpc-0123abcd" in args for args in asked)


def test_a_pool_in_a_zone_that_an_existing_vpc_has_not_is_refused_by_name() -> None:
    cluster = {"node_pools": {"p": {"workload": "cpu", "instance_types": ["m7i.large"], "max_size": 1, "zones": [3]}}}
    config = {**config_with_cluster("dev", cluster), "bedplate:network": {"vpc_id": "vpc-0123abcd"}}
    with pytest.raises(
        ValueError, match=r"that cluster\.node_pools name, up to 3, but network\.vpc_id has 2; name others"
    ):
        run_program(config, "dev")


def test_zones_that_are_named_are_not_asked_for(recorded: Callable[[str], Run]) -> None:
    assert "aws:index/getAvailabilityZones:getAvailabilityZones" not in [token for token, _ in recorded("prod").calls]
    assert "aws:index/getAvailabilityZones:getAvailabilityZones" in [token for token, _ in recorded("dev").calls]


def test_flow_logs_go_to_their_group_by_a_role_that_can_only_write_there(recorded: Callable[[str], Run]) -> None:
    run = recorded("dev")
    (flow_log,) = run.of("aws:ec2/flowLog:FlowLog")
    (role,) = (each for each in run.of("aws:iam/role:Role") if each.name.startswith("flow-logs"))
    (policy,) = (each for each in run.of("aws:iam/rolePolicy:RolePolicy") if each.name.startswith("flow-logs"))
    assert flow_log.inputs["logDestinationType"] == "cloud-watch-logs"
    assert flow_log.inputs["iamRoleArn"].endswith(f":{role.name}")
    write, find = json.loads(policy.inputs["policy"])["Statement"]
    group = flow_log.inputs["logDestination"]
    assert write["Resource"] == [group, f"{group}:*"]
    assert find["Action"] == ["logs:DescribeLogGroups"]
    assert not any("*" in action for statement in (write, find) for action in statement["Action"])
    (trust,) = json.loads(role.inputs["assumeRolePolicy"])["Statement"]
    assert trust["Condition"]["ArnLike"] == {"aws:SourceArn": "arn:aws:ec2:us-east-1:123456789012:vpc-flow-log/*"}


def test_nothing_that_guards_the_platform_can_be_taken_away_by_its_roles(recorded: Callable[[str], Run]) -> None:
    (boundary,) = recorded("prod").of("aws:iam/policy:Policy")
    assert len(boundary.inputs["policy"]) < 6144  # AWS takes no longer one
    allowed, roles_of_nodes, role_of_spot, profiles, denied = json.loads(boundary.inputs["policy"])["Statement"]
    assert roles_of_nodes["Condition"] == {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}
    assert role_of_spot["Action"] == ["iam:CreateServiceLinkedRole"]
    assert role_of_spot["Condition"] == {"StringEquals": {"iam:AWSServiceName": "spot.amazonaws.com"}}
    assert {action.split(":")[1][:3] for action in profiles["Action"]} == {"Get", "Lis"}
    assert (allowed["Effect"], denied["Effect"], denied["Resource"]) == ("Allow", "Deny", "*")
    assert "iam:*" not in allowed["Action"]
    guards = {
        "aws:s3/bucketPolicy:BucketPolicy": "s3:PutBucketPolicy",
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
        "aws:s3/bucketVersioning:BucketVersioning": "s3:PutBucketVersioning",
        "aws:s3/bucketLogging:BucketLogging": "s3:PutBucketLogging",
        "aws:s3/bucketOwnershipControls:BucketOwnershipControls": "s3:PutBucketOwnershipControls",
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": "s3:PutLifecycleConfiguration",
        "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration": "s3:PutBucketObjectLockConfiguration",
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": (
            "s3:PutEncryptionConfiguration"
        ),
        "aws:kms/key:Key": "kms:PutKeyPolicy",
        "aws:budgets/budget:Budget": "budgets:ModifyBudget",
        "aws:ec2/flowLog:FlowLog": "ec2:DeleteFlowLogs",
    }
    made = {resource.type for resource in recorded("prod").aws}
    assert guards.keys() <= made
    assert {type_ for type_ in made if type_.startswith("aws:s3/")} - guards.keys() == {"aws:s3/bucket:Bucket"}
    assert set(guards.values()) <= set(denied["Action"])


def test_repositories_are_immutable_scanned_and_encrypted(run: Run, environment: str) -> None:
    repositories = run.of("aws:ecr/repository:Repository")
    assert {each.inputs["name"] for each in repositories} >= {f"bedplate/{environment}/training"}
    for repository in repositories:
        assert repository.inputs["imageTagMutability"] == "IMMUTABLE"
        assert repository.inputs["imageScanningConfiguration"] == {"scanOnPush": True}
        (encryption,) = repository.inputs["encryptionConfigurations"]
        assert encryption["encryptionType"] == "KMS"
        assert encryption["kmsKey"].endswith(":keys-images")
    policies = run.of("aws:ecr/lifecyclePolicy:LifecyclePolicy")
    assert len(policies) == len(repositories)
    for policy in policies:
        kinds = [rule["selection"]["tagStatus"] for rule in json.loads(policy.inputs["policy"])["rules"]]
        assert kinds == ["untagged", "tagged"]


def test_what_a_cache_makes_has_the_tags_the_key_and_the_lifecycle_of_the_rest(run: Run) -> None:
    caches = run.of("aws:ecr/pullThroughCacheRule:PullThroughCacheRule")
    templates = {
        each.inputs["prefix"]: each for each in run.of("aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate")
    }
    assert templates.keys() == {cache.inputs["ecrRepositoryPrefix"] for cache in caches}
    (key,) = {each.inputs["encryptionConfigurations"][0]["kmsKey"] for each in run.of("aws:ecr/repository:Repository")}
    (lifecycle,) = {each.inputs["policy"] for each in run.of("aws:ecr/lifecyclePolicy:LifecyclePolicy")}
    (provider,) = run.of("pulumi:providers:aws")
    for cache in caches:
        template = templates[cache.inputs["ecrRepositoryPrefix"]]
        assert template.urn in cache.depends_on
        assert template.inputs["appliedFors"] == ["PULL_THROUGH_CACHE"]
        assert template.inputs["encryptionConfigurations"] == [{"encryptionType": "KMS", "kmsKey": key}]
        assert template.inputs["lifecyclePolicy"] == lifecycle
        assert template.inputs["customRoleArn"]
        tags = template.inputs["resourceTags"]
        assert tags.items() >= json.loads(provider.inputs["defaultTags"])["tags"].items()
        assert tags["Component"] == "registry"


def test_without_caches_nobody_makes_repositories() -> None:
    run = run_program({**config_of("dev"), "bedplate:registry": {"pull_through": []}}, "dev")
    assert not run.of("aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate")
    assert not [each for each in run.of("aws:iam/role:Role") if "maker" in each.name]


def test_credentials_of_a_cache_are_secret_wherever_they_go() -> None:
    config = config_of("dev")
    rule = {"upstream": "docker-hub", "username": "me", "access_token": "hunter2"}
    config["bedplate:registry"] = {"pull_through": [rule]}
    run = run_program(config, "dev", secret_keys=["bedplate:registry"])
    (secret,) = run.of("aws:secretsmanager/secret:Secret")
    assert secret.inputs["name"] == "ecr-pullthroughcache/bedplate-dev-docker-hub"
    # ECR reads credentials only where Secrets Manager's own key encrypts them.
    assert "kmsKeyId" not in secret.inputs
    (version,) = run.of("aws:secretsmanager/secretVersion:SecretVersion")
    assert is_secret(version.inputs["secretString"])
    others = [each for each in run.resources if each is not version]
    assert "hunter2" not in json.dumps([dict(each.inputs) for each in others])
    (cache,) = run.of("aws:ecr/pullThroughCacheRule:PullThroughCacheRule")
    assert version.urn in cache.depends_on


def test_credentials_are_secret_before_any_resource_makes_them_so() -> None:
    rule = {"upstream": "github", "username": "me", "access_token": "hunter2"}
    config = {**config_of("dev"), "bedplate:registry": {"pull_through": [rule]}}
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}
    settings = from_config(texts, ["bedplate:registry"], "test")
    seen: list[bool] = []

    def program() -> object:
        credentials = platform_args(settings, "bedplate", "dev").registry.pull_through[0].credentials
        assert credentials is not None
        return pulumi.Output.from_input(credentials.access_token.is_secret()).apply(seen.append)

    run_component(program)
    assert seen == [True]


def test_keys_rotate_and_are_used_through_their_services_only(run: Run) -> None:
    keys = run.of("aws:kms/key:Key")
    assert len(keys) == len(run.of("aws:kms/alias:Alias")) == 6
    for key in keys:
        assert key.inputs["enableKeyRotation"] is True
        for statement in json.loads(key.inputs["policy"])["Statement"]:
            actions = statement["Action"]
            assert not {"kms:*", "kms:Create*"} & set(actions)
            if "kms:CreateGrant" in actions:
                assert statement["Condition"]["Bool"] == {"kms:GrantIsForAWSResource": "true"}
            if "kms:Decrypt" in actions:
                assert statement["Condition"], statement["Sid"]


def test_the_budget_counts_this_deployment_and_tells_everybody(recorded: Callable[[str], Run]) -> None:
    (budget,) = recorded("prod").of("aws:budgets/budget:Budget")
    assert (budget.inputs["limitAmount"], budget.inputs["limitUnit"]) == ("120000", "USD")
    assert budget.inputs["costFilters"] == [{"name": "TagKeyValue", "values": ["user:DeploymentId$bedplate-prod"]}]
    notices = budget.inputs["notifications"]
    assert [(each["threshold"], each["notificationType"]) for each in notices] == [
        (50, "ACTUAL"),
        (80, "ACTUAL"),
        (100, "ACTUAL"),
        (90, "FORECASTED"),
        (110, "FORECASTED"),
    ]
    for notice in notices:
        assert notice["subscriberEmailAddresses"] == ["ml-platform-oncall@example.com", "finops@example.com"]
        assert len(notice["subscriberSnsTopicArns"]) == 1


def test_notices_wait_until_the_topic_lets_them_in(run: Run) -> None:
    (policy,) = run.of("aws:sns/topicPolicy:TopicPolicy")
    (budget,) = run.of("aws:budgets/budget:Budget")
    (anomalies,) = run.of("aws:costexplorer/anomalySubscription:AnomalySubscription")
    assert policy.urn in budget.depends_on
    assert policy.urn in anomalies.depends_on
    (topic,) = run.of("aws:sns/topic:Topic")
    assert topic.inputs["kmsMasterKeyId"].endswith(":keys-alerts")


@pytest.mark.parametrize(("frequency", "kind"), [("immediate", "SNS"), ("daily", "EMAIL")])
def test_anomalies_are_reported_by_the_way_that_aws_has_for_it(frequency: str, kind: str) -> None:
    run = _dev("cost", emails=["a@example.com"], anomalies={"frequency": frequency})
    (subscription,) = run.of("aws:costexplorer/anomalySubscription:AnomalySubscription")
    assert {each["type"] for each in subscription.inputs["subscribers"]} == {kind}


def test_without_anomalies_nothing_watches() -> None:
    run = _dev("cost", anomalies={"enabled": False})
    assert not [each for each in run.aws if "anomaly" in each.type]


def test_a_preview_without_aws_leaves_zones_unknown_rather_than_failing() -> None:
    run = run_program(config_of("dev"), "dev", offline=True, zone_ids=[UNKNOWN])
    assert {each.inputs["availabilityZoneId"] for each in run.of(SUBNET)} == {UNKNOWN}
