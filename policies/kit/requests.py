"""One request of the engine, read once: the policy SDK would read it anew for each policy.

The SDK (1.21) deserialises the properties of a resource for every policy of a pack. ``Reading`` keeps what was read for
the time of the request that the thread serves.
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

from policies.kit.resources import Resource, Stack
from policies.kit.values import Value

_serving = threading.local()


class Reading:
    """What was read of one request: a message of the protocol, about one resource or about a stack."""

    def __init__(self, request: Any, method: str, inputs: Mapping[str, Any]) -> None:
        self.method = method
        self.request = request
        self._inputs = inputs
        self._resource: Resource | None = None
        self._stack: Stack | None = None

    @property
    def type(self) -> str:
        """The type of the resource that the request is about; "" where it is about a stack."""
        return getattr(self.request, "type", "")

    @property
    def resource(self) -> Resource:
        """The resource that the request is about."""
        if self._resource is None:
            self._resource = _resource(self.request, parent=self.request.options.parent)
        return self._resource

    @property
    def stack(self) -> Stack:
        """The stack that the request is about."""
        if self._stack is None:
            self._stack = Stack([_of_stack(one, self._inputs.get(one.urn)) for one in self.request.resources])
        return self._stack


def current() -> Reading | None:
    """The request that this thread serves."""
    return getattr(_serving, "reading", None)


@contextmanager
def serving(request: Any, method: str, inputs: Mapping[str, Any] = MappingProxyType({})) -> Generator[Reading]:
    """While a request is served; ``inputs`` are those of the stack's resources, by URN, as the protocol has them."""
    _serving.reading = Reading(request, method, inputs)
    try:
        yield _serving.reading
    finally:
        _serving.reading = None


def plain(struct: Any) -> dict[str, Any]:
    """A protobuf Struct as plain values, with the wire's marks of secrets and unknowns.

    Three times as fast as ``json_format.MessageToDict``, and a number that JSON can't write doesn't end the pack.
    """
    return {name: _plain(value) for name, value in struct.fields.items()}


def _plain(value: Any) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return value.string_value
    if kind == "struct_value":
        return plain(value.struct_value)
    if kind == "list_value":
        return [_plain(element) for element in value.list_value.values]
    return None if kind in (None, "null_value") else getattr(value, kind)


def _of_stack(message: Any, inputs: Any) -> Resource:
    depends_on = {name: tuple(found.urns) for name, found in message.propertyDependencies.items()}
    return _resource(message, message.parent or message.options.parent, depends_on, inputs)


def _resource(
    message: Any, parent: str, depends_on: dict[str, tuple[str, ...]] | None = None, inputs: Any = None
) -> Resource:
    """The resource that ``message`` is about.

    The Pulumi CLI previews no outputs at all where the provider's own configuration isn't known yet, such as the
    kubeconfig of a cluster that is still to be made: there the inputs say what will be.
    """
    urn = message.urn
    properties = message.properties if message.properties.fields or inputs is None else inputs
    return Resource(
        type=message.type,
        name=message.name,
        urn=urn,
        properties=Value(plain(properties), owner=urn),
        options=message.options,
        parent=parent,
        provider=message.provider.urn,
        depends_on=depends_on or {},
        read_inputs=None if inputs is None else lambda: Value(plain(inputs), owner=urn),
    )
