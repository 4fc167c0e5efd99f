"""Where the clusters' Kubernetes API is: the sandbox says it, ``PUT /_bedplate/kubernetes``; else an address of AWS.

Kept in the module, as moto keeps its backends: the HTTP server writes it and every EKS backend reads it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

PATH = "/_bedplate/kubernetes"


@dataclass(frozen=True)
class ApiServer:
    """``server`` is a URL; certificates and key are PEM in base64, as kubeconfig files have it (empty: plain HTTP).

    The client's certificate or the token is what the node groups' nodes are written with. ``own_node``: its nodes are
    simulated and it has none by itself, so that it gets one as long as there is no cluster (``own_node.py``).
    """

    server: str
    certificate_authority: str = ""
    client_certificate: str = field(default="", repr=False)
    client_key: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    own_node: bool = False


_OPTIONAL = {
    "certificateAuthority": "certificate_authority",
    "clientCertificate": "client_certificate",
    "clientKey": "client_key",
    "token": "token",
}


class Contents(Protocol):
    """What is in the Kubernetes API that all clusters share."""

    def cluster_begins(self) -> None:
        """The first cluster is made. What is there already is not its own, and outlives it."""

    def cluster_ends(self) -> None:
        """The last cluster is deleted, and with it what came since the first."""


class _Current:
    """The API server that is known now, and who wants to hear of another; ``contents`` of one in this process.

    A native or kind sandbox's API is not emptied with its last cluster: it has namespaces and resources of controllers
    that are real and that only they can end. What a stack made there, its `destroy` deletes object by object.
    """

    def __init__(self) -> None:
        self.api_server: ApiServer | None = None
        self.contents: Contents | None = None
        self.listeners: list[Callable[[], None]] = []


CURRENT = _Current()


def answer(method: str, body: bytes) -> tuple[str, bytes]:
    """Status and content for a request to PATH: GET, DELETE, PUT ``{"server": URL, "certificateAuthority": ...}``.

    Credentials are taken, and never given back.
    """
    if method == "PUT":
        try:
            said = json.loads(body)
            given = {field: str(said.get(key) or "") for key, field in _OPTIONAL.items()}
            CURRENT.api_server = ApiServer(str(said["server"]), **given, own_node=said.get("ownNode") is True)
        except (ValueError, KeyError, TypeError, AttributeError):
            keys = ", ".join(_OPTIONAL)
            return "400 Bad Request", json.dumps({"error": f"expected server, a URL, and if need be {keys}"}).encode()
        for listener in CURRENT.listeners:
            listener()
    elif method == "DELETE":
        CURRENT.api_server = None
    known = CURRENT.api_server
    content = {"server": known.server, "certificateAuthority": known.certificate_authority} if known else {}
    return "200 OK", json.dumps(content).encode()
