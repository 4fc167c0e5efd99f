"""The connection to one provider's process: greeting it, asking it, telling it that the run stops."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import grpc
from google.protobuf import empty_pb2

from engine.packages import Parameters
from engine.protocol import MESSAGE_SIZES, plugin_pb2, provider_pb2, provider_pb2_grpc
from engine.providers.base import ProviderError
from engine.providers.remote.failures import Asked, Unimplemented, failure
from engine.providers.remote.process import PluginProcess

CONNECT_SECONDS: Final = 10.0  # as Pulumi's engine has it
ASK_SECONDS: Final = 600.0  # for an answer that changes nothing and that the user has set no limit to
_OPTIONS: Final = [
    *MESSAGE_SIZES,
    ("grpc.use_local_subchannel_pool", 1),  # a provider may tell its clients apart by their connections
    ("grpc.enable_http_proxy", 0),
]


@dataclass(frozen=True)
class Abilities:
    """What a provider takes: secrets, references to resources and outputs as such; and whether it can preview."""

    secrets: bool = False
    resources: bool = False
    previews: bool = False
    outputs: bool = False


@dataclass(frozen=True)
class Greeting:
    """What a provider is told of us. ``folder`` is that of its executable, None for one that we have not started."""

    engine_address: str
    folder: Path | None = None


class Connection:
    """One provider. ``process`` is None for one that the user has started.

    Raises ProviderError where nothing of the kind answers at ``port``.
    """

    def __init__(self, who: str, port: int, greeting: Greeting, process: PluginProcess | None = None) -> None:
        self.who = who
        self.abilities: Abilities | None = None
        self.version = ""
        self.spent = False  # told to stop, or gone: not to be used for anything further
        self._process = process
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=_OPTIONS)
        self._stub: Any = provider_pb2_grpc.ResourceProviderStub(self._channel)
        self._lock = threading.Lock()
        self._asking: set[Any] = set()
        try:
            self._greet(port, greeting)
        except ProviderError:
            self.close()
            raise

    def _greet(self, port: int, greeting: Greeting) -> None:
        try:
            grpc.channel_ready_future(self._channel).result(CONNECT_SECONDS)
        except grpc.FutureTimeoutError as error:
            raise ProviderError(
                f"{self.who} does not answer at port {port}: {self._ending() or 'nothing speaks gRPC there'}"
            ) from error
        folder = None if greeting.folder is None else str(greeting.folder)
        request = provider_pb2.ProviderHandshakeRequest(
            engine_address=greeting.engine_address, root_directory=folder, program_directory=folder,
            configure_with_urn=True, invoke_with_preview=True,
        )  # fmt: skip
        try:
            answer = self.ask("Handshake", request, seconds=CONNECT_SECONDS)
            self.abilities = Abilities(
                answer.accept_secrets, answer.accept_resources, previews=True, outputs=answer.accept_outputs
            )
        except Unimplemented:
            pass  # an older one says what it can do when it is configured
        if self._process is None:
            self._optional("Attach", plugin_pb2.PluginAttach(address=greeting.engine_address))
        info = self._optional("GetPluginInfo", empty_pb2.Empty())
        self.version = info.version if info is not None else ""

    def _optional(self, method: str, request: Any) -> Any:
        try:
            return self.ask(method, request, seconds=CONNECT_SECONDS)
        except Unimplemented:
            return None

    def ask(self, method: str, request: Any, *, seconds: float | None = None, changes: bool = False) -> Any:
        """The answer to ``request``. Raises ProviderError, Unimplemented where the provider lacks the method.

        Once the run stops, questions are given up; what ``changes`` something is waited for.
        """
        asked = Asked(self.who, method, changes, seconds)
        call = getattr(self._stub, method).future(request, timeout=seconds)
        with self._lock:
            if not changes:
                self._asking.add(call)
        try:
            return call.result()
        except grpc.FutureCancelledError as error:
            raise ProviderError(f"{asked.what}: not waited for, since the run stops") from error
        except grpc.RpcError as error:
            raise self._failure(error, asked) from error
        finally:
            with self._lock:
                self._asking.discard(call)

    def serve(self, parameters: Parameters) -> None:
        """Have it serve another package. Raises ProviderError where it does not."""
        value = provider_pb2.ParameterizeRequest.ParametersValue(
            name=parameters.name, version=parameters.version, value=parameters.value
        )
        answer = self.ask("Parameterize", provider_pb2.ParameterizeRequest(value=value), seconds=ASK_SECONDS)
        if answer.name != parameters.name:
            raise ProviderError(f"{self.who} was to serve {parameters.name} and serves {answer.name!r}")

    def _failure(self, error: Any, asked: Asked) -> ProviderError:
        lost = error.code() is grpc.StatusCode.UNAVAILABLE
        self.spent = self.spent or lost
        return failure(error, asked, self._ending() if lost else "")

    def _ending(self) -> str:
        return "" if self._process is None else self._process.ending()

    @property
    def alive(self) -> bool:
        return not self.spent and not (self._process is not None and self._process.ended)

    def cancel(self) -> None:
        """Tell the provider that the run stops, and wait for nothing that changes nothing."""
        self.spent = True
        stopping = self._stub.Cancel.future(empty_pb2.Empty(), timeout=CONNECT_SECONDS)
        stopping.add_done_callback(_unheeded)
        with self._lock:
            waiting = list(self._asking)
        for call in waiting:
            call.cancel()

    def close(self) -> None:
        self.spent = True
        self._channel.close()
        if self._process is not None:
            self._process.close()

    def ask_to_end(self) -> None:
        """Begin to close it."""
        if self._process is not None:
            self._process.ask_to_end()


def _unheeded(call: Any) -> None:
    """A provider need not know of cancelling; ``exception`` is asked for so that nobody logs it."""
    if not call.cancelled():
        call.exception()
