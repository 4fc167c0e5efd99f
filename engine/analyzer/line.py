"""Questions to a policy pack that is forked from our host: Pulumi's Analyzer protocol, as frames over a socket.

gRPC takes a millisecond of both processes' time for each question, more than most rules do. A pack with a virtual
environment of its own, or whose SDK is of another shape, is asked by gRPC.

The frames are those of ``engine/frames.py``. The other end is ``engine/analyzer/pack_line.py``.
"""

from __future__ import annotations

import asyncio
import itertools
import socket
from typing import Any, Final, Protocol

import grpc
import grpc.aio
from google.protobuf import message_factory

from engine.frames import ANSWER, CALL, taken
from engine.protocol import MESSAGE_SIZES, analyzer_pb2, analyzer_pb2_grpc

SERVED: Final = "asked over its line"  # as pack_line.py has it
_SERVICE: Final = analyzer_pb2.DESCRIPTOR.services_by_name["Analyzer"]
_ANSWERS: Final = {method.name: message_factory.GetMessageClass(method.output_type) for method in _SERVICE.methods}
_CODES: Final = {code.value[0]: code for code in grpc.StatusCode}
_OPTIONS: Final = [
    *MESSAGE_SIZES,
    ("grpc.enable_http_proxy", 0),  # it is on this machine, whatever the environment says about the way out
]


class CallFailed(Exception):
    """A question that has no answer, with gRPC's code for it."""

    def __init__(self, code: grpc.StatusCode, details: str) -> None:
        super().__init__(f"{code.name}: {details}")
        self.code = code
        self.details = details


class Connection(Protocol):
    """A way to ask a pack."""

    async def call(self, method: str, request: Any, seconds: float) -> Any:
        """The answer, within so many seconds. Raises CallFailed."""
        ...

    async def close(self) -> None: ...


class Channel:
    """gRPC's own way."""

    def __init__(self, port: int) -> None:
        self._channel = grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=_OPTIONS)
        self._stub: Any = analyzer_pb2_grpc.AnalyzerStub(self._channel)

    async def call(self, method: str, request: Any, seconds: float) -> Any:
        try:
            return await getattr(self._stub, method)(request, timeout=seconds, wait_for_ready=False)
        except grpc.aio.AioRpcError as error:
            raise CallFailed(error.code(), error.details() or "") from error

    async def close(self) -> None:
        await self._channel.close()


class Line(asyncio.Protocol):
    """Ours."""

    def __init__(self) -> None:
        self._received = bytearray()
        self._numbers = itertools.count()
        self._waiting: dict[int, asyncio.Future[tuple[int, bytes]]] = {}
        self._transport: asyncio.Transport | None = None
        self._lost = False

    @classmethod
    async def over(cls, line: socket.socket) -> Line:
        _, protocol = await asyncio.get_running_loop().connect_accepted_socket(cls, line)
        return protocol

    async def call(self, method: str, request: Any, seconds: float) -> Any:
        if self._lost or self._transport is None:
            raise CallFailed(grpc.StatusCode.UNAVAILABLE, "the pack has closed its line")
        number = next(self._numbers)
        waiting = self._waiting[number] = asyncio.get_running_loop().create_future()
        name, content = method.encode(), request.SerializeToString()
        self._transport.write(CALL.pack(5 + len(name) + len(content), number, len(name)) + name + content)
        try:
            code, answer = await asyncio.wait_for(waiting, seconds)
        except TimeoutError:
            raise CallFailed(grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded") from None
        finally:
            del self._waiting[number]
        if code:
            raise CallFailed(_CODES.get(code, grpc.StatusCode.UNKNOWN), answer.decode(errors="replace"))
        return _ANSWERS[method].FromString(answer)

    async def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport), "a socket can be written to"
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        for number, code, content in taken(self._received, ANSWER):
            waiting = self._waiting.get(number)
            if waiting is not None and not waiting.done():
                waiting.set_result((code, content))

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = True
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_result((grpc.StatusCode.UNAVAILABLE.value[0], b"the pack has closed its line"))
