"""The exporters of monitoring: what each may read, where it runs, who reaches it, and what is collected."""

from __future__ import annotations

import re
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
import pytest

from components.observability import kube_state_metrics, node_exporter, pushgateway
from components.observability.kube_state_metrics import KubeStateMetrics, KubeStateMetricsArgs
from components.observability.metrics import exporters
from components.observability.node_exporter import NodeExporter, NodeExporterArgs
from components.observability.pushgateway import Pushgateway, PushgatewayArgs
from stacks.settings import load
from tests.components.kubernetes_objects import LABELS, monitored, named, of_kind, pods
from tests.components.platform_recording import Run, run_component

SCRAPER = {"app.kubernetes.io/name": "prometheus"}


@pytest.fixture(scope="module")
def run() -> Run:
    def make() -> None:
        below = pulumi.ResourceOptions(providers=[kubernetes.Provider("kubernetes", kubeconfig="{}")])
        KubeStateMetrics("kube-state-metrics", KubeStateMetricsArgs(LABELS, "watching"), below)
        NodeExporter("node-exporter", NodeExporterArgs(LABELS, "watching"), below)
        Pushgateway("pushgateway", PushgatewayArgs(LABELS, "watching", "gp3", keep_volume=False), below)

    return run_component(make)


def _container(run: Run, kind: str, name: str) -> dict[str, Any]:
    (container,) = named(run, kind, name)["spec"]["template"]["spec"]["containers"]
    return container


def _flags(container: dict[str, Any]) -> dict[str, str]:
    return dict(each.removeprefix("--").partition("=")[::2] for each in container["args"])


def test_kube_state_metrics_reads_what_it_exports_and_nothing_else(run: Run) -> None:
    (role,) = of_kind(run, "ClusterRole")
    readable = {resource for rule in role["rules"] for resource in rule["resources"]}
    assert {verb for rule in role["rules"] for verb in rule["verbs"]} == {"list", "watch"}
    assert readable == set(_flags(_container(run, "Deployment", "kube-state-metrics"))["resources"].split(","))
    assert not readable & {"secrets", "configmaps", "*"}
    (binding,) = of_kind(run, "ClusterRoleBinding")
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "kube-state-metrics", "namespace": "watching"}]


def test_kube_state_metrics_tells_pools_and_teams_by_the_labels_of_nodes_and_namespaces(run: Run) -> None:
    flags = _flags(_container(run, "Deployment", "kube-state-metrics"))
    assert flags["metric-labels-allowlist"] == "nodes=[bedplate.dev/pool],namespaces=[bedplate.dev/team]"
    spec = named(run, "Deployment", "kube-state-metrics")["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})


def test_what_rules_may_name_is_exported(run: Run) -> None:
    """By the word after ``kube_`` the resource is known, by that after ``node_`` the collector."""
    readable = {resource for rule in of_kind(run, "ClusterRole")[0]["rules"] for resource in rule["resources"]}
    named_kinds = {name.split("_")[1] for name in exporters()["kube-state-metrics"].metrics}
    assert {f"{kind.removesuffix('s')}s" for kind in named_kinds} <= readable
    known = {"memory": "meminfo", "disk": "diskstats", "load1": "loadavg", "load5": "loadavg", "load15": "loadavg"}
    named_parts = {name.split("_")[1] for name in exporters()["node-exporter"].metrics}
    assert {known.get(part, part) for part in named_parts} <= set(node_exporter.COLLECTORS)


def test_the_node_exporter_runs_on_every_node_without_its_network_or_its_processes(run: Run) -> None:
    spec = named(run, "DaemonSet", "node-exporter")["spec"]["template"]["spec"]
    assert spec["tolerations"] == [{"operator": "Exists"}]
    assert not {"hostNetwork", "hostPID", "hostIPC", "affinity"} & spec.keys()
    assert spec["automountServiceAccountToken"] is False
    folders = {volume["name"]: volume["hostPath"]["path"] for volume in spec["volumes"]}
    mounts = _container(run, "DaemonSet", "node-exporter")["volumeMounts"]
    assert {folders[mount["name"]]: mount["mountPath"] for mount in mounts} == {
        "/proc": "/host/proc", "/sys": "/host/sys", "/": "/host/root",
    }  # fmt: skip
    assert all(mount["readOnly"] for mount in mounts)
    # What the node unmounts must not stay mounted in here.
    assert [mount["name"] for mount in mounts if mount.get("mountPropagation") == "HostToContainer"] == ["root"]


def test_the_node_exporter_collects_what_is_named_and_only_what_is_the_nodes_own(run: Run) -> None:
    flags = _flags(_container(run, "DaemonSet", "node-exporter"))
    assert "collector.disable-defaults" in flags
    collectors = {name.removeprefix("collector.") for name in flags if re.fullmatch(r"collector\.\w+", name)}
    assert collectors == set(node_exporter.COLLECTORS)
    # In a network of its own it would tell of that one.
    assert not collectors & {"arp", "conntrack", "netclass", "netdev", "netstat", "sockstat", "softnet", "udp_queues"}
    ignored = re.compile(flags["collector.filesystem.mount-points-exclude"])
    assert ignored.search("/var/lib/kubelet/pods/1/volumes/data")
    assert not any(ignored.search(mount) for mount in ("/", "/mnt/k8s-disks/0", "/var/lib/kubelet", "/home"))


def test_the_namespace_of_the_node_exporter_is_its_own_and_lets_out_nothing(run: Run) -> None:
    namespace = named(run, "Namespace", "node-metrics")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "privileged"
    assert {pod.place for pod in pods(run) if pod.namespace == "node-metrics"} == {"DaemonSet/node-exporter"}
    policies = {each["metadata"]["name"]: each["spec"] for each in of_kind(run, "NetworkPolicy")}
    assert policies.keys() == {"deny-all", "allow-scrape"}
    (rule,) = policies["allow-scrape"]["ingress"]
    assert rule["ports"] == [{"protocol": "TCP", "port": 9100}]


def test_the_pushgateway_keeps_what_was_pushed_on_its_volume(run: Run) -> None:
    spec = named(run, "StatefulSet", "pushgateway")["spec"]
    (claim,) = spec["volumeClaimTemplates"]
    container = _container(run, "StatefulSet", "pushgateway")
    assert claim["spec"]["resources"]["requests"] == {"storage": "1Gi"}
    assert claim["spec"]["storageClassName"] == "gp3"
    assert spec["persistentVolumeClaimRetentionPolicy"] == {"whenDeleted": "Delete", "whenScaled": "Delete"}
    assert container["volumeMounts"] == [{"name": claim["metadata"]["name"], "mountPath": "/data"}]
    assert _flags(container)["persistence.file"].startswith("/data/")
    # What anybody may push, nobody may wipe out.
    assert (
        not {"web.enable-admin-api", "web.enable-lifecycle", "push.disable-consistency-check"}
        & _flags(container).keys()
    )


@pytest.mark.parametrize(
    ("kind", "name", "policy"),
    [
        ("Deployment", "kube-state-metrics", "scrape-kube-state-metrics"),
        ("StatefulSet", "pushgateway", "scrape-pushgateway"),
    ],
)
def test_prometheus_reaches_the_ports_that_the_pods_have(run: Run, kind: str, name: str, policy: str) -> None:
    allowed: Any = {**kube_state_metrics.policies([], SCRAPER), **pushgateway.policies(SCRAPER)}[policy]
    ports = {port["port"] for rule in allowed["ingress"] for port in rule["ports"]}
    assert ports == {port["containerPort"] for port in _container(run, kind, name)["ports"]}
    template = named(run, kind, name)["spec"]["template"]["metadata"]["labels"]
    assert allowed["pod_selector"]["match_labels"].items() <= template.items()
    assert [rule["from_"] for rule in allowed["ingress"]] == [[{"pod_selector": {"match_labels": SCRAPER}}]]


def test_who_pushes_says_so_and_is_of_a_team() -> None:
    allowed: Any = pushgateway.policies(SCRAPER)["push"]
    (rule,) = allowed["ingress"]
    assert rule["from_"] == [
        {
            "namespace_selector": {"match_expressions": [{"key": "bedplate.dev/team", "operator": "Exists"}]},
            "pod_selector": {"match_labels": {"bedplate.dev/pushes-metrics": "true"}},
        }
    ]


def test_every_exporter_is_asked_whether_it_lives_and_is_ready(run: Run) -> None:
    for pod in pods(run):
        for place, container in pod.containers():
            named_ports = {port["name"] for port in container["ports"]}
            probes = [container[probe]["httpGet"]["port"] for probe in ("livenessProbe", "readinessProbe")]
            assert set(probes) <= named_ports, place


def test_servers_prefer_nodes_that_are_always_there() -> None:
    for pod in pods(monitored(load("prod"))):
        if not pod.place.startswith("DaemonSet/"):
            (term,) = pod.spec["affinity"]["nodeAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
            (wanted,) = term["preference"]["matchExpressions"]
            assert wanted == {"key": "bedplate.dev/workload", "operator": "In", "values": ["system"]}, pod.place


@pytest.mark.parametrize(("protect", "what"), [(True, "Retain"), (False, "Delete")])
def test_volumes_stay_where_the_environment_is_protected(protect: bool, what: str) -> None:
    settings = load("prod")
    environment = settings.environment.model_copy(update={"protect": protect})
    declared = monitored(settings.model_copy(update={"environment": environment}))
    sets = of_kind(declared, "StatefulSet")
    assert {each["metadata"]["name"] for each in sets} >= {"prometheus", "pushgateway"}
    for each in sets:
        policy = each["spec"]["persistentVolumeClaimRetentionPolicy"]
        assert policy == {"whenDeleted": what, "whenScaled": what}, each["metadata"]["name"]
