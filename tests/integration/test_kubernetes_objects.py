"""What the platform declares in its cluster is there: read with the official client and compared field by field."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.commands import Workplace, platform
from tests.integration.live_objects import Live, differences, objects_in

pytestmark = pytest.mark.slow

_POOLS = {
    "gpu": {"workload": "inference", "instance_types": ["g6.xlarge"], "desired_size": 1, "max_size": 2},
    "work": {"workload": "cpu", "instance_types": ["m7i.xlarge"], "desired_size": 1, "max_size": 2},
}
_TEAMS = {
    "vision": {
        "queues": {"gpu": {"gpus": 4, "borrow": 4}},
        "editors": ["vision"],
        "viewers": ["everybody"],
        "destinations": [{"cidr": "10.1.0.0/16", "ports": [5432]}],
    },
    "speech": {"queues": {"gpu": {"gpus": 4}}, "priorities": ["training", "batch"], "egress": "none"},
}


def _settings(work: Workplace, replicas: int, teams: dict[str, Any]) -> None:
    """The sandbox's settings with pools, sharing and teams of this test's own."""
    path = work.folder / "stacks" / "Pulumi.sandbox.yaml"
    document = yaml.safe_load(path.read_text())
    document["config"] |= {
        "bedplate:cluster": {"node_pools": _POOLS, "kubernetes_resources": True},
        "bedplate:gpu": {"sharing": {"gpu": {"time_slicing": replicas}}, "exporter": {"pod_labels": True}},
        "bedplate:scheduling": {"teams": teams},
    }
    path.write_text(yaml.safe_dump(document))


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    place = platform(tmp_path_factory.mktemp("objects") / "project")
    place.run("sandbox", "up", "--kubernetes", "embedded").expect(0)
    yield place
    place.run("sandbox", "down").expect(0)


def _live(work: Workplace) -> Live:
    return Live(str(_kubeconfig(work)))


def _kubeconfig(work: Workplace) -> Path:
    (found,) = (work.folder / ".bedplate" / "sandbox").glob("*/kubeconfig")
    return found


def _wrong(work: Workplace) -> list[str]:
    """Every difference between the state and the cluster."""
    live, found = _live(work), list[str]()
    for declared in objects_in(work.state("sandbox")):
        place = f"{declared['kind']}/{declared['metadata'].get('namespace', '')}/{declared['metadata']['name']}"
        there = live.read(declared)
        found += [f"{place}{each}" for each in differences(declared, there)] if there else [f"{place} is not there"]
    return found


def test_every_declared_field_is_live_after_up_and_after_a_change_and_nothing_is_left(work: Workplace) -> None:
    _settings(work, 8, _TEAMS)
    work.run("up", "sandbox", "--yes").expect(0)
    declared = objects_in(work.state("sandbox"))
    kinds = {each["kind"] for each in declared}
    assert kinds >= {"Namespace", "DaemonSet", "NetworkPolicy", "ClusterQueue", "WorkloadPriorityClass", "Role"}
    assert len(declared) > 60
    assert _wrong(work) == []

    text = {"queues": {"gpu": {"gpus": 2}}, "cost_center": "CC-7"}
    _settings(
        work, 4, {"vision": {**_TEAMS["vision"], "quota": {"pods": 7}, "queues": {"gpu": {"gpus": 4}}}, "text": text}
    )
    work.run("up", "sandbox", "--yes").expect(0)
    assert _wrong(work) == []
    live = _live(work)
    namespaces = live.names("v1", "Namespace")
    assert {"team-vision", "team-text"} <= namespaces
    assert "team-speech" not in namespaces
    assert live.names("kueue.x-k8s.io/v1beta2", "ClusterQueue") == {"vision", "text"}

    work.run("destroy", "sandbox", "--yes").expect(0)
    assert live.names("v1", "Namespace") == {"default", "kube-node-lease", "kube-public", "kube-system"}
    assert live.names("scheduling.k8s.io/v1", "PriorityClass") <= {"system-cluster-critical", "system-node-critical"}


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
