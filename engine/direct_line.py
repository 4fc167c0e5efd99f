"""The program's calls without gRPC: the same services and messages, as frames over a socket, for our own program host.

gRPC costs engine and program half a millisecond each for every call, more than all the rest of a resource does (a
preview of 5,000 component resources: 11.4 s of the engine's processor time with it and 5.6 s without, 11.8 and 5.5 s of
the program's). A program whose SDK is left as it is uses gRPC.

    order    size, JSON: what to run, the first thing that is sent

Calls and answers follow, as ``engine/frames.py`` has them. The other end is ``engine/host/direct_line.py``.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import grpc
from google.protobuf import message_factory

from engine.frames import ANSWER, CALL, taken
from engine.protocol import engine_pb2, resource_pb2
from engine.providers.base import Ask, ProviderError

_SIZE: Final = struct.Struct("!I")
_SERVICES: Final = (
    resource_pb2.DESCRIPTOR.services_by_name["ResourceMonitor"],
    engine_pb2.DESCRIPTOR.services_by_name["Engine"],
)
_REQUESTS: Final[Mapping[str, Any]] = {
    method.name: message_factory.GetMessageClass(method.input_type) for each in _SERVICES for method in each.methods
}


@dataclass
class _Refused(Exception):
    """How a call ends that has no answer."""

    code: grpc.StatusCode
    details: str


class _Context:
    """What a method may do about its call, as far as ours do it."""

    async def abort(self, code: grpc.StatusCode, details: str = "") -> None:
        raise _Refused(code, details)

    def set_code(self, code: grpc.StatusCode) -> None:
        """Generated methods say so that they are not there; the NotImplementedError that follows says it too."""

    def set_details(self, details: str) -> None:
        """See ``set_code``."""


class _Line(asyncio.Protocol):
    """One program's connection."""

    def __init__(self, servicer: object) -> None:
        self._servicer = servicer
        self._received = bytearray()
        self._answers: list[bytes] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport), "a socket can be written to"
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        for number, named, content in taken(self._received, CALL):
            self._start(number, content[:named].decode(), content[named:])

    def _start(self, number: int, method: str, message: bytes) -> None:
        task = asyncio.create_task(self._serve(number, method, message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, number: int, method: str, message: bytes) -> None:
        try:
            if method not in _REQUESTS:
                raise NotImplementedError
            request = _REQUESTS[method].FromString(message)
            answer = await getattr(self._servicer, method)(request, _Context())
            self._answer(number, grpc.StatusCode.OK, answer.SerializeToString())
        except _Refused as refused:
            self._answer(number, refused.code, refused.details.encode())
        except NotImplementedError:
            self._answer(number, grpc.StatusCode.UNIMPLEMENTED, f"{method}: the engine does not know it".encode())
        except Exception as error:  # noqa: BLE001 - a bug of ours must not leave the program waiting
            self._answer(number, grpc.StatusCode.INTERNAL, f"{type(error).__name__}: {error}".encode())

    def _answer(self, number: int, code: grpc.StatusCode, content: bytes) -> None:
        if not self._answers:  # all that is ready by then goes at once
            asyncio.get_running_loop().call_soon(self._send)
        self._answers.append(ANSWER.pack(8 + len(content), number, code.value[0]) + content)

    def _send(self) -> None:
        assert self._transport is not None, "it was connected"
        answers, self._answers = self._answers, []
        if not self._transport.is_closing():
            self._transport.write(b"".join(answers))

    def connection_lost(self, exc: Exception | None) -> None:
        """The program has ended: what is in flight goes on, and nobody is told how it ends."""


def within(servicer: object) -> Ask:
    """The services for what runs in another thread of this process, while the running loop serves them."""
    loop = asyncio.get_running_loop()

    async def answer(method: str, request: Any) -> Any:
        try:
            return await getattr(servicer, method)(request, _Context())
        except _Refused as refused:
            raise ProviderError(refused.details) from refused

    return lambda method, request: asyncio.run_coroutine_threadsafe(answer(method, request), loop)


async def connect(line: socket.socket, servicer: object, order: bytes) -> asyncio.Transport:
    """Give the program at the other end its ``order``, then serve it."""
    transport, _ = await asyncio.get_running_loop().connect_accepted_socket(lambda: _Line(servicer), line)
    assert isinstance(transport, asyncio.Transport), "a socket can be written to"
    transport.write(_SIZE.pack(len(order)) + order)
    return transport
