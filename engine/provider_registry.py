"""The providers of one run: made from factories, configured from provider resources, found by provider reference."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

from engine import urn as urns
from engine.events import Consumer
from engine.packages import INTERNAL, Parameters, parameters_in
from engine.providers.base import Provider, ProviderError, TakesMarks
from engine.providers.generic import GenericProvider
from engine.state.model import ResourceState
from engine.values import UNKNOWN, Properties, Value, reveal

ProviderFactory: TypeAlias = Callable[[], Provider]

DYNAMIC_PACKAGES: Final = frozenset({"pulumi-python", "pulumi-nodejs"})  # of providers that a program brings along
# Inputs of a provider resource that say which plugin is meant, not how it is configured.
_NOT_CONFIGURATION: Final = frozenset({"version", "pluginDownloadURL", "pluginChecksums", INTERNAL})
PLUGIN_KEYS: Final = ("version", INTERNAL)  # those that the engine keeps whatever the provider says


def split_reference(reference: str) -> tuple[str, str]:
    """A provider reference's URN and id. Raises ProviderError when it is not ``URN::ID``."""
    urn, separator, id_ = reference.rpartition("::")
    if not separator or not urn.startswith(urns.PREFIX):
        raise ProviderError(f"not a provider reference: {reference!r} (expected URN::ID)")
    return urn, id_


def by_reference(resources: Iterable[ResourceState]) -> dict[str, ResourceState]:
    """The provider resources among ``resources``, by reference."""
    return {f"{state.urn}::{state.id}": state for state in resources if urns.is_provider_type(state.type)}


@dataclass(frozen=True)
class Wanted:
    """The provider that is looked for: of which package, for which provider resource, with which plugin.

    An ``id`` is "" before there is one. ``version`` and ``url`` (where to download it) are "" where any will do.
    ``mapped`` are pairs of variables: what the first holds, the plugin finds in the second.
    With ``parameters`` the plugin of ``package`` serves another one.
    """

    package: str
    urn: str = ""
    id: str = ""
    version: str = ""
    url: str = ""
    mapped: tuple[tuple[str, str], ...] = ()
    parameters: Parameters | None = None


class Elsewhere(Protocol):
    """Providers that are not made here: processes that speak Pulumi's protocol."""

    def listen(self, emit: Consumer) -> None:
        """Have ``emit`` get what they say, from now on, on the running event loop."""
        ...

    def attached(self, package: str) -> bool:
        """Whether the user has attached a provider of ``package``: it then goes before one of ours."""
        ...

    def provides(self, wanted: Wanted) -> bool:
        """Whether there is such a provider."""
        ...

    def provider(self, wanted: Wanted) -> Provider:
        """One that is not configured yet."""
        ...

    def cancel(self) -> None:
        """The run stops: tell all of them, and wait for no answer that changes nothing."""
        ...


class ProviderRegistry:
    """Configured providers by reference. ``factories`` maps a package to what makes its provider.

    What they do not make is looked for ``elsewhere``.
    """

    def __init__(self, factories: Mapping[str, ProviderFactory], elsewhere: Elsewhere | None = None) -> None:
        self._factories = factories
        self._elsewhere = elsewhere
        self._configured: dict[str, Provider] = {}  # by URN::ID
        self._latest: dict[str, Provider] = {}  # by URN: the one that this run's registrations mean

    def listen(self, emit: Consumer) -> None:
        """Have ``emit`` get what providers of other processes say."""
        if self._elsewhere is not None:
            self._elsewhere.listen(emit)

    def is_elsewhere(self, package: str) -> bool:
        """Whether a provider of ``package`` may be another process, for whose answers one has to wait."""
        return self._elsewhere is not None and (package not in self._factories or self._elsewhere.attached(package))

    def make(self, type_: str, inputs: Properties, urn: str = "", id: str = "") -> Provider:
        """The provider that a provider resource of ``type_`` with ``inputs`` means; it is not configured yet."""
        package = type_.removeprefix(urns.PROVIDER_TYPE_PREFIX)
        if self._elsewhere is not None and self.is_elsewhere(package):
            wanted = _wanted(package, urn, id, inputs)
            if self._elsewhere.provides(wanted):
                return self._elsewhere.provider(wanted)
        factory = self._factories.get(package)
        return GenericProvider(package) if factory is None else factory()

    def configure(self, urn: str, id: str, inputs: Properties) -> Provider:
        """Configure the provider resource ``urn`` and make it the one that references mean from now on."""
        provider = self._configure(urn, id, inputs)
        self._latest[urn] = provider
        return provider

    def cancel(self) -> None:
        """Tell every provider that the run stops."""
        for provider in list(self._configured.values()):
            provider.cancel()
        self.end_programs()

    def end_programs(self) -> None:
        """Tell providers that are other processes that nobody waits for them."""
        if self._elsewhere is not None:
            self._elsewhere.cancel()

    def _configure(self, urn: str, id: str, inputs: Properties) -> Provider:
        provider = self.make(urns.type_of(urn), inputs, urn, id)
        provider.configure(given(provider, inputs))
        self._configured[f"{urn}::{id}"] = provider
        return provider

    def get(self, reference: str, olds: Mapping[str, ResourceState]) -> Provider:
        """The provider that ``reference`` means; one that this run has not registered is taken from ``olds``.

        ``olds`` maps references to the state's provider resources (``by_reference``): a replaced provider still
        deletes what it had made.
        """
        exact = self._configured.get(reference)
        if exact is not None:
            return exact
        urn, id_ = split_reference(reference)
        old = olds.get(reference)
        if old is not None:
            return self._configure(urn, id_, old.inputs)
        if urn in self._latest:
            return self._latest[urn]
        raise ProviderError(f"provider {urn} is neither registered nor in the state; was it removed by hand?")

    def managing(self, state: ResourceState, olds: Mapping[str, ResourceState]) -> Provider:
        """The provider of ``state`` as ``get`` finds it, and as it answers for that resource."""
        provider = self.get(state.provider, olds)
        return provider.about(state) if isinstance(provider, TakesMarks) else provider


def shown(inputs: Properties) -> Properties:
    """A provider resource's inputs without what only the engine is to see of them: what it outputs."""
    return {key: value for key, value in inputs.items() if key != INTERNAL}


def _wanted(package: str, urn: str, id: str, inputs: Properties) -> Wanted:
    """The plugin that a provider resource's inputs name. Raises ProviderError where they are damaged."""
    plain = reveal(inputs)
    internal = plain.get(INTERNAL)
    url = plain.get("pluginDownloadURL") or (internal.get("pluginDownloadURL") if isinstance(internal, dict) else "")
    url = url if isinstance(url, str) else ""
    try:
        parameters = parameters_in(package, plain)
    except ValueError as error:
        raise ProviderError(str(error)) from error
    if parameters is not None:
        return Wanted(parameters.base, urn, id, parameters.base_version, url, _mapped(internal), parameters)
    version = plain.get("version")
    return Wanted(package, urn, id, version if isinstance(version, str) else "", url, _mapped(internal))


def _mapped(internal: Value) -> tuple[tuple[str, str], ...]:
    """The variables that a provider resource's inputs map, as pairs."""
    mapped = internal.get("envVarMappings") if isinstance(internal, dict) else None
    return tuple(sorted(mapped.items())) if isinstance(mapped, dict) else ()


def given(provider: Provider, inputs: Properties) -> Properties:
    """What ``provider`` is given of its resource's inputs. One of another process gets them as they are."""
    return shown(inputs) if isinstance(provider, TakesMarks) else configuration(inputs)


def configuration(inputs: Properties) -> Properties:
    """What a provider is configured with, given its resource's inputs."""
    revealed = reveal({key: value for key, value in inputs.items() if key not in _NOT_CONFIGURATION})
    return {key: value for key, value in revealed.items() if value is not UNKNOWN and value is not None}
