"""An ordinary Pulumi policy pack, with cases that `bedplate policy test policies/example` asks.

It knows nothing of Bedplate: ``pulumi preview --policy-pack policies/example`` runs it, and so does a stack whose
settings name it, with Pulumi's own form of configuration:

    bedplate:policy:
      packs: [{path: policies/example, config: {queue-is-short-lived: {days: 7}}}]
"""

from collections.abc import Mapping
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    PolicyConfigSchema,
    PolicyPack,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError

QUEUE = "aws:sqs/queue:Queue"


def queue_keeps_failures(args: ResourceValidationArgs, report_violation: ReportViolation) -> None:
    """A message that can't be handled is tried for ever, or lost, unless the queue hands it on."""
    if args.resource_type != QUEUE:
        return
    try:
        if "redrivePolicy" not in args.props:
            report_violation("redrivePolicy is missing: failed messages go nowhere", None)
    except UnknownValueError as unknown:
        # It names a dead-letter queue that is only made in this run. Left to the SDK, it would end this policy with an
        # advisory message, even where the policy is mandatory: catch it, and decide what an unknown value means.
        assert unknown.props == ["redrivePolicy"]


def queue_is_short_lived(args: ResourceValidationArgs, report_violation: ReportViolation) -> None:
    """Messages don't wait longer than people would look for them."""
    if args.resource_type != QUEUE:
        return
    most = int(args.get_config().get("days", 4))
    try:
        days = args.props.get("messageRetentionSeconds", 345_600) / 86_400
    except UnknownValueError:
        report_violation("messageRetentionSeconds is not known before the change is applied: give a plain value", None)
        return
    if days > most:
        report_violation(f"messages wait {days:g} days, more than {most}", None)


def shorten(args: ResourceValidationArgs) -> Mapping[str, Any] | None:
    """What `remediate` makes of a queue: the properties as they are to be, or None."""
    most = int(args.get_config().get("days", 4)) * 86_400
    if args.resource_type != QUEUE or args.props.get("messageRetentionSeconds", 0) <= most:
        return None
    return {**args.props, "messageRetentionSeconds": most}


PolicyPack(
    "example",
    enforcement_level=EnforcementLevel.MANDATORY,
    policies=[
        ResourceValidationPolicy("queue-keeps-failures", "Queues hand on what can't be handled", queue_keeps_failures),
        ResourceValidationPolicy(
            "queue-is-short-lived",
            "Messages don't wait for weeks",
            queue_is_short_lived,
            EnforcementLevel.ADVISORY,
            PolicyConfigSchema({"days": {"type": "integer", "minimum": 1, "default": 4}}),
            remediate=shorten,  # pyright: ignore[reportArgumentType] - the SDK takes plain properties, too
        ),
    ],
)
