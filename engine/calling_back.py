"""Calling a program back: the server by which the SDK answers for the program's functions."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc.aio

from engine.protocol import callback_pb2, callback_pb2_grpc


class NotAnswered(Exception):
    """The function raised an error, or nobody is there any more who could run it."""


class CallingBack:
    """The connections to those whose functions are called. All of it lives on one event loop."""

    def __init__(self) -> None:
        self._stubs: dict[str, Any] = {}
        self._under_way: set[Any] = set()
        self._cancelled = False

    async def ask(self, callback: Any, request: Any) -> bytes:
        """What ``callback`` answers to ``request``. Raises NotAnswered."""
        if self._cancelled:
            raise NotAnswered("the run is being stopped")
        if callback.target not in self._stubs:
            channel = grpc.aio.insecure_channel(callback.target)
            self._stubs[callback.target] = callback_pb2_grpc.CallbacksStub(channel)
        invoke = callback_pb2.CallbackInvokeRequest(token=callback.token, request=request.SerializeToString())
        call = self._stubs[callback.target].Invoke(invoke)
        self._under_way.add(call)
        try:
            return (await call).response
        except grpc.aio.AioRpcError as error:
            raise NotAnswered(str(error.details())) from error
        except asyncio.CancelledError as error:
            if self._cancelled:
                raise NotAnswered("the run is being stopped") from error
            raise
        finally:
            self._under_way.discard(call)

    def cancel(self) -> None:
        """Wait for no answer any more."""
        self._cancelled = True
        for call in self._under_way:
            call.cancel()
