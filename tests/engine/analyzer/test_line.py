"""Packs in our Python are asked over a line of ours, others by gRPC; both say the same of what goes wrong."""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2

from engine.analyzer import pack_line
from engine.analyzer.line import SERVED, CallFailed, Channel, Line
from engine.protocol import analyzer_pb2, analyzer_pb2_grpc
from tests.engine.analyzer.packs import SMALL, Asking, thing


class _Pack(analyzer_pb2_grpc.AnalyzerServicer):
    """Answers questions about resources by their types; the rest it does not know."""

    def __init__(self) -> None:
        self.released = threading.Event()

    def GetAnalyzerInfo(self, request: Any, context: Any) -> Any:  # noqa: N802 - Pulumi's name
        return analyzer_pb2.AnalyzerInfo(name="a pack", description="x" * 1_000_000)

    def Analyze(self, request: Any, context: Any) -> Any:  # noqa: N802 - Pulumi's name
        if request.type == "slow":
            self.released.wait(30)
        elif request.type == "refused":
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "no such type")
        elif request.type == "broken":
            raise KeyError("size")
        return analyzer_pb2.AnalyzeResponse()


def _asked(ask: Callable[[Line, _Pack, socket.socket], Coroutine[Any, Any, None]]) -> None:
    async def go() -> None:
        ours, theirs = socket.socketpair()
        pack = _Pack()
        with theirs, ThreadPoolExecutor(4) as pool:
            server: Any = pack_line.Server(theirs, pool)
            analyzer_pb2_grpc.add_AnalyzerServicer_to_server(pack, server)
            assert server.add_insecure_port("127.0.0.1:0") == SERVED
            server.start()
            line = await Line.over(ours)
            try:
                await ask(line, pack, theirs)
            finally:
                pack.released.set()
                await line.close()
                await asyncio.sleep(0)  # the loop closes it in its next turn

    asyncio.run(go())


def _about(type_: str) -> Any:
    return analyzer_pb2.AnalyzeRequest(type=type_)


def test_a_quick_answer_overtakes_a_slow_one() -> None:
    async def ask(line: Line, pack: _Pack, _theirs: socket.socket) -> None:
        slow = asyncio.create_task(line.call("Analyze", _about("slow"), 30))
        info = await line.call("GetAnalyzerInfo", empty_pb2.Empty(), 30)
        assert (info.name, len(info.description), slow.done()) == ("a pack", 1_000_000, False)
        pack.released.set()
        assert await slow == analyzer_pb2.AnalyzeResponse()

    _asked(ask)


@pytest.mark.parametrize(
    ("method", "request_", "code", "details"),
    [
        ("Analyze", _about("broken"), "UNKNOWN", "Exception calling application: 'size'"),
        ("Analyze", _about("refused"), "INVALID_ARGUMENT", "no such type"),
        ("Cancel", empty_pb2.Empty(), "UNIMPLEMENTED", "Exception calling application: Method not implemented!"),
    ],
)
def test_a_failure_has_the_code_and_text_of_grpc(method: str, request_: Any, code: str, details: str) -> None:
    async def ask(line: Line, _pack: _Pack, _theirs: socket.socket) -> None:
        with pytest.raises(CallFailed) as failed:
            await line.call(method, request_, 30)
        assert (failed.value.code.name, failed.value.details) == (code, details)

    _asked(ask)


def test_what_comes_too_late_is_given_up_and_what_ends_is_told_at_once() -> None:
    async def ask(line: Line, pack: _Pack, theirs: socket.socket) -> None:
        with pytest.raises(CallFailed, match="DEADLINE_EXCEEDED"):
            await line.call("Analyze", _about("slow"), 0.05)
        waiting = asyncio.create_task(line.call("Analyze", _about("slow"), 30))
        await asyncio.sleep(0)
        theirs.shutdown(socket.SHUT_RDWR)
        for asked in (waiting, line.call("Analyze", _about("fine"), 30)):
            with pytest.raises(CallFailed, match="UNAVAILABLE"):
                await asked

    _asked(ask)


@pytest.mark.parametrize(
    ("program", "kind"),
    [(SMALL, Line), ("import pulumi_policy.policy as p\np.grpc = __import__('grpc')\n" + SMALL, Channel)],
)
def test_an_sdk_of_another_shape_is_asked_by_grpc(asking: Asking, program: str, kind: type) -> None:
    async def question(analyzer: Any) -> tuple[type, int]:
        return type(analyzer._connection), len((await analyzer.analyze(thing(size=4))).findings)

    assert asking(program, question) == (kind, 1)


def test_an_sdk_without_what_is_replaced_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    other = ModuleType("pulumi_policy.policy")
    monkeypatch.setitem(sys.modules, "pulumi_policy.policy", other)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        pack_line.install(ours)
    assert not hasattr(other, "grpc")
