"""An emulator inside the test process, whose every request a test may watch, hold up, refuse or use as a trigger."""

from __future__ import annotations

import io
import socket
import threading
import urllib.request
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config
from werkzeug.serving import make_server

from engine.emulator.identity import EmulatorIdentity
from engine.emulator.server import EmulatorApplication, QuietRequestHandler

Hook = Callable[[int], None]
Spoil = Callable[[int], "tuple[str, str] | None"]


@dataclass
class Emulated:
    """The hooks get the number of each request that changes something, counted from 1.

    ``before`` may raise ConnectionError: the caller's connection is closed without an answer. ``spoil`` may give an
    answer, a status and a body, in place of the emulator's. ``asked`` is called at each request that only reads.
    """

    endpoint: str
    before: Hook | None = None
    after: Hook | None = None
    spoil: Spoil | None = None
    asked: Callable[[], None] | None = None
    changes: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def client(self, service: str) -> Any:
        """A boto3 client of this emulator."""
        return boto3.client(
            service, endpoint_url=self.endpoint, region_name="us-east-1", aws_access_key_id="test",
            aws_secret_access_key="test", config=Config(retries={"total_max_attempts": 1}),
        )  # fmt: skip

    def reset(self) -> None:
        """Forget everything: moto's backends belong to the process, not to the server."""
        request = urllib.request.Request(f"{self.endpoint}/moto-api/reset", method="POST")
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert answer.status == 200

    def count(self) -> int:
        with self._lock:
            self.changes += 1
            return self.changes


_READING = (b"Action=Describe", b"Action=Get", b"Action=List")


class _Watched:
    """Counts the requests that change something and calls the hooks around each."""

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self._application = application
        self.emulated: Emulated | None = None

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        assert self.emulated is not None, "set before the server starts"
        if not _changes(environ):
            if self.emulated.asked:
                self.emulated.asked()
            return self._application(environ, start_response)
        number = self.emulated.count()
        try:
            if self.emulated.before:
                self.emulated.before(number)
        except ConnectionError:
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            raise
        spoilt = self.emulated.spoil(number) if self.emulated.spoil else None
        if spoilt is not None:
            start_response(spoilt[0], [("Content-Length", str(len(spoilt[1])))])
            return [spoilt[1].encode()]
        answer = list(self._application(environ, start_response))
        if self.emulated.after:
            self.emulated.after(number)
        return answer


def _changes(environ: dict[str, Any]) -> bool:
    if environ["REQUEST_METHOD"] in ("GET", "HEAD"):
        return False
    target = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
    if target:
        return not target.startswith(("Describe", "Get", "List"))
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    return not any(mark in body for mark in _READING)


@contextmanager
def emulator() -> Generator[Emulated]:
    """Run the product's emulator on a port that the system chooses."""
    application = EmulatorApplication(EmulatorIdentity.of_this_process("test"))
    watched = _Watched(application)
    server = make_server("127.0.0.1", 0, watched, threaded=True, request_handler=QuietRequestHandler)
    watched.emulated = Emulated(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=application.prepare, daemon=True).start()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield watched.emulated
    finally:
        server.shutdown()
