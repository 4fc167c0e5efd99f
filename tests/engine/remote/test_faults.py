"""Providers that hang, die, answer nonsense, or speak the protocol of the first days."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from engine.plan import Op
from engine.protocol import provider_pb2
from engine.provider_registry import ProviderRegistry, Wanted
from engine.providers.base import DiffKind, ProviderError
from engine.providers.remote import provider as remote
from engine.providers.remote.attached import attached as named
from engine.run import Result
from engine.state.model import CustomTimeouts
from engine.values import UNKNOWN
from tests.engine.lifecycle.cloud import Cloud
from tests.engine.lifecycle.harness import Engine, Out, provider, thing
from tests.engine.remote.serving import attached, of_cloud, plugins

FAILED = Result.RESOURCE_FAILED
THING = "urn:pulumi:dev::shop::test:index:Thing::a"


class Odd:
    """A servicer that answers some methods in its own way, lacks others, and leaves the rest to the toy cloud's."""

    def __init__(self, cloud: Cloud, lacking: tuple[str, ...] = (), **methods: Callable[[Any, Any], Any]) -> None:
        self._rest = of_cloud(cloud)
        self._lacking = lacking
        self._methods = methods

    def __getattr__(self, name: str) -> Any:
        if name in self._lacking:
            raise AttributeError(name)
        return self._methods.get(name) or getattr(self._rest, name)


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


@pytest.fixture
def engine_with(cloud: Cloud, tmp_path: Path) -> Iterator[Callable[..., Engine]]:
    """Gives the engine over a provider that is odd in the way that is said."""
    import contextlib

    with contextlib.ExitStack() as stack:

        def make(*lacking: str, **methods: Callable[[Any, Any], Any]) -> Engine:
            there = stack.enter_context(attached(tmp_path, Odd(cloud, lacking, **methods)))
            return Engine(tmp_path, cloud, elsewhere=there)

        yield make


def test_one_that_hangs_fails_its_resource_when_its_time_is_over(
    engine_with: Callable[..., Engine], cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "GRACE_SECONDS", 0.1)
    engine = engine_with()
    gate = cloud.hold("create a")
    declared = [thing("a", custom_timeouts=CustomTimeouts(create=0.2)), thing("b", of=Out("a")), thing("c")]
    try:
        report = engine.up(*declared, concurrent=True, parallel=4, expect=FAILED)
    finally:
        gate.set()
    assert "did not answer create within 0.3 s, which is what custom_timeouts gives it" in report.errors[0]
    assert "it stays pending, and the next run looks for it" in report.errors[0]
    assert (report.failed, report.skipped, report.names) == (["a"], ["b"], ["c"])
    (pending,) = report.snapshot.pending_operations
    assert pending.resource.urn == THING


def test_what_nobody_can_tell_is_left_to_the_user_and_the_run_goes_on(
    engine_with: Callable[..., Engine], cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "GRACE_SECONDS", 0.1)
    engine = engine_with()
    gate = cloud.hold("create a")
    engine.up(thing("a", custom_timeouts=CustomTimeouts(create=0.1)), expect=FAILED)
    gate.set()
    again = engine.up(thing("a"), thing("b"))
    assert again.names == ["a", "b"]
    assert [one.resource.urn for one in again.snapshot.pending_operations] == [THING]


def test_an_update_that_hung_is_looked_for(
    engine_with: Callable[..., Engine], cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "GRACE_SECONDS", 0.1)
    engine = engine_with()
    timeouts = CustomTimeouts(update=0.1)
    engine.up(thing("a", size=1, custom_timeouts=timeouts))
    gate = cloud.hold("update a")
    engine.up(thing("a", size=2, custom_timeouts=timeouts), expect=FAILED)
    gate.set()
    again = engine.up(thing("a", size=2, custom_timeouts=timeouts))
    assert (again.state("a").outputs["size"], again.snapshot.pending_operations) == (2, ())


@pytest.mark.parametrize("method", ["CheckConfig", "Configure", "Check"])
def test_a_run_that_stops_does_not_wait_for_an_answer_that_changes_nothing(
    engine_with: Callable[..., Engine], method: str
) -> None:
    asked, go_on = threading.Event(), threading.Event()

    def hang(request: Any, context: Any) -> Any:
        asked.set()
        go_on.wait(60)
        return None

    engine = engine_with(**{method: hang})

    def cancel() -> None:
        assert asked.wait(30) and engine.running is not None
        engine.runner.get_loop().call_soon_threadsafe(engine.running.cancel)  # type: ignore[union-attr]

    with asyncio.Runner() as runner:
        engine.runner = runner
        threading.Thread(target=cancel).start()
        report = engine.preview(thing("a"))
    go_on.set()
    assert report.result is Result.CANCELLED


def test_one_that_lacks_what_is_optional_does_as_well(engine_with: Callable[..., Engine]) -> None:
    engine = engine_with("Handshake", "Attach", "GetPluginInfo", "CheckConfig", "DiffConfig", "Cancel")
    engine.up(provider("p", region="east"), thing("a", size=1, provider="p"))
    report = engine.up(provider("p", region="west"), thing("a", size=2, provider="p"))
    assert report.operations == ["~ p", "~ a"]
    assert str(engine.cloud.calls[-1].region) == "west"


def test_one_that_lacks_what_is_needed_is_named(engine_with: Callable[..., Engine]) -> None:
    report = engine_with("Create").up(thing("a"), planned=False, expect=FAILED)
    assert "has no method Create: take a newer version of it" in report.errors[0]
    assert report.snapshot.pending_operations == ()


def test_one_that_cannot_preview_is_taken_at_its_inputs(engine_with: Callable[..., Engine], cloud: Cloud) -> None:
    def configure(request: Any, context: Any) -> Any:
        return provider_pb2.ConfigureResponse()

    report = engine_with("Handshake", Configure=configure).preview(
        thing("a", size=1), outputs={"size": Out("a", "size"), "arn": Out("a", "arn")}
    )
    assert report.plan.outputs_after == {"size": 1, "arn": UNKNOWN}


def test_what_it_leaves_open_the_inputs_tell(engine_with: Callable[..., Engine]) -> None:
    def undecided(request: Any, context: Any) -> Any:
        return provider_pb2.DiffResponse(replaces=["key"])

    engine = engine_with(Diff=undecided)
    engine.up(thing("a", key=1))
    assert engine.up(thing("a", key=1)).operations == []
    report = engine.preview(thing("a", key=2))
    assert report.steps[0].op is Op.CREATE_REPLACEMENT
    assert report.steps[0].detailed == {"key": DiffKind.UPDATE}


def test_an_answer_that_is_none_is_told_as_such(engine_with: Callable[..., Engine], cloud: Cloud) -> None:
    def create(request: Any, context: Any) -> Any:
        return provider_pb2.CreateResponse() if not request.preview else provider_pb2.CreateResponse(id="x")

    report = engine_with(Create=create).up(thing("a"), expect=FAILED)
    assert "answered create with what is no answer: it gave no id" in report.errors[0]
    assert len(report.snapshot.pending_operations) == 1


def test_another_message_than_was_asked_for_is_told_as_such(engine_with: Callable[..., Engine]) -> None:
    def difference(request: Any, context: Any) -> Any:
        return provider_pb2.DiffResponse(changes=17)  # type: ignore[arg-type]

    engine = engine_with(Diff=difference)
    engine.up(thing("a"))
    report = engine.preview(thing("a"))
    assert "answered diff with what is no answer: the state of its difference is 17" in report.errors[0]


def test_what_exists_with_unknown_values_is_kept_without_them(engine_with: Callable[..., Engine], cloud: Cloud) -> None:
    from engine import wire

    def create(request: Any, context: Any) -> Any:
        properties = wire.encode({"size": 1, "arn": UNKNOWN})
        return provider_pb2.CreateResponse(id="a-1", properties=properties)

    report = engine_with(Create=create).up(thing("a", size=1), expect=FAILED)
    assert "answered with values that are not known: arn" in report.errors[0]
    assert (report.state("a").id, report.state("a").outputs) == ("a-1", {"size": 1})


def test_a_configuration_that_is_not_known_yet_asks_nobody(engine_with: Callable[..., Engine], cloud: Cloud) -> None:
    engine = engine_with()
    declared = [thing("a"), provider("p", region=Out("a")), thing("b", size=1, provider="p")]
    report = engine.preview(*declared)
    assert report.operations == ["+ a", "+ p", "+ b"]
    engine.up(*declared)
    assert [call.region for call in cloud.calls if call.name == "b"] == ["arn:a-1"]


def test_what_the_configuration_lacks_is_told_with_what_to_do(engine_with: Callable[..., Engine]) -> None:
    def configure(request: Any, context: Any) -> Any:
        from google.protobuf import any_pb2

        from engine.protocol import status_pb2

        key = provider_pb2.ConfigureErrorMissingKeys.MissingKey(name="test:region", description="where it is")
        detail = any_pb2.Any()
        detail.Pack(provider_pb2.ConfigureErrorMissingKeys(missingKeys=[key]))
        status = status_pb2.Status(code=3, message="bad", details=[detail])
        context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, "bad")

    report = engine_with(Configure=configure).preview(thing("a"))
    assert "the configuration lacks 'test:region': where it is" in report.errors[0]


def test_a_port_where_nobody_listens_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.providers.remote.connection.CONNECT_SECONDS", 0.2)
    there = plugins(tmp_path, {"PULUMI_DEBUG_PROVIDERS": "test:1"})
    report = Engine(tmp_path, elsewhere=there).preview(thing("a"))
    assert "attached at port 1 by PULUMI_DEBUG_PROVIDERS, does not answer at port 1" in report.errors[0]


@pytest.mark.parametrize("value", ["test", "test:port", ":1", "test:0", "test:99999"])
def test_a_malformed_list_of_providers_is_refused(value: str) -> None:
    with pytest.raises(ProviderError, match="is not NAME:PORT"):
        named({"PULUMI_DEBUG_PROVIDERS": f"random:1,{value}"})


def test_an_attached_provider_goes_before_ours_and_a_plugin_for_aws_is_never_run(tmp_path: Path, cloud: Cloud) -> None:
    from tests.engine.lifecycle.cloud import CloudProvider
    from tests.engine.remote.serving import install_toy

    install_toy(tmp_path / "bin", "aws-native")
    own = CloudProvider(cloud)
    environment = {"PULUMI_DEBUG_PROVIDERS": "test:40001", "PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin"}
    there = plugins(tmp_path, environment)
    registry = ProviderRegistry({"test": lambda: own, "other": lambda: own}, there)
    assert registry.make("pulumi:providers:test", {}) is not own
    assert registry.make("pulumi:providers:other", {}) is own
    assert not there.provides(Wanted("aws-native"))
    assert "are used when you attach them: PULUMI_DEBUG_PROVIDERS=aws-native:PORT" in there.how_to_get("aws-native")
    assert there.unheld({"test"}) == ["test"]
