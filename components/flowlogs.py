"""Flow logs: records of the connections in a VPC, to a log group or to a bucket."""

from __future__ import annotations

import enum
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.account import Account
from components.base import PlatformComponent
from components.roles import ServiceRoleArgs, service_role


class FlowLogDestination(enum.StrEnum):
    """Where records go."""

    LOG_GROUP = "cloud-watch-logs"
    BUCKET = "s3"


@dataclass(frozen=True)
class FlowLogChoices:
    """``traffic`` is ALL, ACCEPT or REJECT; connections are summed up over ``interval_seconds`` (60 or 600)."""

    destination: FlowLogDestination
    traffic: str
    interval_seconds: int


@dataclass(frozen=True)
class FlowLogsArgs:
    account: Account
    vpc_id: pulumi.Input[str]
    log_group_arn: pulumi.Input[str]
    bucket_arn: pulumi.Input[str]
    boundary_arn: pulumi.Input[str]
    choices: FlowLogChoices


class FlowLogs(PlatformComponent, area="network"):
    """The flow log of one VPC, and the role that delivers it where one is needed."""

    def __init__(self, name: str, args: FlowLogsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        to_group = args.choices.destination is FlowLogDestination.LOG_GROUP
        aws.ec2.FlowLog(
            self.child("vpc"),
            vpc_id=args.vpc_id,
            traffic_type=args.choices.traffic,
            max_aggregation_interval=args.choices.interval_seconds,
            log_destination_type=args.choices.destination.value,
            log_destination=args.log_group_arn if to_group else pulumi.Output.concat(args.bucket_arn, "/flow/"),
            iam_role_arn=self._delivery_role(args) if to_group else None,
            opts=self.options(),
        )
        self.register_outputs({})

    def _delivery_role(self, args: FlowLogsArgs) -> pulumi.Output[str]:
        # Source: Amazon VPC User Guide, "IAM role for publishing flow logs to CloudWatch Logs", 2026-11. It asks for
        # logs:CreateLogGroup besides; the group exists, and one that came back by itself would be neither encrypted
        # nor ever emptied.
        actions = ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"]
        group = args.log_group_arn
        role = service_role(
            self,
            "delivery",
            ServiceRoleArgs(
                account=args.account,
                service="vpc-flow-logs.amazonaws.com",
                sources=args.account.arn("ec2", "vpc-flow-log/*"),
                statements=[
                    {
                        "Sid": "WriteRecords",
                        "Effect": "Allow",
                        "Action": actions,
                        "Resource": [group, pulumi.Output.concat(group, ":*")],
                    },
                    {
                        "Sid": "FindGroup",
                        "Effect": "Allow",
                        "Action": ["logs:DescribeLogGroups"],
                        "Resource": args.account.arn("logs", "log-group:*"),
                    },
                ],
                boundary_arn=args.boundary_arn,
            ),
        )
        return role.arn
