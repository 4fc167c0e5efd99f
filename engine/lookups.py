"""What exists already: resources that are imported or only read, and what functions answer."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from engine import urn as urns
from engine.carrying_out import CarryingOut, condemning
from engine.execute import StepError
from engine.goals import Goal, ReadGoal
from engine.marks import handed, received, received_inputs
from engine.packages import Plugin
from engine.plan import Op, Reason, Step
from engine.provider_registry import split_reference
from engine.providers.base import Found, Invoked, Provider, ProviderError, TakesMarks
from engine.providers.builtin import BuiltinProvider
from engine.run_state import Registered
from engine.state.model import ResourceState
from engine.values import UNKNOWN, Properties, has_secret, has_unknown, reveal, secret

WHOLLY: Final = "__bedplate_unknown"  # as in host/unknown_members.py


class Lookups(CarryingOut):
    """A run that asks providers for what they know."""

    async def _import(
        self, state: ResourceState, goal: Goal, old: ResourceState | None, provider: Provider
    ) -> tuple[ResourceState, ResourceState]:
        """Bring an existing resource into the state; gives the new state and what it is compared with from here on."""
        op = Op.IMPORT if old is None else Op.IMPORT_REPLACEMENT
        wanted = replace(state, id=goal.import_id)

        def fetch() -> ResourceState | None:
            guess = Found(goal.import_id, goal.inputs, goal.inputs)
            found = self._found(provider, wanted, {}, guess)
            if found is None:
                return None
            inputs, outputs = received_inputs(provider, found.inputs, state), received(provider, found.outputs, state)
            return replace(wanted, id=found.id, inputs=inputs, outputs=outputs)

        step = Step(op, state.urn, state.type, Reason.IMPORTED, old, wanted)
        imported = await self.executor.read(step, provider, fetch, None, condemning(old))
        if old is not None:
            self._outlive(step, imported)
        return replace(state, id=imported.id, created=imported.created, modified=imported.modified), imported

    async def read(self, goal: ReadGoal) -> Registered:
        """Read a resource that exists already (``Resource.get``)."""
        urn = self._claim(goal.parent, goal.type, goal.name, goal.source_position)
        blocker = self._blocker(goal)
        if blocker:
            return self._skip(urn, blocker)
        try:
            reference = goal.provider or await self.default_provider(goal.type, goal.plugin)
            return self._answer(await self._read(urn, replace(goal, provider=reference)))
        except StepError:
            self.unavailable.add(urn)
            return Registered(urn, result="fail")

    async def _read(self, urn: str, goal: ReadGoal) -> ResourceState:
        old = self.prior.claim(urn, Goal(goal.type, goal.name, True, {}, goal.parent), self.seen)
        id_ = "" if goal.id is UNKNOWN else str(reveal(goal.id))
        state = ResourceState(
            urn=urn, type=goal.type, custom=True, id=id_, inputs=goal.inputs, parent=goal.parent,
            provider=goal.provider,
            dependencies=goal.dependencies, external=True, additional_secret_outputs=goal.additional_secret_outputs,
            aliases=(old.urn,) if old and old.urn != urn else (),
            created=old.created if old else None, modified=old.modified if old else None,
            source_position=goal.source_position,
        )  # fmt: skip
        provider = self._provider_of(state)
        assert provider is not None, "a resource that is read has a provider"

        def fetch() -> ResourceState | None:
            known = old.outputs if old and old.id == id_ else {}
            guess = Found(id_, {}, {**known, **goal.inputs})
            found = self._found(provider, state, handed(provider, goal.inputs), guess)
            return found and replace(state, id=found.id, outputs=received(provider, found.outputs, state))

        if old is None or old.external or old.id == id_:  # of the same id: it is let go of, and stays
            return await self.executor.read(
                Step(Op.READ, urn, goal.type, Reason.READ, old, state), provider, fetch, old
            )
        self.replaced.add(urn)
        step = Step(Op.READ_REPLACEMENT, urn, goal.type, Reason.READ, old, state)
        return self._outlive(step, await self.executor.read(step, provider, fetch, None, condemning(old)))

    def _found(self, provider: Provider, state: ResourceState, known: Properties, guess: Found) -> Found | None:
        """What the provider reads; in a preview that cannot ask it, or asks in vain, the ``guess``."""
        elsewhere = self.preview and not isinstance(provider, BuiltinProvider)
        asked = self.live_functions or isinstance(provider, TakesMarks)
        if elsewhere and not (asked and state.id):
            return guess
        try:
            return provider.read(state.urn, state.type, state.id, known, known)
        except ProviderError:
            if elsewhere and not isinstance(provider, TakesMarks):
                return guess
            raise

    async def invoke(self, token: str, args: Properties, reference: str, plugin: Plugin) -> Invoked:
        """Answer a function of ``plugin``'s provider, or the one that ``reference`` names. Raises ProviderError."""
        reference = reference or await self.default_provider(token, plugin)
        provider = self._lookup(reference, urns.package_of(token))
        if not provider.knows_function(token):
            if self.preview:
                self._note_unknown(token)
                return Invoked({WHOLLY: UNKNOWN})
            raise ProviderError(
                f"the embedded engine cannot answer the function {token!r}; pass the value as configuration instead, "
                "or use the Pulumi CLI for this program"
            )
        if isinstance(provider, TakesMarks):
            return await self.executor.work(provider.invoke, token, args, preview=self.preview)
        if self.preview and self._half_configured(reference):
            return Invoked({WHOLLY: UNKNOWN})
        invoked = await self._invoked(provider, token, handed(provider, args))
        if not has_secret(args):
            return invoked
        # The provider was told nothing of what is secret: whatever it answers may have come from that.
        return replace(invoked, result={key: secret(value) for key, value in invoked.result.items()})

    def awaits(self, needed: Iterable[str]) -> bool:
        """Whether any of what is ``needed``, or anything below a component among it, does not exist yet."""
        roots = set(needed)
        below: dict[str, list[str]] | None = None  # what the program waits for are mostly resources, which have none
        while roots:
            urn = roots.pop()
            state = self.news.get(urn)
            if state is None or (state.custom and not state.id):
                return True
            if not state.custom:
                below = self._below() if below is None else below
                roots.update(below.get(urn, ()))
        return False

    def _below(self) -> dict[str, list[str]]:
        """The URNs of what has been registered, by their parents'."""
        below: dict[str, list[str]] = {}
        for urn, state in self.news.items():
            below.setdefault(state.parent, []).append(urn)
        return below

    def _half_configured(self, reference: str) -> bool:
        """Whether something of the provider's configuration is not known yet: it may answer otherwise then."""
        state = self.news.get(split_reference(reference)[0]) if reference else None
        return state is not None and has_unknown(state.inputs)

    async def _invoked(self, provider: Provider, token: str, args: Properties) -> Invoked:
        if self.live_functions or not self.preview:
            with contextlib.suppress(ProviderError) if self.preview else contextlib.nullcontext():
                return await self.executor.work(provider.invoke, token, args, preview=False)
        return await self.executor.call(provider, provider.invoke, token, args, preview=True)
