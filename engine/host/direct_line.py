"""The program's end of ``engine/direct_line.py``, with the frames of ``engine/frames.py``: calls without gRPC.

The stubs here are called as those that gRPC generates: by any thread, which waits for its answer; what goes wrong is a
``grpc.RpcError`` with a code and details.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import socket
import struct
import threading
from typing import Any

import grpc
from google.protobuf import message_factory

LIMIT = 400 * 1024 * 1024  # bytes, as the SDK's own channels have it
_HEAD = struct.Struct("!IIB")
_ANSWER = struct.Struct("!III")
CLOSED = "the engine has closed the connection"
_CODES = {code.value[0]: code for code in grpc.StatusCode}


class CallFailed(grpc.RpcError):
    """A call that has no answer."""

    def __init__(self, code: grpc.StatusCode, details: str) -> None:
        super().__init__(f"{code.name}: {details}")
        self._code = code
        self._details = details

    def code(self) -> grpc.StatusCode:
        return self._code

    def details(self) -> str:
        return self._details


class Stub:
    """The methods of one service."""

    def __init__(self, line: Line, service: Any) -> None:
        for method in service.methods:
            answer = message_factory.GetMessageClass(method.output_type)
            setattr(self, method.name, functools.partial(line.call, method.name.encode(), answer))


class _Waiting:
    """One thread that waits for an answer."""

    __slots__ = ("code", "content", "gate")

    def __init__(self) -> None:
        self.gate = threading.Lock()
        self.gate.acquire()
        self.code = grpc.StatusCode.UNAVAILABLE.value[0]
        self.content = CLOSED.encode()


class Line:
    """A connection to the engine. A thread of its own reads the answers."""

    def __init__(self, file: int) -> None:
        """``file`` is a socket that the engine holds the other end of."""
        self._socket = socket.socket(fileno=file)
        self._lock = threading.Lock()
        self._waiting: dict[int, _Waiting] = {}
        self._numbers = itertools.count()
        self._closed = False
        threading.Thread(target=self._read, name="answers of the engine", daemon=True).start()

    def call(self, method: bytes, answer: Any, request: Any) -> Any:
        """Send ``request`` and wait for its ``answer``, a message class. Raises CallFailed."""
        content = request.SerializeToString()
        if len(content) > LIMIT:
            text = f"a message of {len(content)} bytes, where {LIMIT} are the most"
            raise CallFailed(grpc.StatusCode.RESOURCE_EXHAUSTED, text)
        waiting = self._send(method, content)
        waiting.gate.acquire()
        if waiting.code != 0:
            code = _CODES.get(waiting.code, grpc.StatusCode.UNKNOWN)
            raise CallFailed(code, waiting.content.decode(errors="replace"))
        return answer.FromString(waiting.content)

    def _send(self, method: bytes, content: bytes) -> _Waiting:
        waiting = _Waiting()
        with self._lock:
            if self._closed:
                raise CallFailed(grpc.StatusCode.UNAVAILABLE, CLOSED)
            number = next(self._numbers) & 0xFFFFFFFF
            self._waiting[number] = waiting
            head = _HEAD.pack(5 + len(method) + len(content), number, len(method))
            with contextlib.suppress(OSError):  # the engine has ended: who reads its answers sees that, too
                self._socket.sendall(b"".join((head, method, content)))
        return waiting

    def _read(self) -> None:
        received = bytearray()
        try:
            while data := self._socket.recv(1 << 18):
                received += data
                del received[: self._taken(received)]
        except OSError:
            pass
        with self._lock:
            self._closed = True
            self._socket.close()
            for waiting in self._waiting.values():
                waiting.gate.release()

    def _taken(self, received: bytearray) -> int:
        """Hand out the whole answers in ``received``; returns how many bytes they took."""
        at, there = 0, len(received)
        while there - at >= _ANSWER.size:
            size, number, code = _ANSWER.unpack_from(received, at)
            end = at + 4 + size
            if end > there:
                break
            waiting = self._waiting.pop(number)
            waiting.code, waiting.content = code, bytes(received[at + _ANSWER.size : end])
            waiting.gate.release()
            at = end
        return at
