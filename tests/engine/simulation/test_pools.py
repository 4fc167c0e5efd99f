"""Pools as plans declare them. The cases are files."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.simulation.model import Pool, Size
from engine.simulation.nodes import node, nodes
from engine.simulation.pools import pools
from tests.engine.simulation.machines import CASES, CATALOGUE, declared_by, read_case

PLANS = sorted((CASES / "plans").glob("*.yaml"))


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.stem)
def test_the_pools_of_a_plan(path: Path) -> None:
    case = read_case(path)
    found = pools(declared_by(case), CATALOGUE)
    assert {pool.name: _told(pool, case["pools"].get(pool.name, {})) for pool in found.pools} == case["pools"]
    said = [f"{one.place}: {one.text}" for one in found.assumptions]
    assert [text for text in case.get("assumptions", ()) if text not in said] == []
    assert list(found.notes) == case.get("notes", [])


def _told(pool: Pool, wanted: dict[str, object]) -> dict[str, object]:
    """What the case asks about ``pool``; of its labels those that the case names."""
    labels = wanted.get("labels", {})
    assert isinstance(labels, dict)
    told: dict[str, object] = {
        "machine": pool.machine.name,
        "sizes": {str(size): nodes for size, nodes in pool.sizes.items()},
        "taints": [str(taint) for taint in pool.taints],
        "zones": list(pool.zones),
        "disk_gib": round(pool.disk_gib, 2),
        "labels": {key: pool.labels.get(key) for key in labels},
        "pods": pool.pods,
        "resources": dict(pool.resources),
        "capacity_type": pool.capacity_type,
    }
    return {key: told[key] for key in wanted}


def test_a_label_that_is_not_known_is_on_no_node() -> None:
    case = read_case(CASES / "plans" / "managed.yaml")
    train = pools(declared_by(case), CATALOGUE).pools[0]
    assert "team" not in node(train, 0)["metadata"]["labels"]


def test_nodes_are_spread_over_zones_and_carry_what_kubelets_say() -> None:
    case = read_case(CASES / "plans" / "managed.yaml")
    train = pools(declared_by(case), CATALOGUE).pools[0]
    made = nodes(train, Size.MAX)
    zones = [one["metadata"]["labels"]["topology.kubernetes.io/zone"] for one in made]
    assert zones == ["us-east-1a", "us-east-1b"] * 2
    first = made[0]
    assert first["metadata"]["labels"]["node.kubernetes.io/instance-type"] == "p5.48xlarge"
    assert first["metadata"]["labels"]["topology.kubernetes.io/region"] == "us-east-1"
    assert first["metadata"]["labels"]["kubernetes.io/arch"] == "amd64"
    assert first["spec"]["taints"] == [{"key": "nvidia.com/gpu", "value": "true", "effect": "NoSchedule"}]
    assert first["status"]["allocatable"]["nvidia.com/gpu"] == "8"
    assert first["status"]["capacity"]["cpu"] == "192000m"
    assert len({one["metadata"]["name"] for one in made}) == 4
