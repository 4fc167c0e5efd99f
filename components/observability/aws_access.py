"""What Prometheus and Alertmanager may do in AWS: write to one workspace, publish to one topic, and nothing else.

Both have their rights through EKS Pod Identity, by the names of their service accounts, so they need a cluster of our
own: of somebody else's only a kubeconfig is known. Their pods have to reach the agent (``allow_pod_identity``) and AWS
(``allow_https``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_aws as aws

from components import names
from components.account import Account
from components.base import PlatformComponent
from components.cluster import ClusterPlace
from components.keys import KeyPurpose, KeyUser
from components.names import Naming
from components.observability.arns import WORKSPACE_ARN
from components.roles import MadeRole, Permissions, PodRoleArgs, pod_role
from components.statements import Statement

# Service accounts in the namespace of monitoring.
PROMETHEUS: Final = "prometheus"
ALERTMANAGER: Final = "alertmanager"
_WRITE: Final = "api/v1/remote_write"
# What the component is called whose roles the keys know by name.
ACCESS: Final = "monitoring-access"


@dataclass(frozen=True)
class AmpPlace:
    """Where Prometheus writes to: ``url``, signed for ``region`` (SigV4, service ``aps``) by its pods' ``role`` (ARN).

    ``ready`` must stand before the first write.
    """

    url: pulumi.Output[str]
    region: str
    role: pulumi.Output[str]
    ready: Sequence[pulumi.Resource]


@dataclass(frozen=True)
class TopicPlace:
    """The topic that Alertmanager publishes to, signed for ``region`` by its pods' ``role`` (ARN)."""

    arn: pulumi.Output[str]
    region: str
    role: pulumi.Output[str]
    ready: Sequence[pulumi.Resource]


@dataclass(frozen=True)
class AwsPlaces:
    """What monitoring works with in AWS; ``amp`` None: its metrics stay in the cluster."""

    amp: AmpPlace | None
    topic: TopicPlace


@dataclass(frozen=True)
class Workspace:
    """A workspace of Amazon Managed Service for Prometheus: ``endpoint`` ends in a slash.

    ``arns`` is what policies call it, which a preview knows: its ARN, or a pattern of it that only a workspace with
    ``tags`` is meant by.
    """

    arns: pulumi.Output[str]
    tags: Mapping[str, str]
    endpoint: pulumi.Output[str]
    region: str
    ready: Sequence[pulumi.Resource] = ()


def existing_workspace(arn: str) -> Workspace:
    """The workspace that somebody else runs; its region and address follow from its ARN."""
    found = WORKSPACE_ARN.fullmatch(arn)
    assert found is not None, "the settings take no other ARN"
    suffix = "amazonaws.com.cn" if found["partition"] == "aws-cn" else "amazonaws.com"
    # Source: AWS General Reference, "Amazon Managed Service for Prometheus endpoints and quotas", 2026-11.
    endpoint = f"https://aps-workspaces.{found['region']}.{suffix}/workspaces/{found['id']}/"
    return Workspace(pulumi.Output.from_input(arn), {}, pulumi.Output.from_input(endpoint), found["region"])


@dataclass(frozen=True)
class AwsAccessArgs:
    """``workspace`` None: nothing is written to AWS; ``namespace`` is where the pods are.

    The topic is known by its name, and so are policies that hold its ARN.
    """

    account: Account
    cluster: ClusterPlace
    boundary_arn: pulumi.Input[str]
    namespace: str
    topic_arn: pulumi.Output[str]
    workspace: Workspace | None


class AwsAccess(PlatformComponent, area="observability"):
    """The roles of monitoring's pods: ``places`` says what they are for."""

    places: AwsPlaces

    def __init__(self, name: str, args: AwsAccessArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._args = args
        self.places = AwsPlaces(
            amp=None if args.workspace is None else self._writer(args.workspace), topic=self._publisher()
        )
        self.register_outputs({})

    def _writer(self, workspace: Workspace) -> AmpPlace:
        # Source: Amazon Managed Service for Prometheus User Guide, "Set up IAM roles for ingestion", 2026-11; without
        # its Get* actions, which are for those who ask.
        may = _allow("WritesToTheWorkspace", "aps:RemoteWrite", workspace.arns)
        if workspace.tags:
            tagged = {f"aws:ResourceTag/{key}": value for key, value in workspace.tags.items()}
            may = {**may, "Condition": {"StringEquals": tagged}}
        role, identity = self._identified(PROMETHEUS, may)
        url = pulumi.Output.concat(workspace.endpoint, _WRITE)
        return AmpPlace(url, workspace.region, role.role.arn, [identity, *workspace.ready])

    def _publisher(self) -> TopicPlace:
        role, identity = self._identified(ALERTMANAGER, _allow("PublishesAlerts", "sns:Publish", self._args.topic_arn))
        return TopicPlace(self._args.topic_arn, self._args.account.region, role.role.arn, [identity])

    def _identified(self, account: str, statement: Statement) -> tuple[MadeRole, aws.eks.PodIdentityAssociation]:
        args = self._args
        permissions = Permissions(args.account, args.boundary_arn, [statement])
        role = pod_role(self, account, PodRoleArgs(args.cluster.arn, args.namespace, account, permissions))
        identity = aws.eks.PodIdentityAssociation(
            self.child(account),
            cluster_name=args.cluster.name,
            namespace=args.namespace,
            service_account=account,
            role_arn=role.role.arn,
            opts=self.options(depends_on=list(role.ready)),
        )
        return role, identity


def key_users(naming: Naming, name: str = ACCESS) -> Mapping[KeyPurpose, Sequence[KeyUser]]:
    """The roles of the component called ``name``, and their use of keys: what is published is encrypted."""
    role = naming.dashed(names.ROLE, name, ALERTMANAGER)
    return {KeyPurpose.ALERTS: [KeyUser("Alertmanager", role, ("kms:Decrypt", "kms:GenerateDataKey*"), via="sns")]}


def _allow(sid: str, action: str, resource: pulumi.Input[str]) -> Statement:
    return {"Sid": sid, "Effect": "Allow", "Action": action, "Resource": resource}
