"""Stands in for a provider that is not here: previews what a program declares, changes nothing."""

from __future__ import annotations

from engine.differ import property_changes
from engine.paths import join
from engine.providers.base import Checked, Created, Diff, DiffKind, Found, Invoked, ProviderError
from engine.values import Properties, Value


class GenericProvider:
    """Answers previews for a package that no provider here knows: inputs as given, whatever else unknown."""

    in_process = True

    def __init__(self, package: str) -> None:
        self.package = package

    def knows(self, type_: str) -> bool:
        return False

    def knows_function(self, token: str) -> bool:
        return False

    def check_config(self, news: Properties) -> Checked:
        return Checked(news)

    def diff_config(self, olds: Properties, news: Properties) -> Diff:
        return generic_diff(olds, news)

    def configure(self, inputs: Properties) -> None:
        """There is nothing to configure."""

    def check(self, urn: str, type_: str, olds: Properties | None, news: Properties, *, seed: str) -> Checked:
        return Checked(news)

    def diff(
        self, urn: str, type_: str, id: str, old_inputs: Properties, old_outputs: Properties, new_inputs: Properties
    ) -> Diff:
        return generic_diff(old_inputs, new_inputs)

    def create(self, urn: str, type_: str, inputs: Properties, *, timeout: float, preview: bool, token: str) -> Created:
        if not preview:
            raise self._absent(type_)
        return Created("", inputs)

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
        if not preview:
            raise self._absent(type_)
        return {**old_outputs, **new_inputs}

    def delete(self, urn: str, type_: str, id: str, inputs: Properties, outputs: Properties, *, timeout: float) -> None:
        raise self._absent(type_)

    def read(self, urn: str, type_: str, id: str, inputs: Properties, outputs: Properties) -> Found | None:
        raise self._absent(type_)

    def find(self, urn: str, type_: str, inputs: Properties, *, token: str, known_ids: frozenset[str]) -> Found | None:
        raise self._absent(type_)

    def invoke(self, token: str, args: Properties, *, preview: bool) -> Invoked:
        raise self._absent(token)

    def cancel(self) -> None:
        """Nothing is waited for."""

    def _absent(self, type_: str) -> ProviderError:
        return ProviderError(
            f"the embedded engine has no provider for {type_!r}; it can preview it but not change it: "
            "use the Pulumi CLI for this stack"
        )


def generic_diff(olds: Properties, news: Properties) -> Diff:
    """A difference in anything is an update in place: without a schema nobody can say more."""
    detailed: dict[str, DiffKind] = {join(change.path): change.kind for change in property_changes(olds, news)}
    return Diff(changes=bool(detailed), detailed=detailed)


def as_string(value: Value) -> str:
    """A required string argument of a builtin function."""
    if not isinstance(value, str):
        raise ProviderError(f"expected a string, got {type(value).__name__}")
    return value
