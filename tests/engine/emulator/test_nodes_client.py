"""Nodes that go take along what ran on them, and nothing else."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from engine.emulator.eks.api_server import ApiServer
from engine.emulator.eks.nodes_client import KubernetesUnreachable, NodesClient

PODS = [("a", "n1"), ("b", "n2"), ("c", "n1"), ("d", None)]


class Api(http.server.BaseHTTPRequestHandler):
    """Answers for nodes and pods; like a server that knows no field selectors, it lists all pods."""

    deleted: list[str]
    broken = False

    def do_GET(self) -> None:
        items = [
            {"metadata": {"namespace": "x", "name": pod}, "spec": {"nodeName": node} if node else {}}
            for pod, node in PODS
        ]
        self._answer(500 if self.broken else 200, {"items": items})

    def do_DELETE(self) -> None:
        type(self).deleted.append(self.path)
        self._answer(404 if self.path.endswith("pods/c?gracePeriodSeconds=0") else 200, {})

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is logged."""


@pytest.fixture
def client() -> Iterator[NodesClient]:
    Api.deleted, Api.broken = [], False
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    made = NodesClient(ApiServer(f"http://127.0.0.1:{server.server_port}"))
    yield made
    made.close()
    server.shutdown()
    server.server_close()


def test_what_ran_on_a_node_goes_with_it(client: NodesClient) -> None:
    client.remove("n1")
    assert Api.deleted == [
        "/api/v1/nodes/n1",
        "/api/v1/namespaces/x/pods/a?gracePeriodSeconds=0",
        "/api/v1/namespaces/x/pods/c?gracePeriodSeconds=0",  # gone meanwhile, which is fine
    ]


def test_a_server_that_fails_is_told_of(client: NodesClient) -> None:
    Api.broken = True
    with pytest.raises(KubernetesUnreachable, match="500"):
        client.remove("n1")
