"""A node that really is there, as kind has one, beside the simulated nodes of node groups."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

import pytest

from engine.emulator.eks import node_keeper
from engine.emulator.eks.api_server import ApiServer
from engine.emulator.eks.nodes import STANDS_FOR, Place, WantedNodes, gone, keep
from tests.engine.sandbox.waiting import eventually

PREFERRED = {"key": "bedplate.dev/simulated", "effect": "PreferNoSchedule"}
GPU_TAINT = {"key": "nvidia.com/gpu", "effect": "NoSchedule"}


def real() -> dict[str, Any]:
    about = {"name": "control-plane", "labels": {"kubernetes.io/hostname": "control-plane"}, "annotations": {}}
    return {"metadata": about, "spec": {"providerID": "kind://docker/b/control-plane"}, "status": {"addresses": []}}


@dataclass
class Api:
    """Node objects; what is given to the real one is kept apart from what it has, as server-side apply does."""

    there: list[dict[str, Any]] = field(default_factory=lambda: [real()])
    given: dict[str, str] = field(default_factory=dict[str, str])

    def nodes(self) -> list[dict[str, Any]]:
        return self.there

    def put(self, node: dict[str, Any]) -> None:
        self.remove(node["metadata"]["name"])
        self.there.append(node)

    def remove(self, name: str) -> None:
        self.there = [node for node in self.there if node["metadata"]["name"] != name]

    def close(self) -> None:
        """There is no connection."""

    def bear(self, name: str, labels: dict[str, Any], annotations: dict[str, Any]) -> None:
        assert name == "control-plane"
        self.given = labels
        self.there[0]["metadata"]["annotations"] = annotations

    def taints(self, arn: str) -> list[list[dict[str, Any]]]:
        return [
            node["spec"].get("taints", [])
            for node in self.there
            if node["metadata"]["annotations"].get("bedplate.dev/nodegroup") == arn
        ]


def group(arn: str, count: int = 1, **more: Any) -> WantedNodes:
    place = Place("10.0.0.0/24", "us-east-1a", "use1-az1")
    made = WantedNodes(arn, arn, "us-east-1", count, "m7i.large", "amd64", "1.35.8", "b", [place], labels={"pool": arn})
    capacity = {"cpu": "2", "memory": "8Gi", "pods": "29", "hugepages-2Mi": "0"}
    return dataclasses.replace(made, **{"capacity": capacity} | more)


def test_it_bears_the_labels_of_the_first_group_that_takes_any_pod() -> None:
    api = Api()
    keep(api, group("gpu", capacity={"cpu": "4", "nvidia.com/gpu": "1"}))
    keep(api, group("tainted", taints=[GPU_TAINT]))
    assert (api.given, api.there[0]["metadata"]["annotations"]) == ({}, {})
    keep(api, group("system", count=2))
    keep(api, group("work"))
    assert api.there[0]["metadata"]["annotations"] == {STANDS_FOR: "system"}
    assert api.given["pool"] == "system"
    assert api.given["topology.kubernetes.io/zone"] == "us-east-1a"
    assert api.given["node.kubernetes.io/instance-type"] == "m7i.large"
    assert "kubernetes.io/hostname" not in api.given, "that is its own"
    assert api.taints("system") == [[PREFERRED], [PREFERRED]]
    assert api.taints("tainted") == [[GPU_TAINT, PREFERRED]]


@pytest.mark.parametrize("last", [gone("system"), group("system", count=0)], ids=["deleted", "scaled to zero"])
def test_what_it_bore_goes_with_the_group(last: WantedNodes) -> None:
    api = Api()
    keep(api, group("system"))
    keep(api, gone("other"))
    assert api.given
    keep(api, last)
    assert (api.given, api.there) == ({}, [real()])
    keep(api, group("work"))
    assert api.given["pool"] == "work", "another group may have it now"


def test_another_group_gets_it_when_the_first_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """The new one is made before the old one goes, and changes no more after that."""
    api, keeper = Api(), node_keeper.NodeKeeper()
    monkeypatch.setattr(node_keeper, "RETRY_EVERY", 0.01)

    def client(_: ApiServer) -> Api:
        return api

    monkeypatch.setattr(node_keeper, "NodesClient", client)
    monkeypatch.setattr(node_keeper.api_server.CURRENT, "api_server", ApiServer("http://127.0.0.1:1"))
    for wanted in (group("system-1"), group("system-2"), gone("system-1")):
        keeper.keep(wanted, {})
    assert eventually(lambda: api.given.get("pool") == "system-2")
    assert len(api.there) == 2


def test_where_no_node_is_real_none_is_preferred() -> None:
    api = Api(there=[])
    keep(api, group("system"))
    assert api.taints("system") == [[]]
