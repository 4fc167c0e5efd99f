"""The pack's end of ``engine/analyzer/line.py``, a server of gRPC's form, without gRPC. Frames: ``engine/frames.py``.

Imported by the process that packs are forked from, as a script's sibling: it needs the standard library and gRPC only.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import sys
import threading
from concurrent.futures import Executor
from typing import Any

import grpc

SERVED = "asked over its line"  # what a pack prints in place of a port's number
SERVICE = "/pulumirpc.Analyzer/"
_CALL = struct.Struct("!IIB")
_ANSWER = struct.Struct("!III")


class _Aborted(Exception):
    """A method has ended its call."""


class _Context:
    """What a method may say about its call."""

    def __init__(self) -> None:
        self.code = grpc.StatusCode.UNKNOWN
        self.details = ""

    def set_code(self, code: grpc.StatusCode) -> None:
        self.code = code

    def set_details(self, details: str) -> None:
        self.details = details

    def abort(self, code: grpc.StatusCode, details: str) -> None:
        self.code, self.details = code, details
        raise _Aborted


class _Details:
    """Which method is asked for, in gRPC's form."""

    invocation_metadata = ()

    def __init__(self, method: str) -> None:
        self.method = method


class Server:
    """Answers what comes over a socket, in the threads of ``pool``, with what is added to it as to gRPC's own."""

    def __init__(self, line: socket.socket, pool: Executor) -> None:
        self._line = line
        self._pool = pool
        self._handlers: list[Any] = []
        self._sending = threading.Lock()

    def add_generic_rpc_handlers(self, handlers: Any) -> None:
        self._handlers += handlers

    def add_insecure_port(self, address: str) -> str:
        """What the SDK then prints; the line is there already, whatever the ``address``."""
        return SERVED

    def start(self) -> None:
        threading.Thread(target=self._read, name="questions of the engine", daemon=True).start()

    def stop(self, grace: float | None) -> None:
        """Pulumi's SDK says so where it is interrupted, and the process ends."""

    def _read(self) -> None:
        with contextlib.suppress(OSError), self._line.makefile("rb") as stream:
            while len(head := stream.read(_CALL.size)) == _CALL.size:
                size, number, named = _CALL.unpack(head)
                content = stream.read(size - _CALL.size + 4)
                with contextlib.suppress(RuntimeError):  # the process ends, and its threads take nothing more
                    self._pool.submit(self._serve, number, content[:named].decode(), content[named:])

    def _serve(self, number: int, method: str, message: bytes) -> None:
        context = _Context()
        try:
            handler = self._handler(method)
            if handler is None:
                context.code = grpc.StatusCode.UNIMPLEMENTED
                raise NotImplementedError("Method not found!")
            answer = handler.unary_unary(handler.request_deserializer(message), context)
            self._answer(number, 0, handler.response_serializer(answer))
        except _Aborted:
            self._answer(number, context.code.value[0], context.details.encode())
        except Exception as error:  # noqa: BLE001 - whatever a policy raises, in gRPC's words
            self._answer(number, context.code.value[0], f"Exception calling application: {error}".encode())

    def _handler(self, method: str) -> Any:
        found = (each.service(_Details(SERVICE + method)) for each in self._handlers)
        return next((handler for handler in found if handler is not None), None)

    def _answer(self, number: int, code: int, content: bytes) -> None:
        with self._sending, contextlib.suppress(OSError):  # the engine has ended, and this process ends with it
            self._line.sendall(_ANSWER.pack(8 + len(content), number, code) + content)


class _Grpc:
    """gRPC as the SDK of policies sees it, but for its servers."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line

    def server(self, pool: Executor, options: Any = None) -> Server:
        """A server; of the ``options``, the SDK's say how large a message may be, and here it may be of any size."""
        return Server(self._line, pool)

    def __getattr__(self, name: str) -> Any:
        return getattr(grpc, name)


def install(line: socket.socket) -> None:
    """Have the pack that is run next be asked over ``line``; an SDK of another shape serves as it always does."""
    sdk = sys.modules.get("pulumi_policy.policy")
    if getattr(sdk, "grpc", None) is grpc:
        sdk.grpc = _Grpc(line)  # pyright: ignore[reportOptionalMemberAccess, reportAttributeAccessIssue]
