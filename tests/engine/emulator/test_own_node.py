"""The node and the default class of storage that a native sandbox has as long as there is no EKS cluster."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
from typing import Any

import pytest

from engine.emulator.eks import node_keeper, own_node
from engine.emulator.eks.api_server import CURRENT, ApiServer, answer
from engine.emulator.eks.nodes_client import KubernetesUnreachable
from tests.engine.sandbox.waiting import eventually

NODE, CLASSES = "/api/v1/nodes/sandbox", "/apis/storage.k8s.io/v1/storageclasses"
CLASS = f"{CLASSES}/standard"


@dataclass
class Api:
    """Objects by their path; the first ``failures`` requests are not answered."""

    there: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    failures: int = 0

    def get(self, path: str) -> dict[str, Any] | None:
        if self.failures:
            self.failures -= 1
            raise KubernetesUnreachable(path)
        if path == "/version":
            return {"gitVersion": "v1.35.4"}
        if path == CLASSES:
            return {"items": [thing for at, thing in self.there.items() if at.startswith(f"{CLASSES}/")]}
        return self.there.get(path)

    def apply(self, path: str, thing: dict[str, Any]) -> None:
        self.there[path] = thing

    def delete(self, path: str) -> None:
        self.there.pop(path, None)

    def put(self, node: dict[str, Any]) -> None:
        self.apply(f"/api/v1/nodes/{node['metadata']['name']}", node)

    def remove(self, name: str) -> None:
        self.delete(f"/api/v1/nodes/{name}")

    def close(self) -> None:
        """There is no connection."""


def class_of(name: str, *, default: bool = False) -> dict[str, Any]:
    annotations = {"storageclass.kubernetes.io/is-default-class": "true"} if default else {}
    return {"metadata": {"name": name, "annotations": annotations}}


@pytest.fixture
def keeper(monkeypatch: pytest.MonkeyPatch) -> node_keeper.NodeKeeper:
    monkeypatch.setattr(node_keeper, "RETRY_EVERY", 0.01)
    monkeypatch.setattr(CURRENT, "api_server", ApiServer("http://127.0.0.1:1", own_node=True))
    return node_keeper.NodeKeeper()


def use(monkeypatch: pytest.MonkeyPatch, api: Api) -> None:
    def client(_: ApiServer) -> Api:
        return api

    monkeypatch.setattr(node_keeper, "NodesClient", client)


def test_any_pod_without_devices_fits_and_says_where_it_is() -> None:
    node = own_node.node("v1.35.4")
    assert "taints" not in node["spec"]
    assert {"cpu", "memory", "pods", "ephemeral-storage"} == node["status"]["allocatable"].keys()
    assert node["metadata"]["annotations"] == {"kwok.x-k8s.io/node": "fake"}
    assert node["metadata"]["labels"].items() >= {
        ("node-role.kubernetes.io/simulated", ""),
        ("bedplate.dev/sandbox", "simulated"),
    }
    assert node["status"]["nodeInfo"]["kubeletVersion"] == "v1.35.4"


def test_it_is_there_as_long_as_there_is_no_cluster(
    monkeypatch: pytest.MonkeyPatch, keeper: node_keeper.NodeKeeper
) -> None:
    api = Api()
    use(monkeypatch, api)
    for _ in range(2):
        keeper.keep_own(lambda: True)
        assert set(api.there) == {NODE, CLASS}
        keeper.keep_own(lambda: False)
        assert api.there == {}


def test_what_a_program_has_made_under_these_names_stays_its_own(
    monkeypatch: pytest.MonkeyPatch, keeper: node_keeper.NodeKeeper
) -> None:
    theirs: dict[str, dict[str, Any]] = {NODE: {"metadata": {"name": "sandbox"}}, CLASS: class_of("standard")}
    api = Api(dict(theirs))
    use(monkeypatch, api)
    keeper.keep_own(lambda: True)
    assert api.there == theirs
    keeper.keep_own(lambda: False)
    assert api.there == theirs


def test_the_programs_own_default_class_is_the_only_one(
    monkeypatch: pytest.MonkeyPatch, keeper: node_keeper.NodeKeeper
) -> None:
    api = Api({f"{CLASSES}/gp3": class_of("gp3", default=True), f"{CLASSES}/slow": class_of("slow")})
    use(monkeypatch, api)
    keeper.keep_own(lambda: True)
    assert CLASS not in api.there, "of two default classes the younger would count"
    assert NODE in api.there


def test_an_api_that_has_nodes_of_its_own_gets_none(
    monkeypatch: pytest.MonkeyPatch, keeper: node_keeper.NodeKeeper
) -> None:
    api = Api()
    use(monkeypatch, api)
    monkeypatch.setattr(CURRENT, "listeners", [])
    answer("PUT", b'{"server": "http://127.0.0.1:1"}')
    keeper.keep_own(lambda: True)
    assert api.there == {}
    answer("PUT", b'{"server": "http://127.0.0.1:1", "ownNode": true}')
    keeper.keep_own(lambda: True)
    assert NODE in api.there


def test_an_api_that_does_not_answer_is_asked_again_and_what_is_true_then_counts(
    monkeypatch: pytest.MonkeyPatch, keeper: node_keeper.NodeKeeper
) -> None:
    api, clusters = Api(failures=3), list[str]()
    use(monkeypatch, api)
    keeper.keep_own(lambda: not clusters)
    assert api.there == {}
    assert eventually(lambda: NODE in api.there)
    api.failures = 3
    clusters.append("first")
    keeper.keep_own(lambda: not clusters)
    assert eventually(lambda: api.there == {})


def test_an_api_that_was_told_of_while_the_emulator_still_starts_is_not_forgotten() -> None:
    program = """if True:
        import socket
        from engine.emulator.eks.api_server import CURRENT, ApiServer
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(20)
            CURRENT.api_server = ApiServer(f"http://127.0.0.1:{listener.getsockname()[1]}", own_node=True)
            import engine.emulator.eks.nodes_of_groups
            connection, _ = listener.accept()
            print(connection.recv(100).split()[1].decode())
        """
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout.strip() == NODE, done.stderr
