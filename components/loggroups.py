"""CloudWatch log groups: encrypted, and kept for as long as the environment says."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components import names
from components.base import PlatformComponent


class LogKind(enum.StrEnum):
    """What a log group holds."""

    NETWORK = "network-flow"
    WORKLOADS = "workloads"


@dataclass(frozen=True)
class LogGroupsArgs:
    kms_key_arn: pulumi.Input[str]
    retention_days: int


class LogGroups(PlatformComponent, area="observability"):
    """One log group per kind, by name and ARN. The key's policy relies on names beginning with ``/project/stack/``."""

    group_names: Mapping[LogKind, pulumi.Output[str]]
    arns: Mapping[LogKind, pulumi.Output[str]]

    def __init__(self, name: str, args: LogGroupsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        groups = {kind: self._group(kind, args) for kind in LogKind}
        self.group_names = {kind: group.name for kind, group in groups.items()}
        self.arns = {kind: group.arn for kind, group in groups.items()}
        self.register_outputs({"names": {kind.value: group for kind, group in self.group_names.items()}})

    def _group(self, kind: LogKind, args: LogGroupsArgs) -> aws.cloudwatch.LogGroup:
        return aws.cloudwatch.LogGroup(
            self.child(kind),
            name=f"/{self.naming.path(names.LOG_GROUP, kind)}",
            kms_key_id=args.kms_key_arn,
            retention_in_days=args.retention_days,
            opts=self.options(),
        )
