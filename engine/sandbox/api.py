"""A few requests to a Kubernetes API server, with the standard library alone."""

from __future__ import annotations

import contextlib
import functools
import http.client
import json
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from engine.sandbox.kubeconfig import Credentials

if TYPE_CHECKING:
    import ssl

ANSWER_TIMEOUT = 2.0  # seconds for one answer
REQUEST_TIMEOUT = 30.0  # seconds for one that may take its time
_FIRST_REFUSAL = 400
_CONTENT = {"PATCH": "application/merge-patch+json"}


class Refused(Exception):
    """The API server answered with an HTTP status that says no."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(f"{message} ({status})")


class Unanswered(Exception):
    """No answer, or one that broke off."""


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

    def request(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """The document that is answered; PATCH merges ``body`` into what is there. Raises Refused, Unanswered."""
        with self._answer(method, path, body, REQUEST_TIMEOUT) as answer:
            try:
                return json.loads(answer.read())
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise Unanswered(f"{self.server} broke off an answer: {error}") from error

    def events(self, path: str, *, timeout: float) -> Iterator[dict[str, Any]]:
        """The events of a watch, until the server ends it. Raises Refused, Unanswered."""
        with self._answer("GET", path, None, timeout) as answer:
            try:
                while line := answer.readline():
                    yield json.loads(line)
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise Unanswered(f"{self.server} broke off a watch: {error}") from error

    @contextlib.contextmanager
    def _answer(self, method: str, path: str, body: Any, timeout: float) -> Generator[http.client.HTTPResponse]:
        headers = {"Content-Type": _CONTENT.get(method, "application/json"), "Accept": "application/json"}
        with contextlib.ExitStack() as stack:
            try:
                connection = self._connection(timeout)
                stack.callback(connection.close)
                connection.request(method, path, None if body is None else json.dumps(body), headers)
                answer = connection.getresponse()
                if answer.status >= _FIRST_REFUSAL:
                    raise Refused(answer.status, _message(answer.read()))
            except (OSError, http.client.HTTPException) as error:
                raise Unanswered(f"nothing answers at {self.server}: {error}") from error
            yield answer

    @functools.cached_property
    def _tls(self) -> ssl.SSLContext:
        return self.credentials.tls()

    def _connection(self, timeout: float) -> http.client.HTTPConnection:
        parts = urlsplit(self.server)
        host, port = parts.hostname or "", parts.port
        if parts.scheme != "https":
            return http.client.HTTPConnection(host, port, timeout=timeout)
        return http.client.HTTPSConnection(host, port, timeout=timeout, context=self._tls)


def _message(content: bytes) -> str:
    """What a refusal says: the message of Kubernetes' Status, or whatever came."""
    try:
        return str(json.loads(content)["message"])
    except (ValueError, LookupError, TypeError):
        return content[:200].decode(errors="replace")
