# ruff: noqa: N802 - the protocol's names
"""A plugin as others write them, package ``toy``: a process that keeps what it makes in files below TOY_FOLDER.

Type ``toy:index:File``: replaced when ``name`` changes. Its provider is configured with ``prefix``. What it does beside
working is said in its inputs (``does``: ``hang``, ``die``) or, of its start, in TOY_START.
"""

from __future__ import annotations

import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2

from engine import wire
from engine.protocol import engine_pb2, engine_pb2_grpc, plugin_pb2, provider_pb2
from engine.providers.serve.handlers import handlers

FOLDER = Path(os.environ.get("TOY_FOLDER", "."))


class Toy:
    """Speaks the protocol as it was before Handshake, and without what is optional."""

    def __init__(self, engine_address: str) -> None:
        self._log = engine_pb2_grpc.EngineStub(grpc.insecure_channel(engine_address))
        self._prefix = ""
        self._served = ""

    def Parameterize(self, request: Any, context: Any) -> Any:
        """Serves another package, whose files' ids begin with the value of its parameters."""
        asked = request.value
        self._served = asked.value.decode()
        name = "another" if self._served == "another" else asked.name
        return provider_pb2.ParameterizeResponse(name=name, version=asked.version)

    def Invoke(self, request: Any, context: Any) -> Any:
        answer = provider_pb2.InvokeResponse()
        getattr(answer, "return").CopyFrom(wire.encode({"served": self._served or "itself"}))
        return answer

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version=os.environ.get("TOY_VERSION", "1.0.0"))

    def Configure(self, request: Any, context: Any) -> Any:
        assert request.acceptSecrets and request.HasField("args"), "as Pulumi's engine does it"
        self._prefix = request.variables.get("toy:config:prefix", "")
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    def Check(self, request: Any, context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def Diff(self, request: Any, context: Any) -> Any:
        olds, news = wire.decode(request.old_inputs), wire.decode(request.news)
        changed = sorted(key for key in {*olds, *news} if olds.get(key) != news.get(key))
        response = provider_pb2.DiffResponse
        state = response.DIFF_SOME if changed else response.DIFF_NONE
        return response(changes=state, diffs=changed, replaces=[key for key in changed if key == "name"])

    def Create(self, request: Any, context: Any) -> Any:
        inputs = wire.decode(request.properties)
        if request.preview:
            return provider_pb2.CreateResponse(properties=request.properties)
        id_ = f"{self._served}{self._prefix}{inputs['name']}"
        self._do(inputs, id_, request.urn)
        return provider_pb2.CreateResponse(id=id_, properties=_outputs(inputs, id_))

    def Update(self, request: Any, context: Any) -> Any:
        inputs = wire.decode(request.news)
        if not request.preview:
            self._do(inputs, request.id, request.urn)
        return provider_pb2.UpdateResponse(properties=_outputs(inputs, request.id))

    def _do(self, inputs: Any, id_: str, urn: str) -> None:
        (FOLDER / id_).write_text(json.dumps(inputs, default=lambda value: value.value))
        self._log.Log(engine_pb2.LogRequest(severity=engine_pb2.WARNING, message=f"made {id_}", urn=urn))
        if inputs.get("does") == "die":
            print("I can't go on", file=sys.stderr, flush=True)
            os._exit(3)
        while inputs.get("does") == "hang":
            time.sleep(60)

    def Read(self, request: Any, context: Any) -> Any:
        path = FOLDER / request.id
        if not path.exists():
            return provider_pb2.ReadResponse()
        inputs = json.loads(path.read_text())
        found = wire.encode(inputs)
        return provider_pb2.ReadResponse(id=request.id, inputs=found, properties=_outputs(inputs, request.id))

    def Delete(self, request: Any, context: Any) -> Any:
        (FOLDER / request.id).unlink(missing_ok=True)
        return empty_pb2.Empty()


def _outputs(inputs: Any, id_: str) -> Any:
    return wire.encode({**inputs, "path": str(FOLDER / id_)})


def main() -> int:
    start = os.environ.get("TOY_START")
    if start == "exit":
        print("there is no toy today", file=sys.stderr)
        return 7
    if start == "words":
        print("Welcome to the toy provider")
        return 0
    while start == "silence":
        time.sleep(60)
    server = grpc.server(ThreadPoolExecutor(8), handlers=[handlers(Toy(sys.argv[1]))])
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    (FOLDER / f"process-{os.getpid()}").touch()
    server.wait_for_termination()
    return 0


if __name__ == "__main__":
    sys.exit(main())
