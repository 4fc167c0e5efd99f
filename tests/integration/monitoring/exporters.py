"""Exporters that say what a test lets them say: any number of targets in one server, each at an address of its own.

Linux answers to all of 127.0.0.0/8, so pods get addresses such as 127.0.1.7, at one port.
"""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
import threading
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

Labels = Mapping[str, str]
_TYPE: Final = "text/plain; version=0.0.4"
# What comes again and again where an answer never ends: about 1 MB.
_ENDLESS: Final = "".join(f'lies_total{{request="{number}"}} 1\n' for number in range(40_000)).encode()


@dataclass(frozen=True)
class Sample:
    """One line of what an exporter says; ``at`` is a timestamp of the exporter's own (seconds)."""

    name: str
    labels: Labels
    value: float | str
    at: float | None = None

    def line(self, ticks: int = 1000) -> str:
        """The line, with so many ``ticks`` of the timestamp a second; OpenMetrics has 1."""
        inside = ",".join(f'{name}="{_escaped(value)}"' for name, value in self.labels.items())
        at = "" if self.at is None else f" {int(self.at * ticks)}"
        return f"{self.name}{{{inside}}} {self.value}{at}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def text(samples: Iterable[Sample], kinds: Mapping[str, str] | None = None) -> bytes:
    """The exposition format, families together; ``kinds`` are the types by name of the family."""
    lines = [f"# TYPE {name} {kind}" for name, kind in (kinds or {}).items()]
    lines += [sample.line() for sample in sorted(samples, key=lambda each: each.name)]
    return ("\n".join(lines) + "\n").encode()


# What a target does with a request: gives the body, or one of the two below.
Says = Callable[[], bytes]


def hangs() -> bytes:
    """Never answers."""
    raise _Hangs


def never_ends() -> bytes:
    """Answers, and goes on answering for as long as somebody reads."""
    raise _NeverEnds


class _Hangs(Exception):
    pass


class _NeverEnds(Exception):
    pass


@dataclass
class Exporters:
    """The targets, by address and path; one that is not there answers 404. ``asked`` counts the requests."""

    port: int = 0
    tls_port: int = 0
    says: dict[tuple[str, str], Says] = field(default_factory=dict[tuple[str, str], Says])
    asked: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    token: str = ""

    def say(self, ip: str, says: Says, path: str = "/metrics") -> None:
        self.says[ip, path] = says

    def body(self, ip: str, path: str) -> bytes | None:
        key = ip, path.partition("?")[0]
        self.asked[key] = self.asked.get(key, 0) + 1
        says = self.says.get(key)
        return says() if says else None


class _Connection(asyncio.Protocol):
    """One connection of a scraper, which asks again and again."""

    def __init__(self, exporters: Exporters, *, secret: bool) -> None:
        self._exporters = exporters
        self._secret = secret
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._ip: str = transport.get_extra_info("sockname")[0]
        if not ipaddress.ip_address(transport.get_extra_info("peername")[0]).is_loopback:
            transport.abort()

    def data_received(self, data: bytes) -> None:
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, _, self._received = self._received.partition(b"\r\n\r\n")
            self._answer(head.decode("latin-1").split("\r\n"))

    def _answer(self, lines: list[str]) -> None:
        path = lines[0].split()[1]
        if self._secret and f"authorization: bearer {self._exporters.token}".lower() not in map(str.lower, lines):
            return self._write("401 Unauthorized", b"")
        try:
            body = self._exporters.body(self._ip, path)
        except _Hangs:
            return None
        except _NeverEnds:
            self._transport.write(f"HTTP/1.1 200 OK\r\nContent-Type: {_TYPE}\r\nConnection: close\r\n\r\n".encode())
            self._go_on()
            return None
        return self._write("404 Not Found", b"") if body is None else self._write("200 OK", body)

    def _write(self, status: str, body: bytes) -> None:
        head = f"HTTP/1.1 {status}\r\nContent-Type: {_TYPE}\r\nContent-Length: {len(body)}\r\n\r\n"
        self._transport.write(head.encode() + body)

    def _go_on(self) -> None:
        if self._transport.is_closing():
            return
        if self._transport.get_write_buffer_size() < len(_ENDLESS):
            self._transport.write(_ENDLESS)
        asyncio.get_running_loop().call_later(0.005, self._go_on)


@contextmanager
def exporters(tls: ssl.SSLContext | None = None, token: str = "") -> Generator[Exporters]:
    """Serve until the end of the block; with ``tls``, a second port asks for the bearer ``token``."""
    made = Exporters(token=token)
    loop = asyncio.new_event_loop()
    servers = [loop.run_until_complete(loop.create_server(lambda: _Connection(made, secret=False), "0.0.0.0", 0))]
    made.port = servers[0].sockets[0].getsockname()[1]
    if tls is not None:
        servers.append(
            loop.run_until_complete(loop.create_server(lambda: _Connection(made, secret=True), "0.0.0.0", 0, ssl=tls))
        )
        made.tls_port = servers[1].sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        loop.call_soon_threadsafe(_stop, loop, servers)
        thread.join()
        loop.close()


def _stop(loop: asyncio.AbstractEventLoop, servers: list[asyncio.Server]) -> None:
    for server in servers:
        server.close()
    loop.stop()
