"""Where the clusters' Kubernetes API is: the sandbox says it, ``PUT /_bedplate/kubernetes``; else an address of AWS.

Kept in the module, as moto keeps its backends: the HTTP server writes it and every EKS backend reads it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

PATH = "/_bedplate/kubernetes"


@dataclass(frozen=True)
class ApiServer:
    """``server`` is a URL, ``certificate_authority`` PEM in base64 (empty for plain HTTP)."""

    server: str
    certificate_authority: str = ""


class _Current:
    """The API server that is known now."""

    def __init__(self) -> None:
        self.api_server: ApiServer | None = None


CURRENT = _Current()


def answer(method: str, body: bytes) -> tuple[str, bytes]:
    """Status and content for a request to PATH: GET, PUT ``{"server": ..., "certificateAuthority": ...}``, DELETE."""
    if method == "PUT":
        try:
            said = json.loads(body)
            CURRENT.api_server = ApiServer(str(said["server"]), str(said.get("certificateAuthority", "")))
        except (ValueError, KeyError, TypeError, AttributeError):
            expected = '{"error": "expected {\\"server\\": URL, \\"certificateAuthority\\": PEM in base64}"}'
            return "400 Bad Request", expected.encode()
    elif method == "DELETE":
        CURRENT.api_server = None
    known = CURRENT.api_server
    content = {"server": known.server, "certificateAuthority": known.certificate_authority} if known else {}
    return "200 OK", json.dumps(content).encode()
