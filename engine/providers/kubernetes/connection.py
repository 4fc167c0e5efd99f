"""Requests to one API server, over connections that are kept open.

Every request that is made here may be made twice: server-side apply, deletion and reading are idempotent. So what fails
on the way is repeated, a few times and never for long.
"""

from __future__ import annotations

import base64
import json
import random
import ssl
import threading
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from typing import Final, cast
from urllib.parse import urlencode, urlsplit

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    SSLError,
)

from engine import client_certificates
from engine.providers.base import CredentialsMissing, ProviderError
from engine.providers.kubernetes.kubeconfig import Target
from engine.providers.kubernetes.statuses import ApiError, Unanswered, Unreachable, refusal
from engine.values import Properties

POOL: Final = 32  # as many connections as the engine has threads, twice over: some wait for a watch
CONNECT_TIMEOUT: Final = 5.0
READ_TIMEOUT: Final = 30.0
ATTEMPTS: Final = 5
DELAY: Final = 0.2  # seconds; doubles with each attempt, and a random part of it is taken
LONGEST_DELAY: Final = 5.0
BUSY: Final = frozenset({429, 500, 502, 503, 504})
APPLY: Final = "application/apply-patch+yaml"  # JSON is YAML
JSON_PATCH: Final = "application/json-patch+json"


@dataclass(frozen=True)
class Answer:
    """A document, the HTTP status with which it came (201: made just now), and what the server warns of."""

    status: int
    document: Properties
    warnings: tuple[str, ...] = ()


class Connection:
    """Talks to the API server of ``target``. Safe to use from many threads."""

    def __init__(self, target: Target) -> None:
        self.server = target.server
        self._prefix = urlsplit(target.server).path.rstrip("/")
        self._headers = _headers(target)
        self._pool = _pool(target)
        self.stopping = threading.Event()  # the run is being cancelled: nothing is waited for any longer

    def close(self) -> None:
        self._pool.close()

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Properties | None:
        """The document at ``path``; None where there is none."""
        try:
            return self.request("GET", path, query).document
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def apply(self, path: str, manifest: Properties, manager: str, *, force: bool) -> Answer:
        """Server-side apply: the fields of ``manifest`` are ``manager``'s from now on, and no others."""
        query = {"fieldManager": manager, "force": "true" if force else "false", "fieldValidation": "Warn"}
        return self.request("PATCH", path, query, manifest, content_type=APPLY)

    def request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: object = None,
        *,
        content_type: str = "application/json",
    ) -> Answer:
        """Make one request. Raises ApiError, Unreachable, Unanswered or CredentialsMissing."""
        url = f"{self._prefix}{path}{'?' + urlencode(query) if query else ''}"
        headers = {**self._headers, "Content-Type": content_type} if body is not None else self._headers
        content = None if body is None else json.dumps(body).encode()
        sent, failure = False, None
        for attempt in range(1, ATTEMPTS + 1):
            try:
                response = self._pool.request(method, url, body=content, headers=headers)
            except (NewConnectionError, ConnectTimeoutError, NameResolutionError) as error:
                failure = error
            except SSLError as error:
                raise Unreachable(
                    f"{self.server}: {_reason(error)}; is this the right certificate authority?"
                ) from error
            except HTTPError as error:
                sent, failure = True, error
            else:
                if response.status < 400:
                    return Answer(response.status, _parsed(response.data, self.server), _warnings(response))
                refused = refusal(response.status, response.data, response.headers, self.server)
                if attempt == ATTEMPTS or not isinstance(refused, ApiError) or not _passing(refused):
                    raise refused
                failure = refused
            if attempt < ATTEMPTS:
                time.sleep(_delay(attempt, failure))
        assert failure is not None, "it was tried at least once"
        raise self._gave_up(method, sent, failure)

    def _gave_up(self, method: str, sent: bool, failure: Exception) -> ProviderError:
        reason = _reason(failure)
        if sent and method != "GET":
            return Unanswered(f"{self.server} took a request and did not answer: {reason}")
        return Unreachable(f"nothing answers at {self.server}: {reason}; is the cluster up?")

    @contextmanager
    def watch(self, path: str, query: Mapping[str, str], seconds: float) -> Generator[Iterator[Properties]]:
        """Events of what ``path`` lists, until the server ends them, which it does after ``seconds``.

        Raises ApiError or Unreachable, when it begins or later.
        """
        asked = {**query, "watch": "true", "timeoutSeconds": str(max(1, int(seconds)))}
        timeout = urllib3.Timeout(connect=CONNECT_TIMEOUT, read=seconds + 5)
        url = f"{self._prefix}{path}?{urlencode(asked)}"
        try:
            response = self._pool.request("GET", url, headers=self._headers, timeout=timeout, preload_content=False)
        except HTTPError as error:
            raise Unreachable(f"nothing answers at {self.server}: {_reason(error)}; is the cluster up?") from error
        try:
            if response.status >= 400:
                raise refusal(response.status, response.data, response.headers, self.server)
            yield self._events(response)
        finally:
            response.close()  # what was not read must not be taken for the answer of the next request
            response.release_conn()

    def _events(self, response: urllib3.BaseHTTPResponse) -> Iterator[Properties]:
        rest = b""
        try:
            for chunk in response.stream(65536, decode_content=True):
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    if line.strip():
                        yield _parsed(line, self.server)
        except HTTPError as error:
            raise Unreachable(f"{self.server} broke off a watch: {_reason(error)}") from error


def _passing(refused: ApiError) -> bool:
    """Whether a refusal may pass by itself. An error of 500 is one of the server's storage or of a webhook."""
    return refused.status in BUSY and refused.reason not in ("NotFound", "Invalid", "MethodNotAllowed")


def _delay(attempt: int, failure: Exception) -> float:
    asked = failure.retry_after if isinstance(failure, ApiError) else 0.0
    return min(LONGEST_DELAY, max(asked, DELAY * 2 ** (attempt - 1) * random.uniform(0.5, 1)))  # noqa: S311


def _reason(error: BaseException) -> str:
    """What an error of the connection says, without the classes and addresses around it."""
    inner = next((item for item in error.args if isinstance(item, BaseException)), None) or error.__cause__
    if isinstance(inner, OSError | HTTPException):
        return inner.strerror if isinstance(inner, OSError) and inner.strerror else str(inner)
    text = str(error)
    return text.rsplit(": ", 1)[-1] if "object at 0x" in text else text


def _parsed(body: bytes, server: str) -> Properties:
    try:
        document = json.loads(body)
    except ValueError as error:
        raise ProviderError(f"{server} does not answer as a Kubernetes API server: no JSON: {body[:80]!r}") from error
    if not isinstance(document, dict):
        raise ProviderError(f"{server} does not answer as a Kubernetes API server: {body[:80]!r}")
    return cast("Properties", document)


def _warnings(response: urllib3.BaseHTTPResponse) -> tuple[str, ...]:
    """The texts of ``Warning: 299 - "TEXT"`` headers."""
    headers = response.headers.getlist("Warning") if "Warning" in response.headers else []
    return tuple(header.split('"', 1)[1].rsplit('"', 1)[0].replace('\\"', '"') for header in headers if '"' in header)


def _headers(target: Target) -> dict[str, str]:
    headers = {"Accept": "application/json", "User-Agent": "bedplate"}
    credentials = target.credentials
    if credentials.token:
        headers["Authorization"] = f"Bearer {credentials.token}"
    elif credentials.username:
        pair = f"{credentials.username}:{credentials.password or ''}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    elif credentials.plugin and not credentials.certificate:
        raise CredentialsMissing(
            f"{target.server}: the kubeconfig's user runs {credentials.plugin!r} for its credentials, and the embedded"
            " engine runs no such plugins; give it a token or a client certificate"
        )
    return headers


def _pool(target: Target) -> urllib3.HTTPConnectionPool:
    parts = urlsplit(target.server)
    timeout = urllib3.Timeout(connect=CONNECT_TIMEOUT, read=READ_TIMEOUT)
    host = parts.hostname or ""
    if parts.scheme == "http":
        return urllib3.HTTPConnectionPool(host, parts.port, maxsize=POOL, timeout=timeout, retries=False)
    if parts.scheme != "https" or not host:
        raise ProviderError(f"kubeconfig: expected a server such as https://127.0.0.1:6443, got {target.server!r}")
    return urllib3.HTTPSConnectionPool(
        host, parts.port, maxsize=POOL, timeout=timeout, retries=False,
        ssl_context=_tls(target), server_hostname=target.server_name,
        assert_hostname=False if target.insecure else target.server_name,
    )  # fmt: skip


def _tls(target: Target) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if target.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif target.authority:
        try:
            context.load_verify_locations(cadata=target.authority.decode())
        except (ssl.SSLError, UnicodeDecodeError) as error:
            raise ProviderError(f"kubeconfig: the certificate authority is no PEM certificate: {error}") from error
    credentials = target.credentials
    if credentials.certificate and credentials.key:
        try:
            client_certificates.load(context, credentials.certificate + b"\n" + credentials.key)
        except ssl.SSLError as error:
            raise ProviderError(f"kubeconfig: the client certificate or its key can't be used: {error}") from error
    return context
