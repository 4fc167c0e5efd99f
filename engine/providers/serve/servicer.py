"""One package's provider as a gRPC service: what arrives becomes a call of ``Provider``, its answer a message."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeAlias

import grpc
from google.protobuf import any_pb2, empty_pb2, struct_pb2

from engine import wire
from engine.paths import ignored
from engine.protocol import plugin_pb2, provider_pb2, status_pb2
from engine.provider_registry import configuration
from engine.provider_resources import checked_config, config_diff
from engine.providers.base import CheckFailure, Diff, DiffKind, PartialFailure, Provider, ProviderError
from engine.urn import type_of
from engine.values import Properties, reveal

Message: TypeAlias = Any
Context: TypeAlias = grpc.ServicerContext

_KINDS: Final = {
    DiffKind.ADD: "ADD",
    DiffKind.ADD_REPLACE: "ADD_REPLACE",
    DiffKind.DELETE: "DELETE",
    DiffKind.DELETE_REPLACE: "DELETE_REPLACE",
    DiffKind.UPDATE: "UPDATE",
    DiffKind.UPDATE_REPLACE: "UPDATE_REPLACE",
}


class ProviderServicer:
    """Answers for every provider resource of one package; ``make`` gives a provider that is not configured yet.

    Secrets are not asked for (``acceptSecrets`` is false): the engine of the CLI then marks what came from one, as
    ours does.
    """

    def __init__(self, make: Callable[[], Provider], version: str) -> None:
        self._make = make
        self._version = version
        self._providers: dict[str, Provider] = {}  # by connection
        self._lock = threading.Lock()

    def Attach(self, request: Message, context: Context) -> Message:
        return empty_pb2.Empty()

    def Handshake(self, request: Message, context: Context) -> Message:
        return provider_pb2.ProviderHandshakeResponse()

    def GetPluginInfo(self, request: Message, context: Context) -> Message:
        return plugin_pb2.PluginInfo(version=self._version)

    def CheckConfig(self, request: Message, context: Context) -> Message:
        checked = checked_config(self._make(), wire.decode(request.news))
        return _checked(checked.inputs, checked.failures)

    def DiffConfig(self, request: Message, context: Context) -> Message:
        olds = _received(request.old_inputs if request.HasField("old_inputs") else request.olds)
        return _diff(config_diff(self._make(), olds, _received(request.news)))

    def Configure(self, request: Message, context: Context) -> Message:
        provider = self._make()
        self._told(context, lambda: provider.configure(configuration(wire.decode(request.args))))
        with self._lock:
            self._providers[context.peer()] = provider
        return provider_pb2.ConfigureResponse(supportsPreview=True, acceptSecrets=False)

    def Check(self, request: Message, context: Context) -> Message:
        olds = _received(request.olds) if request.HasField("olds") else None
        seed = request.randomSeed.hex()
        provider = self._of(context)
        checked = self._told(
            context,
            lambda: provider.check(request.urn, type_of(request.urn), olds, _received(request.news), seed=seed),
        )
        return _checked(checked.inputs, checked.failures)

    def Diff(self, request: Message, context: Context) -> Message:
        outputs, news = _received(request.olds), _received(request.news)
        old_inputs = _received(request.old_inputs)
        news = ignored(request.ignoreChanges, old_inputs, news)  # of a refresh only the provider leaves them out
        provider = self._of(context)
        found = self._told(
            context,
            lambda: provider.diff(request.urn, type_of(request.urn), request.id, old_inputs, outputs, news),
        )
        return _diff(found)

    def Create(self, request: Message, context: Context) -> Message:
        provider = self._of(context)
        created = self._told(
            context,
            lambda: provider.create(
                request.urn,
                type_of(request.urn),
                _received(request.properties),
                timeout=request.timeout,
                preview=request.preview,
                token=uuid.uuid4().hex,  # the CLI's engine tells of no attempt
            ),
        )
        return provider_pb2.CreateResponse(id=created.id, properties=wire.encode(created.outputs))

    def Update(self, request: Message, context: Context) -> Message:
        provider = self._of(context)
        outputs = self._told(
            context,
            lambda: provider.update(
                request.urn,
                type_of(request.urn),
                request.id,
                _received(request.old_inputs),
                _received(request.olds),
                _received(request.news),
                timeout=request.timeout,
                preview=request.preview,
            ),
        )
        return provider_pb2.UpdateResponse(properties=wire.encode(outputs))

    def Delete(self, request: Message, context: Context) -> Message:
        provider = self._of(context)
        inputs, outputs = _received(request.old_inputs), _received(request.properties)
        self._told(
            context,
            lambda: provider.delete(
                request.urn, type_of(request.urn), request.id, inputs, outputs, timeout=request.timeout
            ),
        )
        return empty_pb2.Empty()

    def Read(self, request: Message, context: Context) -> Message:
        provider = self._of(context)
        inputs, outputs = _received(request.inputs), _received(request.properties)
        found = self._told(
            context, lambda: provider.read(request.urn, type_of(request.urn), request.id, inputs, outputs)
        )
        if found is None:
            return provider_pb2.ReadResponse()
        return provider_pb2.ReadResponse(
            id=found.id, inputs=wire.encode(found.inputs), properties=wire.encode(found.outputs)
        )

    def Invoke(self, request: Message, context: Context) -> Message:
        provider = self._of(context)
        # Also in a preview, as Pulumi's own plugins do: the CLI's engine takes no unknown for an answer.
        invoked = self._told(context, lambda: provider.invoke(request.tok, _received(request.args), preview=False))
        response = provider_pb2.InvokeResponse(failures=_failures(invoked.failures))
        getattr(response, "return").CopyFrom(wire.encode(invoked.result))
        return response

    def Cancel(self, request: Message, context: Context) -> Message:
        with self._lock:
            providers = list(self._providers.values())
        for provider in providers:
            provider.cancel()
        return empty_pb2.Empty()

    def _of(self, context: Context) -> Provider:
        """The provider of this connection; a function may be asked of one that was never configured."""
        with self._lock:
            return self._providers.setdefault(context.peer(), self._make())

    def _told(self, context: Context, call: Callable[[], Any]) -> Any:
        """What ``call`` gives; what goes wrong in it becomes the status that the CLI's engine understands."""
        try:
            return call()
        except PartialFailure as failure:
            _abort_partially(context, failure)
        except ProviderError as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))


def _received(struct: struct_pb2.Struct) -> Properties:
    return reveal(wire.decode(struct))


def _checked(inputs: Properties, failures: Iterable[CheckFailure]) -> Message:
    return provider_pb2.CheckResponse(inputs=wire.encode(inputs), failures=_failures(failures))


def _failures(failures: Iterable[CheckFailure]) -> list[Message]:
    return [provider_pb2.CheckFailure(property=each.property, reason=each.reason) for each in failures]


def _diff(found: Diff) -> Message:
    response = provider_pb2.DiffResponse
    detailed = {
        path: provider_pb2.PropertyDiff(kind=provider_pb2.PropertyDiff.Kind.Value(_KINDS[kind]))
        for path, kind in found.detailed.items()
    }
    replaces = [*found.replaces, *(path for path, kind in found.detailed.items() if kind.replaces)]
    return response(
        changes=response.DIFF_SOME if found.changes else response.DIFF_NONE,
        replaces=sorted(set(replaces)),
        stables=list(found.stables),
        deleteBeforeReplace=found.delete_before_replace,
        diffs=sorted({path.partition(".")[0].partition("[")[0] for path in found.detailed}),
        detailedDiff=detailed,
        hasDetailedDiff=bool(detailed),
    )


def _abort_partially(context: Context, failure: PartialFailure) -> None:
    """The resource exists but is not ready: the CLI's engine keeps it when the status says so in its details."""
    detail = any_pb2.Any()
    detail.Pack(
        provider_pb2.ErrorResourceInitFailed(
            id=failure.id, properties=wire.encode(failure.outputs), reasons=failure.reasons
        )
    )
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=str(failure), details=[detail])
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(grpc.StatusCode.UNKNOWN, str(failure))
