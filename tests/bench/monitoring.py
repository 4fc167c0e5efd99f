"""``python -m tests.bench.monitoring [memory]``: what monitoring costs. Needs ``tools/debian.py``; asserts nothing.

``memory``: Prometheus's resident memory with 500,000 series of 250 targets after a dozen scrapes.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from tests.integration.monitoring.exporters import Exporters, exporters
from tests.integration.monitoring.servers import located, prometheus, until

SERIES: Final = 500_000
SERIES_OF_A_TARGET: Final = 2_000
SCRAPES: Final = 12
SCRAPE_SECONDS: Final = 10
_MIB: Final = 2**20


def main(wanted: list[str]) -> None:
    if located("prometheus") is None:
        sys.exit("there is no prometheus: `python3 tools/debian.py` gets it")
    for name in wanted or _PARTS:
        with tempfile.TemporaryDirectory(prefix="bench-monitoring-") as folder:
            _PARTS[name](Path(folder))


def memory(folder: Path) -> None:
    """Histograms, as most series of servers are; every value changes from scrape to scrape."""
    count = SERIES // SERIES_OF_A_TARGET
    with exporters() as served:
        groups = [_target(served, number) for number in range(count)]
        job = {"job_name": "model/synthetic", "file_sd_configs": [{"files": [str(folder / "targets.json")]}]}
        (folder / "targets.json").write_text(json.dumps(groups))
        settings = {"global": {"scrape_interval": f"{SCRAPE_SECONDS}s"}, "scrape_configs": [job]}
        (folder / "prometheus.json").write_text(json.dumps(settings))
        with prometheus(folder / "prometheus.json", folder) as server:
            asked = served.asked
            until("scrapes", lambda: min(asked.values(), default=0) >= SCRAPES and len(asked) == count, seconds=600)
            time.sleep(SCRAPE_SECONDS)  # until the last scrape is stored
            series = _head_series(server.get("/api/v1/status/tsdb"))
            resident, peak = _resident(server.pid)
    print(
        f"memory: {series:,} series of {count} targets after {SCRAPES} scrapes every {SCRAPE_SECONDS} s: "
        f"{resident:,.0f} MiB resident, {peak:,.0f} MiB at most",
        flush=True,
    )


def _target(served: Exporters, number: int) -> dict[str, Any]:
    ip = f"127.1.{number // 200}.{number % 200 + 1}"
    heads = [
        f'model_request_duration_seconds_bucket{{code="{200 + each % 8}",route="/v1/predict/{each // 160}",'
        f'le="{each // 8 % 20}"}}'
        for each in range(SERIES_OF_A_TARGET - 5)  # Prometheus adds five of its own
    ]
    served.say(ip, lambda: _said(heads, served.asked[ip, "/metrics"]))
    labels = {"model": f"model-{number % 50}", "team": f"team-{number % 8}", "version": "2026.11.1"}
    where = {"namespace": f"team-{number % 8}", "pod": f"model-{number % 50}-7d9f8b6c5-{number:05}"}
    return {"targets": [f"{ip}:{served.port}"], "labels": {**labels, **where}}


def _said(heads: list[str], scrape: int) -> bytes:
    return "".join([f"{head} {scrape * (place + 17)}\n" for place, head in enumerate(heads)]).encode()


def _head_series(answer: dict[str, Any]) -> int:
    return answer["data"]["headStats"]["numSeries"]


def _resident(pid: int) -> tuple[float, float]:
    """MiB now and at most."""
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    now, most = (int(lines[name].split()[0]) * 1024 / _MIB for name in ("VmRSS", "VmHWM"))
    return now, most


_PARTS: Final[dict[str, Callable[[Path], None]]] = {"memory": memory}


if __name__ == "__main__":
    main(sys.argv[1:])
