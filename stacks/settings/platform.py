"""All settings of one environment, and what its sections must agree on."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from stacks.settings.base import Contradiction, Section
from stacks.settings.cluster import ClusterSettings
from stacks.settings.cost import CostSettings
from stacks.settings.environment import AwsSettings, EnvironmentSettings, IdentitySettings, LogSettings, TagSettings
from stacks.settings.gpu import GpuSettings, about_gpus
from stacks.settings.monitoring import MonitoringSettings, about_models
from stacks.settings.monitoring_alerts import about_routes, about_topic
from stacks.settings.monitoring_cloudwatch import about_aws, about_places, about_teams
from stacks.settings.monitoring_grafana import about_grafana
from stacks.settings.network import NetworkSettings
from stacks.settings.policy import PolicySettings
from stacks.settings.registry import RegistrySettings
from stacks.settings.scheduling import SchedulingSettings
from stacks.settings.scheduling_rules import about_pools, about_production
from stacks.settings.storage import StorageSettings
from stacks.settings.teams import no_team, teams_of

# The section that holds Pulumi's settings of the AWS provider; all others have the project's prefix.
AWS_SECTION = "aws"


class PlatformSettings(Section):
    """Everything that differs between environments."""

    aws: AwsSettings
    """Where in AWS the environment lives."""
    environment: EnvironmentSettings
    """What the environment is for, and how well it is guarded."""
    tags: TagSettings
    """Who answers and pays: tags on every resource."""
    identity: IdentitySettings = IdentitySettings()
    """Encryption keys and the limits of roles."""
    logs: LogSettings = LogSettings()
    """CloudWatch log groups."""
    network: NetworkSettings = NetworkSettings()
    """The VPC and its subnets, or one that exists."""
    cluster: ClusterSettings = ClusterSettings()
    """EKS and its nodes, or a cluster that exists."""
    storage: StorageSettings = StorageSettings()
    """Buckets for datasets, features, models, artifacts, logs and audit records."""
    registry: RegistrySettings = RegistrySettings()
    """Image repositories and caches of public registries."""
    gpu: GpuSettings = GpuSettings()
    """What makes GPUs usable and visible: device plugin, exporter and EFA plugin, wherever a pool has need of them."""
    scheduling: SchedulingSettings = SchedulingSettings()
    """Who may use how much of the cluster, and who goes first."""
    monitoring: MonitoringSettings = MonitoringSettings()
    """What is watched: models with their objectives, limits of everything else, and rules of your own."""
    cost: CostSettings
    """The budget, the ceilings that a preview may not break, and who is told when the budget is at risk."""
    policy: PolicySettings = PolicySettings()
    """How strict the policy packs are here, and what they except."""

    def contradictions(self) -> Iterable[Contradiction]:
        for _, rule in ACROSS_SECTIONS:
            yield from rule(self)


def _production_is_protected(settings: PlatformSettings) -> Iterable[Contradiction]:
    if settings.environment.stage == "prod" and not settings.environment.protect:
        yield Contradiction("environment.protect", "must be true for stage 'prod'", "leave it out: true is the default")


def _only_sandboxes_lose_data(settings: PlatformSettings) -> Iterable[Contradiction]:
    stage = settings.environment.stage
    if settings.storage.force_destroy and stage != "sandbox":
        why = f"would delete the data of stage '{stage}' with its buckets"
        yield Contradiction("storage.force_destroy", why, "leave it out; only stage 'sandbox' may use it")


def _only_sandboxes_lose_images(settings: PlatformSettings) -> Iterable[Contradiction]:
    stage = settings.environment.stage
    if settings.registry.force_delete and stage != "sandbox":
        why = f"would delete the images of stage '{stage}' with their repositories"
        yield Contradiction("registry.force_delete", why, "leave it out; only stage 'sandbox' may use it")


def _zones_are_of_the_region(settings: PlatformSettings) -> Iterable[Contradiction]:
    # us-east-1 is use1, ap-southeast-2 apse2, us-gov-west-1 usgw1: too irregular to derive one from the other, but the
    # first two letters and the number always agree.
    region = settings.aws.region
    for index, zone in enumerate(settings.network.zone_ids):
        prefix = zone.split("-")[0]
        if (prefix[:2], prefix[-1]) != (region[:2], region[-1]):
            yield Contradiction(f"network.zone_ids[{index}]", f"'{zone}' is not in {region}", "use zones of aws.region")


def _production_is_judged(settings: PlatformSettings) -> Iterable[Contradiction]:
    if settings.environment.stage == "prod" and not settings.policy.enabled:
        yield Contradiction("policy.enabled", "must be true for stage 'prod'", "leave it out: true is the default")


def _production_is_not_open_to_the_world(settings: PlatformSettings) -> Iterable[Contradiction]:
    if settings.environment.stage != "prod":
        return
    for index, cidr in enumerate(settings.cluster.public_access_cidrs):
        if cidr.prefixlen == 0:
            place = f"cluster.public_access_cidrs[{index}]"
            why = f"{cidr} opens the Kubernetes API of stage 'prod' to the whole internet"
            yield Contradiction(place, why, "name the ranges of your offices and pipelines")


def _production_keeps_its_cluster(settings: PlatformSettings) -> Iterable[Contradiction]:
    if settings.environment.stage == "prod" and settings.cluster.deletion_protection is False:
        why = "must be true for stage 'prod'"
        yield Contradiction("cluster.deletion_protection", why, "leave it out: it is on for stage 'prod'")


def _pools_are_in_zones_of_the_network(settings: PlatformSettings) -> Iterable[Contradiction]:
    network = settings.network
    count = len(network.zone_ids) or network.availability_zones
    if network.vpc_id is not None:
        return  # how many zones an existing VPC has, only AWS knows
    for name, pool in settings.cluster.node_pools.items():
        for index, zone in enumerate(pool.zones):
            if zone > count:
                place, why = (
                    f"cluster.node_pools.{name}.zones[{index}]",
                    f"is {zone}, but the network has {count} zones",
                )
                yield Contradiction(place, why, f"use 1 to {count}")


def _services_have_addresses_of_their_own(settings: PlatformSettings) -> Iterable[Contradiction]:
    services, network = settings.cluster.service_cidr, settings.network
    for name, block in (("cidr", network.cidr), ("pod_cidr", network.pod_cidr)):
        if network.vpc_id is None and block is not None and services.overlaps(block):
            why = f"{services} overlaps network.{name} ({block})"
            yield Contradiction("cluster.service_cidr", why, "use another range, such as 172.20.0.0/16")


def _gpus_are_shared_where_they_are(settings: PlatformSettings) -> Iterable[Contradiction]:
    return about_gpus(settings.cluster, settings.gpu)


def _teams_are_promised_what_there_is(settings: PlatformSettings) -> Iterable[Contradiction]:
    return about_pools(settings.cluster, settings.gpu, settings.scheduling)


def _production_is_restricted(settings: PlatformSettings) -> Iterable[Contradiction]:
    return about_production(settings.environment, settings.scheduling)


def _ceilings_are_of_teams_that_there_are(settings: PlatformSettings) -> Iterable[Contradiction]:
    known = teams_of(settings.tags, settings.scheduling)
    for team in settings.cost.team_ceilings_usd:
        if team not in known:
            yield no_team(f"cost.team_ceilings_usd.{team}", team, known)


def _models_are_of_teams_that_there_are(settings: PlatformSettings) -> Iterable[Contradiction]:
    return about_models(settings.tags, settings.scheduling, settings.monitoring)


def _alarms_are_of_teams_that_there_are(settings: PlatformSettings) -> Iterable[Contradiction]:
    return about_teams(settings.tags, settings.scheduling, settings.monitoring.cloudwatch)


def _alarms_are_of_this_place(settings: PlatformSettings) -> Iterable[Contradiction]:
    return about_aws(settings.aws, settings.monitoring.cloudwatch, settings.monitoring.remote_write)


def _metrics_are_written_by_pods_of_ours(settings: PlatformSettings) -> Iterable[Contradiction]:
    monitoring = settings.monitoring
    return about_places(settings.network, settings.cluster, monitoring.remote_write, monitored=monitoring.enabled)


def _somebody_gets_into_grafana(settings: PlatformSettings) -> Iterable[Contradiction]:
    if settings.monitoring.enabled and settings.cluster.kubernetes_resources:
        yield from about_grafana(settings.environment, settings.monitoring.grafana)


def _routes_are_for_teams_that_there_are(settings: PlatformSettings) -> Iterable[Contradiction]:
    return about_routes(settings.tags, settings.scheduling, settings.monitoring.alertmanager)


def _topic_is_published_to_by_pods_of_ours(settings: PlatformSettings) -> Iterable[Contradiction]:
    return about_topic(settings.cluster, settings.monitoring.alertmanager)


Rule = Callable[[PlatformSettings], Iterable[Contradiction]]

# Each rule with the sections that it reads, so that it can be asked even where another section is broken.
ACROSS_SECTIONS: tuple[tuple[tuple[str, ...], Rule], ...] = (
    (("environment",), _production_is_protected),
    (("environment", "policy"), _production_is_judged),
    (("environment", "storage"), _only_sandboxes_lose_data),
    (("environment", "registry"), _only_sandboxes_lose_images),
    (("aws", "network"), _zones_are_of_the_region),
    (("environment", "cluster"), _production_is_not_open_to_the_world),
    (("environment", "cluster"), _production_keeps_its_cluster),
    (("network", "cluster"), _pools_are_in_zones_of_the_network),
    (("network", "cluster"), _services_have_addresses_of_their_own),
    (("cluster", "gpu"), _gpus_are_shared_where_they_are),
    (("cluster", "gpu", "scheduling"), _teams_are_promised_what_there_is),
    (("environment", "scheduling"), _production_is_restricted),
    (("tags", "scheduling", "monitoring"), _models_are_of_teams_that_there_are),
    (("tags", "scheduling", "monitoring"), _alarms_are_of_teams_that_there_are),
    (("aws", "monitoring"), _alarms_are_of_this_place),
    (("network", "cluster", "monitoring"), _metrics_are_written_by_pods_of_ours),
    (("environment", "cluster", "monitoring"), _somebody_gets_into_grafana),
    (("tags", "scheduling", "monitoring"), _routes_are_for_teams_that_there_are),
    (("cluster", "monitoring"), _topic_is_published_to_by_pods_of_ours),
    (("tags", "scheduling", "cost"), _ceilings_are_of_teams_that_there_are),
)
