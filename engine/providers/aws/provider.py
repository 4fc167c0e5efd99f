"""The AWS provider as the engine sees it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Generator
from typing import TYPE_CHECKING

from engine.providers.aws import check, difference, registry
from engine.providers.aws.config import Config, parse_config
from engine.providers.aws.endpoint import Endpoint
from engine.providers.aws.functions import FUNCTIONS, invoke
from engine.providers.aws.preview import of_create, of_update
from engine.providers.aws.spec import Spec
from engine.providers.base import (
    NO_DIFF,
    Checked,
    CheckFailure,
    Created,
    Diff,
    DiffKind,
    Found,
    Invoked,
    ProviderError,
)
from engine.urn import name_of
from engine.values import Properties, has_unknown

if TYPE_CHECKING:
    from engine.providers.aws.calls import Caller
    from engine.providers.aws.lifecycle import Lifecycle


class AwsProvider:
    """Manages the types below ``specs``. Previews read specifications only; botocore is imported by the first call."""

    in_process = True

    def __init__(self, endpoint: Endpoint | None = None) -> None:
        self._endpoint = endpoint or Endpoint()
        self._config = Config()
        self._caller: Caller | None = None
        self._lock = threading.Lock()

    def knows(self, type_: str) -> bool:
        path = registry.path_of(type_)
        return path is not None and path.is_file()

    def knows_function(self, token: str) -> bool:
        return token in FUNCTIONS

    def check_config(self, news: Properties) -> Checked:
        _, failures = parse_config(news)
        return Checked(news, tuple(failures))

    def diff_config(self, olds: Properties, news: Properties) -> Diff:
        """Another region is another place: everything there would be replaced. All else takes effect by update."""
        detailed = {
            key: DiffKind.UPDATE_REPLACE if key == "region" and key in olds and key in news else DiffKind.UPDATE
            for key in sorted(olds.keys() | news.keys())
            if olds.get(key) != news.get(key)
        }
        replaces = tuple(key for key, kind in detailed.items() if kind.replaces)
        return Diff(True, detailed, replaces) if detailed else NO_DIFF

    def configure(self, inputs: Properties) -> None:
        config, failures = parse_config(inputs)
        if failures:
            raise ProviderError("; ".join(f"{failure.property}: {failure.reason}" for failure in failures))
        self._config, self._caller = config, None

    def check(self, urn: str, type_: str, olds: Properties | None, news: Properties, *, seed: str) -> Checked:
        spec = self._spec(type_)
        return check.check(spec, self._config, urn, olds, news, seed)

    def diff(
        self,
        urn: str,
        type_: str,
        id: str,
        old_inputs: Properties,
        old_outputs: Properties,
        new_inputs: Properties,
    ) -> Diff:
        del id  # a resource is told apart by its inputs
        return difference.diff(self._spec(type_), urn, old_inputs, old_outputs, new_inputs)

    def create(self, urn: str, type_: str, inputs: Properties, *, timeout: float, preview: bool, token: str) -> Created:
        spec = self._spec(type_)
        if preview:
            return Created("", of_create(spec, self._config, inputs))
        with _named(urn, type_):
            return self._lifecycle(spec).create(inputs, token=token, timeout=timeout)

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
        spec = self._spec(type_)
        if preview:
            return of_update(spec, old_inputs, old_outputs, new_inputs)
        with _named(urn, type_, id):
            return self._lifecycle(spec).update(id, old_inputs, old_outputs, new_inputs, timeout=timeout)

    def delete(self, urn: str, type_: str, id: str, inputs: Properties, outputs: Properties, *, timeout: float) -> None:
        with _named(urn, type_, id):
            self._lifecycle(self._spec(type_)).delete(id, inputs, outputs, timeout=timeout)

    def read(self, urn: str, type_: str, id: str, inputs: Properties, outputs: Properties) -> Found | None:
        with _named(urn, type_, id):
            return self._lifecycle(self._spec(type_)).reader.read(id, inputs, outputs)

    def find(self, urn: str, type_: str, inputs: Properties, *, token: str, known_ids: frozenset[str]) -> Found | None:
        with _named(urn, type_):
            return self._lifecycle(self._spec(type_)).finder.find(inputs, token=token, known_ids=known_ids)

    def invoke(self, token: str, args: Properties, *, preview: bool) -> Invoked:
        """Answer a function; one that needs the cloud is left unknown in a preview or while an argument is unknown."""
        if not self.knows_function(token):
            return Invoked({}, (CheckFailure("", f"{token} is not among the functions that work here"),))
        return invoke(token, args, self._config, None if preview or has_unknown(args) else self.caller)

    def cancel(self) -> None:
        """An emulator is never waited for long: what is in flight ends by itself."""

    def _spec(self, type_: str) -> Spec:
        spec = registry.load(type_)
        if spec is None:
            raise ProviderError(
                f"{type_} has no specification below engine/providers/aws/specs; its README says how to add one"
            )
        return spec

    def caller(self) -> Caller:
        """The caller for this configuration; made, and botocore imported, on first use."""
        with self._lock:
            if self._caller is None:
                from engine.providers.aws.calls import Caller  # here, because a preview must not pay for botocore

                self._caller = Caller(self._endpoint, self._config)
            return self._caller

    def _lifecycle(self, spec: Spec) -> Lifecycle:
        self._endpoint.for_service(spec.service, self._config.endpoints.get(spec.service.replace("-", "")))
        from engine.providers.aws.lifecycle import Lifecycle  # here, because a preview must not pay for botocore

        caller = self.caller()
        caller.check_account()
        return Lifecycle(spec, caller, self._config)


@contextlib.contextmanager
def _named(urn: str, type_: str, id_: str = "") -> Generator[None]:
    """Errors within name the resource that they are about."""
    try:
        yield
    except ProviderError as error:
        name = f"{type_.rsplit(':', 1)[-1]} {name_of(urn)!r}" + (f" ({id_})" if id_ else "")
        error.args = (f"{name}: {error}",)
        raise
