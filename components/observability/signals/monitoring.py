"""Monitoring itself: that its targets are there and tell what can be believed, and that somebody hears of it at all."""

from __future__ import annotations

from typing import Final

from components.observability.values import Alert, Panel, Query, Recording, Severity, Signal

# Jobs that are there in every environment, so that none of them being there is a fault. Models have an alert of theirs.
ALWAYS_THERE: Final = (
    "alertmanager", "apiserver", "cadvisor", "kube-state-metrics", "kubelet", "node-exporter", "prometheus",
    "pushgateway",
)  # fmt: skip
_REFUSED: Final = (
    "prometheus_target_scrapes_exceeded_sample_limit_total",
    "prometheus_target_scrapes_exceeded_body_size_limit_total",
    "prometheus_target_scrapes_sample_out_of_bounds_total",
    "prometheus_target_scrapes_sample_out_of_order_total",
    "prometheus_target_scrapes_sample_duplicate_timestamp_total",
)
_MISSING: Final = "\nor ".join(f'absent(up{{job="{job}"}})' for job in ALWAYS_THERE)
_REFUSALS: Final = "\nor ".join(
    f'label_replace(sum(increase({name}[15m])), "reason", "{name}", "", "")' for name in _REFUSED
)

WATCHDOG: Final = Signal(
    name="watchdog",
    title="Watchdog",
    area="monitoring",
    recordings=(Recording("alerts:firing:count", 'count by (severity) (ALERTS{alertstate="firing"})', "short"),),
    alerts=(
        Alert(
            "Watchdog",
            "vector(1)",
            for_seconds=0,
            severity=Severity.INFO,
            summary="Alerts get through",
            description="This alert always fires. Whoever gets it takes alarm when it stops: then Prometheus, "
            "Alertmanager or the way between them is broken.",
            platform=True,
        ),
    ),
    panels=(
        Panel(
            title="Alerts that fire",
            queries=(Query("alerts:firing:count", "{{severity}}"),),
            unit="short",
            description="Alerts that fire at the moment, the watchdog among them.",
            width=24,
            minimum=0,
        ),
    ),
)

TARGETS: Final = Signal(
    name="targets",
    title="Targets",
    area="monitoring",
    recordings=(
        Recording("job:targets_down:ratio", "avg by (job) (up == bool 0)", "percentunit"),
        Recording("scrapes:refused:increase15m", _REFUSALS, "short"),
    ),
    alerts=(
        Alert(
            "ExporterMissing",
            _MISSING,
            for_seconds=900,
            severity=Severity.TICKET,
            summary="{{ $labels.job }}: there is none",
            description="Prometheus has found no target of {{ $labels.job }}. What it would say is missing in rules "
            "and dashboards, whose alerts can't fire.",
            platform=True,
        ),
        Alert(
            "TargetsDown",
            'job:targets_down:ratio{job!~"model/.+"} > 0.1',
            for_seconds=900,
            severity=Severity.TICKET,
            summary="{{ $labels.job }}: {{ $value | humanizePercentage }} of the targets are down",
            description="{{ $value | humanizePercentage }} of the targets of {{ $labels.job }} can't be scraped.",
            platform=True,
        ),
        Alert(
            "ScrapesRefused",
            "scrapes:refused:increase15m > 0",
            for_seconds=900,
            severity=Severity.TICKET,
            summary="Targets give what Prometheus refuses",
            description="Prometheus refuses what some targets give ({{ $labels.reason }}): too much, samples with "
            "times of long ago or of the future, or twice with different values.",
            platform=True,
        ),
    ),
    panels=(
        Panel(
            title="Targets that are down",
            queries=(Query("job:targets_down:ratio > 0", "{{job}}"),),
            unit="percentunit",
            description="Part of a job's targets that can't be scraped.",
            minimum=0,
            maximum=1,
        ),
        Panel(
            title="What was refused",
            queries=(Query("scrapes:refused:increase15m", "{{reason}}"),),
            unit="short",
            description="Scrapes and samples that Prometheus did not take, within 15 minutes.",
            minimum=0,
        ),
    ),
)
