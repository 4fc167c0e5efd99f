"""Settings of what lives in AWS and is watched there: alarms and a dashboard of CloudWatch, a workspace for metrics."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Annotated, Final

from pydantic import Field

from components.observability.arns import DATABASE_ARN, WORKSPACE_ARN
from stacks.settings.base import Contradiction, Section
from stacks.settings.cluster import ClusterSettings
from stacks.settings.cost import Usd
from stacks.settings.environment import AwsSettings, TagSettings
from stacks.settings.measures import Latency, Measure, Ratio, Waiting
from stacks.settings.network import NetworkSettings
from stacks.settings.scheduling import SchedulingSettings
from stacks.settings.teams import no_team, teams_of

_BYTES: Final = {unit: Decimal(1024) ** power for power, unit in ((2, "MiB"), (3, "GiB"), (4, "TiB"))}
Size = Annotated[float, Measure("a size with its unit (MiB, GiB or TiB)", "10GiB", _BYTES, "1MiB", "128TiB")]
Count = Annotated[int, Field(ge=0, le=10**9)]
# What people call something of theirs: part of the names of alarms.
SourceName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
NatGatewayId = Annotated[str, Field(pattern=r"^nat-[0-9a-f]{8,17}$")]

# What SageMaker and RDS take as names. Source: their API references, CreateEndpoint and CreateDBInstance, 2026-11.
_ENDPOINT: Final = r"^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$"
_WORKSPACE: Final = r"^arn:aws[a-z-]*:aps:[a-z0-9-]+:[0-9]{12}:workspace/ws-[0-9a-f-]{36}$"
_INSTANCE: Final = re.compile(r"[a-zA-Z](-?[a-zA-Z0-9]){0,62}")
# EstimatedCharges is published there and nowhere else, for the whole account.
# Source: Amazon CloudWatch User Guide, "Create a billing alarm to monitor your estimated AWS charges", 2026-11.
BILLING_REGION: Final = "us-east-1"


class GatewaySettings(Section):
    """From where on NAT gateways are worth an alarm; each gateway has alarms of its own."""

    failed_connections: Count = 0
    """Connections in five minutes that found no free port, more of which are one too many."""
    dropped: Ratio = 0.0001
    """Part of the packets that a gateway drops."""
    active_connections: Count = 44000
    """Connections at one time; to one destination a gateway takes 55,000 with each of its addresses."""
    idle_timeouts: Count | None = None
    """Connections in five minutes that end for being idle (350 s); default: the dashboard shows them, none alarms."""
    existing: tuple[NatGatewayId, ...] = ()
    """NAT gateways of an existing VPC, by id; those of our own network are known."""


class ControlPlaneSettings(Section):
    """From where on the control plane of our own cluster is worth an alarm."""

    errors: Ratio = 0.05
    """Part of the API server's answers that are its own errors (5xx)."""
    throttled: Ratio = 0.05
    """Part of the API server's answers that turn a client away (429)."""
    unschedulable: Count = 10
    """Pods that find no node for half an hour."""
    storage: Size = 6.0 * 1024**3
    """What the API server keeps; from 8GiB on, EKS lets nothing be written."""


class DatabaseSettings(Section):
    """A database of RDS that exists, and from where on it is worth an alarm."""

    instance: str = Field(min_length=1)
    """Identifier or ARN of the instance."""
    team: str | None = None
    """Team that acts; default: tags.team."""
    free_storage: Size = 10.0 * 1024**3
    """Least free storage."""
    cpu: Ratio = 0.85
    """Part of the CPU that is used."""
    connections: Count | None = None
    """Open connections; default: no alarm, since how many there may be depends on the instance's memory."""
    replica_lag: Waiting | None = None
    """How far a read replica may be behind, such as 30s; default: no alarm, for what is no replica."""

    @property
    def identifier(self) -> str:
        """The instance's identifier, whichever way it is named."""
        found = DATABASE_ARN.fullmatch(self.instance)
        return found["name"] if found else self.instance

    def contradictions(self) -> Iterable[Contradiction]:
        if not _INSTANCE.fullmatch(self.identifier):
            why = f"'{self.instance}' is neither an identifier nor the ARN of a database instance"
            yield Contradiction(
                "instance", why, "use one such as models-db, or arn:aws:rds:REGION:ACCOUNT:db:models-db"
            )


class EndpointSettings(Section):
    """An endpoint of SageMaker that exists, and from where on it is worth an alarm."""

    endpoint: str = Field(pattern=_ENDPOINT)
    """Name of the endpoint."""
    variant: str = Field(default="AllTraffic", pattern=_ENDPOINT)
    """Name of the production variant."""
    team: str | None = None
    """Team that acts; default: tags.team."""
    errors: Ratio = 0.01
    """Part of the requests that fail by the endpoint's fault (5xx)."""
    rejected: Ratio = 0.05
    """Part of the requests that the endpoint turns away (4xx)."""
    latency: Latency | None = None
    """What 99 of 100 requests may take in the model, such as 300ms; default: no alarm."""
    overhead: Latency = 0.5
    """What 99 of 100 requests may take in SageMaker beside the model."""


class CloudWatchSettings(Section):
    """What lives in AWS and is watched there, by CloudWatch; alarms go to the platform's SNS topic."""

    enabled: bool = True
    """Make alarms, and a dashboard."""
    nat: GatewaySettings = GatewaySettings()
    """NAT gateways."""
    control_plane: ControlPlaneSettings = ControlPlaneSettings()
    """The control plane of our own cluster."""
    databases: dict[SourceName, DatabaseSettings] = Field(default_factory=dict)
    """Databases of RDS that exist, by a name of your own."""
    endpoints: dict[SourceName, EndpointSettings] = Field(default_factory=dict)
    """Endpoints of SageMaker that exist, by a name of your own."""
    account_charges_usd: Usd | None = None
    """What the whole AWS account may cost (USD/month), beside the budget of this environment; us-east-1 only."""

    def contradictions(self) -> Iterable[Contradiction]:
        instances = {name: database.identifier for name, database in self.databases.items()}
        endpoints = {name: f"{each.endpoint}/{each.variant}" for name, each in self.endpoints.items()}
        yield from _twice("databases", "instance", instances)
        yield from _twice("endpoints", "endpoint and variant", endpoints)


class RemoteWriteSettings(Section):
    """A copy of the metrics in Amazon Managed Service for Prometheus, which outlives Prometheus's own volume."""

    enabled: bool = False
    """Write them there; it is billed by the sample."""
    workspace_arn: str | None = Field(default=None, pattern=_WORKSPACE)
    """ARN of a workspace that exists; default: one of our own."""

    def contradictions(self) -> Iterable[Contradiction]:
        if self.workspace_arn is not None and not self.enabled:
            yield Contradiction("workspace_arn", "has no effect: nothing is written", "set enabled to true")


# Source: Amazon Managed Service for Prometheus User Guide, "Interface VPC endpoints", 2026-11.
_ENDPOINT_SERVICE: Final = "aps-workspaces"


def _twice(section: str, what: str, named: Mapping[str, str]) -> Iterable[Contradiction]:
    first: dict[str, str] = {}
    for name, value in named.items():
        before = first.setdefault(value, name)
        if before != name:
            why = f"names the same {what} as '{before}': {value}"
            yield Contradiction(f"{section}.{name}", why, "leave one of them out, or every alarm comes twice")


def about_aws(
    aws: AwsSettings, cloudwatch: CloudWatchSettings, remote_write: RemoteWriteSettings
) -> Iterable[Contradiction]:
    """Alarms are about what is in this region and account, roles let in to what is in this account."""
    yield from _about_databases(aws, cloudwatch)
    if cloudwatch.account_charges_usd is not None and aws.region != BILLING_REGION:
        why = f"can't be watched from {aws.region}: AWS publishes an account's charges in {BILLING_REGION} only"
        yield Contradiction("monitoring.cloudwatch.account_charges_usd", why, "leave it out: the budget is watched")
    found = WORKSPACE_ARN.fullmatch(remote_write.workspace_arn or "")
    if found is not None and _is_elsewhere(aws, found["account"]):
        why = f"is in account {found['account']}, where no role of ours may write"
        yield Contradiction("monitoring.remote_write.workspace_arn", why, "name a workspace of this account")


def about_places(
    network: NetworkSettings, cluster: ClusterSettings, remote_write: RemoteWriteSettings, *, monitored: bool
) -> Iterable[Contradiction]:
    """What has to be there for metrics to be written: Prometheus, its rights, and a way to AWS."""
    if not remote_write.enabled:
        return
    place = "monitoring.remote_write.enabled"
    if not monitored or not cluster.kubernetes_resources:
        why = "has no effect: there is no Prometheus whose metrics could be written"
        yield Contradiction(place, why, "leave it out, or turn monitoring on")
    elif cluster.existing is not None:
        # Pods have their rights in AWS by the cluster that they are in.
        why = "needs a cluster of our own: pods of an existing one get no role in AWS from here"
        yield Contradiction(place, why, "leave it out, or let Bedplate make the cluster")
    elif network.vpc_id is None and network.nat == "none" and _ENDPOINT_SERVICE not in network.interface_endpoints:
        why = "can't be: without NAT, nothing leads from the cluster to Managed Prometheus"
        yield Contradiction(place, why, f"add '{_ENDPOINT_SERVICE}' to network.interface_endpoints")


def _is_elsewhere(aws: AwsSettings, account: str) -> bool:
    return bool(aws.allowed_account_ids) and account not in aws.allowed_account_ids


def _about_databases(aws: AwsSettings, cloudwatch: CloudWatchSettings) -> Iterable[Contradiction]:
    for name, database in cloudwatch.databases.items():
        found = DATABASE_ARN.fullmatch(database.instance)
        if found is None:
            continue
        place = f"monitoring.cloudwatch.databases.{name}.instance"
        if found["region"] != aws.region:
            why = f"is in {found['region']}, but alarms are in {aws.region} and see nothing of it"
            yield Contradiction(place, why, "name a database of aws.region")
        elif _is_elsewhere(aws, found["account"]):
            why = f"is in account {found['account']}, which is none of aws.allowed_account_ids"
            yield Contradiction(place, why, "name a database of this account")


def about_teams(
    tags: TagSettings, scheduling: SchedulingSettings, cloudwatch: CloudWatchSettings
) -> Iterable[Contradiction]:
    """Whoever is to act exists."""
    known = teams_of(tags, scheduling)
    sources = {"databases": cloudwatch.databases, "endpoints": cloudwatch.endpoints}
    for section, named in sources.items():
        for name, source in named.items():
            if source.team is not None and source.team not in known:
                yield no_team(f"monitoring.cloudwatch.{section}.{name}.team", source.team, known)
