"""What synthetic exporters say is what the catalogue has, and goes on as it is told."""

from __future__ import annotations

import pytest

from components.observability.metrics import exporters
from tests.integration.monitoring.servers import run_tool
from tests.integration.monitoring.synthetic import Synthetic, unknown_names


def test_the_table_of_the_healthy_speaks_of_what_is_exported() -> None:
    assert unknown_names() == []


@pytest.mark.parametrize("exporter", exporters())
def test_an_exporter_says_all_its_metrics_as_prometheus_reads_them(exporter: str) -> None:
    made = Synthetic(exporter)
    said = made.body().decode()
    assert {name for name, _ in made.series} <= made.metrics.keys()
    ended = run_tool("promtool", "check", "metrics", given=said)
    assert "error while linting" not in ended.stderr, ended.stderr


def test_counters_gauges_and_histograms_go_on_as_they_are_told() -> None:
    now = [1000.0]
    made = Synthetic("standard", lambda: now[0])
    now[0] += 10
    made.set("model_requests_total", {"code": "500"}, rate=5)
    made.set("model_request_duration_seconds", value=0.4, rate=50)
    made.set("model_queue_depth", value="NaN")
    now[0] += 2
    said = made.body().decode().splitlines()
    for line in (
        'model_requests_total{code="200"} 600.0',
        'model_requests_total{code="500"} 10.0',
        'model_request_duration_seconds_bucket{le="0.1"} 500.0',
        'model_request_duration_seconds_bucket{le="0.3"} 500.0',
        'model_request_duration_seconds_bucket{le="0.5"} 600.0',
        "model_request_duration_seconds_count{} 600.0",
        "model_request_duration_seconds_sum{} 80.0",
        "model_queue_depth{} NaN",
    ):
        assert line in said
