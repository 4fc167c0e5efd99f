"""A few questions to a Kubernetes API server, with the standard library alone."""

from __future__ import annotations

import http.client
from dataclasses import dataclass
from urllib.parse import urlsplit

from engine.sandbox.kubeconfig import Credentials

ANSWER_TIMEOUT = 2.0  # seconds for one answer


@dataclass(frozen=True)
class Api:
    """An API server, and who asks it."""

    server: str
    credentials: Credentials

    def answers(self, path: str = "/version") -> bool:
        """Whether it answers a request for ``path`` with 200 within ANSWER_TIMEOUT."""
        connection = self._connection(ANSWER_TIMEOUT)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def first_line(self, path: str, *, timeout: float) -> bytes:
        """The first line of an answer that goes on, as a watch's does; empty where none comes in time."""
        connection = self._connection(timeout)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.readline() if answer.status == 200 else b""
        except (OSError, http.client.HTTPException):
            return b""
        finally:
            connection.close()

    def _connection(self, timeout: float) -> http.client.HTTPConnection:
        parts = urlsplit(self.server)
        host, port = parts.hostname or "", parts.port
        if parts.scheme != "https":
            return http.client.HTTPConnection(host, port, timeout=timeout)
        return http.client.HTTPSConnection(host, port, timeout=timeout, context=self.credentials.tls())
