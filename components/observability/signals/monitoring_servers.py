"""The servers of monitoring: that they evaluate and store, and that alerts reach somebody."""

from __future__ import annotations

from typing import Final

from components.observability.values import Alert, Panel, Query, Recording, Severity, Signal, Threshold

PROMETHEUS: Final = Signal(
    name="prometheus",
    title="Prometheus",
    area="monitoring",
    recordings=(
        Recording(
            "rule_group:duration:ratio",
            "max by (rule_group) (prometheus_rule_group_last_duration_seconds"
            " / (prometheus_rule_group_interval_seconds > 0))",
            "percentunit",
        ),
    ),
    alerts=(
        Alert(
            "RulesFail",
            "sum by (rule_group) (increase(prometheus_rule_evaluation_failures_total[15m])) > 0",
            for_seconds=300,
            severity=Severity.TICKET,
            summary="Rules of {{ $labels.rule_group }} fail",
            description="Prometheus can't evaluate some rules of {{ $labels.rule_group }}; their alerts can't fire.",
            platform=True,
        ),
        Alert(
            "RulesTooSlow",
            "rule_group:duration:ratio > 0.8",
            for_seconds=900,
            severity=Severity.TICKET,
            summary="Rules of {{ $labels.rule_group }} take {{ $value | humanizePercentage }} of their interval",
            description="The rules of {{ $labels.rule_group }} take {{ $value | humanizePercentage }} of the time "
            "until they are due again. Beyond it, evaluations are left out.",
            platform=True,
        ),
        Alert(
            "ConfigurationRefused",
            "max by (job, pod) (prometheus_config_last_reload_successful == 0"
            " or alertmanager_config_last_reload_successful == 0)",
            for_seconds=300,
            severity=Severity.PAGE,
            summary="{{ $labels.job }} has refused its configuration",
            description="{{ $labels.job }} ({{ $labels.pod }}) could not load its last configuration and goes on with "
            "the one before; after a restart it would have none.",
            platform=True,
        ),
        Alert(
            "StorageOfMetricsFails",
            "max by (pod) (increase(prometheus_tsdb_compactions_failed_total[3h]) > 0"
            " or increase(prometheus_tsdb_wal_corruptions_total[3h]) > 0)",
            for_seconds=0,
            severity=Severity.TICKET,
            summary="Prometheus has trouble with its volume",
            description="Compactions of {{ $labels.pod }} fail, or its journal is damaged: the volume may be full or "
            "faulty.",
            platform=True,
        ),
        Alert(
            "RemoteWriteFails",
            "sum by (remote_name) (rate(prometheus_remote_storage_samples_failed_total[15m])) > 0",
            for_seconds=900,
            severity=Severity.TICKET,
            summary="Metrics do not arrive in {{ $labels.remote_name }}",
            description="{{ $value | humanize }} samples per second that were sent to {{ $labels.remote_name }} are "
            "lost. A right may be missing, or a limit of the workspace reached.",
            platform=True,
        ),
    ),
    panels=(
        Panel(
            title="Series in memory",
            queries=(Query("max by (pod) (prometheus_tsdb_head_series)", "{{pod}}"),),
            unit="short",
            description="Series that Prometheus keeps in memory; half a million need some 4 GB.",
            minimum=0,
        ),
        Panel(
            title="Time that rules take",
            queries=(Query("rule_group:duration:ratio", "{{rule_group}}"),),
            unit="percentunit",
            description="Part of a group's interval that its rules take.",
            thresholds=(Threshold(0.5, "orange"), Threshold(0.8, "red")),
            minimum=0,
        ),
        Panel(
            title="Samples per second",
            queries=(Query("sum(rate(prometheus_tsdb_head_samples_appended_total[5m]))", "samples"),),
            unit="short",
            description="Samples that are written.",
            minimum=0,
        ),
        Panel(
            title="Size of the database",
            queries=(Query("max by (pod) (prometheus_tsdb_storage_blocks_bytes)", "{{pod}}"),),
            unit="bytes",
            description="Size of the blocks on the volume.",
            minimum=0,
        ),
    ),
)

DELIVERY: Final = Signal(
    name="alert-delivery",
    title="Delivery of alerts",
    area="monitoring",
    recordings=(
        Recording(
            "integration:notifications_failed:ratio15m",
            "sum by (integration) (rate(alertmanager_notifications_failed_total[15m]))"
            " / (sum by (integration) (rate(alertmanager_notifications_total[15m])) > 0)",
            "percentunit",
        ),
    ),
    alerts=(
        Alert(
            "NotificationsFail",
            "integration:notifications_failed:ratio15m > 0.01",
            for_seconds=300,
            severity=Severity.PAGE,
            summary="{{ $value | humanizePercentage }} of the notifications by {{ $labels.integration }} fail",
            description="Alertmanager can't deliver {{ $value | humanizePercentage }} of what it sends by "
            "{{ $labels.integration }}. Whoever should hear of alerts there does not.",
            platform=True,
        ),
        Alert(
            "AlertmanagerUnknown",
            "max by (pod) (prometheus_notifications_alertmanagers_discovered) < 1",
            for_seconds=300,
            severity=Severity.PAGE,
            summary="Prometheus finds no Alertmanager",
            description="{{ $labels.pod }} knows no Alertmanager; nobody hears of its alerts.",
            platform=True,
        ),
        Alert(
            "AlertmanagersDiffer",
            'count(count by (value) (count_values("value", alertmanager_config_hash))) > 1',
            for_seconds=1200,
            severity=Severity.TICKET,
            summary="Alertmanagers have different configurations",
            description="There are {{ $value }} configurations among the Alertmanagers: who hears of an alert depends "
            "on which of them gets it.",
            platform=True,
        ),
    ),
    panels=(
        Panel(
            title="Notifications that fail",
            queries=(Query("integration:notifications_failed:ratio15m", "{{integration}}"),),
            unit="percentunit",
            description="Part of the notifications that could not be delivered, by how they are sent.",
            minimum=0,
            maximum=1,
        ),
        Panel(
            title="Notifications",
            queries=(
                Query("sum by (integration) (rate(alertmanager_notifications_total[5m])) * 60", "{{integration}}"),
            ),
            unit="short",
            description="Notifications per minute.",
            minimum=0,
        ),
    ),
)
