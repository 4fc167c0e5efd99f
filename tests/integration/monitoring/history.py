"""What was measured before a test began, written as blocks of Prometheus's database."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from tests.integration.monitoring.exporters import Sample
from tests.integration.monitoring.servers import run_tool

# As far apart as Prometheus looks back for a sample, or nearer.
STEP_SECONDS: Final = 4


def write_history(samples: Iterable[Sample], data: Path) -> None:
    """Write ``samples``, each of which has a time, into the database in ``data``, before Prometheus runs on it."""
    text = data / "history.txt"
    with text.open("w") as file:
        file.writelines(f"{sample.line(ticks=1)}\n" for sample in sorted(samples, key=lambda sample: sample.name))
        file.write("# EOF\n")
    # The text is read once for each block: in blocks of two hours, which are usual, weeks would take an hour.
    blocks = ["create-blocks-from", "openmetrics", "--max-block-duration=162h"]
    ended = run_tool("promtool", "tsdb", *blocks, text, data / "tsdb")
    assert ended.returncode == 0, ended.stderr


def around(
    name: str, labels: Mapping[str, str], value: float, *, ago: float, for_seconds: float, step: int = STEP_SECONDS
) -> Iterable[Sample]:
    """A series that had ``value`` for so long from ``ago`` seconds before now on, every ``step`` seconds."""
    start = time.time() - ago
    return (Sample(name, labels, value, at=start + each) for each in range(0, int(for_seconds), step))
