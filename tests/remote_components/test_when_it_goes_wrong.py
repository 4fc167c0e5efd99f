"""Components whose provider fails, dies, is not there or never answers; and what each provider is told."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import grpc
import pytest

from engine import wire
from engine.callbacks import Transforms
from engine.goals import Goal
from engine.monitor import Monitor
from engine.protocol import errors_pb2, provider_pb2, resource_pb2, resource_pb2_grpc, status_pb2
from engine.run import Options, Result
from engine.values import UNKNOWN, Secret
from engine.wire import OutputValue
from tests.engine.lifecycle.cloud import Cloud
from tests.engine.lifecycle.harness import ROOT, ROOT_NAME, Body, Engine, Registrar, Report, Resource, thing
from tests.engine.opened import Opened
from tests.engine.remote.serving import attached, serving
from tests.engine.remote.test_faults import Odd

PART = "test:index:Part"
URN = f"urn:pulumi:dev::shop::{PART}::p"
FAILED = Result.RESOURCE_FAILED
Construct = Callable[[Any, Any], Any]


DIES_WHEN_BEGUN = f"""
import os, threading, time

def die():
    while not os.path.exists("begun"):
        time.sleep(0.01)
    os._exit(7)

threading.Thread(target=die, daemon=True).start()
pulumi.ComponentResource("{PART}", "p", {{}}, None, remote=True)
"""


class Refused(Exception):
    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code


class Context:
    async def abort(self, code: grpc.StatusCode, message: str) -> NoReturn:
        raise Refused(code, message)


class Program:
    """What a program may do beside what the harness knows: remote components and methods, by a real monitor."""

    def __init__(self, registrar: Registrar, folder: Path) -> None:
        self.registrar = registrar
        self.monitor = Monitor(registrar.deployment, {"shop:word": "hunter2"}, ["shop:word"], folder)

    async def part(self, **given: Any) -> Any:
        inputs = given.pop("inputs", {})
        request = resource_pb2.RegisterResourceRequest(
            type=PART, name="p", parent=ROOT, remote=True, object=wire.encode(inputs), **given
        )
        return await self.monitor.RegisterResource(request, Context())

    async def call(self, method: str, **args: Any) -> Any:
        request = resource_pb2.ResourceCallRequest(tok=f"{PART}/{method}", args=wire.encode(args))
        return await self.monitor.Call(request, Context())

    async def thing(self, name: str, **options: Any) -> Any:
        return await self.registrar.start(thing(name, size=1, **options))


def declared(folder: Path, body: Callable[[Program], Coroutine[Any, Any, None]]) -> Body:
    async def whole(registrar: Registrar) -> None:
        root = await registrar.start(Resource(ROOT_NAME, type="pulumi:pulumi:Stack"))
        program = Program(registrar, folder)
        try:
            await body(program)
        finally:
            await program.monitor.settled()
        registrar.deployment.register_outputs(root.urn, {})

    return whole


def making(*names: str, fails: bool = False) -> Construct:
    """Constructs a part of things with these names, whose last one's ``arn`` it outputs."""

    def construct(request: Any, context: Any) -> Any:
        with grpc.insecure_channel(request.monitorEndpoint) as channel:
            monitor = resource_pb2_grpc.ResourceMonitorStub(channel)
            register = resource_pb2.RegisterResourceRequest
            part = monitor.RegisterResource(register(type=request.type, name=request.name, parent=request.parent))
            made: Any = None
            for name in names:
                inputs = wire.encode({"size": 1})
                made = monitor.RegisterResource(
                    register(type="test:index:Thing", name=name, parent=part.urn, custom=True, object=inputs)
                )
        output = wire.decode(made.object).get("arn", UNKNOWN)
        return provider_pb2.ConstructResponse(urn=part.urn, state=wire.encode({"arn": output}))

    return construct


def failing(code: grpc.StatusCode, message: str, *details: Any) -> Construct:
    def construct(request: Any, context: Any) -> Any:
        status = status_pb2.Status(code=code.value[0], message=message)
        for detail in details:
            status.details.add().Pack(detail)
        context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
        context.abort(code, message)

    return construct


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


Use = Callable[..., Engine]


@pytest.fixture
def use(cloud: Cloud, tmp_path: Path) -> Iterator[Use]:
    """Gives an engine over the toy cloud's provider, which answers ``Construct`` and ``Call`` as it is told."""
    with ExitStack() as stack:

        def make(**methods: Construct) -> Engine:
            odd = Odd(cloud, (), **{"Handshake": accepting_outputs, **methods})
            return Engine(tmp_path, cloud, elsewhere=stack.enter_context(attached(tmp_path, odd)))

        yield make


async def part_and_more(program: Program) -> None:
    answer = await program.part()
    await program.thing("free")
    await program.thing("after", depends_on=[answer.urn])


def test_a_provider_is_told_all_that_a_program_is_told_and_what_it_is_to_make(use: Use, tmp_path: Path) -> None:
    told: list[Any] = []

    def construct(request: Any, context: Any) -> Any:
        told.append(request)
        return making("a")(request, context)

    async def body(program: Program) -> None:
        free = await program.thing("free")
        deps = {"word": resource_pb2.RegisterResourceRequest.PropertyDependencies(urns=[free.urn])}
        inputs = {"word": Secret("hunter3"), "other": OutputValue("x", secret=False, dependencies=(free.urn,))}
        await program.part(
            inputs=inputs, propertyDependencies=deps, dependencies=[free.urn], ignoreChanges=["word"],
            retainOnDelete=True,
        )  # fmt: skip

    report = use(Construct=construct).run(declared(tmp_path, body))
    preview, apply = told
    free = "urn:pulumi:dev::shop::test:index:Thing::free"
    assert (preview.dryRun, apply.dryRun) == (True, False)
    assert (apply.project, apply.stack, apply.organization) == ("shop", "dev", "organization")
    assert (dict(apply.config), list(apply.configSecretKeys)) == ({"shop:word": "hunter2"}, ["shop:word"])
    assert wire.decode(apply.inputs) == {
        "word": OutputValue("hunter3", secret=True, dependencies=()),
        "other": OutputValue("x", secret=False, dependencies=(free,)),
    }
    assert {key: list(each.urns) for key, each in apply.inputDependencies.items()} == {"word": [free], "other": [free]}
    assert (list(apply.dependencies), list(apply.ignoreChanges), apply.retainOnDelete) == ([free], ["word"], True)
    assert not apply.HasField("protect")
    assert report.names == ["free", "p", "a"]


def until_nobody_waits(context: Any) -> None:
    gone = threading.Event()
    if context.add_callback(gone.set):
        assert gone.wait(30)


def accepting_outputs(request: Any, context: Any) -> Any:
    return provider_pb2.ProviderHandshakeResponse(accept_secrets=True, accept_resources=True, accept_outputs=True)


@pytest.mark.parametrize("continue_on_error", [False, True])
def test_what_could_not_be_constructed_keeps_what_it_was_made_of(
    use: Use, tmp_path: Path, continue_on_error: bool
) -> None:
    use(Construct=making("a")).run(declared(tmp_path, part_and_more))
    wrong = errors_pb2.InputPropertiesError.PropertyError(property_path="text", reason="is too long")
    details = errors_pb2.InputPropertiesError(errors=[wrong])
    engine = use(Construct=failing(grpc.StatusCode.INVALID_ARGUMENT, "cannot be", details))
    report = applied(engine, declared(tmp_path, part_and_more), continue_on_error=continue_on_error)
    assert report.result is FAILED
    assert report.errors == ["cannot be\n  text: is too long"]
    assert report.skipped == ["after"]
    assert report.operations == []
    assert sorted(report.names) == ["a", "after", "free", "p"], "nothing was taken for what nobody wants any more"


def applied(engine: Engine, body: Body, **options: Any) -> Report:
    """What an apply without a preview comes to."""
    return asyncio.run(engine.apply(body, Options(parallel=1, **options), planned=False))


def test_a_provider_that_dies_meanwhile_leaves_what_it_had_made(use: Use, tmp_path: Path) -> None:
    def construct(request: Any, context: Any) -> Any:
        making("a")(request, context)
        if not request.dryRun:
            context.abort(grpc.StatusCode.UNAVAILABLE, "socket closed")
        return provider_pb2.ConstructResponse(urn=URN)

    report = use(Construct=construct).run(declared(tmp_path, part_and_more), expect=FAILED)
    (error,) = report.errors
    assert "was gone before it had answered construct: socket closed" in error
    assert report.names == ["p", "a", "free"]


def test_a_run_that_is_cancelled_waits_for_no_provider_s_program(use: Use, tmp_path: Path) -> None:
    def construct(request: Any, context: Any) -> Any:
        making("a")(request, context)
        assert engine.running is not None
        loops[0].call_soon_threadsafe(engine.running.cancel)
        until_nobody_waits(context)
        raise AssertionError("nobody hears it")

    loops: list[asyncio.AbstractEventLoop] = []
    engine = use(Construct=construct)

    async def remembering(program: Program) -> None:
        loops[:] = [asyncio.get_running_loop()]
        with pytest.raises(Refused) as refused:
            await program.part()
        assert refused.value.code is grpc.StatusCode.UNAVAILABLE

    report = applied(engine, declared(tmp_path, remembering))
    assert report.result is Result.CANCELLED
    assert report.names == ["p", "a"]


def test_a_component_of_which_something_fails_has_failed(use: Use, cloud: Cloud, tmp_path: Path) -> None:
    cloud.faults = {"create a": "fail"}
    report = applied(use(Construct=making("a")), declared(tmp_path, part_and_more))
    assert report.result is FAILED
    assert report.skipped == ["after"]
    assert report.names == ["p", "free"]


def taking_nothing(request: Any, context: Any) -> Any:
    return provider_pb2.ProviderHandshakeResponse()


def answering_nothing(request: Any, context: Any) -> Any:
    return provider_pb2.ConstructResponse()


@pytest.mark.parametrize(
    ("methods", "said"),
    [
        ({}, "has no method Construct"),
        (
            {"Handshake": taking_nothing, "Construct": making("a")},
            "takes no secrets, and so may construct no components",
        ),
        ({"Construct": answering_nothing}, "it gave no URN"),
    ],
    ids=["none", "no secrets", "no URN"],
)
def test_a_provider_that_can_construct_nothing_says_so(
    use: Use, tmp_path: Path, methods: dict[str, Construct], said: str
) -> None:
    (error,) = use(**methods).look(declared(tmp_path, part_and_more)).errors
    assert said in error


def test_a_component_whose_provider_is_not_here_is_previewed_alone(cloud: Cloud, use: Use, tmp_path: Path) -> None:
    use(Construct=making("a")).run(declared(tmp_path, part_and_more))
    engine = Engine(tmp_path, cloud)
    preview = engine.look(declared(tmp_path, part_and_more))
    assert preview.plan.unknown_types == (PART,)
    assert preview.operations == [], "what it is made of is not known, and so not gone"
    report = applied(engine, declared(tmp_path, part_and_more))
    assert report.errors == ["no provider of test is here that could construct it"]
    assert report.operations == []


def test_methods_answer_with_what_their_answers_depend_on(use: Use, tmp_path: Path) -> None:
    told: list[Any] = []

    def call(request: Any, context: Any) -> Any:
        told.append(request)
        answer = provider_pb2.CallResponse(
            returnDependencies={"word": provider_pb2.CallResponse.ReturnDependencies(urns=["urn:x"])}
        )
        who = wire.decode(request.args)["who"]
        getattr(answer, "return").CopyFrom(wire.encode({"word": Secret("hello"), "who": who}))
        return answer

    async def body(program: Program) -> None:
        free = await program.thing("free")
        who = OutputValue("me", secret=False, dependencies=(free.urn,))
        answer = await program.call("greet", who=who)
        assert {key: list(each.urns) for key, each in answer.returnDependencies.items()} == {
            "word": ["urn:x"], "who": [free.urn]
        }  # fmt: skip
        assert wire.decode(getattr(answer, "return")) == {"word": Secret("hello"), "who": "me"}

    use(Call=call).run(declared(tmp_path, body))
    assert [each.dryRun for each in told] == [True, False]
    assert told[0].tok == f"{PART}/greet"
    assert list(told[0].argDependencies["who"].urns) == ["urn:pulumi:dev::shop::test:index:Thing::free"]


def test_a_method_that_fails_is_named_and_one_of_what_failed_is_not_asked(
    use: Use, cloud: Cloud, tmp_path: Path
) -> None:
    asked: list[str] = []

    def call(request: Any, context: Any) -> Any:
        asked.append(request.tok)
        context.abort(grpc.StatusCode.UNKNOWN, "not today")

    async def body(program: Program) -> None:
        with pytest.raises(Refused, match="Part/greet: not today"):
            await program.call("greet")
        answer = await program.part()
        said = await program.call("greet", who=OutputValue("me", secret=False, dependencies=(answer.urn,)))
        assert wire.decode(getattr(said, "return")) == {"result": UNKNOWN}

    cloud.faults = {"create a": "fail"}
    engine = use(Call=call, Construct=making("a"))
    assert applied(engine, declared(tmp_path, body)).result is FAILED
    assert asked == [f"{PART}/greet"]


def test_what_a_provider_registers_has_the_transforms_of_the_component_that_it_is() -> None:
    transforms = Transforms()
    asked = Goal(PART, "p", custom=False, inputs={}, parent=ROOT, remote=True)
    assert transforms.own(asked, ["louder"]) == ["louder"]
    registered = replace(asked, remote=False)
    assert transforms.own(replace(registered, name="q"), []) == []
    assert transforms.own(registered, []) == ["louder"]
    assert transforms.own(registered, []) == [], "that was one component"


def test_a_run_is_silent_while_a_provider_s_program_is(use: Use, tmp_path: Path) -> None:
    in_flight: list[int] = []
    programs: list[Program] = []

    def construct(request: Any, context: Any) -> Any:
        in_flight.append(programs[-1].monitor.in_flight)
        return making("a")(request, context)

    async def body(program: Program) -> None:
        programs.append(program)
        await program.part()

    use(Construct=construct).look(declared(tmp_path, body))
    assert in_flight == [0], "else a provider that hangs would never be given up"


def test_what_is_constructed_for_a_program_that_has_died_is_given_up(cloud: Cloud, tmp_path: Path) -> None:
    ended = threading.Event()

    def construct(request: Any, context: Any) -> Any:
        (tmp_path / "begun").touch()
        until_nobody_waits(context)
        ended.set()

    with serving(Odd(cloud, (), Construct=construct, Handshake=accepting_outputs)) as port:
        opened = Opened(tmp_path, cloud, {**os.environ, "PULUMI_DEBUG_PROVIDERS": f"test:{port}"})
        opened.write(DIES_WHEN_BEGUN)
        assert opened.preview().result is Result.PROGRAM_FAILED
        assert "exited with code 7" in opened.said
        assert ended.wait(30)
