"""Which provider manages a resource; the default providers, which no program declares."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from abc import ABC, abstractmethod
from typing import Final

from engine import urn as urns
from engine.execute import StepError
from engine.goals import Goal
from engine.packages import Plugin, plugin_inputs
from engine.provider_registry import DYNAMIC_PACKAGES
from engine.provider_resources import ProviderResources
from engine.providers.base import Provider, ProviderError, TakesMarks
from engine.providers.generic import GenericProvider
from engine.run_state import Registered, RunState
from engine.state.model import ResourceState
from engine.values import Properties, reveal
from engine.wire import UNKNOWN_STRING

_DISABLED: Final = "pulumi:disable-default-providers"


class ProviderChoice(RunState, ABC):
    """A run that can tell the provider of each resource."""

    @abstractmethod
    async def register(self, goal: Goal) -> Registered:
        """Register a resource; a default provider is one."""

    def _provider_of(self, state: ResourceState) -> Provider | None:
        if not state.custom:
            return None
        with self.executor.diagnosed(state.urn):
            return self.provider_for(state)

    def provider_for(self, state: ResourceState) -> Provider:
        """The provider that manages ``state``. Raises ProviderError when there is none."""
        if urns.is_provider_type(state.type):
            return self._managing_providers(state.type)
        provider = self._lookup(state.provider, urns.package_of(state.type))
        if not provider.knows(state.type):
            return GenericProvider(urns.package_of(state.type))
        return provider.about(state) if isinstance(provider, TakesMarks) else provider

    def _managing_providers(self, type_: str) -> ProviderResources:
        """What manages provider resources of ``type_``."""
        elsewhere = self.registry.is_elsewhere(type_.removeprefix(urns.PROVIDER_TYPE_PREFIX))
        return self._awaited_provider_resources if elsewhere else self._provider_resources

    def _lookup(self, reference: str, package: str) -> Provider:
        return self.builtin if package == "pulumi" else self.registry.get(reference, self._old_providers)

    async def default_provider(self, token: str, plugin: Plugin) -> str:
        """The reference of the provider that serves ``token`` when none was named; registers it the first time.

        Raises ProviderError where the configuration has none for it.
        """
        package = urns.package_of(token)
        if package == "pulumi":
            return ""
        if {package, "*"} & self._disabled():
            raise ProviderError(f"{_DISABLED} leaves no default provider for {token}; give it a provider of its own")
        key = (package, plugin)
        if key not in self._default_providers:
            self._default_providers[key] = asyncio.create_task(self._register_default(*key))
        reference = await asyncio.shield(self._default_providers[key])
        if not reference:
            raise StepError(f"the default provider of {package} failed")
        return reference

    def _disabled(self) -> set[str]:
        """The packages that are to have no default provider, "*" for all."""
        value = reveal(self.config.get(_DISABLED))
        with contextlib.suppress(ValueError):
            value = json.loads(value) if isinstance(value, str) else value
        return set(map(str, value)) if isinstance(value, list) else set()

    async def _register_default(self, package: str, plugin: Plugin) -> str:
        inputs: Properties = {
            key.split(":", 1)[1]: value for key, value in self.config.items() if key.startswith(f"{package}:")
        }
        if package in DYNAMIC_PACKAGES:  # the provider is part of the program, and so has what that has
            inputs = dict(self.config)
        inputs |= plugin_inputs(plugin)
        name = default_name(plugin.parameters.version if plugin.parameters else plugin.version, plugin.url)
        goal = Goal(type=urns.PROVIDER_TYPE_PREFIX + package, name=name, custom=True, inputs=inputs)
        registered = await self.register(goal)
        return "" if registered.result != "success" else f"{registered.urn}::{registered.id or UNKNOWN_STRING}"


def default_name(version: str, url: str) -> str:
    """What the default provider is called whose plugin is of that version, from there: as Pulumi calls it."""
    name = "default"
    if version:
        name += "_" + version.replace(".", "_").replace("-", "_").replace("+", "_")
    parts = [re.sub(r"[^A-Za-z0-9_.-]", "_", part) for part in url.split("/") if part]
    return f"{name}_{'/'.join(parts)}" if parts else name
