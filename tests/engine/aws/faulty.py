"""A server before the emulator that spoils chosen requests: what the network and AWS do on a bad day."""

from __future__ import annotations

import contextlib
import enum
import json
import socket
import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TypeAlias


class Fault(enum.Enum):
    THROTTLE = "an answer of 400, ThrottlingException"
    FAIL = "an answer of 500"
    LACK = "an answer of 501, as LocalStack 4.14.0 gives it for a service that it lacks"
    DROP = "the connection closes, the request was not carried out"
    DROP_AFTER = "the request was carried out, the connection closes without an answer"


# By fault: the status, the code and the message that are answered in the emulator's place.
ANSWERS = {
    Fault.THROTTLE: (400, "ThrottlingException", "as the test asked"),
    Fault.FAIL: (500, "InternalServiceError", "as the test asked"),
    Fault.LACK: (
        501,
        "InternalFailure",
        "The API for service kms is either not included in your current license plan or has not yet been emulated",
    ),
}

# Of the operation's name and how often it was asked for (from 1), the fault to show.
Script: TypeAlias = Callable[[str, int], "Fault | None"]


class Faulty:
    """What the server has seen so far: requests by operation."""

    def __init__(self, script: Script) -> None:
        self.url = ""
        self.seen: Counter[str] = Counter()
        self.script = script
        self._lock = threading.Lock()

    def fault_for(self, operation: str) -> Fault | None:
        with self._lock:
            self.seen[operation] += 1
            return self.script(operation, self.seen[operation])


@contextlib.contextmanager
def faulty(emulator: str, script: Script) -> Generator[Faulty]:
    """A server whose ``url`` stands for the emulator's; it tells operations of JSON protocols (KMS, logs) apart."""
    state = Faulty(script)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            operation = self.headers.get("X-Amz-Target", "").rsplit(".", 1)[-1]
            fault = state.fault_for(operation)
            if fault is Fault.DROP:
                self.hang_up()
                return
            if fault in ANSWERS:
                status, code, message = ANSWERS[fault]
                self.answer(status, json.dumps({"__type": code, "message": message}).encode())
                return
            status, content = self.forwarded(body)
            if fault is Fault.DROP_AFTER:
                self.hang_up()
                return
            self.answer(status, content)

        def forwarded(self, body: bytes) -> tuple[int, bytes]:
            headers = {key: value for key, value in self.headers.items() if key.lower() != "host"}
            request = urllib.request.Request(emulator + self.path, data=body, headers=headers, method="POST")
            try:
                with urllib.request.urlopen(request) as answer:
                    return answer.status, answer.read()
            except urllib.error.HTTPError as error:
                with error:
                    return error.code, error.read()

        def answer(self, status: int, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def hang_up(self) -> None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

        def log_message(self, format: str, *args: object) -> None:
            """Tests are quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
