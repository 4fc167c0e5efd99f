"""Pods of teams and of the platform: whether they run, and whether there is room for them."""

from __future__ import annotations

from typing import Final

from components.observability.signals.constants import OF_TEAM
from components.observability.values import Alert, Panel, Query, Recording, Severity, Signal, Threshold

_CRASHING: Final = 'kube_pod_container_status_waiting_reason{reason="CrashLoopBackOff"} == 1'
_OUT_OF_MEMORY: Final = 'kube_pod_container_status_last_terminated_reason{reason="OOMKilled"} == 1'

PODS: Final = Signal(
    name="pod-health",
    title="Pods",
    area="cluster",
    recordings=(
        Recording(
            "pod:restarts:increase15m",
            f"sum by (namespace, pod) (increase(kube_pod_container_status_restarts_total[15m])) {OF_TEAM}",
            "short",
        ),
        Recording(
            "deployment:missing:count",
            "max by (namespace, deployment) (kube_deployment_spec_replicas - kube_deployment_status_replicas_available "
            "> 0)"
            f" {OF_TEAM}",
            "short",
        ),
    ),
    alerts=(
        Alert(
            "PodCrashLoops",
            # Between two tries a container runs for a while.
            f"max by (namespace, pod) (max_over_time(({_CRASHING})[10m:1m])) {OF_TEAM}",
            for_seconds=900,
            severity=Severity.TICKET,
            summary="{{ $labels.pod }} ends again and again",
            description="A container of pod {{ $labels.namespace }}/{{ $labels.pod }} ends soon after each start; "
            "Kubernetes waits longer and longer between its tries.",
        ),
        Alert(
            "PodOutOfMemory",
            f"pod:restarts:increase15m > 0 and on (namespace, pod) max by (namespace, pod) ({_OUT_OF_MEMORY})",
            for_seconds=0,
            severity=Severity.TICKET,
            summary="{{ $labels.pod }} was ended for want of memory",
            description="A container of pod {{ $labels.namespace }}/{{ $labels.pod }} has needed more memory than its "
            "limit, was ended and started again.",
        ),
        Alert(
            "PodUnschedulable",
            f"max by (namespace, pod) (kube_pod_status_unschedulable == 1) {OF_TEAM}",
            for_seconds=1800,
            severity=Severity.TICKET,
            summary="{{ $labels.pod }}: no node takes it",
            description="Pod {{ $labels.namespace }}/{{ $labels.pod }} has waited for a node for half an hour. "
            "`bedplate simulate` says why.",
        ),
        Alert(
            "DeploymentIncomplete",
            "deployment:missing:count",
            for_seconds=900,
            severity=Severity.TICKET,
            summary="{{ $labels.deployment }}: too few pods, by {{ $value }}",
            description="For a quarter of an hour deployment {{ $labels.namespace }}/{{ $labels.deployment }} has had "
            "fewer available pods than it shall have, by {{ $value }}.",
        ),
    ),
    panels=(
        Panel(
            title="Restarts",
            queries=(Query("sum by (namespace) (pod:restarts:increase15m)", "{{namespace}}"),),
            unit="short",
            description="Restarts of containers within 15 minutes.",
            minimum=0,
        ),
        Panel(
            title="Pods by phase",
            queries=(Query('sum by (phase) (kube_pod_status_phase{phase=~"Pending|Failed|Unknown"})', "{{phase}}"),),
            unit="short",
            description="Pods that wait, failed, or of which nobody knows.",
            minimum=0,
        ),
        Panel(
            title="Pods that deployments miss",
            queries=(Query("deployment:missing:count", "{{namespace}} {{deployment}}"),),
            unit="short",
            description="How many available pods a deployment has less than it shall have.",
            minimum=0,
        ),
    ),
)

QUOTA: Final = Signal(
    name="quota-usage",
    title="Quotas",
    area="cluster",
    recordings=(
        Recording(
            "namespace_resource:quota_used:ratio",
            'max by (namespace, resource) (kube_resourcequota{type="used"}'
            ' / ignoring (type) (kube_resourcequota{type="hard"} > 0))'
            f" {OF_TEAM}",
            "percentunit",
        ),
    ),
    alerts=(
        Alert(
            "QuotaNearlyUsed",
            "namespace_resource:quota_used:ratio > on () group_left () limit:quota:ratio",
            for_seconds=900,
            severity=Severity.INFO,
            summary="{{ $labels.team }}: {{ $value | humanizePercentage }} of the quota of {{ $labels.resource }} is "
            "used",
            description="{{ $value | humanizePercentage }} of what namespace {{ $labels.namespace }} may have of "
            "{{ $labels.resource }} is used; what goes beyond it is refused.",
        ),
    ),
    panels=(
        Panel(
            title="Quotas in use",
            queries=(Query("namespace_resource:quota_used:ratio", "{{team}} {{resource}}", instant=True),),
            unit="percentunit",
            description="Part of what a team may have that it has.",
            kind="bargauge",
            width=24,
            thresholds=(Threshold(0.9, "orange"), Threshold(1, "red")),
            minimum=0,
            maximum=1,
        ),
    ),
)
