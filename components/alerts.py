"""Alerts: one encrypted SNS topic that AWS's cost services may publish to, and who gets what is published."""

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
    """The topic of this deployment; ``topic_arn`` is known to publishers once its policy is in place."""

    topic_arn: pulumi.Output[str]

    def __init__(self, name: str, args: AlertsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        topic = aws.sns.Topic(
            self.child("topic"),
            name=self.physical(names.TOPIC, "alerts"),
            kms_master_key_id=args.kms_key_arn,
            opts=self.options(),
        )
        by_name = args.account.arn("sns", topic.name)
        policy = aws.sns.TopicPolicy(
            self.child("topic"),
            arn=topic.arn,
            policy=document([self._publishers(by_name, args.account), self._tls_only(by_name)]),
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

    def _tls_only(self, topic: pulumi.Output[str]) -> Statement:
        return {
            "Sid": "DenyWithoutTls",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "sns:Publish",
            "Resource": topic,
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
