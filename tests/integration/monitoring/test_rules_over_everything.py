"""All rules over two of everything that exporters export, each from two targets: none fails for having two where it
expects one, as it would where a part of the platform has a replica, or a pod has just been replaced."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import yaml

from components.observability.metrics import Metric, catalogue
from components.observability.rules import rule_files
from components.observability.series import recordings
from tests.components.observability.watched import WATCHED
from tests.integration.monitoring.servers import find_server

# What labels have that rules ask for by value, or join with what the settings say; all others are numbered.
_VALUES = {
    "namespace": ("team-vision", "team-research"),
    "model": ("fraud", "chat"),
    "team": ("vision", "research"),
    "pool": ("train", "reserved"),
    "code": ("200", "500"),
    "status": ("2xx", "5xx"),
    "response_code_class": ("2xx", "5xx"),
    "phase": ("Succeeded", "Failed"),
    "type": ("used", "hard"),
    "condition": ("true", "Ready"),
    "quantile": ("0.5", "0.9"),
    "resource": ("nvidia_com_gpu", "pods"),
    "feature_view": ("clicks", "users"),
    "handler": ("/v1/a", "/v1/b"),
    "alertstate": ("firing", "pending"),
}

# What these need, numbers that count up do not give: ratios below 1, a fault by its number, an hour's samples, a
# difference between two that are the same here, or other values of labels.
_NOTHING_OF = frozenset(
    (
        "apiserver:latency_seconds:p99_5m",
        "deployment:missing:count",
        "gpu:hardware_xid:last",
        "gpu:implausible:count",
        "job:failed:info",
        "model:error_ratio_budget:left30d",
        "model:slow_ratio_budget:left30d",
        "model_version:accuracy:latest",
        "model_version:calibration_error:latest",
        "namespace_resource:quota_used:ratio",
        "node:cpu:ratio",
        "pod:idle_gpus:count",
        "team:idle_gpus:usd_per_hour",
        "training_job:progress:ratio",
    )
)


def _series(metric: Metric) -> Iterator[str]:
    for name, labels in metric.series():
        bounds = [*metric.buckets, "+Inf"] if "le" in labels else [""]
        for target in (0, 1):
            for which in (0, 1):
                for bound in bounds:
                    values = {label: _VALUES.get(label, (f"{label}-0", f"{label}-1"))[which] for label in labels}
                    job = "model/" + values.get("model", "") if metric.job.startswith("model") else metric.job
                    values |= {"instance": f"target-{target}", "job": "pushed" if job == ".+" else job}
                    values |= {"le": bound} if bound else {}
                    matched = ",".join(f'{label}="{value}"' for label, value in values.items())
                    yield f"{name}{{{matched}}}"


def test_no_rule_fails_where_there_are_two_of_everything(tmp_path: Path) -> None:
    for name, text in rule_files(WATCHED).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    files = sorted(tmp_path.glob("*.yaml"))
    groups = [group["name"] for path in files for group in yaml.safe_load(path.read_text())["groups"]]
    series = [{"series": each, "values": "1+1x12"} for metric in catalogue().values() for each in _series(metric)]
    asked = sorted({each.record for each in recordings(WATCHED)})
    document = {
        "rule_files": [path.name for path in files],
        "evaluation_interval": "2m",
        "group_eval_order": sorted(groups, key=lambda name: not name.startswith("constants")),
        "tests": [
            {
                "interval": "1m",
                "input_series": series,
                "promql_expr_test": [
                    {"expr": f"count({name})", "eval_time": "12m", "exp_samples": []} for name in asked
                ],
            }
        ],
    }
    (tmp_path / "tests.yml").write_text(yaml.safe_dump(document, width=10000), encoding="utf-8")
    command = [find_server("promtool"), "test", "rules", "tests.yml"]
    done = subprocess.run(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=120
    )
    errors = re.findall(r"^ +rule: .*$", done.stdout, re.MULTILINE)
    assert errors == [], "\n".join(errors)
    # Each expectation of nothing has failed where something is recorded.
    recorded = set(re.findall(r'expr: "count\((\S+)\)"', done.stdout))
    assert set(asked) - recorded == _NOTHING_OF
