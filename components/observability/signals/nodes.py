"""Nodes, the pools that they come from, and the Kubernetes API. Nothing is asked of the parts that EKS hides."""

from __future__ import annotations

from typing import Final

from components.observability.values import Alert, Panel, Query, Recording, Severity, Signal, Threshold

_READY: Final = 'kube_node_status_condition{condition="Ready",status="true"}'
_PRESSURE: Final = 'kube_node_status_condition{condition=~"(Memory|Disk|PID)Pressure",status="true"}'

NODES: Final = Signal(
    name="node-health",
    title="Nodes",
    area="cluster",
    recordings=(
        Recording(
            "node:cpu:ratio",
            'clamp_min(1 - avg by (node) (rate(node_cpu_seconds_total{mode="idle"}[5m])), 0)',
            "percentunit",
        ),
        Recording(
            "node:memory:ratio",
            "max by (node) (1 - node_memory_MemAvailable_bytes / (node_memory_MemTotal_bytes > 0)) >= 0 <= 1",
            "percentunit",
        ),
    ),
    alerts=(
        Alert(
            "NodeNotReady",
            f"max by (node) ({_READY}) == 0",
            for_seconds=600,
            severity=Severity.PAGE,
            summary="{{ $labels.node }} is not ready",
            description="Node {{ $labels.node }} has not been ready for ten minutes. Its pods are moved elsewhere, if "
            "there is room, and nobody knows what those that stay are doing.",
            platform=True,
        ),
        Alert(
            "NodeUnderPressure",
            f"max by (node, condition) ({_PRESSURE}) == 1",
            for_seconds=600,
            severity=Severity.TICKET,
            summary="{{ $labels.node }}: {{ $labels.condition }}",
            description="Node {{ $labels.node }} reports {{ $labels.condition }}: the kubelet evicts pods.",
            platform=True,
        ),
        Alert(
            "NodeMemoryFull",
            "node:memory:ratio > 0.95",
            for_seconds=900,
            severity=Severity.TICKET,
            summary="{{ $labels.node }}: memory is {{ $value | humanizePercentage }} full",
            description="Programs on node {{ $labels.node }} use {{ $value | humanizePercentage }} of its memory. Its "
            "kernel begins to end some of them.",
            platform=True,
        ),
        Alert(
            "NodeClockWrong",
            "max by (node) (abs(node_timex_offset_seconds)) > 0.05 or max by (node) (node_timex_sync_status) == 0",
            for_seconds=900,
            severity=Severity.TICKET,
            summary="{{ $labels.node }}: the clock is wrong, or follows no other",
            description="The clock of node {{ $labels.node }} is off by more than 50 ms, or is not synchronised. "
            "Signatures, certificates and metrics with times of their own go wrong.",
            platform=True,
        ),
    ),
    panels=(
        Panel(
            title="Processors in use",
            queries=(Query("node:cpu:ratio", "{{node}}"),),
            unit="percentunit",
            description="Part of the time in which a node's processors had work.",
            minimum=0,
            maximum=1,
        ),
        Panel(
            title="Memory in use",
            queries=(Query("node:memory:ratio", "{{node}}"),),
            unit="percentunit",
            description="Part of a node's memory that programs need.",
            thresholds=(Threshold(0.9, "orange"), Threshold(0.95, "red")),
            minimum=0,
            maximum=1,
        ),
        Panel(
            title="Nodes that are ready",
            queries=(Query(f"sum({_READY})", "ready"), Query("count(kube_node_info)", "all")),
            unit="short",
            description="Nodes that take pods, and all that there are.",
            minimum=0,
        ),
        Panel(
            title="Pods on nodes",
            queries=(Query("sum by (node) (kubelet_running_pods)", "{{node}}"),),
            unit="short",
            description="Pods that run on each node.",
            minimum=0,
        ),
    ),
)

POOLS: Final = Signal(
    name="pool-health",
    title="Node pools",
    area="cluster",
    recordings=(
        Recording(
            "nodepool_resource:used:ratio",
            "max by (nodepool, resource_type) (karpenter_nodepools_usage / (karpenter_nodepools_limit > 0))",
            "percentunit",
        ),
    ),
    alerts=(
        Alert(
            "NodePoolFull",
            "nodepool_resource:used:ratio > 0.95",
            for_seconds=900,
            severity=Severity.TICKET,
            summary="Node pool {{ $labels.nodepool }} is as large as it may be",
            description="Node pool {{ $labels.nodepool }} has {{ $value | humanizePercentage }} of the "
            "{{ $labels.resource_type }} that it may have. What asks for more waits.",
            platform=True,
        ),
        Alert(
            "NodesRefused",
            "sum by (error) (increase(karpenter_cloudprovider_errors_total[30m])) > 5",
            for_seconds=900,
            severity=Severity.TICKET,
            summary="AWS refuses nodes: {{ $labels.error }}",
            description="AWS has refused what Karpenter asked for {{ $value | humanize }} times within half an hour: "
            "{{ $labels.error }}. Capacity may be out, a quota used up, or a right missing.",
            platform=True,
        ),
    ),
    panels=(
        Panel(
            title="Node pools in use",
            queries=(Query("nodepool_resource:used:ratio", "{{nodepool}} {{resource_type}}"),),
            unit="percentunit",
            description="Part of what a pool may have that it has.",
            minimum=0,
        ),
        Panel(
            title="New nodes",
            queries=(Query("sum by (nodepool) (increase(karpenter_nodes_created_total[1h]))", "{{nodepool}}"),),
            unit="short",
            description="Nodes that Karpenter got within an hour.",
            minimum=0,
        ),
    ),
)

API: Final = Signal(
    name="kubernetes-api",
    title="Kubernetes API",
    area="cluster",
    recordings=(
        Recording(
            "apiserver:errors:ratio5m",
            'sum(rate(apiserver_request_total{code=~"5.."}[5m])) / (sum(rate(apiserver_request_total[5m])) > 0)',
            "percentunit",
        ),
        Recording(
            "apiserver:latency_seconds:p99_5m",
            "histogram_quantile(0.99, sum by (le)"
            ' (rate(apiserver_request_duration_seconds_bucket{verb=~"GET|POST|PUT|PATCH|DELETE"}[5m]))) >= 0',
            "s",
        ),
    ),
    alerts=(
        Alert(
            "KubernetesApiFails",
            "apiserver:errors:ratio5m > 0.05",
            for_seconds=600,
            severity=Severity.PAGE,
            summary="The Kubernetes API fails: {{ $value | humanizePercentage }} of the requests",
            description="{{ $value | humanizePercentage }} of the requests to the Kubernetes API fail. Nothing can be "
            "deployed, moved or mended.",
            platform=True,
        ),
    ),
    panels=(
        Panel(
            title="Requests that fail",
            queries=(Query("apiserver:errors:ratio5m", "5xx"),),
            unit="percentunit",
            description="Part of the requests to the Kubernetes API that fail.",
            minimum=0,
        ),
        Panel(
            title="Latency of the API, 99th percentile",
            queries=(Query("apiserver:latency_seconds:p99_5m", "p99"),),
            unit="s",
            description="One of a hundred requests takes longer.",
            minimum=0,
        ),
    ),
)
