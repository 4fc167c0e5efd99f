"""Provider resources (``pulumi:providers:NAME``) seen as resources of a provider: the registry manages them."""

from __future__ import annotations

import uuid
from dataclasses import replace

from engine import urn as urns
from engine.provider_registry import PLUGIN_KEYS, ProviderRegistry, given, shown
from engine.providers.base import Checked, Created, Diff, DiffKind, Provider, ResourceOptions, TakesMarks
from engine.providers.generic import GenericProvider
from engine.values import Properties, Value, marked_like
from engine.wire import UNKNOWN_STRING


class ProviderResources(GenericProvider):
    """Checks, compares and configures providers; what they are configured with is also all that they output."""

    def __init__(self, registry: ProviderRegistry) -> None:
        super().__init__("pulumi:providers")
        self._registry = registry

    def knows(self, type_: str) -> bool:
        return urns.is_provider_type(type_)

    def check(self, urn: str, type_: str, olds: Properties | None, news: Properties, *, seed: str) -> Checked:
        return checked_config(self._registry.make(type_, news, urn), news)

    def diff(
        self, urn: str, type_: str, id: str, old_inputs: Properties, old_outputs: Properties, new_inputs: Properties
    ) -> Diff:
        diff = self.compare(type_, old_inputs, new_inputs, urn=urn)
        if not diff.changes:
            self._registry.configure(urn, id, new_inputs)
        return diff

    def compare(self, type_: str, old_inputs: Properties, new_inputs: Properties, urn: str = "") -> Diff:
        """How one provider's configuration differs from another's; nothing comes of it."""
        return config_diff(self._registry.make(type_, new_inputs, urn), old_inputs, new_inputs)

    def create(self, urn: str, type_: str, inputs: Properties, *, timeout: float, preview: bool, token: str) -> Created:
        id_ = UNKNOWN_STRING if preview else str(uuid.uuid4())
        self._registry.configure(urn, id_, inputs)
        return Created("" if preview else id_, shown(inputs))

    def update(
        self,
        urn: str,
        type_: str,
        id: str,
        old_inputs: Properties,
        old_outputs: Properties,
        new_inputs: Properties,
        *,
        timeout: float,
        preview: bool,
    ) -> Properties:
        self._registry.configure(urn, id, new_inputs)
        return shown(new_inputs)

    def delete(self, urn: str, type_: str, id: str, inputs: Properties, outputs: Properties, *, timeout: float) -> None:
        """A provider is nothing outside the state."""


class AwaitedProviderResources(ProviderResources, TakesMarks):
    """Provider resources whose providers are other processes: they are asked in worker threads, and given all marks."""

    in_process = False

    def about(self, options: ResourceOptions) -> Provider:
        return self


def checked_config(provider: Provider, news: Properties) -> Checked:
    """A provider resource's inputs as they are stored: what the provider is configured with, and which plugin it is."""
    checked = provider.check_config(given(provider, news))
    engines = news if not isinstance(provider, TakesMarks) else {key: news[key] for key in PLUGIN_KEYS if key in news}
    kept = {key: value for key, value in engines.items() if key not in checked.inputs}
    inputs = {key: marked_like(value, news.get(key)) for key, value in checked.inputs.items()}
    return Checked({**kept, **inputs}, checked.failures)


def config_diff(provider: Provider, old_inputs: Properties, new_inputs: Properties) -> Diff:
    """How a provider resource's inputs differ: in its configuration, or in the version of its plugin."""
    diff = provider.diff_config(given(provider, old_inputs), given(provider, new_inputs))
    if isinstance(provider, TakesMarks):
        return diff  # it was told the version, too
    kind = _change(old_inputs.get("version"), new_inputs.get("version"))
    return diff if kind is None else replace(diff, changes=True, detailed={**diff.detailed, "version": kind})


def _change(old: Value, new: Value) -> DiffKind | None:
    """What became of the version of a provider's plugin."""
    if old == new:
        return None
    return DiffKind.ADD if old is None else DiffKind.DELETE if new is None else DiffKind.UPDATE
