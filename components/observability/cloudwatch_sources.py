"""What in AWS has alarms, and which: NAT gateways, the control plane, databases, endpoints, the account's charges.

Metrics and their units: Amazon VPC User Guide, "NAT gateway metrics and dimensions"; Amazon EKS User Guide, "Basic
metrics in Amazon CloudWatch"; Amazon RDS User Guide, "Amazon CloudWatch metrics for Amazon RDS"; Amazon SageMaker
Developer Guide, "Amazon SageMaker AI metrics in Amazon CloudWatch"; Amazon CloudWatch User Guide, "Create a billing
alarm to monitor your estimated AWS charges"; all of 2026-11.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pulumi

from components.observability import cloudwatch_kinds as kinds
from components.observability.cloudwatch_values import AlarmKind, AwsAlarm, AwsMetric, Shown

NAT, EKS, RDS, SAGEMAKER, BILLING = "AWS/NATGateway", "AWS/EKS", "AWS/RDS", "AWS/SageMaker", "AWS/Billing"


@dataclass(frozen=True)
class GatewayLimits:
    """``failed_connections`` and ``idle_timeouts`` (None: no alarm) are those of five minutes."""

    failed_connections: int
    dropped_ratio: float
    active_connections: int
    idle_timeouts: int | None


@dataclass(frozen=True)
class Gateway:
    """A NAT gateway."""

    name: str
    id: pulumi.Input[str]
    limits: GatewayLimits

    def metric(self, name: str, statistic: str) -> AwsMetric:
        return AwsMetric(NAT, name, statistic, {"NatGatewayId": self.id})

    def alarms(self, team: str) -> Iterator[AwsAlarm]:
        yield _one(
            kinds.PORTS, self.name, team, self.limits.failed_connections, self.metric("ErrorPortAllocation", "Sum")
        )
        packets = {
            "dropped": self.metric("PacketsDropCount", "Sum"),
            "outwards": self.metric("PacketsInFromSource", "Sum"),
            "inwards": self.metric("PacketsInFromDestination", "Sum"),
        }
        ratio = "100 * dropped / (outwards + inwards)"
        yield AwsAlarm(kinds.DROPS, self.name, team, _percent(self.limits.dropped_ratio), packets, ratio)
        active = self.metric("ActiveConnectionCount", "Maximum")
        yield _one(kinds.CONNECTIONS, self.name, team, self.limits.active_connections, active)
        if self.limits.idle_timeouts is not None:
            yield _one(kinds.IDLE, self.name, team, self.limits.idle_timeouts, self.metric("IdleTimeoutCount", "Sum"))

    def shown(self) -> Iterator[Shown]:
        """What the dashboard has beside the alarms."""
        yield Shown("Sent to the internet", "bytes", self.name, self.metric("BytesOutToDestination", "Sum"))
        if self.limits.idle_timeouts is None:
            yield Shown(kinds.IDLE.title, kinds.IDLE.unit, self.name, self.metric("IdleTimeoutCount", "Sum"))


@dataclass(frozen=True)
class ControlPlaneLimits:
    """Ratios are of the API server's requests."""

    errors_ratio: float
    throttled_ratio: float
    unschedulable_pods: int
    storage_bytes: float


@dataclass(frozen=True)
class ControlPlane:
    """The control plane of a cluster."""

    cluster_name: pulumi.Input[str]
    limits: ControlPlaneLimits

    def metric(self, name: str, statistic: str) -> AwsMetric:
        return AwsMetric(EKS, name, statistic, {"ClusterName": self.cluster_name})

    def alarms(self, team: str) -> Iterator[AwsAlarm]:
        about, all_requests = "cluster", self.metric("apiserver_request_total", "Sum")
        errors = {"errors": self.metric("apiserver_request_total_5XX", "Sum"), "requests": all_requests}
        limit = _percent(self.limits.errors_ratio)
        yield AwsAlarm(kinds.API_ERRORS, about, team, limit, errors, _or_none("errors"))
        turned = {"throttled": self.metric("apiserver_request_total_429", "Sum"), "requests": all_requests}
        limit = _percent(self.limits.throttled_ratio)
        yield AwsAlarm(kinds.API_THROTTLES, about, team, limit, turned, _or_none("throttled"))
        pending = self.metric("scheduler_pending_pods_UNSCHEDULABLE", "Sum")
        yield _one(kinds.UNSCHEDULABLE, about, team, self.limits.unschedulable_pods, pending)
        stored = self.metric("apiserver_storage_size_bytes", "Maximum")
        yield _one(kinds.API_STORAGE, about, team, self.limits.storage_bytes, stored)

    def shown(self) -> Iterator[Shown]:
        """What the dashboard has beside the alarms."""
        yield Shown("API server: requests", "count", "all", self.metric("apiserver_request_total", "Sum"))
        for verb in ("GET", "LIST", "POST", "PATCH"):
            slow = self.metric(f"apiserver_request_duration_seconds_{verb}_P99", "Average")
            yield Shown("API server: latency (p99)", "seconds", verb, slow)


@dataclass(frozen=True)
class Database:
    """A database instance of RDS, and its limits; None: no alarm. ``team`` None: the one that runs the platform."""

    name: str
    identifier: pulumi.Input[str]
    team: str | None
    free_storage_bytes: float
    cpu_ratio: float
    connections: int | None
    replica_lag_seconds: float | None

    def metric(self, name: str, statistic: str) -> AwsMetric:
        return AwsMetric(RDS, name, statistic, {"DBInstanceIdentifier": self.identifier})

    def alarms(self, team: str) -> Iterator[AwsAlarm]:
        who = self.team or team
        free = self.metric("FreeStorageSpace", "Minimum")
        yield _one(kinds.DATABASE_STORAGE, self.name, who, self.free_storage_bytes, free)
        yield _one(
            kinds.DATABASE_CPU, self.name, who, _percent(self.cpu_ratio), self.metric("CPUUtilization", "Average")
        )
        if self.connections is not None:
            used = self.metric("DatabaseConnections", "Maximum")
            yield _one(kinds.DATABASE_CONNECTIONS, self.name, who, self.connections, used)
        if self.replica_lag_seconds is not None:
            lag = self.metric("ReplicaLag", "Average")
            yield _one(kinds.REPLICA_LAG, self.name, who, self.replica_lag_seconds, lag)

    def shown(self) -> Iterator[Shown]:
        """What the dashboard has beside the alarms."""
        yield Shown("Free memory", "bytes", self.name, self.metric("FreeableMemory", "Minimum"))
        if self.connections is None:
            used = self.metric("DatabaseConnections", "Maximum")
            yield Shown(kinds.DATABASE_CONNECTIONS.title, "count", self.name, used)


@dataclass(frozen=True)
class Endpoint:
    """A variant of an endpoint of SageMaker, and its limits; latencies are those of 99 of 100 requests."""

    name: str
    endpoint: pulumi.Input[str]
    variant: pulumi.Input[str]
    team: str | None
    errors_ratio: float
    rejected_ratio: float
    latency_seconds: float | None  # None: no alarm
    overhead_seconds: float

    def metric(self, name: str, statistic: str) -> AwsMetric:
        dimensions = {"EndpointName": self.endpoint, "VariantName": self.variant}
        return AwsMetric(SAGEMAKER, name, statistic, dimensions)

    def alarms(self, team: str) -> Iterator[AwsAlarm]:
        who, all_requests = self.team or team, self.metric("Invocations", "Sum")
        errors = {"errors": self.metric("Invocation5XXErrors", "Sum"), "requests": all_requests}
        limit = _percent(self.errors_ratio)
        yield AwsAlarm(kinds.ENDPOINT_ERRORS, self.name, who, limit, errors, _of_requests("errors"))
        rejected = {"rejected": self.metric("Invocation4XXErrors", "Sum"), "requests": all_requests}
        limit = _percent(self.rejected_ratio)
        yield AwsAlarm(kinds.ENDPOINT_REJECTS, self.name, who, limit, rejected, _of_requests("rejected"))
        if self.latency_seconds is not None:
            slow = self.metric("ModelLatency", "p99")
            yield _one(kinds.ENDPOINT_SLOW, self.name, who, self.latency_seconds * 1e6, slow)
        overhead = self.metric("OverheadLatency", "p99")
        yield _one(kinds.ENDPOINT_OVERHEAD, self.name, who, self.overhead_seconds * 1e6, overhead)

    def shown(self) -> Iterator[Shown]:
        """What the dashboard has beside the alarms."""
        yield Shown("Requests", "count", self.name, self.metric("Invocations", "Sum"))
        if self.latency_seconds is None:
            slow = self.metric("ModelLatency", "p99")
            yield Shown(kinds.ENDPOINT_SLOW.title, kinds.ENDPOINT_SLOW.unit, self.name, slow)


def charges_metric() -> AwsMetric:
    """What the whole account has cost this month so far; published in us-east-1 only, every few hours."""
    return AwsMetric(BILLING, "EstimatedCharges", "Maximum", {"Currency": "USD"})


def charges_alarm(usd: float, team: str) -> AwsAlarm:
    """The account costs more than ``usd`` a month."""
    return _one(kinds.CHARGES, "account", team, usd, charges_metric())


def _one(kind: AlarmKind, about: str, team: str, threshold: float, metric: AwsMetric) -> AwsAlarm:
    return AwsAlarm(kind, about, team, threshold, {"value": metric})


def _of_requests(part: str) -> str:
    return f"100 * {part} / requests"


def _or_none(part: str) -> str:
    """The same, of a control plane that may not report what there is none of."""
    return f"100 * FILL({part}, 0) / requests"


def _percent(ratio: float) -> float:
    return round(100 * ratio, 6)
