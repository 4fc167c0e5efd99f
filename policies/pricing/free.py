"""What costs nothing by itself, and why: every other type without a price is listed as having none."""

from __future__ import annotations

import functools
from fnmatch import fnmatchcase
from typing import Final

from policies.pricing.around import is_component

# Sources: the pricing pages of the services, 2026-11; "counted with" names the type that carries the cost.
_FREE: Final = (
    "aws:autoscaling/policy:Policy",
    "aws:autoscaling/schedule:Schedule",
    "aws:appautoscaling/*",
    "aws:athena/workgroup:Workgroup",  # queries are billed, by what they scan
    "aws:budgets/budget:Budget",  # those without actions
    "aws:cloudwatch/eventTarget:EventTarget",  # counted with the rule
    "aws:cloudwatch/log*Policy:*",
    "aws:cloudwatch/logStream:LogStream",
    "aws:costexplorer/*",
    "aws:ebs/encryptionByDefault:EncryptionByDefault",
    "aws:ec2/default*",
    "aws:ec2/eipAssociation:EipAssociation",
    "aws:ec2/flowLog:FlowLog",  # counted with the log group or bucket that it writes to
    "aws:ec2/internetGateway:InternetGateway",
    "aws:ec2/keyPair:KeyPair",
    "aws:ec2/launchTemplate:LaunchTemplate",  # counted with the groups that launch from it
    "aws:ec2/mainRouteTableAssociation:MainRouteTableAssociation",
    "aws:ec2/networkAcl*",
    "aws:ec2/networkInterface*",
    "aws:ec2/placementGroup:PlacementGroup",
    "aws:ec2/route*",
    "aws:ec2/securityGroup*",
    "aws:ec2/subnet:Subnet",
    "aws:ec2/tag:Tag",
    "aws:ec2/volumeAttachment:VolumeAttachment",
    "aws:ec2/vpc:Vpc",
    "aws:ec2/vpcDhcpOptions*",
    "aws:ec2/vpcEndpoint?*Association*",
    "aws:ec2/vpcEndpointPolicy:VpcEndpointPolicy",
    "aws:ec2/vpcIpv?CidrBlockAssociation*",
    "aws:ecr/*Policy*",
    "aws:ecr/pullThroughCacheRule:PullThroughCacheRule",  # counted with the repositories that it fills
    "aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate",
    "aws:efs/accessPoint:AccessPoint",
    "aws:efs/*Policy:*",
    "aws:efs/mountTarget:MountTarget",
    "aws:eks/accessEntry:AccessEntry",
    "aws:eks/accessPolicyAssociation:AccessPolicyAssociation",
    "aws:eks/addon:Addon",
    "aws:eks/identityProviderConfig:IdentityProviderConfig",
    "aws:eks/podIdentityAssociation:PodIdentityAssociation",
    "aws:glue/catalog*",  # up to a million objects
    "aws:glue/connection:Connection",
    "aws:glue/securityConfiguration:SecurityConfiguration",
    "aws:glue/trigger:Trigger",
    "aws:iam/*",
    "aws:index/*",
    "aws:kms/alias:Alias",
    "aws:kms/grant:Grant",
    "aws:kms/keyPolicy:KeyPolicy",
    "aws:lambda/permission:Permission",
    "aws:lb/listener*",  # counted with the load balancer
    "aws:lb/targetGroup*",
    "aws:alb/listener*",
    "aws:alb/targetGroup*",
    "aws:rds/parameterGroup:ParameterGroup",
    "aws:rds/optionGroup:OptionGroup",
    "aws:rds/subnetGroup:SubnetGroup",
    "aws:route53/record:Record",
    "aws:s3/*",  # counted with the bucket
    "aws:sagemaker/endpointConfiguration:EndpointConfiguration",  # counted with the endpoint
    "aws:sagemaker/model*",
    "aws:secretsmanager/secretPolicy:SecretPolicy",
    "aws:secretsmanager/secretRotation:SecretRotation",
    "aws:secretsmanager/secretVersion:SecretVersion",
    "aws:sns/topicPolicy:TopicPolicy",
    "aws:sns/topicSubscription:TopicSubscription",  # counted with the topic
    "aws:sqs/queuePolicy:QueuePolicy",
    "aws:vpc/securityGroup*Rule:*",
    "pulumi:*",
    "random:*",
    "tls:*",
)
# Objects of the Kubernetes API run on nodes that are counted, or don't run; these make things outside the cluster.
_MAKERS: Final = {
    "kubernetes:helm.sh/v3:Release": "what the chart makes is not seen: its pods run on the nodes that are counted, "
    "volumes and load balancers of it would cost extra",
    "kubernetes:*.services.k8s.aws/*": "it stands for a resource of AWS, whose price is not known from here",
    "kubernetes:*.crossplane.io/*": "it stands for a resource of a cloud, whose price is not known from here",
    "kubernetes:gateway.networking.k8s.io/*:Gateway": "its controller may make a load balancer for it",
}


@functools.cache
def reason_against(type_: str) -> str | None:
    """Why a type that has no price of its own can't be taken as free; None where it can."""
    if is_component(type_):
        return None
    for pattern, reason in _MAKERS.items():
        if fnmatchcase(type_, pattern):
            return reason
    if type_.startswith("kubernetes:") or any(fnmatchcase(type_, pattern) for pattern in _FREE):
        return None
    return f"no price is known for {type_}"
