"""Transforms: functions of the program that the engine calls back before it decides about a resource or a function."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import grpc.aio

from engine import wire
from engine.goal_messages import options_of, with_options
from engine.goals import Goal
from engine.protocol import callback_pb2, callback_pb2_grpc, resource_pb2
from engine.providers.base import ProviderError
from engine.values import Properties


class Transforms:
    """The transforms of one program: of the stack, of functions, and of resources, whose children inherit them."""

    def __init__(self) -> None:
        self.for_stack: list[Any] = []
        self.for_invokes: list[Any] = []
        self._of_resource: dict[str, tuple[str, list[Any]]] = {}  # URN -> parent and own callbacks
        self._stubs: dict[str, Any] = {}

    def remember(self, urn: str, parent: str, callbacks: list[Any]) -> None:
        """Keep what children of ``urn`` inherit."""
        if callbacks or parent in self._of_resource:
            self._of_resource[urn] = (parent, callbacks)

    async def apply(self, goal: Goal, own: list[Any]) -> Goal:
        """``goal`` after its own transforms, its ancestors' from the nearest on, and the stack's."""
        if not (own or self.for_stack or self._of_resource):
            return goal
        callbacks = list(own)
        parent = goal.parent
        while parent in self._of_resource:
            parent, inherited = self._of_resource[parent]
            callbacks += inherited
        for callback in (*callbacks, *self.for_stack):
            goal = await self._transformed(callback, goal)
        return goal

    async def apply_to_invoke(self, token: str, args: Properties) -> Properties:
        """A function's arguments after the invoke transforms."""
        for callback in self.for_invokes:
            request = resource_pb2.TransformInvokeRequest(token=token, args=wire.encode(args))
            answer = resource_pb2.TransformInvokeResponse.FromString(await self._call(callback, request))
            args = wire.decode(answer.args)
        return args

    async def _call(self, callback: Any, request: Any) -> bytes:
        if callback.target not in self._stubs:
            channel = grpc.aio.insecure_channel(callback.target)
            self._stubs[callback.target] = callback_pb2_grpc.CallbacksStub(channel)
        invoke = callback_pb2.CallbackInvokeRequest(token=callback.token, request=request.SerializeToString())
        try:
            answer = await self._stubs[callback.target].Invoke(invoke)
        except grpc.aio.AioRpcError as error:
            raise ProviderError(f"a transform failed: {error.details()}") from error
        return answer.response

    async def _transformed(self, callback: Any, goal: Goal) -> Goal:
        request = resource_pb2.TransformRequest(
            type=goal.type,
            name=goal.name,
            custom=goal.custom,
            parent=goal.parent,
            properties=wire.encode(goal.inputs),
            options=options_of(goal),
        )
        answer = resource_pb2.TransformResponse.FromString(await self._call(callback, request))
        if answer.HasField("properties"):
            dependencies = set(goal.dependencies)
            decoded = wire.decode(answer.properties)
            inputs = {key: wire.flatten_outputs(value, dependencies) for key, value in decoded.items()}
            goal = replace(goal, inputs=inputs, dependencies=tuple(sorted(dependencies)))
        return with_options(goal, answer.options) if answer.HasField("options") else goal
