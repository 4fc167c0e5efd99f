"""The package ``pulumi`` itself: stack references and the functions that the SDK calls on its own account."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from engine.providers.base import Checked, CheckFailure, Created, Diff, Found, Invoked, ProviderError
from engine.providers.generic import GenericProvider, as_string, generic_diff
from engine.state.errors import StateError
from engine.state.model import ResourceState
from engine.values import UNKNOWN, Properties, Value, has_secret

STACK_REFERENCE: Final = "pulumi:pulumi:StackReference"
STASH: Final = "pulumi:index:Stash"


class BuiltinProvider(GenericProvider):
    """Serves ``pulumi:pulumi:StackReference``, ``pulumi:index:Stash`` and the ``pulumi:pulumi:*`` functions.

    ``outputs_of`` gives the outputs of another stack by its name (``STACK``, ``PROJECT/STACK`` or
    ``ORGANIZATION/PROJECT/STACK``), or None when there is no such stack; ``live`` holds the resources of this one.
    """

    def __init__(self, outputs_of: Callable[[str], Properties | None], live: Mapping[str, ResourceState]) -> None:
        super().__init__("pulumi")
        self._outputs_of = outputs_of
        self._live = live

    def knows(self, type_: str) -> bool:
        return type_ in (STACK_REFERENCE, STASH)

    def knows_function(self, token: str) -> bool:
        return token in ("pulumi:pulumi:readStackOutputs", "pulumi:pulumi:getResource")

    def check(self, urn: str, type_: str, olds: Properties | None, news: Properties, *, seed: str) -> Checked:
        wanted = "name" if type_ == STACK_REFERENCE else "input"
        failures = [] if wanted in news else [CheckFailure(wanted, "is required")]
        return Checked(news, failures)

    def diff(
        self, urn: str, type_: str, id: str, old_inputs: Properties, old_outputs: Properties, new_inputs: Properties
    ) -> Diff:
        diff = generic_diff(old_inputs, new_inputs)
        if type_ == STACK_REFERENCE and diff.changes:
            return Diff(changes=True, detailed=diff.detailed, replaces=("name",))
        return diff

    def create(self, urn: str, type_: str, inputs: Properties, *, timeout: float, preview: bool, token: str) -> Created:
        if type_ == STASH:
            return Created("stash", {"input": inputs["input"], "output": inputs["input"]})
        return Created(as_string(inputs["name"]), self._stack(as_string(inputs["name"])))

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
        return {"input": new_inputs["input"], "output": old_outputs.get("output")}

    def delete(self, urn: str, type_: str, id: str, inputs: Properties, outputs: Properties, *, timeout: float) -> None:
        """Nothing outside the state stands for it."""

    def read(self, urn: str, type_: str, id: str, inputs: Properties, outputs: Properties) -> Found | None:
        if type_ != STACK_REFERENCE:
            return Found(id, inputs, outputs)
        given = inputs.get("name", id)
        if given is UNKNOWN:  # in a preview, a name that another resource gives
            return Found(id, {"name": UNKNOWN}, {"name": UNKNOWN, "outputs": UNKNOWN, "secretOutputNames": UNKNOWN})
        name = as_string(given)
        return Found(id, {"name": name}, self._stack(name))

    def find(self, urn: str, type_: str, inputs: Properties, *, token: str, known_ids: frozenset[str]) -> Found | None:
        return None

    def invoke(self, token: str, args: Properties, *, preview: bool) -> Invoked:
        if token == "pulumi:pulumi:readStackOutputs":  # noqa: S105 - a function token
            name = as_string(args.get("name"))
            return Invoked({"name": name, "outputs": self._outputs(name)})
        urn = as_string(args.get("urn"))
        state = self._live.get(urn)
        if state is None:
            raise ProviderError(f"no resource {urn} is registered in this stack")
        return Invoked({"urn": urn, "id": state.id, "state": state.outputs})

    def _outputs(self, name: str) -> Properties:
        try:
            outputs = self._outputs_of(name)
        except StateError as error:
            raise ProviderError(f"stack {name!r} cannot be read: {error}") from error
        if outputs is None:
            raise ProviderError(
                f"stack {name!r} has no state in this backend: expected a stack that was brought up before; "
                "bring it up first, or correct the name given to StackReference"
            )
        return outputs

    def _stack(self, name: str) -> dict[str, Value]:
        outputs = self._outputs(name)
        secret_names: list[Value] = sorted(key for key, value in outputs.items() if has_secret(value))
        return {"name": name, "outputs": outputs, "secretOutputNames": secret_names}
