"""After a run that died: finding out what became of the operations that it had begun.

A create may have made something that no state knows: the provider looks for it by name, natural key or operation token.
Of an update or a deletion the resource itself tells how far it went.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from engine import urn as urns
from engine.events import Consumer, Diagnostic, Severity
from engine.graph import DependencyGraph, fates
from engine.marks import handed, received, received_inputs
from engine.provider_registry import ProviderRegistry, by_reference
from engine.providers.base import BlindToReadiness, CannotTell, Found, PartialFailure, Provider
from engine.running import operation_token
from engine.state.model import Operation, ResourceState, Snapshot
from engine.state.recorder import Recorder

NOT_READY: Final = "it was not ready when it was looked for after an interrupted run"


async def recover(
    recorder: Recorder,
    base: Snapshot,
    registry: ProviderRegistry,
    emit: Consumer,
    *,
    stopped: Callable[[], bool] = lambda: False,
) -> None:
    """End every pending operation of ``base``, correcting the state. Raises ProviderError when nobody can be asked.

    Once ``stopped`` says so, what is left stays pending.
    """
    registry.listen(emit)
    recovery = _Recovery(recorder, base, registry, emit)
    for number, operation in recorder.pending.items():
        if stopped():
            return
        await recovery.resolve(number, operation)


class _Recovery:
    def __init__(self, recorder: Recorder, base: Snapshot, registry: ProviderRegistry, emit: Consumer) -> None:
        self._recorder = recorder
        self._resources = list(base.resources)  # as corrected so far: several operations may be on one
        self._registry = registry
        self._emit = emit

    async def resolve(self, number: int, operation: Operation) -> None:
        resource = operation.resource
        if not resource.custom or urns.is_provider_type(resource.type) or urns.package_of(resource.type) == "pulumi":
            self._recorder.finish(number)
        elif operation.kind == "creating":
            await self._created(number, resource)
        elif operation.kind in ("updating", "deleting"):
            await self._changed(number, resource, operation.kind)
        else:
            self._recorder.finish(number)

    def _provider(self, resource: ResourceState) -> Provider:
        return self._registry.managing(resource, by_reference(self._resources))

    async def _created(self, number: int, resource: ResourceState) -> None:
        same_type = (old for old in self._resources if old.type == resource.type and old.id)
        known = frozenset(old.id for old in same_type)
        provider = self._provider(resource)
        try:
            found = await asyncio.to_thread(
                provider.find, resource.urn, resource.type, handed(provider, resource.inputs),
                token=operation_token(resource), known_ids=known,
            )  # fmt: skip
        except CannotTell as error:
            self._emit(Diagnostic(Severity.WARNING, str(error), resource.urn))
            return  # it stays pending, as with Pulumi: the user looks, the run goes on
        if found is None:
            self._recorder.finish(number)
            self._tell(resource, "had not been created")
            return
        # Inputs as they were found: whatever the create had not come to (its tags, a setting) is then a change to make.
        outputs = received(provider, found.outputs, resource)
        inputs = received_inputs(provider, found.inputs, resource)
        state = replace(resource, id=found.id, inputs=inputs, outputs=outputs)
        condemned: list[tuple[ResourceState, ResourceState]] = []
        for place, old in enumerate(self._resources):
            if old.urn == resource.urn and not old.delete:
                self._resources[place] = replace(old, delete=True)
                condemned.append((old, self._resources[place]))
        self._recorder.recover(number, state, amended=condemned)
        self._resources.append(state)
        self._tell(resource, f"had been created as {found.id}; it is in the state now")

    async def _changed(self, number: int, resource: ResourceState, kind: str) -> None:
        named = ((old.urn, old.id) == (resource.urn, resource.id) for old in self._resources)
        place = next((place for place, same in enumerate(named) if same), None)
        if place is None:
            self._recorder.finish(number)
            return
        old = self._resources[place]
        provider = self._provider(resource)
        found, reasons = await self._read(provider, old)
        if found is not None:
            outputs = received(provider, found.outputs, old)
            inputs = received_inputs(provider, found.inputs, old)  # half a deletion may have changed it
            # Whether an update that changed it had happened is not known: it is deleted itself then, to be sure.
            fate = old.deleted_with if old.deleted_with == resource.deleted_with else ""
            new = replace(old, inputs=inputs, outputs=outputs, init_errors=reasons, deleted_with=fate)
            # It is there, whatever was said of what it is deleted with.
            self._amend(number, place, replace(new, pending_replacement=False))
            self._tell(resource, f"was being {kind.replace('ing', 'ed')} and exists; it is compared anew")
            return
        if DependencyGraph(self._resources).needed_by(place):
            self._take_along(old)
            self._amend(number, place, replace(old, pending_replacement=True))
        else:
            self._recorder.finish(number, old=old)
            del self._resources[place]
        self._tell(resource, "does not exist any more")

    def _take_along(self, root: ResourceState) -> None:
        """``root`` is gone, and so is what is deleted with it."""
        bound, going = fates(self._resources), {id(root)}
        for place, each in enumerate(self._resources):
            if bound.get(id(each)) in going:
                going.add(id(each))
                if each.custom and not each.delete:
                    self._resources[place] = replace(each, pending_replacement=True)
                    self._recorder.amend(each, self._resources[place])

    async def _read(self, provider: Provider, old: ResourceState) -> tuple[Found | None, tuple[str, ...]]:
        """What there is, and why it is not ready: a deletion that was begun may have left it so."""
        inputs, outputs = handed(provider, old.inputs), handed(provider, old.outputs)
        try:
            found = await asyncio.to_thread(provider.read, old.urn, old.type, old.id, inputs, outputs)
        except PartialFailure as failure:
            # Its own words may hold a secret, and the state keeps reasons in clear.
            return Found(failure.id, failure.inputs or inputs, failure.outputs), (NOT_READY,)
        return found, old.init_errors if isinstance(provider, BlindToReadiness) else ()

    def _amend(self, number: int, place: int, new: ResourceState) -> None:
        self._recorder.finish(number, amended=[(self._resources[place], new)])
        self._resources[place] = new

    def _tell(self, resource: ResourceState, what: str) -> None:
        self._emit(
            Diagnostic(
                Severity.INFO, f"an interrupted run: {resource.type} {urns.name_of(resource.urn)} {what}", resource.urn
            )
        )
