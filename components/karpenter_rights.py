"""What Karpenter may do in AWS: make and end instances of its own cluster, and look at what there is to buy.

Source: Karpenter 1.14, "Getting started", reference CloudFormation template, 2026-08; without what it takes to make
instance profiles, since ours is made by us.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import pulumi

from components.account import Account
from components.roles import FOR_SPOT
from components.statements import Statement

_MADE = ("fleet", "instance", "volume", "network-interface", "launch-template", "spot-instances-request")
_USED = ("security-group", "subnet", "capacity-reservation", "placement-group")
_READ: Final = [
    "ec2:DescribeCapacityReservations",
    "ec2:DescribeImages",
    "ec2:DescribeInstances",
    "ec2:DescribeInstanceStatus",
    "ec2:DescribeInstanceTypeOfferings",
    "ec2:DescribeInstanceTypes",
    "ec2:DescribeLaunchTemplates",
    "ec2:DescribePlacementGroups",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSpotPriceHistory",
    "ec2:DescribeSubnets",
]
_POOL = "karpenter.sh/nodepool"


@dataclass(frozen=True)
class Controlled:
    """What the controller works on and with."""

    account: Account
    cluster_name: str
    cluster_arn: pulumi.Input[str]
    node_role_arn: pulumi.Input[str]
    queue_arn: pulumi.Input[str]


def statements(about: Controlled) -> list[Statement]:
    """The policy of the controller's role."""
    return [*_making(about), *_ending(about), *_reading(about), *_using(about)]


def _making(about: Controlled) -> list[Statement]:
    cluster = about.cluster_name
    asked = {f"aws:RequestTag/kubernetes.io/cluster/{cluster}": "owned", "aws:RequestTag/eks:eks-cluster-name": cluster}
    of_a_pool = {f"aws:RequestTag/{_POOL}": "*"}
    make = ["ec2:RunInstances", "ec2:CreateFleet"]
    return [
        _allow(
            "InstancesInWhatThereIs",
            make,
            [_public(about, "image"), _public(about, "snapshot"), *_own(about, *_USED)],
        ),
        _allow("InstancesByOwnTemplates", make, _own(about, "launch-template"), _owned(about)),
        _allow(
            "InstancesWithTags",
            [*make, "ec2:CreateLaunchTemplate"],
            _own(about, *_MADE),
            {"StringEquals": asked, "StringLike": of_a_pool},
        ),
        _allow(
            "TagsAtCreation",
            ["ec2:CreateTags"],
            _own(about, *_MADE),
            {
                "StringEquals": {**asked, "ec2:CreateAction": ["RunInstances", "CreateFleet", "CreateLaunchTemplate"]},
                "StringLike": of_a_pool,
            },
        ),
        _allow(
            "NamesOfOwnInstances",
            ["ec2:CreateTags"],
            _own(about, "instance"),
            {
                **_owned(about),
                "StringEqualsIfExists": {"aws:RequestTag/eks:eks-cluster-name": cluster},
                "ForAllValues:StringEquals": {
                    "aws:TagKeys": ["eks:eks-cluster-name", "karpenter.sh/nodeclaim", "Name"]
                },
            },
        ),
    ]


def _ending(about: Controlled) -> list[Statement]:
    actions = ["ec2:TerminateInstances", "ec2:DeleteLaunchTemplate"]
    return [_allow("EndOwn", actions, _own(about, "instance", "launch-template"), _owned(about))]


def _reading(about: Controlled) -> list[Statement]:
    region = {"StringEquals": {"aws:RequestedRegion": about.account.region}}
    images = pulumi.Output.format(
        "arn:{0}:ssm:{1}::parameter/aws/service/*", about.account.partition, about.account.region
    )
    profiles = pulumi.Output.format(
        "arn:{0}:iam::{1}:instance-profile/*", about.account.partition, about.account.account_id
    )
    return [
        _allow("WhatThereIs", _READ, "*", region),
        _allow("Images", ["ssm:GetParameter"], images),
        _allow("Prices", ["pricing:GetProducts"], "*"),
        _allow("Profiles", ["iam:ListInstanceProfiles"], "*"),
        _allow("Profile", ["iam:GetInstanceProfile"], profiles),
    ]


def _using(about: Controlled) -> list[Statement]:
    return [
        _allow("Cluster", ["eks:DescribeCluster"], about.cluster_arn),
        _allow("Queue", ["sqs:DeleteMessage", "sqs:GetQueueUrl", "sqs:ReceiveMessage"], about.queue_arn),
        _allow(
            "RoleOfNodes",
            ["iam:PassRole"],
            about.node_role_arn,
            {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}},
        ),
        # In an account that never bought Spot its own role is missing, which then nobody but the first buyer makes.
        _allow("RoleOfSpot", ["iam:CreateServiceLinkedRole"], _role_of_spot(about), FOR_SPOT),
    ]


def _role_of_spot(about: Controlled) -> pulumi.Output[str]:
    role = "role/aws-service-role/spot.amazonaws.com/AWSServiceRoleForEC2Spot"
    return pulumi.Output.format("arn:{0}:iam::{1}:{2}", about.account.partition, about.account.account_id, role)


def _allow(sid: str, actions: list[str], resource: Any, condition: Any = None) -> Statement:
    statement = {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource}
    return statement if condition is None else {**statement, "Condition": condition}


def _own(about: Controlled, *kinds: str) -> list[pulumi.Output[str]]:
    return [about.account.arn("ec2", f"{kind}/*") for kind in kinds]


def _public(about: Controlled, kind: str) -> pulumi.Output[str]:
    return pulumi.Output.format("arn:{0}:ec2:{1}::{2}/*", about.account.partition, about.account.region, kind)


def _owned(about: Controlled) -> dict[str, Any]:
    tag = f"aws:ResourceTag/kubernetes.io/cluster/{about.cluster_name}"
    return {"StringEquals": {tag: "owned"}, "StringLike": {f"aws:ResourceTag/{_POOL}": "*"}}
