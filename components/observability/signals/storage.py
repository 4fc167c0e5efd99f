"""Storage: how full volumes and disks are, and when they will be full if it goes on like this."""

from __future__ import annotations

from typing import Final

from components.observability.signals.constants import OF_TEAM
from components.observability.values import Alert, Panel, Query, Recording, Severity, Signal, Threshold

_BY: Final = "max by (namespace, persistentvolumeclaim)"
_DISKS: Final = '{fstype!~"tmpfs|overlay|squashfs|ramfs|nsfs|fuse.*",mountpoint!~"/(run|var/lib/kubelet/pods)/.*"}'
# As far as a forecast from six hours reaches.
_AHEAD_SECONDS: Final = 345600

VOLUMES: Final = Signal(
    name="volume-usage",
    title="Volumes",
    area="storage",
    recordings=(
        Recording(
            "volume:used:ratio",
            f"{_BY} ((kubelet_volume_stats_used_bytes >= 0) / (kubelet_volume_stats_capacity_bytes > 0) <= 1) "
            f"{OF_TEAM}",
            "percentunit",
        ),
        Recording(
            "volume:forecast:ratio4d",
            f"{_BY} (predict_linear(kubelet_volume_stats_used_bytes[6h], {_AHEAD_SECONDS})"
            f" / (kubelet_volume_stats_capacity_bytes > 0)) {OF_TEAM}",
            "percentunit",
        ),
        Recording(
            "volume:inodes_used:ratio",
            f"{_BY} (kubelet_volume_stats_inodes_used / (kubelet_volume_stats_inodes > 0)) {OF_TEAM}",
            "percentunit",
        ),
    ),
    alerts=(
        Alert(
            "VolumeFull",
            "volume:used:ratio > on () group_left () limit:storage:ratio",
            for_seconds=300,
            severity=Severity.TICKET,
            summary="Volume {{ $labels.persistentvolumeclaim }} is {{ $value | humanizePercentage }} full",
            description="Volume {{ $labels.namespace }}/{{ $labels.persistentvolumeclaim }} is "
            "{{ $value | humanizePercentage }} full. Once it is full, whoever writes to it fails.",
        ),
        Alert(
            "VolumeFillsSoon",
            # Half full: what has much room left often only looks as if it grew without end.
            "volume:forecast:ratio4d > 1 and volume:used:ratio > 0.5",
            for_seconds=3600,
            severity=Severity.TICKET,
            summary="Volume {{ $labels.persistentvolumeclaim }} will be full within four days",
            description="By the last six hours, volume {{ $labels.namespace }}/{{ $labels.persistentvolumeclaim }} "
            "will be full within four days.",
        ),
        Alert(
            "VolumeOutOfInodes",
            "volume:inodes_used:ratio > on () group_left () limit:storage:ratio",
            for_seconds=300,
            severity=Severity.TICKET,
            summary="Volume {{ $labels.persistentvolumeclaim }} can take few more files",
            description="Volume {{ $labels.namespace }}/{{ $labels.persistentvolumeclaim }} has "
            "{{ $value | humanizePercentage }} of its inodes in use: it has room, but for few more files.",
        ),
    ),
    panels=(
        Panel(
            title="Volumes in use",
            queries=(Query("volume:used:ratio", "{{namespace}} {{persistentvolumeclaim}}"),),
            unit="percentunit",
            description="Part of each volume that is used.",
            thresholds=(Threshold(0.85, "orange"), Threshold(0.95, "red")),
            minimum=0,
            maximum=1,
        ),
        Panel(
            title="Growth of volumes",
            queries=(
                Query(
                    "sum by (namespace) (deriv(kubelet_volume_stats_used_bytes[6h])) * 86400",
                    "{{namespace}}",
                ),
            ),
            unit="bytes",
            description="How much the volumes of a namespace grow in a day, by the last six hours.",
        ),
    ),
)

DISKS: Final = Signal(
    name="disk-usage",
    title="Disks of nodes",
    area="storage",
    recordings=(
        Recording(
            "node_disk:used:ratio",
            f"max by (node, device) (1 - node_filesystem_avail_bytes{_DISKS} / (node_filesystem_size_bytes{_DISKS} > "
            f"0))",
            "percentunit",
        ),
    ),
    alerts=(
        Alert(
            "NodeDiskFull",
            "node_disk:used:ratio > on () group_left () limit:storage:ratio",
            for_seconds=600,
            severity=Severity.TICKET,
            summary="Disk {{ $labels.device }} of {{ $labels.node }} is {{ $value | humanizePercentage }} full",
            description="Disk {{ $labels.device }} of node {{ $labels.node }} is {{ $value | humanizePercentage }} "
            "full. The kubelet begins to delete images, then to evict pods.",
            platform=True,
        ),
    ),
    panels=(
        Panel(
            title="Disks of nodes in use",
            queries=(Query("node_disk:used:ratio", "{{node}} {{device}}"),),
            unit="percentunit",
            description="Part of each disk that is used.",
            width=24,
            thresholds=(Threshold(0.85, "orange"), Threshold(0.95, "red")),
            minimum=0,
            maximum=1,
        ),
    ),
)
