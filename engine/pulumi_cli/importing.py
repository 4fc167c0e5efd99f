"""What an import by the CLI is asked for, and what a program has to say of what it has taken over."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from engine import urn as urns
from engine.importing.code import Declared
from engine.importing.run import marked
from engine.importing.saying import sayable, to_say
from engine.importing.wanted import Request, Wanted
from engine.marks import handed
from engine.provider_registry import ProviderFactory, ProviderRegistry
from engine.providers.base import Checked, Provider, ProviderError
from engine.state.model import ResourceState
from engine.values import Properties


def file_of(request: Request) -> str:
    """The file that has the CLI import what ``request`` names, for one that was named on a command line."""
    asked = {one.urn for one in request.resources}
    table = {name: urn for urn, name in request.names.items() if urn not in asked}
    resources = [_entry(one, request.names) for one in request.resources]
    return json.dumps({"nameTable": table, "resources": resources})


def _entry(one: Wanted, names: Mapping[str, str]) -> dict[str, Any]:
    entry: dict[str, Any] = {"type": one.type, "name": one.name, "id": one.id}
    entry |= {"parent": names[one.parent]} if one.parent else {}
    entry |= {"provider": names[one.provider]} if one.provider else {}
    return entry | ({"properties": list(one.properties)} if one.properties else {})


class Sayings:
    """Finds what of a resource's inputs its program has to say, by the providers that we have.

    They are asked only to check and to compare, for which they need no network. Of other packages nobody is asked:
    their resources' inputs are said as they were read.
    """

    def __init__(self, factories: Mapping[str, ProviderFactory], states: Iterable[ResourceState]) -> None:
        self._factories = factories
        self._registry = ProviderRegistry(factories)
        self._states = {one.urn: one for one in states if not one.delete}
        for one in self._states.values():
            if urns.is_provider_type(one.type) and one.type.removeprefix(urns.PROVIDER_TYPE_PREFIX) in factories:
                self._registry.configure(one.urn, one.id, one.inputs)

    def of(self, request: Request) -> list[Declared]:
        """What was asked for and is there, in the order of the request."""
        return [self._declared(one, self._states[one.urn]) for one in request.resources if one.urn in self._states]

    def _declared(self, one: Wanted, state: ResourceState) -> Declared:
        if not state.custom or one.is_provider:
            return Declared(one, state, state.inputs)
        inputs = marked(state.inputs, state.type)
        said = sayable(inputs)
        if urns.package_of(state.type) in self._factories:
            try:
                provider = self._registry.get(state.provider, {})
                said = to_say(inputs, partial(_checked, state, provider), partial(_changes, state, inputs, provider))
            except ProviderError:
                pass  # as it was read: whoever pastes it sees what the next preview says of it
        return Declared(one, state, said)


def _checked(state: ResourceState, provider: Provider, inputs: Properties) -> Checked:
    return provider.check(state.urn, state.type, None, handed(provider, inputs), seed=secrets.token_hex(8))


def _changes(state: ResourceState, before: Properties, provider: Provider, inputs: Properties) -> bool:
    olds = handed(provider, before), handed(provider, state.outputs)
    return provider.diff(state.urn, state.type, state.id, *olds, handed(provider, inputs)).changes
