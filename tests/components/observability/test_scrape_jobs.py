"""What Prometheus scrapes: each job finds its pods, names them as the catalogue says, and reaches them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from components.observability.metrics import exporters
from components.observability.models import Objectives, OwnRules, Pool, ServedModel, Telemetry, Watched
from components.observability.prometheus_config import Collected, RemoteWrite, prometheus_config
from components.observability.scrape_jobs import LATER, Guard, model_job, part_jobs
from components.observability.signals.monitoring import ALWAYS_THERE
from components.observability.values import Alert, Recording, Severity
from stacks.monitoring_choices import monitoring_choices
from tests.components.kubernetes_objects import case

PARTS = (
    "alertmanager", "apiserver", "dcgm", "grafana", "karpenter", "kube-state-metrics", "kubelet", "kueue",
    "node-exporter", "prometheus", "pushgateway",
)  # fmt: skip
SCORER = ServedModel("scorer", "vision", Telemetry("standard", "team-vision", {"app.kubernetes.io/name": "scorer"}))
CHAT = ServedModel(
    "chat", "text", Telemetry("vllm", "chat.v1", {"app": "vllm", "tier": "gpu"}, "http", "/vllm/metrics")
)
SILENT = ServedModel("silent", "text", None, Objectives(accuracy=0.9))
WATCHED = Watched(
    environment="prod",
    team="ml",
    namespace="monitoring",
    runbooks="https://docs.example.com/",
    namespaces={"vision": "team-vision"},
    models={each.name: each for each in (SCORER, CHAT, SILENT)},
    pools={"train": Pool("train", 2.5)},
    budget_usd=1000,
)
COLLECTED = Collected(WATCHED, "bedplate-prod", PARTS, ["alertmanager-0.alertmanager.monitoring.svc:9093"])


def jobs(collected: Collected = COLLECTED) -> dict[str, dict[str, Any]]:
    return {each["job_name"]: each for each in prometheus_config(collected)["scrape_configs"]}


def kept(job: Mapping[str, Any], **labels: str) -> bool:
    """Whether a target with these labels of discovery is kept by the job."""
    for rule in job["relabel_configs"]:
        value = ";".join(labels.get(name, "") for name in rule.get("source_labels", ()))
        matches = re.fullmatch(rule.get("regex", ".*"), value) is not None
        if (rule.get("action") == "keep" and not matches) or (rule.get("action") == "drop" and matches):
            return False
    return True


def of_pod(namespace: str, port: str, phase: str = "Running", init: str = "false", **labels: str) -> dict[str, str]:
    return {
        "__meta_kubernetes_namespace": namespace,
        "__meta_kubernetes_pod_phase": phase,
        "__meta_kubernetes_pod_container_init": init,
        "__meta_kubernetes_pod_container_port_name": port,
        **{f"__meta_kubernetes_pod_label_{name}": value for name, value in labels.items()},
    }


def test_a_models_pods_are_found_by_namespace_all_labels_and_port() -> None:
    job = jobs()["model/chat"]
    assert job["metrics_path"] == "/vllm/metrics"
    assert kept(job, **of_pod("chat.v1", "http", app="vllm", tier="gpu", other="x"))
    for wrong in (
        of_pod("chatxv1", "http", app="vllm", tier="gpu"),
        of_pod("chat.v1", "metrics", app="vllm", tier="gpu"),
        of_pod("chat.v1", "http", app="vllm"),
        of_pod("chat.v1", "http", app="vllm", tier="gpu", init="true"),
        of_pod("chat.v1", "http", app="vllm", tier="gpu", phase="Succeeded"),
        of_pod("chat.v1", "http", app="vllm", tier="gpu", phase="Failed"),
    ):
        assert not kept(job, **wrong), wrong


def test_a_model_without_telemetry_has_no_job() -> None:
    assert model_job(SILENT) is None
    assert [name for name in jobs() if name.startswith("model/")] == ["model/scorer", "model/chat"]


def test_series_get_the_labels_of_the_catalogue_and_no_others() -> None:
    for job in [*part_jobs("monitoring", PARTS), *LATER]:
        exporter = exporters()[job.name]
        assert {"job", "instance", *job.taken, *job.given} == {"instance", *exporter.added}, job.name
        assert job.honored is exporter.honored, job.name
    for model, server in ((SCORER, "standard"), (CHAT, "vllm")):
        job = model_job(model)
        assert job is not None
        assert {"job", "instance", *job.taken, *job.given} == set(exporters()[server].added)
        assert not job.honored, "a server that says it is another team's is not believed"


def test_every_exporter_of_the_catalogue_has_a_job() -> None:
    wanted = {each.job for each in exporters().values()} - {".+", "model/.+"}
    assert wanted == {name for name in jobs() if not name.startswith("model/")}


def test_what_is_missed_where_it_is_not_there_is_scraped_everywhere() -> None:
    choices = monitoring_choices(case("existing_cluster"), "dev")
    assert choices is not None
    everywhere = jobs(Collected(choices.watched, "c", choices.prometheus.parts))
    assert set(ALWAYS_THERE) <= everywhere.keys()


def test_a_part_that_is_not_there_has_no_job() -> None:
    few = jobs(replace(COLLECTED, parts=["prometheus"], watched=replace(WATCHED, models={})))
    assert sorted(few) == ["airflow", "argo-workflows", "opencost", "prometheus"]


def test_pods_are_watched_once_whatever_the_number_of_models() -> None:
    of_pods = [each["kubernetes_sd_configs"] for name, each in jobs().items() if "/" in name or name == "dcgm"]
    assert len(of_pods) == 3
    assert all(each == [{"role": "pod", "attach_metadata": {"node": True}}] for each in of_pods)


@pytest.mark.parametrize("hidden", ["etcd", "scheduler", "controller-manager", "proxy"])
def test_nothing_scrapes_what_eks_hides(hidden: str) -> None:
    for name, job in jobs().items():
        assert hidden not in name
        assert hidden not in str(job["kubernetes_sd_configs"])
    # Kueue's own controller is called a manager, too: no other job may look into kube-system than Karpenter's.
    looking = [name for name, job in jobs().items() if "kube-system" in str(job["relabel_configs"])]
    assert looking == ["karpenter"]


def test_every_target_is_bounded() -> None:
    for name, job in jobs().items():
        assert 0 < job["sample_limit"] <= 500_000, name
        assert re.fullmatch(r"\d+MB", job["body_size_limit"]), name
        assert job["label_limit"] and job["label_name_length_limit"] and job["label_value_length_limit"], name
        assert job["target_limit"] >= 2000, name
        assert job["honor_timestamps"] is False, name
    assert jobs()["model/scorer"]["sample_limit"] == Guard().samples


def test_whoever_asks_kubernetes_shows_a_token_and_checks_whom_it_asks() -> None:
    folder = "/var/run/secrets/kubernetes.io/serviceaccount"
    for name, job in jobs().items():
        if name in ("apiserver", "kubelet", "cadvisor"):
            assert job["tls_config"]["ca_file"] == f"{folder}/ca.crt"
            assert "insecure_skip_verify" not in job["tls_config"]
        if name in ("apiserver", "kubelet", "cadvisor", "kueue"):
            assert job["scheme"] == "https"
            assert job["authorization"] == {"credentials_file": f"{folder}/token"}
        else:
            assert not job.keys() & {"scheme", "authorization", "tls_config"}, name
    assert jobs()["cadvisor"]["metrics_path"] == "/metrics/cadvisor"


def test_of_kubernetes_only_what_somebody_asks_for_is_kept() -> None:
    own = OwnRules(
        recordings=(Recording("team:pods:count", "sum by (team) (kubelet_pleg_relist_total)", "short"),),
        alerts=(Alert("A", "team:pods:count > 1", 0, Severity.INFO, "s", "d"),),
    )
    (rule,) = jobs(replace(COLLECTED, watched=replace(WATCHED, own=own)))["kubelet"]["metric_relabel_configs"]
    assert rule["action"] == "keep"
    names = rule["regex"].split("|")
    assert {"kubelet_volume_stats_used_bytes", "kubelet_pleg_relist_total"} <= set(names)
    assert "team:pods:count" not in names
    (rule,) = jobs()["apiserver"]["metric_relabel_configs"]
    assert "apiserver_request_duration_seconds_bucket" in rule["regex"].split("|")
    assert "kubelet_pleg_relist_total" not in jobs()["kubelet"]["metric_relabel_configs"][0]["regex"]


def test_bounds_of_histograms_read_the_same_in_each_version_of_prometheus() -> None:
    (rule,) = jobs()["model/scorer"]["metric_relabel_configs"]
    assert rule["source_labels"] == [rule["target_label"]] == ["le"]
    assert re.fullmatch(rule["regex"], "1") and not re.fullmatch(rule["regex"], "0.5")
    assert not re.fullmatch(rule["regex"], "+Inf")
    assert rule["replacement"] == "${1}.0"


def test_where_alerts_and_samples_go() -> None:
    config = prometheus_config(COLLECTED)
    assert config["global"]["external_labels"] == {"environment": "prod", "cluster": "bedplate-prod"}
    assert config["rule_files"] == ["/etc/prometheus/rules/*.yaml"]
    (managers,) = config["alerting"]["alertmanagers"]
    assert managers == {"static_configs": [{"targets": ["alertmanager-0.alertmanager.monitoring.svc:9093"]}]}
    assert "remote_write" not in config
    remote = RemoteWrite(
        "https://aps-workspaces.us-east-1.amazonaws.com/workspaces/ws-1/api/v1/remote_write", "us-east-1"
    )
    (write,) = prometheus_config(replace(COLLECTED, remote_write=remote))["remote_write"]
    assert (write["url"], write["sigv4"]) == (remote.url, {"region": "us-east-1"})
    assert "alerting" not in prometheus_config(replace(COLLECTED, alertmanagers=()))
