"""Prometheus as it is deployed: what it may do, whom it reaches, what it keeps, and that its jobs find their pods."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from components.observability.rules import rule_files
from stacks.monitoring_choices import monitoring_choices
from stacks.settings import load
from tests.components.kubernetes_objects import case, everything, monitored, named, of_kind, pods
from tests.components.platform_recording import Run

NETWORK = ["10.30.0.0/16", "172.20.0.1/32"]
SELECTOR = {"matchLabels": {"app.kubernetes.io/name": "prometheus"}}


@pytest.fixture(scope="module")
def prod() -> Run:
    return everything(load("prod"))


@pytest.fixture(scope="module")
def models() -> Run:
    return monitored(case("monitored_models"))


def _policies(run: Run, namespace: str = "monitoring") -> dict[str, Any]:
    found = [each for each in of_kind(run, "NetworkPolicy") if each["metadata"]["namespace"] == namespace]
    return {each["metadata"]["name"]: each["spec"] for each in found}


def _config(run: Run) -> dict[str, Any]:
    return yaml.safe_load(named(run, "ConfigMap", "prometheus-config")["data"]["prometheus.yml"])


def test_it_may_list_what_it_discovers_and_read_metrics_and_nothing_else(prod: Run) -> None:
    role = named(prod, "ClusterRole", "monitoring-prometheus")
    rules = {
        (*rule.get("apiGroups", ["-"]), each, *rule.get("resourceNames", [])): rule["verbs"]
        for rule in role["rules"]
        for each in [*rule.get("resources", []), *rule.get("nonResourceURLs", [])]
    }
    assert rules == {
        ("", "pods"): ["list", "watch"],
        ("", "nodes"): ["list", "watch"],
        ("", "nodes/metrics"): ["get"],
        ("", "services", "kubernetes"): ["list", "watch"],
        ("discovery.k8s.io", "endpointslices", "kubernetes"): ["list", "watch"],
        ("-", "/metrics"): ["get"],
    }
    binding = named(prod, "ClusterRoleBinding", "monitoring-prometheus")
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "prometheus", "namespace": "monitoring"}]
    mine = [each for each in of_kind(prod, "Role") if each["metadata"]["namespace"] == "monitoring"]
    assert mine == []


def test_it_asks_the_api_server_for_no_more_than_it_may(prod: Run) -> None:
    """Discovery that asks for all endpoints, where only one name is allowed, would never get an answer."""
    asked = [each for job in _config(prod)["scrape_configs"] for each in job["kubernetes_sd_configs"]]
    assert {each["role"] for each in asked} == {"pod", "node", "endpointslice"}
    (slices,) = (each for each in asked if each["role"] == "endpointslice")
    assert {each["role"]: each["field"] for each in slices["selectors"]} == {
        "endpointslice": "metadata.name=kubernetes",
        "service": "metadata.name=kubernetes",
    }


def _peer(namespace: str | None, labels: dict[str, str], *ports: int) -> dict[str, Any]:
    where = {"matchLabels": {"kubernetes.io/metadata.name": namespace}} if namespace else {}
    rule: dict[str, Any] = {"to": [{"namespaceSelector": where, "podSelector": {"matchLabels": labels}}]}
    return {**rule, "ports": [{"protocol": "TCP", "port": port} for port in ports]} if ports else rule


def _egress(policies: dict[str, Any], name: str) -> list[Any]:
    policy = policies[f"allow-prometheus-to-{name}"]
    assert (policy["podSelector"], policy["policyTypes"]) == (SELECTOR, ["Egress"])
    return policy["egress"]


def _addresses(port: int) -> list[Any]:
    return [
        {"to": [{"ipBlock": {"cidr": cidr}}], "ports": [{"protocol": "TCP", "port": port}]}
        for cidr in NETWORK
    ]  # fmt: skip


def _later(name: str) -> dict[str, Any]:
    return _peer(None, {"bedplate.dev/metrics": name})


def test_it_reaches_what_it_scrapes_and_nothing_else(models: Run, prod: Run) -> None:
    of_prod = _policies(prod)
    assert _egress(of_prod, "api-server") == _addresses(443)
    assert _egress(of_prod, "kubelets") == _addresses(10250)
    app = "app.kubernetes.io/name"
    reached = _egress(of_prod, "targets")
    for wanted in (
        _peer("gpu-system", {app: "dcgm-exporter"}, 9400),
        _peer("kueue-system", {app: "kueue"}, 8443),
        _peer("kube-system", {app: "karpenter"}, 8080),
        _peer("monitoring", {app: "prometheus"}, 9090),
        *map(_later, ("airflow", "argo-workflows", "opencost")),
    ):
        assert wanted in reached
    # One for each job, and each job's are known.
    jobs = [job["job_name"] for job in _config(prod)["scrape_configs"]]
    assert len(reached) == len([job for job in jobs if job not in ("apiserver", "kubelet", "cadvisor")])
    ways = ("api-server", "targets", "kubelets")
    assert {name for name in of_prod if "prometheus-to" in name} == {f"allow-prometheus-to-{way}" for way in ways}
    assert _egress(_policies(models), "targets")[-2:] == [
        _peer("team-vision", {app: "fraud-scorer"}),
        _peer("chat", {"app": "vllm"}),
    ]


def _selected(run: Run) -> Iterator[tuple[str, list[Any]]]:
    """Each job of the platform's own parts, with the ports of the pods of the recording that it selects."""
    for job in _config(run)["scrape_configs"]:
        name, (keep, *_) = job["job_name"], job["relabel_configs"]
        if job["kubernetes_sd_configs"][0]["role"] != "pod" or name in ("airflow", "argo-workflows", "opencost"):
            continue
        found: list[Any] = []
        for pod in pods(run):
            for _, container in pod.containers():
                for port in container.get("ports", []):
                    labels = {
                        "__meta_kubernetes_namespace": pod.namespace,
                        "__meta_kubernetes_pod_container_port_name": port["name"],
                        "__meta_kubernetes_pod_container_init": "false",
                        **{f"__meta_kubernetes_pod_label_{re.sub('[^a-z]', '_', key)}": value
                           for key, value in pod.labels.items()},
                    }  # fmt: skip
                    value = ";".join(labels.get(label, "") for label in keep["source_labels"])
                    if re.fullmatch(keep["regex"], value):
                        found.append((pod.place, port["containerPort"]))
        yield name, found


def test_each_job_finds_the_pods_that_are_deployed(prod: Run) -> None:
    # Those of charts are rendered by Helm, and not in the recording.
    selected = {name: found for name, found in _selected(prod) if name not in ("kueue", "karpenter")}
    assert selected["prometheus"] == [("StatefulSet/prometheus", 9090)]
    for name, found in selected.items():
        assert len(found) == 1, (name, found)
        ports = [rule["ports"] for rule in _egress(_policies(prod), "targets") if name in str(rule)]
        assert [{"protocol": "TCP", "port": found[0][1]}] in ports, name


def test_what_it_keeps_fits_its_volume(prod: Run) -> None:
    spec = named(prod, "StatefulSet", "prometheus")["spec"]
    (claim,) = spec["volumeClaimTemplates"]
    assert claim["spec"]["resources"]["requests"]["storage"] == "50Gi"
    assert claim["spec"]["storageClassName"] == "gp3"
    (container,) = spec["template"]["spec"]["containers"]
    assert "--storage.tsdb.retention.time=15d" in container["args"]
    assert "--storage.tsdb.retention.size=40GB" in container["args"]
    assert "--config.auto-reload" in container["args"]
    assert not [each for each in container["args"] if "lifecycle" in each or "admin-api" in each]


def test_a_volume_of_another_size_keeps_its_part_free() -> None:
    settings = load("dev")
    asked = settings.monitoring.prometheus.model_copy(update={"volume_gib": 200, "retention_days": 30, "cpu": 2.5})
    monitoring = settings.monitoring.model_copy(update={"prometheus": asked})
    run = monitored(settings.model_copy(update={"monitoring": monitoring}))
    (container,) = named(run, "StatefulSet", "prometheus")["spec"]["template"]["spec"]["containers"]
    assert "--storage.tsdb.retention.size=160GB" in container["args"]
    assert "--storage.tsdb.retention.time=30d" in container["args"]
    assert container["resources"]["requests"]["cpu"] == container["resources"]["limits"]["cpu"] == "2500m"


def test_in_somebody_elses_cluster_the_class_is_its_own() -> None:
    run = monitored(case("existing_cluster"))
    (claim,) = named(run, "StatefulSet", "prometheus")["spec"]["volumeClaimTemplates"]
    assert "storageClassName" not in claim["spec"]


def test_rules_and_configuration_keep_their_names_and_are_mounted_where_they_are_looked_for(models: Run) -> None:
    spec = named(models, "StatefulSet", "prometheus")["spec"]["template"]["spec"]
    volumes = {each["name"]: each for each in spec["volumes"]}
    assert volumes["config"]["configMap"] == {"name": "prometheus-config"}
    mounted = [each["configMap"]["name"] for each in volumes["rules"]["projected"]["sources"]]
    files = {name: text for each in mounted for name, text in named(models, "ConfigMap", each)["data"].items()}
    choices = monitoring_choices(case("monitored_models"), "dev")
    assert choices is not None
    assert files == rule_files(choices.watched)
    (container,) = spec["containers"]
    mounts = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
    assert _config(models)["rule_files"] == [f"{mounts['rules']}/*.yaml"]
    assert f"--config.file={mounts['config']}/prometheus.yml" in container["args"]
    assert f"--storage.tsdb.path={mounts['data']}" in container["args"]


def test_its_token_is_its_own_and_mounted_by_hand(prod: Run) -> None:
    spec = named(prod, "StatefulSet", "prometheus")["spec"]["template"]["spec"]
    assert spec["automountServiceAccountToken"] is False
    (container,) = spec["containers"]
    (mount,) = (each for each in container["volumeMounts"] if each["name"] == "token")
    assert mount["readOnly"] is True
    for job in _config(prod)["scrape_configs"]:
        if "authorization" in job:
            assert job["authorization"]["credentials_file"] == f"{mount['mountPath']}/token"
