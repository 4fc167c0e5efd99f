"""What a program's transforms and hooks do, as data: a server that either engine calls back, as it calls the SDK's.

    transforms:
      t: {when: [a, b], sets: {size: 2}, options: {protect: true}}       what becomes of ``a`` and ``b``
      r: {refuses: "not so"}                                             an error of the transform's own

    hooks:
      h: {on_dry_run: true}
      f: {fails: "not so", ignore_errors: true}
      e: {of: errors, retry: true}

``sets`` may take from what was declared before; None leaves an input out. ``options`` have the names of the protocol's
message, and labels where they name resources. Without ``when`` all are meant. What each was told is in ``told``.
"""

# ruff: noqa: N802 - the protocol's names

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Protocol

import grpc
from google.protobuf import json_format

from engine import wire
from engine.protocol import alias_pb2, callback_pb2, callback_pb2_grpc, resource_pb2
from engine.values import Properties, Value
from tests.parity.programs import Run

_DEPENDENCIES: Final = {"depends_on", "dependencies"}
_HOOK: Final = "hook "
_ERROR_HOOK: Final = "error hook "
_URNS: Final = {"depends_on", "deleted_with", "replace_with"}


class Running(Protocol):
    """A program that runs: what its labels stand for."""

    def given(self, value: Any) -> tuple[Value, set[str]]: ...

    def urn_of(self, label: str) -> str: ...

    def provider_of(self, label: str) -> str: ...


class Callbacks(callback_pb2_grpc.CallbacksServicer):
    """Serves the callbacks of the run that is going on."""

    def __init__(self) -> None:
        self._server = grpc.server(ThreadPoolExecutor(4))
        callback_pb2_grpc.add_CallbacksServicer_to_server(self, self._server)
        self._target = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()
        self.begin(Run(), None)

    def begin(self, run: Run, program: Running | None) -> list[str]:
        """From now on these are the callbacks of ``run``, whose ``program`` knows its labels; gives what is told."""
        self._run, self._program = run, program
        self._told: list[str] = []
        return self._told

    def named(self, name: str) -> Any:
        """The callback ``name`` as the protocol names it."""
        return callback_pb2.Callback(target=self._target, token=name)

    def hook(self, name: str, hook: Mapping[str, Any]) -> tuple[str, Any]:
        """How the hook ``name`` is registered: the method, and what it is given."""
        if hook.get("of") == "errors":
            callback = self.named(f"{_ERROR_HOOK}{name}")
            return "RegisterErrorHook", resource_pb2.RegisterErrorHookRequest(name=name, callback=callback)
        how = {key: value for key, value in hook.items() if key != "fails"}
        callback = self.named(f"{_HOOK}{name}")
        return "RegisterResourceHook", resource_pb2.RegisterResourceHookRequest(name=name, callback=callback, **how)

    def Invoke(self, request: Any, context: Any) -> Any:
        if request.token.startswith(_ERROR_HOOK):
            return callback_pb2.CallbackInvokeResponse(response=self._error_hook(request).SerializeToString())
        if request.token.startswith(_HOOK):
            return callback_pb2.CallbackInvokeResponse(response=self._hook(request).SerializeToString())
        done = self._run.transforms[request.token]
        if done.get("refuses"):
            context.abort(grpc.StatusCode.UNKNOWN, done["refuses"])
        answer = self._invoke(request, done) if done.get("of") == "calls" else self._transform(request, done)
        return callback_pb2.CallbackInvokeResponse(response=answer.SerializeToString())

    def _hook(self, request: Any) -> Any:
        asked = resource_pb2.ResourceHookRequest.FromString(request.request)
        self._tell(request.token, asked, asked.urn)
        fails = self._run.hooks[request.token.removeprefix(_HOOK)].get("fails", "")
        return resource_pb2.ResourceHookResponse(error=fails)

    def _error_hook(self, request: Any) -> Any:
        asked = resource_pb2.ErrorHookRequest.FromString(request.request)
        asked.errors[:] = map(_on_one_line, asked.errors)
        self._tell(request.token, asked, asked.urn)
        hook = self._run.hooks[request.token.removeprefix(_ERROR_HOOK)]
        return resource_pb2.ErrorHookResponse(error=hook.get("fails", ""), retry=hook.get("retry", False))

    def _transform(self, request: Any, done: Mapping[str, Any]) -> Any:
        asked = resource_pb2.TransformRequest.FromString(request.request)
        self._tell(request.token, asked, f"{asked.type}::{asked.name}")
        if asked.name not in done.get("when", [asked.name]):
            return resource_pb2.TransformResponse()
        answer = resource_pb2.TransformResponse()
        if "sets" in done:
            answer.properties.CopyFrom(wire.encode(self._changed(wire.decode(asked.properties), done["sets"])))
        if "options" in done:
            answer.options.CopyFrom(asked.options)
            self._give(answer.options, done["options"])
        return answer

    def _invoke(self, request: Any, done: Mapping[str, Any]) -> Any:
        asked = resource_pb2.TransformInvokeRequest.FromString(request.request)
        self._tell(request.token, asked, asked.token)
        answer = resource_pb2.TransformInvokeResponse()
        if "sets" in done:
            answer.args.CopyFrom(wire.encode(self._changed(wire.decode(asked.args), done["sets"])))
        if "options" in done:
            answer.options.CopyFrom(asked.options)
            self._give(answer.options, done["options"])
        return answer

    def _changed(self, before: Properties, sets: Mapping[str, Any]) -> Properties:
        assert self._program is not None, "asked while a program runs"
        after = {key: value for key, value in before.items() if sets.get(key, value) is not None}
        for key, value in sets.items():
            if value is not None:
                given, taken = self._program.given(value)
                after[key] = (
                    wire.OutputValue(given, secret=False, dependencies=tuple(sorted(taken))) if taken else given
                )
        return after

    def _give(self, options: Any, given: Mapping[str, Any]) -> None:
        assert self._program is not None, "asked while a program runs"
        for name, value in given.items():
            if name == "aliases":
                options.aliases.extend(alias_pb2.Alias(urn=urn) for urn in value)
            elif isinstance(value, list):
                del getattr(options, name)[:]
                getattr(options, name).extend(map(self._program.urn_of, value) if name in _URNS else value)
            elif isinstance(value, Mapping):
                json_format.ParseDict(dict(value), getattr(options, name))
            elif name == "replacement_trigger":
                options.replacement_trigger.CopyFrom(wire.encode_value(value))
            elif name == "provider":
                options.provider = self._program.provider_of(value)
            else:
                setattr(options, name, self._program.urn_of(value) if name in _URNS else value)

    def _tell(self, callback: str, asked: Any, about: str) -> None:
        """Write down what the engine has said."""
        said = _in_order(json_format.MessageToDict(asked, preserving_proto_field_name=True))
        self._told.append(f"{callback} {about} {json.dumps(said, sort_keys=True)}")


def _on_one_line(error: str) -> str:
    """``error`` as ours says it where it is several: Pulumi gives each a line."""
    head, *lines = error.splitlines()
    return "; ".join(line.removeprefix("\t* ") for line in lines if line) if head.endswith("occurred:") else error


def _in_order(said: Any) -> Any:
    """``said`` with its dependencies sorted: Pulumi's have no order."""
    match said:
        case dict():
            return {
                key: sorted(value) if key in _DEPENDENCIES else _in_order(value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
                for key, value in said.items()
            }
        case list():
            return [_in_order(item) for item in said]
        case _:
            return said


@functools.cache
def server() -> Callbacks:
    """One for all programs of this process, of which one runs at a time."""
    return Callbacks()
