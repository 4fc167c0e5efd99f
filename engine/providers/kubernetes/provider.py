"""The Kubernetes provider as the engine sees it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Generator
from typing import TYPE_CHECKING

from engine.providers.base import (
    BlindToReadiness,
    Caller,
    Checked,
    CheckFailure,
    Constructs,
    Created,
    Diff,
    Found,
    Invoked,
    ProviderError,
    Returned,
)
from engine.providers.kubernetes import check, clusters, config, difference, helm, manifests, tokens
from engine.providers.kubernetes.access import Access
from engine.providers.kubernetes.autonames import automatic
from engine.providers.kubernetes.components import COMPONENTS
from engine.providers.kubernetes.config import Config, parse_config
from engine.providers.kubernetes.functions import FUNCTIONS, invoke
from engine.providers.kubernetes.kinds import Kinds
from engine.providers.kubernetes.preview import of_create, of_update
from engine.providers.kubernetes.tokens import ObjectType
from engine.urn import name_of
from engine.values import Properties

if TYPE_CHECKING:
    from engine.goals import Goal
    from engine.providers.kubernetes.connection import Connection
    from engine.providers.kubernetes.helm.releases import Releases
    from engine.providers.kubernetes.kubeconfig import Target
    from engine.providers.kubernetes.lifecycle import Lifecycle


class KubernetesProvider(BlindToReadiness, Constructs):
    """Manages objects of one cluster. A preview needs none; the first change makes the connection."""

    in_process = True

    def __init__(self, access: Access | None = None) -> None:
        self._access = access or Access()
        self._kinds = Kinds(self._access.schema_version)
        self._config = Config()
        self._lifecycle: Lifecycle | None = None
        self._releases: Releases | None = None
        self._lock = threading.Lock()
        self._stopping = threading.Event()

    def knows(self, type_: str) -> bool:
        return type_ == helm.RELEASE or tokens.parse(type_) is not None

    def knows_function(self, token: str) -> bool:
        return token in FUNCTIONS

    def constructs(self, type_: str) -> bool:
        return type_ in COMPONENTS

    def construct(self, goal: Goal, caller: Caller) -> Returned:
        """Construct a component; none of them needs a cluster, only its children do."""
        from engine.providers.kubernetes.components.construct import Surroundings, construct

        around = Surroundings(self._kinds, clusters.namespace_of(self._config), self._stopping)
        return construct(goal, caller, around)

    def check_config(self, news: Properties) -> Checked:
        _, failures = parse_config(news, files=True)
        return Checked(news, tuple(failures))

    def diff_config(self, olds: Properties, news: Properties) -> Diff:
        return config.diff_config(olds, news)

    def configure(self, inputs: Properties) -> None:
        parsed, failures = parse_config(inputs)
        if failures:
            raise ProviderError("; ".join(f"{failure.property}: {failure.reason}" for failure in failures))
        self._config, self._lifecycle, self._releases = parsed, None, None

    def check(self, urn: str, type_: str, olds: Properties | None, news: Properties, *, seed: str) -> Checked:
        if type_ == helm.RELEASE:
            namespace = self._config.namespace or manifests.DEFAULT_NAMESPACE
            return helm.check(olds, news, automatic(name_of(urn), seed), namespace)
        object_type = self._meant(type_, news)
        return check.check(object_type, self._config, self._kinds, urn, olds, news, seed)

    def diff(
        self, urn: str, type_: str, id: str, old_inputs: Properties, old_outputs: Properties, new_inputs: Properties
    ) -> Diff:
        del id  # an object is told apart by its name
        if type_ == helm.RELEASE:
            return helm.diff(old_inputs, new_inputs)
        object_type = self._meant(type_, new_inputs)
        return difference.diff(object_type, self._config, self._kinds, old_inputs, old_outputs, new_inputs)

    def create(self, urn: str, type_: str, inputs: Properties, *, timeout: float, preview: bool, token: str) -> Created:
        if type_ == helm.RELEASE:
            return self._create_release(urn, inputs, timeout=timeout, preview=preview, token=token)
        object_type = self._meant(type_, inputs)
        if preview:
            return Created("", of_create(object_type, self._kinds, inputs))
        with _named(urn, type_):
            return self.lifecycle().create(object_type, inputs, token=token, timeout=timeout)

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
        if type_ == helm.RELEASE:
            return self._update_release(urn, id, old_outputs, new_inputs, timeout=timeout, preview=preview)
        object_type = self._meant(type_, new_inputs)
        if preview:
            return of_update(old_outputs, old_inputs, new_inputs)
        with _named(urn, type_, id):
            return self.lifecycle().update(urn, object_type, old_outputs, new_inputs, timeout=timeout)

    def delete(self, urn: str, type_: str, id: str, inputs: Properties, outputs: Properties, *, timeout: float) -> None:
        if clusters.has_ended(self._config, self._access):
            return
        with _named(urn, type_, id):
            if type_ == helm.RELEASE:
                self.releases().delete(inputs, outputs, timeout=timeout)
                return
            self.lifecycle().delete(self._meant(type_, inputs), id, inputs, outputs, timeout=timeout)

    def read(self, urn: str, type_: str, id: str, inputs: Properties, outputs: Properties) -> Found | None:
        if clusters.has_ended(self._config, self._access):
            return None
        with _named(urn, type_, id):
            if type_ == helm.RELEASE:
                return self.releases().read(id, inputs, outputs)
            return self.lifecycle().read(urn, self._meant(type_, inputs), id, inputs, outputs)

    def find(self, urn: str, type_: str, inputs: Properties, *, token: str, known_ids: frozenset[str]) -> Found | None:
        if clusters.has_ended(self._config, self._access):
            return None
        with _named(urn, type_):
            if type_ == helm.RELEASE:
                return self.releases().find(inputs, token=token, known_ids=known_ids)
            return self.lifecycle().find(self._meant(type_, inputs), inputs, token=token, known=known_ids)

    def invoke(self, token: str, args: Properties, *, preview: bool) -> Invoked:
        """Answer a function; none of them needs a cluster."""
        if not self.knows_function(token):
            return Invoked({}, (CheckFailure("", f"{token} is not among the functions that work here"),))
        return invoke(token, args, self._kinds)

    def cancel(self) -> None:
        """What is waited for is left as it is, to be waited for by the next run."""
        self._stopping.set()
        with self._lock:
            for at_work in (self._lifecycle, self._releases):
                if at_work is not None:
                    at_work.stop_waiting()

    def _create_release(self, urn: str, inputs: Properties, *, timeout: float, preview: bool, token: str) -> Created:
        if preview:
            return Created("", helm.preview(inputs))
        with _named(urn, helm.RELEASE):
            return self.releases().create(inputs, token=token, timeout=timeout)

    def _update_release(
        self, urn: str, id: str, old_outputs: Properties, inputs: Properties, *, timeout: float, preview: bool
    ) -> Properties:
        if preview:
            return helm.preview(inputs)
        with _named(urn, helm.RELEASE, id):
            return self.releases().update(old_outputs, inputs, token=urn, timeout=timeout)

    def _meant(self, type_: str, inputs: Properties) -> ObjectType:
        found = tokens.meant(type_, inputs.get("kind"))
        if found is None:
            raise ProviderError(
                f"{type_} is no kind of a Kubernetes API; expected a type such as kubernetes:apps/v1:Deployment"
            )
        return found

    def lifecycle(self) -> Lifecycle:
        """What manages objects of the configured cluster; made on first use. Raises EndpointRefused."""
        with self._lock:
            if self._lifecycle is None:
                # Here, because a preview must not pay for them.
                from engine.providers.kubernetes.discovery import Discovery
                from engine.providers.kubernetes.lifecycle import Lifecycle

                connection, _ = self._connected()
                self._lifecycle = Lifecycle(connection, Discovery(connection, self._kinds), self._config)
            return self._lifecycle

    def releases(self) -> Releases:
        """What manages Helm releases in the configured cluster; made on first use. Raises EndpointRefused."""
        with self._lock:
            if self._releases is None:
                from engine.providers.kubernetes.helm.releases import Releases
                from engine.providers.kubernetes.helm.workspace import kubeconfig_text

                connection, target = self._connected()
                self._releases = Releases(connection, self._kinds, kubeconfig_text(target))
            return self._releases

    def _connected(self) -> tuple[Connection, Target]:
        from engine.providers.kubernetes.connection import Connection

        target = clusters.target_of(self._config, self._access)
        return Connection(target), target


@contextlib.contextmanager
def _named(urn: str, type_: str, id_: str = "") -> Generator[None]:
    """Errors within name the resource that they are about."""
    try:
        yield
    except ProviderError as error:
        name = f"{type_.rsplit(':', 1)[-1]} {name_of(urn)!r}" + (f" ({id_})" if id_ else "")
        error.args = (f"{name}: {error}",)
        raise
