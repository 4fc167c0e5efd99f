"""The whole platform, AWS and Kubernetes, in each sandbox: up, unchanged, changed, down; what is there is read back.

One story per sandbox: what a test of its own would need first is what the step before has left.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from engine.sandbox.native import cache_of
from tests.conftest import REPOSITORY
from tests.integration.commands import Workplace, platform
from tests.integration.conftest import Client, client_of
from tests.integration.live_objects import differences, objects_in
from tests.integration.monitoring.rights import PROMETHEUS_MAY, rights
from tests.integration.presence import managed
from tests.integration.standing import Cluster, check_buckets, check_gone, check_inventory, gpus_declared

_VISION: Final[Mapping[str, Any]] = {
    "queues": {"gpu": {"gpus": 4, "borrow": 4}},
    "editors": ["vision"],
    "viewers": ["everybody"],
    "destinations": [{"cidr": "10.1.0.0/16", "ports": [5432]}],
}
_SPEECH: Final[Mapping[str, Any]] = {
    "queues": {"gpu": {"gpus": 4}},
    "priorities": ["training", "batch"],
    "egress": "none",
}
_TEXT: Final[Mapping[str, Any]] = {"queues": {"gpu": {"gpus": 2}}, "cost_center": "CC-7"}


def _settings(work: Workplace, *, gpu_nodes: int, replicas: int, team: str, teams: Mapping[str, Any]) -> None:
    """The sandbox's settings with pools, sharing and teams of this test's own."""
    path = work.folder / "stacks" / "Pulumi.sandbox.yaml"
    document = yaml.safe_load(path.read_text())
    pools = {
        "gpu": {"workload": "inference", "instance_types": ["g6.xlarge"], "desired_size": gpu_nodes, "max_size": 2},
        "work": {"workload": "cpu", "instance_types": ["m7i.xlarge"], "desired_size": 1, "max_size": 2},
    }
    document["config"]["bedplate:tags"]["team"] = team
    models = document["config"]["bedplate:monitoring"]["models"]
    document["config"]["bedplate:monitoring"]["models"] = {  # a team's models go with it
        name: model for name, model in models.items() if model["team"] in teams
    }
    document["config"] |= {
        "bedplate:cluster": {"node_pools": pools},
        "bedplate:gpu": {"sharing": {"gpu": {"time_slicing": replicas}}, "exporter": {"pod_labels": True}},
        "bedplate:scheduling": {"teams": dict(teams)},
        "bedplate:logs": {"retention_days": replicas // 4},
    }
    path.write_text(yaml.safe_dump(document))


def _check(work: Workplace, client: Client, team: str, nodes: Mapping[str, int]) -> None:
    """Both halves are as the state says, and each pool has its ``nodes`` with their GPUs."""
    state, cluster = check_inventory(work, client, "sandbox", team), Cluster.of(work)
    assert cluster.differences(state) == []
    there = cluster.gpus_by_pool()
    assert there == gpus_declared(state)
    assert {pool: len(each) for pool, each in there.items()} == nodes
    assert set(there["gpu"]) == {1}
    cluster.check_monitoring()
    if real := cluster.names_of_real_nodes():
        placed = {pod["metadata"]["name"]: pod["spec"]["nodeName"] for pod in cluster.live.objects("v1", "Pod")}
        assert {placed[name] for name in ("prometheus-0", "alertmanager-0", "pushgateway-0")} == real, "they truly run"


@pytest.fixture(
    params=[
        "embedded",
        pytest.param("native", marks=pytest.mark.native),
        pytest.param("kind", marks=pytest.mark.docker),
    ]
)
def work(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Workplace]:
    made = platform(tmp_path / "project")
    (made.folder / ".bedplate" / "cache").mkdir(parents=True)
    (made.folder / ".bedplate" / "cache" / "native").symlink_to(cache_of(REPOSITORY))
    made.run("sandbox", "up", "--kubernetes", request.param).expect(0)
    yield made
    made.run("sandbox", "down").expect(0)


def _check_rights(work: Workplace, request: pytest.FixtureRequest) -> None:
    """Prometheus's account may do what discovery and scraping take, and nothing else; only a real API server knows."""
    if request.node.callspec.params["work"] != "embedded":
        assert rights(Cluster.of(work).live, "monitoring", "prometheus") == PROMETHEUS_MAY


@pytest.mark.slow
@pytest.mark.timeout(600)  # where other tests have the machine's cores, the real control plane takes its time
def test_the_whole_platform_is_there_after_up_and_after_a_change_and_gone_after_destroy(
    work: Workplace, request: pytest.FixtureRequest
) -> None:
    client = client_of(work)
    _settings(work, gpu_nodes=1, replicas=4, team="ml-platform", teams={"vision": _VISION, "speech": _SPEECH})
    work.run("up", "sandbox", "--skip-preview").expect(0, "created", "outputs", "cost ")
    first = work.state("sandbox")
    kinds = {each["kind"] for each in objects_in(first)}
    assert kinds >= {"Namespace", "DaemonSet", "NetworkPolicy", "ClusterQueue", "WorkloadPriorityClass", "Role"}
    _check(work, client, "ml-platform", {"system": 2, "gpu": 1, "work": 1})
    _check_rights(work, request)
    outputs = work.run("outputs", "sandbox", "--output", "json").expect(0).json()["outputs"]
    check_buckets(client, outputs["bucketNames"], outputs["keyArns"]["data"], None)
    work.run("up", "sandbox", "--yes", "--expect-no-changes").expect(0, "unchanged")
    work.run("preview", "sandbox", "--expect-no-changes").expect(0)

    larger = {**_VISION, "quota": {"pods": 7}, "queues": {"gpu": {"gpus": 4}}}
    _settings(work, gpu_nodes=2, replicas=12, team="research", teams={"vision": larger, "text": _TEXT})
    changed = work.run("up", "sandbox", "--yes", "--output", "json").expect(0).json()
    # What volumes are tagged with, how GPUs are shared, and Grafana's folders, of which a team's is gone with it.
    replaced = {step["name"] for step in changed["steps"] if step["op"] == "replace"}
    assert replaced == {"volumes-gp3", "gpu-plugin-configs", "grafana-settings"}
    assert changed["done"]["replace"] == len(replaced), changed["done"]
    ids = {one["urn"]: one["id"] for one in managed(work.state("sandbox"))}
    assert {one["urn"]: one["id"] for one in managed(first)} == ids, "nothing in AWS was replaced"
    _check(work, client, "research", {"system": 2, "gpu": 2, "work": 1})
    groups = client("logs").describe_log_groups(logGroupNamePrefix="/bedplate/sandbox/")["logGroups"]
    assert {group["retentionInDays"] for group in groups} == {3}
    live = Cluster.of(work).live
    namespaces = live.names("v1", "Namespace")
    assert {"team-vision", "team-text"} <= namespaces
    assert "team-speech" not in namespaces
    assert live.names("kueue.x-k8s.io/v1beta2", "ClusterQueue") == {"vision", "text"}

    last = work.state("sandbox")
    work.run("destroy", "sandbox", "--yes").expect(0)
    check_gone(work, client, "sandbox", first, last)
    work.run("destroy", "sandbox", "--yes").expect(0)


def test_a_difference_is_seen() -> None:
    declared = {"spec": {"hard": {"pods": "7", "requests.memory": "2048Gi"}, "list": [{"a": 1}]}}
    live = {"spec": {"hard": {"pods": "7", "requests.memory": "2Ti"}, "list": [{"a": 1, "b": 2}], "more": True}}
    assert list(differences(declared, live)) == []
    live["spec"]["hard"] = {"pods": "8"}
    live["spec"]["list"] = []
    assert list(differences(declared, live)) == [
        ".spec.hard.pods: '7' declared, '8' there",
        ".spec.hard.requests.memory: '2048Gi' declared, None there",
        ".spec.list: 1 items declared, 0 there",
    ]
