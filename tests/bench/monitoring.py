"""``python -m tests.bench.monitoring [memory | rules | preview]``: what monitoring costs. Asserts nothing.

``memory``: Prometheus's resident memory with 500,000 series of 250 targets after a dozen scrapes.
``rules``: how much of their interval the deployed rules take for 50 models and 2,000 targets, with weeks of history.
``preview``: processor seconds of rules, jobs and dashboards in a program that has loaded everything else.

The first two need Prometheus and Alertmanager (``tools/debian.py``).
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from components.observability.models import ServedModel
from stacks.monitoring_models import watched
from stacks.settings import load_file
from tests.components.kubernetes_objects import everything
from tests.integration.monitoring.deployed import PLATFORM, Deployed
from tests.integration.monitoring.exporters import Exporters, Sample, exporters
from tests.integration.monitoring.history import around, write_history
from tests.integration.monitoring.populated import populate
from tests.integration.monitoring.servers import Prometheus, located, prometheus, until
from tests.integration.monitoring.stand import TOKEN, account, standing
from tests.integration.monitoring.world import NODES, World

SERIES: Final = 500_000
SERIES_OF_A_TARGET: Final = 2_000
SCRAPES: Final = 12
SCRAPE_SECONDS: Final = 10
_MIB: Final = 2**20


def main(wanted: list[str]) -> None:
    for name in wanted or _PARTS:
        if name != "preview" and located("prometheus") is None:
            sys.exit("there is no prometheus: `python3 tools/debian.py` gets it")
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


def rules(folder: Path) -> None:
    """The files that the program deploys, at the pace at which it does."""
    settings = load_file(_write_settings(MODELS, folder / "settings.yaml"))
    deployed, models = Deployed.of(everything(settings)), watched(settings, "dev").models
    with exporters(account(folder / "account"), TOKEN) as served:
        world = World(served)
        populate(world, models, deployed.pods, replicas=REPLICAS, nodes=len(NODES))
        write_history(_weeks(models), folder)
        with standing(deployed, world, folder, {}, pace=lambda same: same, flags=()) as stand:
            server = stand.prometheus
            until("targets", lambda: len(server.query("up == 1")) >= len(world.pods), seconds=300, log=server.log)
            until("all groups", lambda: server.query(_ALL_EVALUATED), seconds=900, log=server.log)
            time.sleep(RULE_SECONDS)
            _report(server)


MODELS: Final = 50
REPLICAS: Final = 38
RULE_SECONDS: Final = 180
_TOOK: Final = "{}_over_time(prometheus_rule_group_last_duration_seconds[5m]) / prometheus_rule_group_interval_seconds"
_ALL_EVALUATED: Final = "min(prometheus_rule_group_iterations_total) > 0"


def _write_settings(models: int, path: Path) -> Path:
    """The end-to-end test's platform with so many models, which promise all that a model can."""
    document = yaml.safe_load(PLATFORM.read_text())
    sections, teams = document["config"], [f"team-{number}" for number in range(8)]
    monitoring = sections["bedplate:monitoring"]
    promised = monitoring["models"]["steady"]["objectives"]
    monitoring["models"] = {
        f"model-{number}": {"team": teams[number % 8], "metrics": {"server": "standard"}, "objectives": promised}
        for number in range(models)
    }
    del monitoring["alertmanager"]["routes"], sections["bedplate:cost"]["team_ceilings_usd"]
    for each in ("vision", "vision-oncall", "speech", "speech-oncall"):  # nobody is routed to them now
        del monitoring["alertmanager"]["receivers"][each]
    sections["bedplate:scheduling"] = {"teams": {team: {} for team in teams}}
    path.write_text(yaml.safe_dump(document))
    return path


def _weeks(models: Mapping[str, ServedModel]) -> Iterator[Sample]:
    """What the long windows look back on: three days of rates, and fifteen of hourly ones, as long as is kept."""
    for name, model in models.items():
        for kind, value in (("requests", 50), ("request_errors", 0.01), ("timed_requests", 50), ("slow_requests", 0.1)):
            labels = {"model": name, "team": model.team}
            for record, days, step in ((f"model:{kind}:rate5m", 3, 30), (f"model:{kind}:rate1h", 14, 300)):
                seconds = days * 86400
                yield from around(record, labels, value, ago=seconds, for_seconds=seconds - 60, step=step)


def _report(server: Prometheus) -> None:
    targets, series = server.value("count(up)"), server.value("prometheus_tsdb_head_series")
    most, usual = (_parts(server, operation) for operation in ("max", "avg"))
    missed = server.value("sum(prometheus_rule_group_iterations_missed_total)")
    busy = server.value("rate(process_cpu_seconds_total{job='prometheus'}[3m])")
    resident, _ = _resident(server.pid)
    print(f"rules: {MODELS} models, {targets:,.0f} targets, {series:,.0f} series in memory, {len(most)} groups")
    for what, found in (("at most", most), ("on average", usual)):
        print(f"  part of its interval {what}:", ", ".join(f"{name} {part:.1%}" for part, name in found[:-4:-1]))
    print(
        f"  {missed:.0f} evaluations missed; {busy:.2f} of a core for all that it does; {resident:,.0f} MiB", flush=True
    )


def _parts(server: Prometheus, operation: str) -> list[tuple[float, str]]:
    """The part of its interval that each group takes, with its name."""
    found = server.query(_TOOK.format(operation))
    return sorted((float(each["value"][1]), each["metric"]["rule_group"].rpartition(";")[2]) for each in found)


def preview(folder: Path) -> None:
    """In processes of their own, since what is imported once costs nothing later."""
    for models in (0, 10, 50):
        path = _write_settings(models, folder / f"{models}.yaml")
        command = [sys.executable, "-c", _GENERATES, str(path)]
        ended = [subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(RUNS)]
        loading, making = (
            statistics.median(map(float, each)) for each in zip(*(one.split() for one in ended), strict=True)
        )
        print(
            f"preview: {models} models, {loading:.2f} s to load what makes them, {making:.2f} s to make them",
            flush=True,
        )


# What a program has loaded that watches nothing comes first.
_GENERATES: Final = """
import pathlib, sys, time
import pulumi, pulumi_aws, pulumi_kubernetes.apps.v1, pulumi_kubernetes.core.v1, pulumi_kubernetes.rbac.v1
import components.gpu, components.scheduling
from stacks.settings import load_file
settings = load_file(pathlib.Path(sys.argv[1]))
before = time.process_time()
from components.observability.config_text import config_text
from components.observability.dashboards.boards import declared_boards
from components.observability.dashboards.files import in_folders
from components.observability.prometheus_config import Collected, prometheus_config
from components.observability.rules import parcels, rule_files
from stacks.monitoring_models import watched
import components.observability.dashboards.json_model
loaded = time.process_time()
found = watched(settings, "dev")
parcels(rule_files(found))
config_text(prometheus_config(Collected(found, "bench", ("kubelet", "apiserver", "prometheus"))))
in_folders(declared_boards(found))
print(loaded - before, time.process_time() - loaded)
"""
RUNS: Final = 5


_PARTS: Final[dict[str, Callable[[Path], None]]] = {"memory": memory, "rules": rules, "preview": preview}


if __name__ == "__main__":
    main(sys.argv[1:])
