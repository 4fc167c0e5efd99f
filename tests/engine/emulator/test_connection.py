"""Connections to the emulator: any number of requests over each, and what must end one."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from werkzeug.serving import make_server

from engine.emulator.server import QuietRequestHandler

ASKED: list[str] = []  # the paths that were answered

_Start = Callable[[str, list[tuple[str, str]]], object]


def _application(environ: dict[str, Any], start_response: _Start) -> Iterable[bytes]:
    """Answers what the path says; else the request's body."""
    path = environ["PATH_INFO"]
    ASKED.append(path)
    if path == "/broken":
        raise KeyError("a fault of moto")
    headers = {"/short": [("Content-Length", "100")], "/empty": []}.get(path, [("X-Kept", "yes")])
    if path == "/empty":
        start_response("204 NO CONTENT", headers)
        return []
    start_response("200 OK", headers)
    length = int(environ.get("CONTENT_LENGTH") or 0)
    chunked = environ.get("wsgi.input_terminated")
    return [environ["REQUEST_METHOD"].encode(), b" ", environ["wsgi.input"].read(*(() if chunked else (length,)))]


@contextmanager
def _server() -> Generator[int]:
    server = make_server("127.0.0.1", 0, _application, threaded=True, request_handler=QuietRequestHandler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with _server() as port:
        yield port


@pytest.fixture
def connection(port: int) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    yield connection
    connection.close()


def _ask(connection: http.client.HTTPConnection, *request: Any, **more: Any) -> tuple[int, bytes]:
    connection.request(*request, **more)
    with connection.getresponse() as answer:
        return answer.status, answer.read()


def test_requests_follow_each_other_over_one_connection(connection: http.client.HTTPConnection) -> None:
    assert _ask(connection, "PUT", "/a", body=b"x" * 100_000) == (200, b"PUT " + b"x" * 100_000)
    used = connection.sock
    assert _ask(connection, "HEAD", "/a") == (200, b"")
    assert _ask(connection, "DELETE", "/empty", body=b"what nobody reads") == (204, b"")
    assert _ask(connection, "GET", "/a") == (200, b"GET ")
    assert used is not None and connection.sock is used


def test_a_fault_in_one_request_leaves_the_connection(
    connection: http.client.HTTPConnection, caplog: pytest.LogCaptureFixture
) -> None:
    status, _ = _ask(connection, "GET", "/broken")
    used = connection.sock
    assert (status, _ask(connection, "GET", "/a")) == (500, (200, b"GET "))
    assert connection.sock is used
    assert "a fault of moto" in caplog.text


def test_a_request_that_breaks_off_is_not_answered(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(b"PUT /half HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
        client.shutdown(socket.SHUT_WR)
        assert client.recv(1000) == b""
    assert "/half" not in ASKED


def test_an_answer_shorter_than_it_says_is_not_waited_for(connection: http.client.HTTPConnection) -> None:
    with pytest.raises(http.client.IncompleteRead):
        _ask(connection, "GET", "/short")


def test_a_body_in_chunks_is_read_and_ends_the_connection(connection: http.client.HTTPConnection) -> None:
    asked = _ask(connection, "PUT", "/a", body=iter([b"one ", b"two"]), encode_chunked=True)
    assert (asked, connection.sock) == ((200, b"PUT one two"), None)


def test_who_asks_first_whether_to_send_is_told_to(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(b"PUT /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 100")
        client.sendall(b"abc")
        said = b""
        while not said.endswith(b"PUT abc"):
            part = client.recv(1000)
            assert part, said
            said += part


def test_a_client_of_before_keep_alive_is_hung_up_on(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(b"GET /a HTTP/1.0\r\n\r\n")
        said = b""
        while part := client.recv(1000):
            said += part
        assert said.endswith(b"\r\n\r\nGET ") and b"Content-Length: 4" in said
