"""Monitoring's half in AWS: what its pods use there, made before them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from components.account import Account
from components.cluster import ClusterPlace
from components.keys import KeyPurpose
from components.observability.amp import AmpChoices, MetricsWorkspace, MetricsWorkspaceArgs
from components.observability.aws_access import (
    ACCESS,
    AwsAccess,
    AwsAccessArgs,
    AwsPlaces,
    Workspace,
    existing_workspace,
)


@dataclass(frozen=True)
class AwsHalfArgs:
    """``amp`` None: metrics stay in the cluster; ``topic_arn`` is known by name; ``keys`` are ARNs."""

    account: Account
    cluster: ClusterPlace
    boundary_arn: pulumi.Input[str]
    keys: Mapping[KeyPurpose, pulumi.Input[str]]
    log_retention_days: int
    namespace: str
    topic_arn: pulumi.Output[str]
    amp: AmpChoices | None


def needs_key(amp: AmpChoices | None) -> bool:
    """Whether there are metrics of ours in AWS to encrypt."""
    return amp is not None and amp.workspace_arn is None


def declare_aws_half(args: AwsHalfArgs, opts: pulumi.ResourceOptions) -> AwsPlaces:
    """Declares it below ``opts``."""
    workspace = None if args.amp is None else _workspace(args, args.amp, opts)
    access = AwsAccessArgs(args.account, args.cluster, args.boundary_arn, args.namespace, args.topic_arn, workspace)
    return AwsAccess(ACCESS, access, opts).places


def _workspace(args: AwsHalfArgs, amp: AmpChoices, opts: pulumi.ResourceOptions) -> Workspace:
    if amp.workspace_arn is not None:
        return existing_workspace(amp.workspace_arn)
    own = MetricsWorkspaceArgs(
        account=args.account,
        metrics_key_arn=args.keys[KeyPurpose.METRICS],
        logs_key_arn=args.keys[KeyPurpose.LOGS],
        log_retention_days=args.log_retention_days,
        protect=amp.protect,
    )
    return MetricsWorkspace("metrics-workspace", own, opts).place
