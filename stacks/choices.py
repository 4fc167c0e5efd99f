"""From settings (what people write) to the arguments of components (what they need)."""

from __future__ import annotations

import pulumi

from components.buckets import ObjectLock, Retention
from components.cost import AnomalyChoices, CostChoices, Threshold
from components.flowlogs import FlowLogChoices, FlowLogDestination
from components.in_cluster import InClusterChoices
from components.keys import KeyChoices
from components.network import Nat, NetworkArgs
from components.platform_args import ExistingCluster, PlatformArgs
from components.registry import Credentials, PullThrough, RegistryChoices
from components.roles import BoundaryArgs
from components.storage import BucketKind, StorageChoices
from components.tags import Ownership
from stacks.cloudwatch_choices import cloudwatch_choices
from stacks.cluster_choices import cluster_choices, karpenter_choices, pool_choices
from stacks.gpu_choices import gpu_choices
from stacks.monitoring_choices import monitoring_choices
from stacks.scheduling_choices import network_ranges, scheduling_choices
from stacks.settings import PlatformSettings
from stacks.settings.cluster import ClusterSettings
from stacks.settings.cost import CostSettings
from stacks.settings.network import FlowLogSettings, NetworkSettings
from stacks.settings.registry import PullThroughSettings
from stacks.settings.storage import RetentionSettings


def platform_args(settings: PlatformSettings, project: str, stack: str) -> PlatformArgs:
    """The platform that ``settings`` ask for, as the stack ``stack`` of ``project``."""
    accounts = settings.aws.allowed_account_ids
    return PlatformArgs(
        region=settings.aws.region,
        account_id=accounts[0] if accounts else None,
        ownership=_ownership(settings, f"{project}-{stack}"),
        keys=_keys(settings),
        boundary=BoundaryArgs(existing_arn=settings.identity.permissions_boundary_arn),
        log_retention_days=settings.logs.retention_days,
        existing_vpc_id=settings.network.vpc_id,
        network=_network(settings.network, settings.aws.region),
        flow_logs=_flow_logs(settings.network.flow_logs),
        existing_cluster=_existing_cluster(settings.cluster),
        in_cluster=_in_cluster(settings, stack) if settings.cluster.kubernetes_resources else None,
        cluster=cluster_choices(settings),
        node_pools=pool_choices(settings, "managed"),
        karpenter=karpenter_choices(settings),
        storage=_storage(settings),
        registry=_registry(settings),
        cost=_cost(settings.cost),
        cloudwatch=cloudwatch_choices(settings),
    )


def _ownership(settings: PlatformSettings, deployment: str) -> Ownership:
    tags = settings.tags
    return Ownership(
        team=tags.team,
        owner=tags.owner,
        cost_center=tags.cost_center,
        deployment_id=settings.environment.deployment_id or deployment,
        extra=tags.extra,
    )


def _in_cluster(settings: PlatformSettings, stack: str) -> InClusterChoices:
    return InClusterChoices(
        network=network_ranges(settings),
        gpu=gpu_choices(settings),
        monitoring=monitoring_choices(settings, stack),
        scheduling=scheduling_choices(settings),
    )


def _keys(settings: PlatformSettings) -> KeyChoices:
    identity = settings.identity
    return KeyChoices(
        deletion_window_days=identity.key_deletion_window_days,
        rotation_days=identity.key_rotation_days,
        administrators=identity.key_administrators,
        protect=settings.environment.protect,
    )


def _network(network: NetworkSettings, region: str) -> NetworkArgs:
    return NetworkArgs(
        region=region,
        addresses=network.address_plan(),
        zone_ids=network.zone_ids,
        nat=Nat(network.nat),
        gateway_endpoints=network.gateway_endpoints,
        interface_endpoints=network.interface_endpoints,
    )


def _existing_cluster(cluster: ClusterSettings) -> ExistingCluster | None:
    existing = cluster.existing
    return None if existing is None else ExistingCluster(existing.kubeconfig, existing.context)


def _flow_logs(flow_logs: FlowLogSettings) -> FlowLogChoices | None:
    if flow_logs.destination == "none":
        return None
    to_bucket = flow_logs.destination == "s3"
    return FlowLogChoices(
        destination=FlowLogDestination.BUCKET if to_bucket else FlowLogDestination.LOG_GROUP,
        traffic=flow_logs.traffic,
        interval_seconds=flow_logs.interval_seconds,
    )


def _storage(settings: PlatformSettings) -> StorageChoices:
    storage = settings.storage
    lock = storage.object_lock
    return StorageChoices(
        retention={kind: _retention(getattr(storage, kind)) for kind in BucketKind},
        object_lock=None if lock.mode == "none" else ObjectLock(mode=lock.mode.upper(), days=lock.days),
        takes_flow_logs=settings.network.vpc_id is None and settings.network.flow_logs.destination == "s3",
        force_destroy=storage.force_destroy,
        protect=settings.environment.protect,
    )


def _retention(settings: RetentionSettings) -> Retention:
    return Retention(
        infrequent_access=settings.infrequent_access_days,
        archive=settings.archive_days,
        expiry=settings.expiry_days,
        noncurrent=settings.noncurrent_days,
        abort_uploads=settings.abort_uploads_days,
    )


def _registry(settings: PlatformSettings) -> RegistryChoices:
    registry = settings.registry
    return RegistryChoices(
        repositories=registry.repositories,
        keep_tagged=registry.keep_tagged,
        untagged_days=registry.untagged_days,
        pull_through=[PullThrough(rule.upstream, _credentials(rule)) for rule in registry.pull_through],
        force_delete=registry.force_delete,
        protect=settings.environment.protect,
    )


def _credentials(rule: PullThroughSettings) -> Credentials | None:
    if rule.username is None or rule.access_token is None:
        return None
    return Credentials(rule.username, pulumi.Output.secret(rule.access_token.get_secret_value()))


def _cost(cost: CostSettings) -> CostChoices:
    anomalies = cost.anomalies
    return CostChoices(
        monthly_budget_usd=cost.monthly_budget_usd,
        thresholds=[Threshold(threshold.percent, threshold.kind.upper()) for threshold in cost.thresholds],
        emails=cost.emails,
        use_topic=cost.alert_topic,
        anomalies=AnomalyChoices(anomalies.minimum_usd, anomalies.frequency.upper()) if anomalies.enabled else None,
    )
