"""From the settings of what lives in AWS to the limits of its alarms."""

from __future__ import annotations

from components.observability.cloudwatch import CloudWatchChoices
from components.observability.cloudwatch_sources import ControlPlaneLimits, Database, Endpoint, GatewayLimits
from stacks.monitoring_models import runbooks
from stacks.settings import PlatformSettings
from stacks.settings.monitoring_cloudwatch import (
    ControlPlaneSettings,
    DatabaseSettings,
    EndpointSettings,
    GatewaySettings,
)


def cloudwatch_choices(settings: PlatformSettings) -> CloudWatchChoices | None:
    """What the settings ask for; None where nothing in AWS is watched."""
    monitoring = settings.monitoring
    watched = monitoring.cloudwatch
    if not monitoring.enabled or not watched.enabled:
        return None
    return CloudWatchChoices(
        team=settings.tags.team,
        runbooks=runbooks(monitoring),
        gateway=_gateway(watched.nat),
        gateway_ids=watched.nat.existing,
        control_plane=_control_plane(watched.control_plane),
        databases=[_database(name, database) for name, database in watched.databases.items()],
        endpoints=[_endpoint(name, endpoint) for name, endpoint in watched.endpoints.items()],
        charges_usd=watched.account_charges_usd,
        budget_usd=settings.cost.monthly_budget_usd,
    )


def _gateway(nat: GatewaySettings) -> GatewayLimits:
    return GatewayLimits(
        failed_connections=nat.failed_connections,
        dropped_ratio=nat.dropped,
        active_connections=nat.active_connections,
        idle_timeouts=nat.idle_timeouts,
    )


def _control_plane(plane: ControlPlaneSettings) -> ControlPlaneLimits:
    return ControlPlaneLimits(
        errors_ratio=plane.errors,
        throttled_ratio=plane.throttled,
        unschedulable_pods=plane.unschedulable,
        storage_bytes=plane.storage,
    )


def _database(name: str, database: DatabaseSettings) -> Database:
    return Database(
        name=name,
        identifier=database.identifier,
        team=database.team,
        free_storage_bytes=database.free_storage,
        cpu_ratio=database.cpu,
        connections=database.connections,
        replica_lag_seconds=database.replica_lag,
    )


def _endpoint(name: str, endpoint: EndpointSettings) -> Endpoint:
    return Endpoint(
        name=name,
        endpoint=endpoint.endpoint,
        variant=endpoint.variant,
        team=endpoint.team,
        errors_ratio=endpoint.errors,
        rejected_ratio=endpoint.rejected,
        latency_seconds=endpoint.latency,
        overhead_seconds=endpoint.overhead,
    )
