"""Our providers over Pulumi's provider protocol, asked as the Pulumi CLI's engine asks them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2

from engine import wire
from engine.protocol import plugin_pb2, provider_pb2, resource_pb2, status_pb2
from engine.providers.serve.handlers import handlers
from engine.providers.serve.servicer import ProviderServicer
from engine.values import UNKNOWN, Properties, Secret
from tests.engine.lifecycle.cloud import Cloud, CloudProvider

THING = "urn:pulumi:dev::shop::test:index:Thing::a"
PROVIDER = "urn:pulumi:dev::shop::pulumi:providers:test::east"
Ask = Callable[..., Any]
ANSWERS: Mapping[str, Any] = {
    "GetPluginInfo": plugin_pb2.PluginInfo,
    "CheckConfig": provider_pb2.CheckResponse,
    "DiffConfig": provider_pb2.DiffResponse,
    "Configure": provider_pb2.ConfigureResponse,
    "Invoke": provider_pb2.InvokeResponse,
    "Check": provider_pb2.CheckResponse,
    "Diff": provider_pb2.DiffResponse,
    "Create": provider_pb2.CreateResponse,
    "Update": provider_pb2.UpdateResponse,
    "Delete": empty_pb2.Empty,
    "Read": provider_pb2.ReadResponse,
    "Cancel": empty_pb2.Empty,
    "Attach": empty_pb2.Empty,
    "Call": provider_pb2.CallResponse,
}


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


@pytest.fixture
def address(cloud: Cloud) -> Iterator[str]:
    servicer = ProviderServicer(lambda: CloudProvider(cloud), "1.2.3")
    server = grpc.server(ThreadPoolExecutor(4), handlers=[handlers(servicer)])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(None).wait()


@contextmanager
def connection(address: str) -> Generator[Ask]:
    """A connection of its own, as the CLI's engine has one for each provider resource."""
    own = (("grpc.use_local_subchannel_pool", 1),)
    with grpc.insecure_channel(address, options=own) as channel:

        def ask(method: str, request: Any) -> Any:
            serialize = type(request).SerializeToString
            call = channel.unary_unary(
                f"/pulumirpc.ResourceProvider/{method}", serialize, ANSWERS[method].FromString
            )  # fmt: skip
            return call(request, timeout=20)

        yield ask


@pytest.fixture
def ask(address: str) -> Iterator[Ask]:
    with connection(address) as asked:
        asked("Configure", provider_pb2.ConfigureRequest(args=wire.encode({"region": "east", "version": "1.2.3"})))
        yield asked


def create(ask: Ask, inputs: Properties, *, preview: bool = False) -> Any:
    return ask("Create", provider_pb2.CreateRequest(urn=THING, properties=wire.encode(inputs), preview=preview))


def test_a_resource_lives_and_dies(ask: Ask, cloud: Cloud) -> None:
    news = wire.encode({"key": "k", "size": 1, "autoname": True})
    checked = ask("Check", provider_pb2.CheckRequest(urn=THING, news=news, randomSeed=b"\xab\xcd\xef\x01"))
    inputs = wire.decode(checked.inputs)
    assert inputs["name"] == "a-abcdef0"
    made = create(ask, inputs)
    assert (made.id, wire.decode(made.properties)["arn"]) == ("a-1", "arn:a-1")
    wanted = wire.encode({**inputs, "size": 2})
    about: Any = {"urn": THING, "id": "a-1", "olds": made.properties, "old_inputs": checked.inputs, "news": wanted}
    diff = ask("Diff", provider_pb2.DiffRequest(**about))
    assert (diff.changes, list(diff.replaces), list(diff.diffs)) == (diff.DIFF_SOME, [], ["size"])
    assert diff.detailedDiff["size"].kind == provider_pb2.PropertyDiff.UPDATE
    assert wire.decode(ask("Update", provider_pb2.UpdateRequest(**about)).properties)["version"] == 2
    read = ask("Read", provider_pb2.ReadRequest(urn=THING, id="a-1"))
    assert (read.id, wire.decode(read.inputs)["size"]) == ("a-1", 2)
    ask("Delete", provider_pb2.DeleteRequest(urn=THING, id="a-1", properties=made.properties))
    assert not cloud.live
    assert ask("Read", provider_pb2.ReadRequest(urn=THING, id="a-1")).id == ""


def test_a_replacement_says_what_forces_it(ask: Ask) -> None:
    olds, news = wire.encode({"key": "k", "list": [1]}), wire.encode({"key": "l", "list": [2]})
    diff = ask("Diff", provider_pb2.DiffRequest(urn=THING, id="a-1", olds=olds, old_inputs=olds, news=news))
    assert list(diff.replaces) == ["key"]
    assert diff.detailedDiff["key"].kind == provider_pb2.PropertyDiff.UPDATE_REPLACE
    assert list(diff.diffs) == ["key", "list"]
    same = ask("Diff", provider_pb2.DiffRequest(urn=THING, id="a-1", olds=olds, old_inputs=olds, news=olds))
    assert same.changes == same.DIFF_NONE


def test_a_preview_keeps_what_is_unknown(ask: Ask, cloud: Cloud) -> None:
    made = create(ask, {"size": UNKNOWN}, preview=True)
    assert wire.decode(made.properties) == {"size": UNKNOWN, "arn": UNKNOWN, "version": UNKNOWN}
    assert not cloud.live


def test_secrets_arrive_as_what_they_are_and_those_of_the_provider_stay_secret(ask: Ask, cloud: Cloud) -> None:
    made = create(ask, {"key": Secret("hunter2"), "makesPassword": "x"})
    assert cloud.live["a-1"].inputs["key"] == "hunter2"
    assert wire.decode(made.properties)["password"] == Secret("pw-x")


def test_each_connection_has_a_provider_of_its_own(address: str) -> None:
    with connection(address) as east, connection(address) as west:
        for ask, region in ((east, "east"), (west, "west")):
            configured = ask("Configure", provider_pb2.ConfigureRequest(args=wire.encode({"region": region})))
            assert configured.supportsPreview and not configured.acceptSecrets
        for ask, region in ((east, "east"), (west, "west")):
            answer = ask("Invoke", provider_pb2.InvokeRequest(tok="test:index:lookup", args=wire.encode({"name": "n"})))
            assert wire.decode(getattr(answer, "return")) == {"name": "n", "region": region, "answer": 42}


def test_what_is_refused_is_told_by_property(ask: Ask) -> None:
    refused = ask("Check", provider_pb2.CheckRequest(urn=THING, news=wire.encode({"bad": 1})))
    assert [(each.property, each.reason) for each in refused.failures] == [("bad", "is not allowed: 1")]
    config = wire.encode({"region": "nowhere", "version": "1.2.3"})
    checked = ask("CheckConfig", provider_pb2.CheckRequest(urn=PROVIDER, news=config))
    assert [each.property for each in checked.failures] == ["region"]
    assert wire.decode(checked.inputs)["version"] == "1.2.3", "the engine keeps which plugin was meant"
    nobody = provider_pb2.InvokeRequest(tok="test:index:lookup", args=wire.encode({"name": "nobody"}))
    assert [each.property for each in ask("Invoke", nobody).failures] == ["name"]


def test_another_region_replaces_the_provider(ask: Ask) -> None:
    olds, news = wire.encode({"region": "east"}), wire.encode({"region": "west"})
    diff = ask("DiffConfig", provider_pb2.DiffRequest(urn=PROVIDER, olds=olds, old_inputs=olds, news=news))
    assert list(diff.replaces) == ["region"]


def test_a_failure_is_told_in_the_providers_words(ask: Ask, cloud: Cloud) -> None:
    cloud.faults["create a"] = "fail"
    with pytest.raises(grpc.RpcError) as raised:
        create(ask, {"size": 1})
    failed: Any = raised.value
    assert failed.details() == "create a: refused, given {'size': 1}"


def test_what_exists_without_being_ready_is_not_lost(ask: Ask, cloud: Cloud) -> None:
    cloud.faults["create a"] = "partial"
    with pytest.raises(grpc.RpcError) as raised:
        create(ask, {"size": 1})
    failed: Any = raised.value
    trailers = dict(failed.trailing_metadata())
    status = status_pb2.Status.FromString(trailers["grpc-status-details-bin"])
    made = provider_pb2.ErrorResourceInitFailed()
    assert status.details[0].Unpack(made)
    assert (made.id, list(made.reasons)) == ("a-1", ["create a: not ready", "still booting"])
    assert wire.decode(made.properties)["arn"] == "arn:a-1"


def test_what_the_interface_lacks_is_not_there(ask: Ask) -> None:
    with pytest.raises(grpc.RpcError) as raised:
        ask("Call", resource_pb2.ResourceCallRequest(tok="test:index:Thing/method"))
    failed: Any = raised.value
    assert failed.code() is grpc.StatusCode.UNIMPLEMENTED


def test_it_says_its_version_and_can_be_attached_to(ask: Ask) -> None:
    assert ask("GetPluginInfo", empty_pb2.Empty()).version == "1.2.3"
    ask("Attach", plugin_pb2.PluginAttach(address="127.0.0.1:1"))
    ask("Cancel", empty_pb2.Empty())
