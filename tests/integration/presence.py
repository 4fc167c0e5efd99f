"""Whether AWS has what a state says there is: each resource asked for by itself through boto3, with its tags.

Nothing here knows the product's specifications: it is a second opinion.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from botocore.exceptions import ClientError

Client = Callable[[str], Any]
Resource = Mapping[str, Any]
Tags = dict[str, str]
Look = Callable[[Client, Resource], "Tags | None"]

DEPLOYMENT_TAGS: Final = frozenset(
    ("Project", "Environment", "Team", "Owner", "CostCenter", "DeploymentId", "ManagedBy")
)


class Absent(Exception):
    """AWS does not have it."""


def tags_of(client: Client, resource: Resource) -> Tags | None:
    """The tags that AWS has of ``resource``; None for a type that cannot have any. Raises Absent."""
    try:
        return LOOKS[resource["type"]](client, resource)
    except ClientError as error:
        raise Absent(f"{resource['urn']}: {error}") from error
    except (IndexError, KeyError) as error:
        raise Absent(f"{resource['urn']} {resource['id']}: {error!r}") from error


def present(client: Client, resource: Resource) -> bool:
    """Whether AWS has ``resource``."""
    try:
        tags_of(client, resource)
    except Absent:
        return False
    return True


def managed(resources: Iterable[Resource]) -> list[Resource]:
    """Those that exist in AWS; components and providers exist in the state only."""
    return [one for one in resources if one["custom"] and one["type"].startswith("aws:")]


def _listed(tags: Iterable[Mapping[str, str]], key: str = "Key", value: str = "Value") -> Tags:
    return {tag[key]: tag[value] for tag in tags}


def _ec2(operation: str, parameter: str, key: str) -> Look:
    def look(client: Client, resource: Resource) -> Tags:
        found = getattr(client("ec2"), operation)(**{parameter: [resource["id"]]})[key][0]
        if found.get("State") in ("deleted", "deleting"):
            raise Absent(f"{resource['urn']} is {found['State']}")
        return _listed(found.get("Tags", ()))

    return look


def _ce(operation: str, parameter: str, key: str) -> Look:
    def look(client: Client, resource: Resource) -> Tags:
        _ = getattr(client("ce"), operation)(**{parameter: [resource["id"]]})[key][0]
        return _listed(client("ce").list_tags_for_resource(ResourceArn=resource["id"])["ResourceTags"])

    return look


def _s3(operation: str, key: str) -> Look:
    """A part of a bucket: it has no tags, and where it is not set its answer lacks ``key``."""

    def look(client: Client, resource: Resource) -> None:
        _ = getattr(client("s3"), operation)(Bucket=resource["id"])[key]

    return look


def _bucket(client: Client, resource: Resource) -> Tags:
    return _listed(client("s3").get_bucket_tagging(Bucket=resource["id"])["TagSet"])


def _key(client: Client, resource: Resource) -> Tags:
    kms = client("kms")
    if kms.describe_key(KeyId=resource["id"])["KeyMetadata"]["KeyState"] != "Enabled":
        raise Absent(f"{resource['urn']} is on its way out")
    return _listed(kms.list_resource_tags(KeyId=resource["id"])["Tags"], "TagKey", "TagValue")


def _alias(client: Client, resource: Resource) -> None:
    aliases = {each["AliasName"]: each for each in client("kms").list_aliases()["Aliases"]}
    assert aliases[resource["id"]]["TargetKeyId"] == resource["outputs"]["targetKeyId"]


def _policy(client: Client, resource: Resource) -> Tags:
    return _listed(client("iam").get_policy(PolicyArn=resource["id"])["Policy"].get("Tags", ()))


def _role(client: Client, resource: Resource) -> Tags:
    return _listed(client("iam").get_role(RoleName=resource["id"])["Role"].get("Tags", ()))


def _role_policy(client: Client, resource: Resource) -> None:
    outputs = resource["outputs"]
    client("iam").get_role_policy(RoleName=outputs["role"], PolicyName=outputs["name"])


def _group(client: Client, resource: Resource) -> Tags:
    logs = client("logs")
    groups = logs.describe_log_groups(logGroupNamePrefix=resource["id"])["logGroups"]
    found = {each["logGroupName"]: each for each in groups}[resource["id"]]
    return logs.list_tags_for_resource(resourceArn=found["arn"].removesuffix(":*"))["tags"]


def _topic(client: Client, resource: Resource) -> Tags:
    client("sns").get_topic_attributes(TopicArn=resource["id"])
    return _listed(client("sns").list_tags_for_resource(ResourceArn=resource["id"])["Tags"])


def _topic_policy(client: Client, resource: Resource) -> None:
    # A topic always has a policy; ours is another than the one that AWS gives it.
    policy = client("sns").get_topic_attributes(TopicArn=resource["id"])["Attributes"]["Policy"]
    if "__default_policy_ID" in policy:
        raise Absent(f"{resource['urn']}: the topic has the policy that AWS gave it")


def _subscription(client: Client, resource: Resource) -> None:
    subscriptions = client("sns").list_subscriptions()["Subscriptions"]
    _ = {each["SubscriptionArn"]: each for each in subscriptions}[resource["id"]]


def _repository(client: Client, resource: Resource) -> Tags:
    found = client("ecr").describe_repositories(repositoryNames=[resource["id"]])["repositories"][0]
    return _listed(client("ecr").list_tags_for_resource(resourceArn=found["repositoryArn"])["tags"])


def _images(client: Client, resource: Resource) -> None:
    client("ecr").get_lifecycle_policy(repositoryName=resource["id"])


def _cache(client: Client, resource: Resource) -> None:
    rules = client("ecr").describe_pull_through_cache_rules(ecrRepositoryPrefixes=[resource["id"]])
    _ = rules["pullThroughCacheRules"][0]


def _template(client: Client, resource: Resource) -> None:
    """What a pull-through cache makes its repositories from; its own tags are those that it gives to them."""
    templates = client("ecr").describe_repository_creation_templates(prefixes=[resource["id"]])
    _ = templates["repositoryCreationTemplates"][0]


def _budget(client: Client, resource: Resource) -> Tags:
    account, name = resource["id"].split(":")
    client("budgets").describe_budget(AccountId=account, BudgetName=name)
    arn = resource["outputs"]["arn"]
    return _listed(client("budgets").list_tags_for_resource(ResourceARN=arn)["ResourceTags"])


def _category(client: Client, resource: Resource) -> Tags:
    client("ce").describe_cost_category_definition(CostCategoryArn=resource["id"])
    return _listed(client("ce").list_tags_for_resource(ResourceArn=resource["id"])["ResourceTags"])


def _pod_range(client: Client, resource: Resource) -> None:
    vpc = client("ec2").describe_vpcs(VpcIds=[resource["outputs"]["vpcId"]])["Vpcs"][0]
    associations = {each["AssociationId"]: each for each in vpc["CidrBlockAssociationSet"]}
    if associations[resource["id"]]["CidrBlockState"]["State"] != "associated":
        raise Absent(f"{resource['urn']} is not associated")


def _table(client: Client, resource: Resource) -> Any:
    return client("ec2").describe_route_tables(RouteTableIds=[resource["outputs"]["routeTableId"]])["RouteTables"][0]


def _attachment(client: Client, resource: Resource) -> None:
    outputs = resource["outputs"]
    attached = client("iam").list_attached_role_policies(RoleName=outputs["role"])["AttachedPolicies"]
    _ = {each["PolicyArn"]: each for each in attached}[outputs["policyArn"]]


def _profile(client: Client, resource: Resource) -> Tags:
    found = client("iam").get_instance_profile(InstanceProfileName=resource["id"])["InstanceProfile"]
    assert found["Roles"][0]["RoleName"] == resource["outputs"]["role"]
    return _listed(found.get("Tags", ()))


def _cluster(client: Client, resource: Resource) -> Tags:
    return client("eks").describe_cluster(name=resource["id"])["cluster"]["tags"]


def _of_cluster(operation: str, key: str, **parameters: str) -> Look:
    """Something that belongs to a cluster of EKS; ``parameters`` are the call's, by the output that has the value."""

    def look(client: Client, resource: Resource) -> Tags:
        given = {name: resource["outputs"][output] for name, output in parameters.items()}
        return getattr(client("eks"), operation)(clusterName=resource["outputs"]["clusterName"], **given)[key]["tags"]

    return look


def _access_policy(client: Client, resource: Resource) -> None:
    outputs = resource["outputs"]
    associated = client("eks").list_associated_access_policies(
        clusterName=outputs["clusterName"], principalArn=outputs["principalArn"]
    )["associatedAccessPolicies"]
    _ = {each["policyArn"]: each for each in associated}[outputs["policyArn"]]


def _placement(client: Client, resource: Resource) -> Tags:
    groups = client("ec2").describe_placement_groups(GroupNames=[resource["id"]])["PlacementGroups"]
    return _listed(groups[0].get("Tags", ()))


def _action(client: Client, resource: Resource) -> None:
    outputs = resource["outputs"]
    actions = client("autoscaling").describe_scheduled_actions(AutoScalingGroupName=outputs["autoscalingGroupName"])
    named = {each["ScheduledActionName"]: each for each in actions["ScheduledUpdateGroupActions"]}
    _ = named[outputs["scheduledActionName"]]


def _reservation(client: Client, resource: Resource) -> Tags:
    found = client("ec2").describe_capacity_reservations(CapacityReservationIds=[resource["id"]])
    reservation = found["CapacityReservations"][0]
    if reservation["State"] != "active":
        raise Absent(f"{resource['urn']} is {reservation['State']}")
    return _listed(reservation.get("Tags", ()))


def _queue(client: Client, resource: Resource) -> Tags:
    return client("sqs").list_queue_tags(QueueUrl=resource["id"]).get("Tags", {})


def _queue_policy(client: Client, resource: Resource) -> None:
    attributes = client("sqs").get_queue_attributes(QueueUrl=resource["id"], AttributeNames=["Policy"])
    _ = attributes["Attributes"]["Policy"]


def _alarm(client: Client, resource: Resource) -> Tags:
    alarm = client("cloudwatch").describe_alarms(AlarmNames=[resource["id"]])["MetricAlarms"][0]
    return _listed(client("cloudwatch").list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"])


def _dashboard(client: Client, resource: Resource) -> None:
    _ = client("cloudwatch").get_dashboard(DashboardName=resource["id"])["DashboardBody"]


def _rule(client: Client, resource: Resource) -> Tags:
    events = client("events")
    arn = events.describe_rule(Name=resource["id"])["Arn"]
    return _listed(events.list_tags_for_resource(ResourceARN=arn)["Tags"])


def _target(client: Client, resource: Resource) -> None:
    targets = client("events").list_targets_by_rule(Rule=resource["outputs"]["rule"])["Targets"]
    _ = {each["Id"]: each for each in targets}[resource["outputs"]["targetId"]]


def _route(client: Client, resource: Resource) -> None:
    routes = {route.get("DestinationCidrBlock") for route in _table(client, resource)["Routes"]}
    if resource["outputs"]["destinationCidrBlock"] not in routes:
        raise Absent(f"{resource['urn']}: no such route")


def _association(client: Client, resource: Resource) -> None:
    associations = _table(client, resource)["Associations"]
    _ = {each["RouteTableAssociationId"]: each for each in associations}[resource["id"]]


LOOKS: Final[Mapping[str, Look]] = {
    "aws:budgets/budget:Budget": _budget,
    "aws:autoscaling/schedule:Schedule": _action,
    "aws:cloudwatch/dashboard:Dashboard": _dashboard,
    "aws:cloudwatch/eventRule:EventRule": _rule,
    "aws:cloudwatch/eventTarget:EventTarget": _target,
    "aws:cloudwatch/logGroup:LogGroup": _group,
    "aws:cloudwatch/metricAlarm:MetricAlarm": _alarm,
    "aws:costexplorer/anomalyMonitor:AnomalyMonitor": _ce("get_anomaly_monitors", "MonitorArnList", "AnomalyMonitors"),
    "aws:costexplorer/anomalySubscription:AnomalySubscription": _ce(
        "get_anomaly_subscriptions", "SubscriptionArnList", "AnomalySubscriptions"
    ),
    "aws:costexplorer/costCategory:CostCategory": _category,
    "aws:ec2/capacityReservation:CapacityReservation": _reservation,
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": _ec2("describe_security_groups", "GroupIds", "SecurityGroups"),
    "aws:ec2/eip:Eip": _ec2("describe_addresses", "AllocationIds", "Addresses"),
    "aws:ec2/flowLog:FlowLog": _ec2("describe_flow_logs", "FlowLogIds", "FlowLogs"),
    "aws:ec2/internetGateway:InternetGateway": _ec2(
        "describe_internet_gateways", "InternetGatewayIds", "InternetGateways"
    ),
    "aws:ec2/launchTemplate:LaunchTemplate": _ec2("describe_launch_templates", "LaunchTemplateIds", "LaunchTemplates"),
    "aws:ec2/natGateway:NatGateway": _ec2("describe_nat_gateways", "NatGatewayIds", "NatGateways"),
    "aws:ec2/placementGroup:PlacementGroup": _placement,
    "aws:ec2/route:Route": _route,
    "aws:ec2/routeTable:RouteTable": _ec2("describe_route_tables", "RouteTableIds", "RouteTables"),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": _association,
    "aws:ec2/securityGroup:SecurityGroup": _ec2("describe_security_groups", "GroupIds", "SecurityGroups"),
    "aws:ec2/subnet:Subnet": _ec2("describe_subnets", "SubnetIds", "Subnets"),
    "aws:ec2/vpc:Vpc": _ec2("describe_vpcs", "VpcIds", "Vpcs"),
    "aws:ec2/vpcEndpoint:VpcEndpoint": _ec2("describe_vpc_endpoints", "VpcEndpointIds", "VpcEndpoints"),
    "aws:ec2/vpcIpv4CidrBlockAssociation:VpcIpv4CidrBlockAssociation": _pod_range,
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": _images,
    "aws:ecr/pullThroughCacheRule:PullThroughCacheRule": _cache,
    "aws:ecr/repository:Repository": _repository,
    "aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate": _template,
    "aws:eks/accessEntry:AccessEntry": _of_cluster("describe_access_entry", "accessEntry", principalArn="principalArn"),
    "aws:eks/accessPolicyAssociation:AccessPolicyAssociation": _access_policy,
    "aws:eks/addon:Addon": _of_cluster("describe_addon", "addon", addonName="addonName"),
    "aws:eks/cluster:Cluster": _cluster,
    "aws:eks/nodeGroup:NodeGroup": _of_cluster("describe_nodegroup", "nodegroup", nodegroupName="nodeGroupName"),
    "aws:eks/podIdentityAssociation:PodIdentityAssociation": _of_cluster(
        "describe_pod_identity_association", "association", associationId="associationId"
    ),
    "aws:iam/instanceProfile:InstanceProfile": _profile,
    "aws:iam/policy:Policy": _policy,
    "aws:iam/role:Role": _role,
    "aws:iam/rolePolicy:RolePolicy": _role_policy,
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": _attachment,
    "aws:kms/alias:Alias": _alias,
    "aws:kms/key:Key": _key,
    "aws:s3/bucket:Bucket": _bucket,
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _s3(
        "get_bucket_lifecycle_configuration", "Rules"
    ),
    "aws:s3/bucketLogging:BucketLogging": _s3("get_bucket_logging", "LoggingEnabled"),
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration": _s3(
        "get_object_lock_configuration", "ObjectLockConfiguration"
    ),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _s3("get_bucket_ownership_controls", "OwnershipControls"),
    "aws:s3/bucketPolicy:BucketPolicy": _s3("get_bucket_policy", "Policy"),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _s3(
        "get_public_access_block", "PublicAccessBlockConfiguration"
    ),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _s3(
        "get_bucket_encryption", "ServerSideEncryptionConfiguration"
    ),
    "aws:s3/bucketVersioning:BucketVersioning": _s3("get_bucket_versioning", "Status"),
    "aws:sns/topic:Topic": _topic,
    "aws:sns/topicPolicy:TopicPolicy": _topic_policy,
    "aws:sns/topicSubscription:TopicSubscription": _subscription,
    "aws:sqs/queue:Queue": _queue,
    "aws:sqs/queuePolicy:QueuePolicy": _queue_policy,
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": _ec2(
        "describe_security_group_rules", "SecurityGroupRuleIds", "SecurityGroupRules"
    ),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _ec2(
        "describe_security_group_rules", "SecurityGroupRuleIds", "SecurityGroupRules"
    ),
}
