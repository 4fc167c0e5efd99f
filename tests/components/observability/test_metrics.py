"""The catalogue of metrics says where it knows each from, and agrees with the code that decides what is exported."""

from __future__ import annotations

import re
from collections import Counter
from typing import get_args

from components.gpu_metrics import ALWAYS, LABEL, PROFILING
from components.observability.metrics import catalogue, exporters, job_of, series_labels
from components.observability.model_servers import SERVERS, latency_bounds
from components.observability.models import Server
from components.observability.promql import uses


def test_every_exporter_says_where_its_names_are_from_and_when_that_was_looked_up() -> None:
    for exporter in exporters().values():
        assert re.search(r"\S.* 2026-\d\d-\d\d$", exporter.source), exporter.name


def test_no_two_exporters_have_a_metric_of_one_name() -> None:
    # A query would mix them up.
    counted = Counter(name for exporter in exporters().values() for name in exporter.metrics)
    assert [name for name, times in counted.items() if times > 1] == []


def test_metrics_have_a_kind_and_bounds_where_they_are_histograms() -> None:
    for metric in catalogue().values():
        assert metric.kind in ("counter", "gauge", "histogram", "summary"), metric.name
        assert bool(metric.buckets) == (metric.kind == "histogram"), metric.name
        assert [*metric.buckets] == sorted(metric.buckets, key=float), metric.name
        assert len(set(metric.labels)) == len(metric.labels), metric.name


def test_the_gpu_exporter_exports_what_the_catalogue_says() -> None:
    exported = {field: kind for field, kind, _ in (*ALWAYS, *PROFILING) if kind != LABEL}
    assert {name: metric.kind for name, metric in exporters()["dcgm"].metrics.items()} == exported


def test_a_histogram_is_stored_as_its_parts() -> None:
    assert "le" in series_labels()["model_request_duration_seconds_bucket"]
    assert "le" not in series_labels()["model_request_duration_seconds_count"]
    assert "model_request_duration_seconds" not in series_labels()
    assert {"quantile", "dag_id"} <= series_labels()["airflow_dagrun_duration"]


def test_every_server_of_models_has_metrics_that_the_catalogue_knows() -> None:
    assert set(SERVERS) == set(get_args(Server))
    for server in SERVERS.values():
        for selector in filter(None, (server.requests, server.errors, server.waiting, server.tokens)):
            for name, labels in uses(selector).metrics.items():
                assert labels <= series_labels()[name], selector
    assert latency_bounds("triton") == {0.1: "100", 0.5: "500", 2.0: "2000", 5.0: "5000"}
    assert latency_bounds("standard")[0.3] == "0.3"


def test_jobs_of_models_are_named_after_them() -> None:
    assert job_of("vllm", "chat") == "model/chat"
    assert job_of("dcgm") == "dcgm"
