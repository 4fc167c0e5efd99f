"""Settings of the monitoring servers: what Prometheus keeps."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from stacks.settings.base import Contradiction, Section


class PrometheusSettings(Section):
    """The server that collects metrics and evaluates rules."""

    retention_days: int = Field(default=15, ge=1, le=400)
    """Days for which samples are kept, as far as the volume is large enough for them."""
    volume_gib: int = Field(default=50, ge=5, le=16384)
    """Its volume (GiB), of which samples take four fifths."""
    storage_class: str | None = Field(default=None, max_length=63, pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$")
    """Storage class of volumes; default: gp3, which the platform makes, or that of an existing cluster."""
    cpu: float = Field(default=0.5, gt=0, le=64, multiple_of=0.001)
    """Processors (vCPU) that are kept for it; it may use two, or as many as these."""
    memory_gib: int = Field(default=4, ge=1, le=512)
    """Memory (GiB); 4 are enough for half a million series."""

    def contradictions(self) -> Iterable[Contradiction]:
        # Two bytes a sample, with the least that anybody scrapes: a day of nothing but the platform is half a GiB.
        if self.retention_days > self.volume_gib * 2:
            why = f"is {self.volume_gib}, which is full long before {self.retention_days} days"
            yield Contradiction("volume_gib", why, f"use {(self.retention_days + 1) // 2} or more, or fewer days")
