"""Alerts: one encrypted SNS topic that AWS's cost services and our alarms publish to, and who gets what they say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components import names
from components.account import Account
from components.base import PlatformComponent
from components.statements import Statement, document


@dataclass(frozen=True)
class AlertsArgs:
    account: Account
    kms_key_arn: pulumi.Input[str]
    emails: Sequence[str]


class Alerts(PlatformComponent, area="observability"):
    """The topic of this deployment; ``topic_arn`` is known to publishers once its policy is in place.

    ``arn_by_name`` is the same, and known to every preview: it is for policies.
    """

    topic_arn: pulumi.Output[str]
    arn_by_name: pulumi.Output[str]

    def __init__(self, name: str, args: AlertsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        topic = aws.sns.Topic(
            self.child("topic"),
            name=self.physical(names.TOPIC, "alerts"),
            kms_master_key_id=args.kms_key_arn,
            opts=self.options(),
        )
        self.arn_by_name = by_name = args.account.arn("sns", topic.name)
        policy = aws.sns.TopicPolicy(
            self.child("topic"),
            arn=topic.arn,
            policy=document(
                [
                    self._publishers(by_name, args.account),
                    self._alarms(by_name, args.account),
                    self._tls_only(by_name),
                ]
            ),
            opts=self.options(),
        )
        for email in args.emails:
            aws.sns.TopicSubscription(
                self.child("email", names.digest(email)),
                topic=topic.arn,
                protocol="email",
                endpoint=email,
                opts=self.options(),
            )
        # AWS Budgets tries to publish when a budget is made, so what uses the topic has to wait for its policy.
        self.topic_arn = policy.arn
        self.register_outputs({"topicArn": self.topic_arn})

    def _publishers(self, topic: pulumi.Output[str], account: Account) -> Statement:
        return {
            "Sid": "CostServicesPublish",
            "Effect": "Allow",
            "Principal": {"Service": ["budgets.amazonaws.com", "costalerts.amazonaws.com"]},
            "Action": "sns:Publish",
            "Resource": topic,
            "Condition": {"StringEquals": {"aws:SourceAccount": account.account_id}},
        }

    def _alarms(self, topic: pulumi.Output[str], account: Account) -> Statement:
        # Source: Amazon SNS Developer Guide, "Example cases for Amazon SNS access control", CloudWatch alarms, 2026-11.
        ours = account.arn("cloudwatch", f"alarm:{self.physical(names.ALARM)}-*")
        return {
            "Sid": "AlarmsPublish",
            "Effect": "Allow",
            "Principal": {"Service": "cloudwatch.amazonaws.com"},
            "Action": "sns:Publish",
            "Resource": topic,
            "Condition": {
                "StringEquals": {"aws:SourceAccount": account.account_id},
                "ArnLike": {"aws:SourceArn": ours},
            },
        }

    def _tls_only(self, topic: pulumi.Output[str]) -> Statement:
        return {
            "Sid": "DenyWithoutTls",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "sns:Publish",
            "Resource": topic,
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
