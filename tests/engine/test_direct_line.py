"""The line between engine and program: every call has its own answer, and nobody waits for one that will not come."""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest

import engine.host
from engine import direct_line as engines_end
from engine.plan import Op
from engine.protocol import engine_pb2, resource_pb2, resource_pb2_grpc
from engine.run import Result
from tests.engine.opened import Opened

sys.path.insert(0, str(Path(engine.host.__file__).parent))
import direct_line  # pyright: ignore[reportMissingImports] - a script's sibling, not a module of a package

MONITOR = resource_pb2.DESCRIPTOR.services_by_name["ResourceMonitor"]
LARGE = "x" * 3_000_000  # more than a socket takes at once


class Servicer(resource_pb2_grpc.ResourceMonitorServicer):
    """Answers registrations with their names, those of "later" when another call has come; refuses what it is told."""

    def __init__(self) -> None:
        self.another = asyncio.Event()
        self.begun = threading.Event()

    async def RegisterResource(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's name
        if request.name == "later":
            self.begun.set()
            await self.another.wait()
        self.another.set()
        return resource_pb2.RegisterResourceResponse(urn=request.name)

    async def Invoke(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's name
        if request.tok == "bug":
            raise ZeroDivisionError("a bug")
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"{request.tok} is refused")


class Program:
    """The program's end, with an engine in a thread of its own at the other."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self.servicer = Servicer()
        connecting = engines_end.connect(ours, self.servicer, b"{}")
        self._transport = asyncio.run_coroutine_threadsafe(connecting, self._loop).result(10)
        assert theirs.recv(6) == b"\0\0\0\2{}"
        self.line = direct_line.Line(theirs.detach())
        self.stub = direct_line.Stub(self.line, MONITOR)

    async def _settled(self) -> None:
        self.servicer.another.set()
        self._transport.abort()
        for _ in range(10):  # what has an answer now, or nobody to give it to, ends
            await asyncio.sleep(0)

    def read(self) -> Any:
        return self.stub.ReadResource(resource_pb2.ReadResourceRequest())

    def newer(self) -> Any:
        """A method that only a newer SDK has."""
        return self.line.call(b"Newer", engine_pb2.LogRequest, engine_pb2.LogRequest())

    def register(self, name: str) -> str:
        return self.stub.RegisterResource(resource_pb2.RegisterResourceRequest(name=name)).urn

    def refused(self, call: Callable[[], object]) -> tuple[grpc.StatusCode, str]:
        with pytest.raises(grpc.RpcError) as caught:
            call()
        error: Any = caught.value
        return error.code(), error.details()

    def end_of_the_engine(self) -> None:
        self._loop.call_soon_threadsafe(self._transport.abort)

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._settled(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@pytest.fixture
def program() -> Iterator[Program]:
    made = Program()
    yield made
    made.close()


def test_of_many_calls_at_once_each_has_its_own_answer(program: Program) -> None:
    names = [str(number) if number % 50 else f"{number}{LARGE}" for number in range(500)]
    with ThreadPoolExecutor(32) as threads:
        assert list(threads.map(program.register, names)) == names


def test_an_answer_that_takes_long_holds_up_no_other(program: Program) -> None:
    with ThreadPoolExecutor(1) as threads:
        later = threads.submit(program.register, "later")
        assert program.servicer.begun.wait(10)
        assert program.register("sooner") == "sooner"
        assert later.result(10) == "later"


def test_what_the_engine_refuses_is_an_error_as_of_grpc(program: Program) -> None:
    def invoke(token: str) -> object:
        return program.stub.Invoke(resource_pb2.ResourceInvokeRequest(tok=token))

    assert program.refused(lambda: invoke("this")) == (grpc.StatusCode.INVALID_ARGUMENT, "this is refused")
    assert program.refused(lambda: invoke("bug")) == (grpc.StatusCode.INTERNAL, "ZeroDivisionError: a bug")


def test_what_the_engine_does_not_know_is_unimplemented(program: Program) -> None:
    code, details = program.refused(program.read)
    assert code is grpc.StatusCode.UNIMPLEMENTED
    assert details.startswith("ReadResource")
    assert program.refused(program.newer)[0] is grpc.StatusCode.UNIMPLEMENTED


def test_nobody_waits_for_an_engine_that_is_gone(program: Program) -> None:
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(program.refused, lambda: program.register("later"))
        assert program.servicer.begun.wait(10)
        program.end_of_the_engine()
        assert waiting.result(10)[0] is grpc.StatusCode.UNAVAILABLE
    assert program.refused(lambda: program.register("again"))[0] is grpc.StatusCode.UNAVAILABLE


def test_a_message_that_is_too_large_is_refused_where_it_is_made(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(direct_line, "LIMIT", 10)
    code, details = program.refused(lambda: program.register("more than ten bytes"))
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "10 are the most" in details
    assert program.register("fine") == "fine"


# Both ways

PROGRAM = """
import os, sys
pulumi.log.info(f"calls by {type(pulumi.runtime.settings.get_monitor()).__name__}, input {sys.stdin.read()!r}")
a = thing("a", size=1)
b = thing("b", of=a.arn, opts=pulumi.ResourceOptions(transforms=[
    lambda args: pulumi.ResourceTransformResult({**args.props, "changed": True}, args.opts)]))
pulumi.export("answer", pulumi.runtime.invoke("test:index:lookup", {"name": "x"}).value["answer"])
pulumi.export("arn", b.arn)
"""


@pytest.mark.parametrize(("unpatched", "stub"), [("", "Stub"), ("1", "ResourceMonitorStub")])
def test_a_program_comes_to_the_same_by_line_and_by_grpc(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unpatched: str, stub: str
) -> None:
    monkeypatch.setenv("BEDPLATE_UNPATCHED_SDK", unpatched)
    opened = Opened(tmp_path)
    opened.write(PROGRAM)
    outcome = opened.up()
    assert outcome.result is Result.SUCCEEDED, opened.said
    assert f"calls by {stub}, input ''" in opened.said
    assert [step.op for step in outcome.plan.steps].count(Op.CREATE) == 4
    assert outcome.plan.outputs_after == {"answer": 42, "arn": "arn:b-2"}
    assert opened.cloud.live["b-2"].inputs == {"of": "arn:a-1", "changed": True}


@pytest.mark.parametrize("unpatched", ["", "1"])
def test_a_refusal_reaches_the_program_either_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unpatched: str
) -> None:
    monkeypatch.setenv("BEDPLATE_UNPATCHED_SDK", unpatched)
    opened = Opened(tmp_path)
    opened.write("thing('a')\nthing('a')\n")
    assert opened.up().result is Result.PROGRAM_FAILED
    assert any("Duplicate resource URN" in message for message in opened.errors), opened.said
