"""A workspace of Amazon Managed Service for Prometheus: what Prometheus writes there outlives its own volume."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components import names
from components.account import Account
from components.base import PlatformComponent
from components.observability.aws_access import Workspace


@dataclass(frozen=True)
class AmpChoices:
    """Where to write to: a workspace that exists, by ARN, or None for one of our own."""

    workspace_arn: str | None
    protect: bool


@dataclass(frozen=True)
class MetricsWorkspaceArgs:
    """The keys (ARNs) encrypt the metrics and the log of what the workspace refuses."""

    account: Account
    metrics_key_arn: pulumi.Input[str]
    logs_key_arn: pulumi.Input[str]
    log_retention_days: int
    protect: bool


class MetricsWorkspace(PlatformComponent, area="observability"):
    """A workspace with its log: ``place`` is how others use it."""

    place: Workspace

    def __init__(self, name: str, args: MetricsWorkspaceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        group = aws.cloudwatch.LogGroup(
            self.child("log"),
            name=f"/{self.naming.path(names.LOG_GROUP, name)}",  # the key's policy relies on how it begins
            kms_key_id=args.logs_key_arn,
            retention_in_days=args.log_retention_days,
            opts=self.options(),
        )
        workspace = aws.amp.Workspace(
            self.child("workspace"),
            alias=self.physical(names.WORKSPACE, "metrics"),
            kms_key_arn=args.metrics_key_arn,
            logging_configuration={
                "log_group_arn": args.account.arn("logs", pulumi.Output.concat("log-group:", group.name, ":*"))
            },
            opts=self.options(protect=args.protect),
        )
        self.place = Workspace(
            arns=args.account.arn("aps", "workspace/*"),
            tags={"Project": self.naming.project, "Environment": self.naming.stack, "Component": name},
            endpoint=workspace.prometheus_endpoint,
            region=args.account.region,
            ready=[workspace],
        )
        self.register_outputs({"workspaceArn": workspace.arn})
