"""AWS in this process, without a socket: botocore's requests are handed to the emulator's application as they are."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from engine.emulator.server import EmulatorApplication
from engine.providers.aws.calls import Caller
from engine.providers.aws.config import Config
from engine.providers.aws.endpoint import Endpoint
from engine.providers.aws.provider import AwsProvider

URL = "http://127.0.0.1:1"  # of a port that nobody listens to


class DirectCaller(Caller):
    """Calls that end in ``application``; half the time of a call is the socket, and this suite makes thousands."""

    def __init__(self, application: EmulatorApplication, config: Config) -> None:
        super().__init__(Endpoint(URL), config)
        self._application = application

    def _make(self, service: str, region: str, url: str) -> Any:
        client = super()._make(service, region, url)
        client.meta.events.register("before-send", self._answered)
        return client

    def _answered(self, request: AWSPreparedRequest, **_more: Any) -> AWSResponse:
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start(status: str, headers: list[tuple[str, str]], *_error: Any) -> None:
            started.append((status, headers))

        body = b"".join(self._application(_environment(request), start))
        status, headers = started[-1]
        answer = AWSResponse(request.url, int(status.split()[0]), dict(headers), _Body(body))
        if not request.stream_output:
            _ = answer.content
        return answer


class DirectProvider(AwsProvider):
    """The provider over such calls, one caller for all of its configurations: clients are dear to make."""

    def __init__(self, caller: DirectCaller) -> None:
        super().__init__(Endpoint(URL))
        self._direct = caller

    def caller(self) -> Caller:
        return self._direct


class _Body(io.BytesIO):
    """What urllib3 answers with, as far as botocore looks at it."""

    def stream(self, **_more: Any) -> Iterator[bytes]:
        yield self.getvalue()


def _environment(request: AWSPreparedRequest) -> dict[str, Any]:
    url = urlsplit(request.url)
    given: Any = request.body or b""
    body: bytes = given.read() if hasattr(given, "read") else given.encode() if isinstance(given, str) else bytes(given)
    environment: dict[str, Any] = {
        "REQUEST_METHOD": request.method, "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.url_scheme": "http",
        "SERVER_NAME": url.hostname, "SERVER_PORT": str(url.port), "HTTP_HOST": url.netloc,
        "PATH_INFO": unquote_to_bytes(url.path or "/").decode("latin-1"), "QUERY_STRING": url.query,
        "RAW_URI": url.path + (f"?{url.query}" if url.query else ""),
        "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body), "wsgi.errors": io.StringIO(),
    }  # fmt: skip
    for name, value in request.headers.items():
        key = name.upper().replace("-", "_")
        text = value.decode() if isinstance(value, bytes) else str(value)
        environment["CONTENT_TYPE" if key == "CONTENT_TYPE" else f"HTTP_{key}"] = text
    environment["CONTENT_LENGTH"] = str(len(body))
    return environment
