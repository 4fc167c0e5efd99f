"""What plugins call back: the engine's log. Each is given the address, and ends when nobody is there any more."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from google.protobuf import empty_pb2

from engine.events import Severity
from engine.log_levels import severity_of
from engine.protocol import engine_pb2, engine_pb2_grpc

Tell = Callable[[Severity, str, str], None]


class EngineService(engine_pb2_grpc.EngineServicer):
    """Serves on loopback from the start; ``tell`` gets severity, message and URN from threads of its own."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._root = ""
        self._server = grpc.server(ThreadPoolExecutor(2, thread_name_prefix="plugins' log"))
        engine_pb2_grpc.add_EngineServicer_to_server(self, self._server)
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def close(self) -> None:
        self._server.stop(None)

    def Log(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's name
        self._tell(severity_of(request.severity), request.message, request.urn)
        return empty_pb2.Empty()

    def GetRootResource(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's name
        return engine_pb2.GetRootResourceResponse(urn=self._root)

    def SetRootResource(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's name
        self._root = request.urn
        return engine_pb2.SetRootResourceResponse()
