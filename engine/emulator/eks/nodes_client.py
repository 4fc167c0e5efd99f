"""Nodes, and what goes with them, through a Kubernetes API's HTTP side, of which the sandbox told.

Plain on loopback, or TLS with a certificate. Server-side apply, so that a node that somebody else has labelled or
tainted keeps that.
"""

from __future__ import annotations

import base64
import http.client
import json
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from engine import client_certificates
from engine.emulator.eks.api_server import ApiServer

Facts = dict[str, Any]
TIMEOUT = 5.0  # seconds for one answer
_NODES = "/api/v1/nodes"
_PODS = "/api/v1/pods"
_APPLY = "application/apply-patch+yaml"
_MANAGER = "fieldManager=eks-nodes&force=true"
_STAND_IN = "fieldManager=eks-stand-in&force=true"


class KubernetesUnreachable(Exception):
    """The API server does not answer, or not as asked."""


class NodesClient:
    """One connection; not to be shared by threads."""

    def __init__(self, server: ApiServer) -> None:
        parts = urlsplit(server.server)
        host, port = parts.hostname or "", parts.port
        self._headers = {"Authorization": f"Bearer {server.token}"} if server.token else {}
        if parts.scheme == "https":
            self._connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                host, port or 443, timeout=TIMEOUT, context=_context(server)
            )
        else:
            self._connection = http.client.HTTPConnection(host, port or 80, timeout=TIMEOUT)

    def nodes(self) -> list[Facts]:
        return self._send("GET", _NODES)["items"]

    def put(self, node: Facts) -> None:
        """Apply the node and its status, which are two resources."""
        path = f"{_NODES}/{quote(node['metadata']['name'])}"
        named = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": node["metadata"]["name"]}}
        self._send("PATCH", f"{path}?{_MANAGER}", {key: value for key, value in node.items() if key != "status"})
        self._send("PATCH", f"{path}/status?{_MANAGER}", named | {"status": node["status"]})

    def bear(self, name: str, labels: Facts, annotations: Facts) -> None:
        """Give a node that is not ours these labels and annotations, and take back those that it had from us."""
        named = {"name": name, "labels": labels, "annotations": annotations}
        path = f"{_NODES}/{quote(name)}?{_STAND_IN}"
        self._send("PATCH", path, {"apiVersion": "v1", "kind": "Node", "metadata": named})

    def remove(self, name: str) -> None:
        """Delete the node, and what ran on it: a machine that is gone runs nothing.

        Kubernetes finds that out by itself, a minute later; until then whoever deletes a DaemonSet waits for its pods.
        Source: Kubernetes 1.35, pkg/controller/podgc: every 20 s, nodes that have been missing for 40 s.
        """
        self._send("DELETE", f"{_NODES}/{quote(name)}", missing_is_fine=True)
        for pod in self._send("GET", f"{_PODS}?fieldSelector=spec.nodeName%3D{quote(name)}")["items"]:
            about = pod["metadata"]
            if pod["spec"].get("nodeName") == name:
                path = f"/api/v1/namespaces/{quote(about['namespace'])}/pods/{quote(about['name'])}"
                self._send("DELETE", f"{path}?gracePeriodSeconds=0", missing_is_fine=True)

    def get(self, path: str) -> Facts | None:
        """What lies at ``path``, a list or an object; None where nothing does."""
        found: Facts = self._send("GET", path, missing_is_fine=True)
        return None if found.get("kind") == "Status" else found

    def apply(self, path: str, thing: Facts) -> None:
        self._send("PATCH", f"{path}?{_MANAGER}", thing)

    def delete(self, path: str) -> None:
        self._send("DELETE", path, missing_is_fine=True)

    def close(self) -> None:
        self._connection.close()

    def _send(self, method: str, path: str, body: Facts | None = None, *, missing_is_fine: bool = False) -> Any:
        headers: Mapping[str, str] = self._headers | ({"Content-Type": _APPLY} if body else {})
        try:
            self._connection.request(method, path, json.dumps(body) if body else None, headers)
            answer = self._connection.getresponse()
            content = answer.read()
            said = json.loads(content or b"{}")
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._connection.close()
            raise KubernetesUnreachable(f"{method} {path}: {error}") from error
        if answer.status >= 400 and not (missing_is_fine and answer.status == 404):
            raise KubernetesUnreachable(f"{method} {path}: {answer.status} {said.get('message', '')}")
        return said


def _context(server: ApiServer) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=_pem(server.certificate_authority) or None)
    if server.client_certificate:
        chain = _pem(server.client_certificate) + _pem(server.client_key)
        client_certificates.load(context, chain.encode())
    return context


def _pem(encoded: str) -> str:
    return base64.b64decode(encoded).decode()
