"""Every kind of alarm that CloudWatch raises for the platform, and what each makes of silence.

Of each thing that always says something, one alarm takes silence as bad, and pages; to its others silence is fine, or
what goes silent would be told of four times. The pages that they link to are runbooks/cloudwatch.md.
"""

from __future__ import annotations

from typing import Final

from components.observability.cloudwatch_values import AlarmKind, Missing
from components.observability.values import Severity

_NEW_GATEWAY: Final = "a gateway that was just made has nothing to report"
_NO_REQUESTS: Final = "without requests nothing is reported, and nothing is wrong"
_SILENT_DATABASE: Final = "that a database is silent, DatabaseStorageLow says"
_SILENT_API: Final = "that the control plane is silent, EksApiErrors says"

PORTS: Final = AlarmKind(
    name="NatGatewayPortsExhausted",
    title="Connections that found no port",
    severity=Severity.PAGE,
    summary="New connections through NAT gateway {about} fail: it has no free port left.",
    unit="count",
    missing=Missing.FINE,
    because=_NEW_GATEWAY,
    bad=2,
)
DROPS: Final = AlarmKind(
    name="NatGatewayDropsPackets",
    title="Packets dropped",
    severity=Severity.TICKET,
    summary="NAT gateway {about} drops packets.",
    unit="percent",
    missing=Missing.FINE,
    because="without traffic there is no part of it that could be dropped",
)
CONNECTIONS: Final = AlarmKind(
    name="NatGatewayConnectionsHigh",
    title="Connections at one time",
    severity=Severity.TICKET,
    summary="NAT gateway {about} has so many connections that its ports may run out.",
    unit="count",
    missing=Missing.FINE,
    because=_NEW_GATEWAY,
)
IDLE: Final = AlarmKind(
    name="NatGatewayIdleTimeouts",
    title="Connections ended for being idle",
    severity=Severity.TICKET,
    summary="NAT gateway {about} ends many connections that were idle for 350 seconds.",
    unit="count",
    missing=Missing.FINE,
    because=_NEW_GATEWAY,
)
API_ERRORS: Final = AlarmKind(
    name="EksApiErrors",
    title="API server: requests failed (5xx)",
    severity=Severity.PAGE,
    summary="The API server of the {about} fails requests, or says nothing at all.",
    unit="percent",
    missing=Missing.BAD,
    because="the API server always has requests, and EKS reports them every minute",
    # The newest value may be zero because the errors come later than the requests: one of four may be fine.
    periods=4,
)
API_THROTTLES: Final = AlarmKind(
    name="EksApiThrottles",
    title="API server: clients turned away (429)",
    severity=Severity.TICKET,
    summary="The API server of the {about} turns clients away.",
    unit="percent",
    missing=Missing.FINE,
    because=_SILENT_API,
    periods=4,
)
UNSCHEDULABLE: Final = AlarmKind(
    name="EksPodsUnschedulable",
    title="Pods without a node",
    severity=Severity.TICKET,
    summary="Pods of the {about} have found no node for half an hour.",
    unit="count",
    missing=Missing.FINE,
    because=_SILENT_API,
    # The scheduler's queue is reported as a sum, which over a longer period would count each pod several times.
    period_seconds=60,
    periods=30,
    bad=30,
)
API_STORAGE: Final = AlarmKind(
    name="EksStorageHigh",
    title="API server: what it keeps",
    severity=Severity.PAGE,
    summary="The {about} keeps so much that it will take no more writes at 8 GiB.",
    unit="bytes",
    missing=Missing.FINE,
    because=_SILENT_API,
)
DATABASE_STORAGE: Final = AlarmKind(
    name="DatabaseStorageLow",
    title="Free storage",
    severity=Severity.PAGE,
    summary="Database {about} runs out of storage, or says nothing at all.",
    unit="bytes",
    missing=Missing.BAD,
    because="a database that runs reports every minute; one without storage stops, and reports nothing",
    below=True,
)
DATABASE_CPU: Final = AlarmKind(
    name="DatabaseCpuHigh",
    title="CPU",
    severity=Severity.TICKET,
    summary="Database {about} has been short of CPU for half an hour.",
    unit="percent",
    missing=Missing.FINE,
    because=_SILENT_DATABASE,
    periods=6,
    bad=6,
)
DATABASE_CONNECTIONS: Final = AlarmKind(
    name="DatabaseConnectionsHigh",
    title="Connections",
    severity=Severity.TICKET,
    summary="Database {about} has nearly as many connections as it takes.",
    unit="count",
    missing=Missing.FINE,
    because=_SILENT_DATABASE,
)
REPLICA_LAG: Final = AlarmKind(
    name="DatabaseReplicaLag",
    title="Replica lag",
    severity=Severity.TICKET,
    summary="Read replica {about} is behind its source, or has stopped following it.",
    unit="seconds",
    missing=Missing.BAD,
    because="a replica that has stopped following its source has no lag to report",
)
ENDPOINT_ERRORS: Final = AlarmKind(
    name="EndpointErrors",
    title="Requests failed (5xx)",
    severity=Severity.PAGE,
    summary="Endpoint {about} fails requests.",
    unit="percent",
    missing=Missing.FINE,
    because=_NO_REQUESTS,
)
ENDPOINT_REJECTS: Final = AlarmKind(
    name="EndpointRejects",
    title="Requests turned away (4xx)",
    severity=Severity.TICKET,
    summary="Endpoint {about} turns requests away as wrong.",
    unit="percent",
    missing=Missing.FINE,
    because=_NO_REQUESTS,
    periods=6,
    bad=6,
)
ENDPOINT_SLOW: Final = AlarmKind(
    name="EndpointSlow",
    title="Latency of the model (p99)",
    severity=Severity.PAGE,
    summary="The model behind endpoint {about} is slow: one of 100 requests takes longer.",
    unit="microseconds",
    missing=Missing.FINE,
    because=_NO_REQUESTS,
)
ENDPOINT_OVERHEAD: Final = AlarmKind(
    name="EndpointOverheadHigh",
    title="Latency of SageMaker itself (p99)",
    severity=Severity.TICKET,
    summary="SageMaker itself takes long over requests to endpoint {about}.",
    unit="microseconds",
    missing=Missing.FINE,
    because=_NO_REQUESTS,
    periods=6,
    bad=6,
)
CHARGES: Final = AlarmKind(
    name="AccountChargesHigh",
    title="Charges of the account this month",
    severity=Severity.TICKET,
    summary="The whole AWS {about} has cost more this month than it may.",
    unit="usd",
    missing=Missing.AS_BEFORE,
    because="charges are published every few hours, and what was spent stays spent",
    period_seconds=6 * 3600,
    periods=1,
    bad=1,
)

KINDS: Final = (
    *(PORTS, DROPS, CONNECTIONS, IDLE),
    *(API_ERRORS, API_THROTTLES, UNSCHEDULABLE, API_STORAGE),
    *(DATABASE_STORAGE, DATABASE_CPU, DATABASE_CONNECTIONS, REPLICA_LAG),
    *(ENDPOINT_ERRORS, ENDPOINT_REJECTS, ENDPOINT_SLOW, ENDPOINT_OVERHEAD),
    CHARGES,
)
