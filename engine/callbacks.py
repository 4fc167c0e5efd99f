"""Transforms: functions of the program that the engine calls back before it decides about a resource or a function.

What a transform is told, and in which order they come, is as Pulumi's engine has it: values with what they depend on,
where the resource has transforms of its own; options as the program gave them, with what the parent leaves to it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from engine import wire
from engine.calling_back import CallingBack, NotAnswered
from engine.goal_messages import options_of, with_options
from engine.goals import Goal
from engine.protocol import resource_pb2
from engine.providers.base import ProviderError
from engine.values import Properties, Value


class Transforms:
    """The transforms of one program: of the stack, of functions, and of resources, whose children inherit them."""

    def __init__(self) -> None:
        self.for_stack: list[Any] = []
        self.for_invokes: list[Any] = []
        self._of_resource: dict[str, tuple[str, list[Any]]] = {}  # URN -> parent and own callbacks
        self._of_remote: dict[tuple[str, str, str], list[Any]] = {}  # of what a provider is still to register
        self._program = CallingBack()

    def remember(self, urn: str, parent: str, callbacks: list[Any]) -> None:
        """Keep what children of ``urn`` inherit."""
        if callbacks or parent in self._of_resource:
            self._of_resource[urn] = (parent, callbacks)

    def own(self, goal: Goal, declared: list[Any]) -> list[Any]:
        """The transforms of ``goal`` itself: those ``declared``, or of the remote component that it is."""
        key = (goal.parent, goal.type, goal.name)
        if key in self._of_remote:
            return self._of_remote.pop(key)
        if goal.remote and declared:
            self._of_remote[key] = declared
        return declared

    async def apply(self, goal: Goal, request: Any, own: list[Any]) -> Goal:
        """``goal`` of ``request`` after its ``own`` transforms, its ancestors' from the nearest on, and the stack's."""
        callbacks = self._of(goal.parent, list(own))
        if not callbacks:
            return goal
        told = bool(request.transforms)
        properties, options = (
            {key: wire.as_outputs(value) for key, value in goal.inputs.items()},
            options_of(goal, request),
        )
        if told:
            properties = {
                key: _depending(item, goal.property_dependencies.get(key, ())) for key, item in properties.items()
            }
        for callback in callbacks:
            asked = resource_pb2.TransformRequest(
                type=goal.type, name=goal.name, custom=goal.custom, parent=goal.parent,
                properties=wire.encode(properties), options=options,
            )  # fmt: skip
            answer = resource_pb2.TransformResponse.FromString(await self._call(callback, asked))
            properties = wire.decode(answer.properties) if answer.HasField("properties") else properties
            options = answer.options if answer.HasField("options") else options
        return _settled(with_options(goal, options), goal, properties, own=told)

    def _of(self, parent: str, own: list[Any]) -> list[Any]:
        if not (own or self.for_stack or self._of_resource):
            return []
        callbacks = own
        while parent in self._of_resource:
            parent, inherited = self._of_resource[parent]
            callbacks += inherited
        return [*callbacks, *self.for_stack]

    async def apply_to_invoke(self, request: Any) -> tuple[Properties, Any]:
        """A function's arguments and options after the invoke transforms."""
        args = wire.decode(request.args)
        options = resource_pb2.TransformInvokeOptions(
            provider=request.provider, version=request.version, plugin_download_url=request.pluginDownloadURL
        )
        for callback in self.for_invokes:
            asked = resource_pb2.TransformInvokeRequest(token=request.tok, args=wire.encode(args), options=options)
            answer = resource_pb2.TransformInvokeResponse.FromString(await self._call(callback, asked))
            args = wire.decode(answer.args) if answer.HasField("args") else args
            options = answer.options if answer.HasField("options") else options
        return args, options

    async def _call(self, callback: Any, request: Any) -> bytes:
        try:
            return await self._program.ask(callback, request)
        except NotAnswered as error:
            raise ProviderError(f"a transform failed: {error}") from error


def _depending(value: Value, urns: tuple[str, ...]) -> Value:
    """``value`` as one that depends on ``urns``."""
    if not urns:
        return value
    output = value if isinstance(value, wire.OutputValue) else wire.OutputValue(value, secret=False, dependencies=())
    return replace(output, dependencies=tuple(sorted({*output.dependencies, *urns})))


def _settled(goal: Goal, before: Goal, properties: Properties, *, own: bool) -> Goal:
    """``goal`` with what its transforms have made of its inputs, and what these depend on.

    What the options say of dependencies counts where the resource has transforms of its own, as with Pulumi.
    """
    taken: dict[str, set[str]] = {
        key: set() if own else set(before.property_dependencies.get(key, ())) for key in properties
    }
    inputs = {key: wire.flatten_outputs(value, taken[key]) for key, value in properties.items()}
    by_property = {key: tuple(sorted(urns)) for key, urns in taken.items()}
    dependencies = tuple(sorted(set(goal.dependencies).union(*taken.values()))) if own else before.dependencies
    if not own:
        by_property = {**before.property_dependencies, **by_property}
    inputs = properties if goal.remote else inputs
    return replace(goal, inputs=inputs, dependencies=dependencies, property_dependencies=by_property)
