"""What AWS announces of instances that will go, in a queue that Karpenter reads, so that pods move in time.

Source: Karpenter 1.14 documentation, "Interruption", and its reference CloudFormation template, 2026-08.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_aws as aws

from components import names
from components.account import Account
from components.base import PlatformComponent
from components.statements import document

# Rules by name: the source and the kind of event.
EVENTS: Final[Mapping[str, tuple[str, str]]] = {
    "health": ("aws.health", "AWS Health Event"),
    "spot": ("aws.ec2", "EC2 Spot Instance Interruption Warning"),
    "rebalance": ("aws.ec2", "EC2 Instance Rebalance Recommendation"),
    "state": ("aws.ec2", "EC2 Instance State-change Notification"),
    "reservation": ("aws.ec2", "EC2 Capacity Reservation Instance Interruption Warning"),
}
_KEEP_SECONDS: Final = 300  # an announcement that is older is of an instance that has gone


@dataclass(frozen=True)
class InterruptionsArgs:
    account: Account


class Interruptions(PlatformComponent, area="nodes"):
    """The queue, by name and ARN, and the rules that fill it; ``ready`` is what must stand for it to work."""

    queue_name: pulumi.Output[str]
    queue_arn: pulumi.Output[str]
    ready: Sequence[pulumi.Resource]

    def __init__(self, name: str, args: InterruptionsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._account = args.account
        queue = aws.sqs.Queue(
            self.child("queue"),
            name=self.physical(names.QUEUE, "interruptions"),
            message_retention_seconds=_KEEP_SECONDS,
            sqs_managed_sse_enabled=True,
            opts=self.options(),
        )
        self.queue_name, self.queue_arn = queue.name, args.account.arn("sqs", queue.name)
        rules = [self._rule(part, *event) for part, event in EVENTS.items()]
        policy = self._let_in(queue, rules)
        targets = [self._target(part, rule, queue, policy) for part, rule in zip(EVENTS, rules, strict=True)]
        self.ready = [queue, policy, *targets]
        self.register_outputs({"queueName": queue.name})

    def _rule(self, part: str, source: str, kind: str) -> aws.cloudwatch.EventRule:
        return aws.cloudwatch.EventRule(
            self.child(part),
            name=self.physical(names.EVENT_RULE, "nodes", part),
            description=f"{kind}: to Karpenter",
            event_pattern=json.dumps({"source": [source], "detail-type": [kind]}),
            opts=self.options(),
        )

    def _let_in(self, queue: aws.sqs.Queue, rules: Sequence[aws.cloudwatch.EventRule]) -> aws.sqs.QueuePolicy:
        statements = [
            {
                "Sid": "EventsOfThisDeployment",
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": self.queue_arn,
                "Condition": {
                    "StringEquals": {"aws:SourceAccount": self._account.account_id},
                    "ArnEquals": {"aws:SourceArn": [self._arn(rule) for rule in rules]},
                },
            },
            {
                "Sid": "DenyWithoutTls",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "sqs:*",
                "Resource": self.queue_arn,
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
        ]
        return aws.sqs.QueuePolicy(
            self.child("queue"), queue_url=queue.url, policy=document(statements), opts=self.options()
        )

    def _arn(self, rule: aws.cloudwatch.EventRule) -> pulumi.Output[str]:
        return self._account.arn("events", pulumi.Output.concat("rule/", rule.name))

    def _target(
        self, part: str, rule: aws.cloudwatch.EventRule, queue: aws.sqs.Queue, policy: pulumi.Resource
    ) -> aws.cloudwatch.EventTarget:
        return aws.cloudwatch.EventTarget(
            self.child(part),
            rule=rule.name,
            target_id=part,
            arn=queue.arn,
            # An event that comes before it may is lost.
            opts=self.options(depends_on=[policy]),
        )
