"""A bad day: throttling, failures of the server, broken connections, an endpoint that is down."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable

import pytest

from engine.providers.aws import calls
from engine.providers.aws.calls import EndpointDown
from engine.providers.aws.endpoint import Endpoint
from engine.providers.aws.provider import AwsProvider
from engine.providers.base import Created, OperationUncertain, PartialFailure, ProviderError
from engine.values import Properties
from tests.engine.aws.faulty import Fault, Script, faulty

KEY = "aws:kms/key:Key"
GROUP = "aws:cloudwatch/logGroup:LogGroup"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The waits between attempts are not what is tested."""

    def at_once(attempt: int) -> None: ...

    monkeypatch.setattr(calls, "_pause", at_once)


def urn(type_: str, name: str) -> str:
    return f"urn:pulumi:faults::tests::{type_}::{name}"


def create(url: str, type_: str, name: str, inputs: Properties) -> Created:
    provider = AwsProvider(Endpoint(url))
    checked = provider.check(urn(type_, name), type_, None, inputs, seed=name)
    assert not checked.failures
    return provider.create(urn(type_, name), type_, checked.inputs, timeout=30, preview=False, token=f"bedplate-{name}")


def first(count: int, operation: str, fault: Fault) -> Script:
    return lambda name, times: fault if name == operation and times <= count else None


@pytest.mark.parametrize("operation", ["CreateKey", "DescribeKey", "GetKeyPolicy"])
def test_throttling_passes(emulator: str, operation: str) -> None:
    with faulty(emulator, first(3, operation, Fault.THROTTLE)) as server:
        created = create(server.url, KEY, f"throttled-{operation}", {})
        assert created.id
        assert server.seen[operation] >= 4


@pytest.mark.parametrize("fault", [Fault.FAIL, Fault.DROP])
def test_reads_are_repeated(emulator: str, fault: Fault) -> None:
    with faulty(emulator, first(2, "DescribeKey", fault)) as server:
        assert create(server.url, KEY, f"read-again-{fault.name}", {}).id
        assert server.seen["DescribeKey"] == 3


@pytest.mark.parametrize("fault", [Fault.THROTTLE, Fault.FAIL, Fault.DROP])
def test_the_looks_of_a_waiter_are_repeated(emulator: str, fault: Fault) -> None:
    """By DynamoDB's, whose operations the faulty server can tell apart; a look at what isn't there is an answer."""
    with faulty(emulator, first(2, "DescribeTable", fault)) as server:
        caller = AwsProvider(Endpoint(server.url)).caller()
        caller.wait("dynamodb", "us-east-1", "table_not_exists", {"TableName": "none"}, 5)
        assert server.seen["DescribeTable"] == 3


def test_throttling_for_ever_is_an_error(emulator: str) -> None:
    with faulty(emulator, first(10_000, "CreateKey", Fault.THROTTLE)) as server:
        with pytest.raises(ProviderError, match=r"Key 'never': CreateKey: ThrottlingException: as the test asked"):
            create(server.url, KEY, "never", {})
        assert server.seen["CreateKey"] == calls.ATTEMPTS


def test_a_create_whose_answer_was_lost_is_found_and_not_repeated(emulator: str) -> None:
    with faulty(emulator, first(1, "CreateKey", Fault.DROP_AFTER)) as server:
        created = create(server.url, KEY, "lost-answer", {"description": "made once"})
        assert created.outputs["description"] == "made once"
        assert server.seen["CreateKey"] == 1


@pytest.mark.parametrize("fault", [Fault.DROP, Fault.FAIL])
def test_a_create_that_may_have_happened_is_uncertain(emulator: str, fault: Fault) -> None:
    with faulty(emulator, first(1, "CreateKey", fault)) as server:
        with pytest.raises(OperationUncertain, match="CreateKey"):
            create(server.url, KEY, f"uncertain-{fault.name}", {})
        assert server.seen["CreateKey"] == 1


def test_what_an_emulator_lacks_has_not_happened(emulator: str) -> None:
    """Taken for uncertain, each later run would look for it first, be refused as well, and get no further."""
    with faulty(emulator, first(10_000, "CreateKey", Fault.LACK)) as server:
        with pytest.raises(ProviderError, match=r"CreateKey: InternalFailure: The API for service kms") as caught:
            create(server.url, KEY, "lacking", {})
        assert not isinstance(caught.value, OperationUncertain)
        assert server.seen == {"CreateKey": 1}


def test_a_create_stays_uncertain_where_looking_for_it_fails_too(emulator: str) -> None:
    """Else the next run would believe that nothing was made, and make it twice."""

    def script(operation: str, times: int) -> Fault | None:
        return Fault.DROP_AFTER if operation == "CreateKey" else Fault.FAIL

    with (
        faulty(emulator, script) as server,
        pytest.raises(OperationUncertain, match=r"CreateKey: the connection broke.*; looking for it: ListKeys"),
    ):
        create(server.url, KEY, "unseen", {})


def test_a_failure_after_the_create_keeps_the_id(emulator: str) -> None:
    with faulty(emulator, first(10_000, "PutRetentionPolicy", Fault.FAIL)) as server:
        with pytest.raises(PartialFailure) as caught:
            create(server.url, GROUP, "partial", {"name": "/faults/partial", "retentionInDays": 7})
        assert caught.value.id == "/faults/partial"
        assert caught.value.outputs["arn"].endswith("log-group:/faults/partial")
        assert "was created, but PutRetentionPolicy" in str(caught.value)


def test_an_endpoint_that_is_down_says_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with pytest.raises(ProviderError, match=f"no answer from {url}.*bedplate sandbox up"):
        create(url, KEY, "down", {})


@pytest.mark.parametrize("operation", ["DescribeKey", "CreateKey"])
def test_a_server_that_never_answers_is_given_up(operation: str) -> None:
    """It takes connections and keeps them; what may not be repeated is looked for as often as a read is."""
    held: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept_all, args=(listener, held), daemon=True).start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        caller = AwsProvider(Endpoint(url, read_timeout=0.2)).caller()
        repeatable = operation == "DescribeKey"
        expected = EndpointDown if repeatable else OperationUncertain
        with pytest.raises(expected, match=f"Read timeout on endpoint URL.*{url}"):
            caller.call("kms", "us-east-1", operation, {"KeyId": "x"} if repeatable else {})
        assert len(held) == (2 if repeatable else 1)
        listener.shutdown(socket.SHUT_RDWR)  # wakes who accepts
    for connection in held:
        connection.close()


def accept_all(listener: socket.socket, held: list[socket.socket]) -> None:
    with contextlib.suppress(OSError):  # until the listener is shut down
        while True:
            held.append(listener.accept()[0])


def test_an_update_that_stops_in_the_middle_is_partial(emulator: str) -> None:
    with faulty(emulator, lambda name, times: Fault.THROTTLE if name == "TagResource" else None) as server:
        provider = AwsProvider(Endpoint(server.url))
        name = urn(GROUP, "half")
        old = provider.check(name, GROUP, None, {"name": "/faults/half"}, seed="x").inputs
        made = provider.create(name, GROUP, old, timeout=30, preview=False, token="bedplate-half")
        news = provider.check(name, GROUP, old, {**old, "retentionInDays": 7, "tags": {"A": "1"}}, seed="x").inputs
        with pytest.raises(PartialFailure) as caught:
            provider.update(name, GROUP, made.id, old, made.outputs, news, timeout=30, preview=False)
        assert caught.value.outputs["retentionInDays"] == 7
        assert caught.value.outputs["tagsAll"] == {}


def test_a_bucket_that_a_died_run_left_without_tags_is_found(provider: AwsProvider) -> None:
    """S3 takes tags in a call of their own: the run may have died between the two."""
    type_ = "aws:s3/bucket:Bucket"
    s3 = provider.caller().client("s3", "us-east-1")
    s3.create_bucket(Bucket="faults-untagged")
    s3.create_bucket(Bucket="faults-foreign")
    s3.put_bucket_tagging(Bucket="faults-foreign", Tagging={"TagSet": [{"Key": "Owner", "Value": "someone"}]})
    for name, ours in (("faults-untagged", True), ("faults-foreign", False)):
        inputs = provider.check(urn(type_, name), type_, None, {"bucket": name}, seed="x").inputs
        found = provider.find(urn(type_, name), type_, dict(inputs), token="bedplate-died", known_ids=frozenset())
        assert (found is not None) == ours


def test_many_threads_share_one_provider(emulator: str) -> None:
    provider = AwsProvider(Endpoint(emulator))
    failures: list[BaseException] = []

    def work(index: int) -> None:
        name = urn(GROUP, f"thread-{index}")
        inputs = provider.check(name, GROUP, None, {}, seed=str(index)).inputs
        made = provider.create(name, GROUP, inputs, timeout=30, preview=False, token=f"bedplate-thread-{index}")
        provider.delete(name, GROUP, made.id, inputs, made.outputs, timeout=30)

    def guarded(index: int) -> None:
        try:
            work(index)
        except BaseException as error:  # noqa: BLE001 - reported by the assertion below, whatever it is
            failures.append(error)

    run_all(guarded, 32)
    assert not failures


def run_all(target: Callable[[int], None], count: int) -> None:
    threads = [threading.Thread(target=target, args=(index,)) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
