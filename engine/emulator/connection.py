"""One connection to the emulator, over which any number of requests come: werkzeug's closes it after the first.

To open a connection, start a thread for it and end both takes longer than most answers.
"""

from __future__ import annotations

import io
import traceback
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.exceptions import InternalServerError

_WITHOUT_BODY = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})

_Answer = tuple[str, list[tuple[str, str]], bytes]


class KeptConnection(MotoRequestHandler):
    """Reads a request whole before it is answered, so that the next one begins where it ends."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # header and body leave in one piece

    def run_wsgi(self) -> None:
        if self.headers.get("Transfer-Encoding"):
            super().run_wsgi()  # where such a request ends, only its reader knows: it closes the connection
            return
        self.environ = environ = self.make_environ()
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = self.rfile.read(length)
        if len(body) < length:  # who sent it has gone: half of an object is none
            self.close_connection = True
            return
        environ["wsgi.input"] = io.BytesIO(body)
        try:
            answer = _answer_of(self.server.app, environ)
        except Exception:  # noqa: BLE001 - a fault of one request; the emulator goes on
            answer = _answer_of(InternalServerError(), environ)
            self.log("error", "Error on request:\n%s", traceback.format_exc())
        self._send(*answer)

    def handle_expect_100(self) -> bool:
        super().handle_expect_100()
        self.wfile.flush()  # the body comes after it only
        return True

    def _send(self, status: str, headers: list[tuple[str, str]], body: bytes) -> None:
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        told = None
        for name, value in headers:
            self.send_header(name, value)
            if name.lower() == "content-length":
                told = int(value)
        if self.command == "HEAD" or int(code) in _WITHOUT_BODY:
            body = b""
        elif told is None:
            self.send_header("Content-Length", str(len(body)))
        elif told != len(body):  # who waits for the rest is to learn that none comes
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()


def _answer_of(application: Any, environ: dict[str, Any]) -> _Answer:
    """All that a WSGI application answers; what our services answer lies in memory anyhow."""
    begun: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], _error: object = None) -> None:
        begun.append((status, headers))

    parts: Iterable[bytes] = application(environ, start_response)
    try:
        body = b"".join(parts)
    finally:
        close = getattr(parts, "close", None)
        if close:
            close()
    return *begun[-1], body
