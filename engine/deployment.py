"""One pass over a stack: takes registrations as the program makes them, decides each, has it carried out.

The questions are asked in the order in which Pulumi's engine asks them.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace

from engine import paths
from engine import urn as urns
from engine.aliases import AliasError
from engine.constructing import Constructing
from engine.decide import (
    Decision,
    component_diff,
    decide,
    forced_replacement,
    new_state,
    same_state,
    wants_import,
)
from engine.differ import equal
from engine.events import Diagnostic, OutputsRegistered, Severity
from engine.execute import StepError
from engine.goals import Goal
from engine.graph import named_dependencies
from engine.marks import handed
from engine.plan import Op, Reason, Step
from engine.provider_registry import split_reference
from engine.providers.base import Provider
from engine.run_state import Registered, RegistrationRefused
from engine.state.model import ResourceState
from engine.state.sealed import comparable, comparable_outputs
from engine.values import UNKNOWN, Properties


class Deployment(Constructing):
    """Registers what the program declares."""

    async def register(self, goal: Goal) -> Registered:
        """Register a resource: decide what becomes of it and do it. Raises RegistrationRefused for the program."""
        urn = self._claim(goal.parent, goal.type, goal.name, goal.source_position)
        self.to_manage.add(urn)
        self.learn_secret(goal.inputs)
        if goal.type == urns.STACK_TYPE:
            self.root = urn
        self._demand(urn, goal)
        blocker = self._blocker(goal)
        if blocker:
            with contextlib.suppress(AliasError):
                self.prior.claim(urn, goal, self.seen)  # what it has been so far is declared all the same
            return self._skip(urn, blocker)
        try:
            if goal.custom and not goal.provider and not urns.is_provider_type(goal.type):
                with self.executor.diagnosed(urn):
                    reference = await self.default_provider(goal.type, goal.plugin)
                goal = replace(goal, provider=reference)
            try:
                old = self.prior.claim(urn, goal, self.seen)
            except AliasError as error:
                raise self._refused(urn, str(error)) from error
            answer = await self._register(urn, goal, old)
            self._doubt(urn)
            return answer
        except StepError:
            self.unavailable.add(urn)
            return Registered(urn, result="fail")

    async def _register(self, urn: str, goal: Goal, old: ResourceState | None) -> Registered:
        state = new_state(goal, urn, old)
        provider = self._provider_of(state)
        needs = tuple(named_dependencies(state))
        meant = self.selection.means(urn, needs)
        self.selection.remember(urn, needs, meant=meant)
        if not meant and not wants_import(goal, old):
            return self._untargeted(state, old)
        if provider and not provider.knows(goal.type):
            self._note_unsupported(state)
        recreating = old if await self._gone_early(old) else None
        imported = None
        if wants_import(goal, old):
            assert provider is not None, "only custom resources are imported"
            state, imported = await self._import(state, goal, old, provider)
            old = imported
            if not meant:
                return self._untargeted(state, old)
        fresh = old is None or recreating is not None or old.external or old.taint or self.targets.renew(urn)
        inputs = goal.inputs if old is None else self._ignoring(urn, goal, old)
        if provider is not None:
            inputs = await self._checked(state, provider, None if fresh else old, goal.inputs if fresh else inputs)
        state = await self._judged(replace(state, inputs=inputs), goal)
        if old is None:
            return self._answer(await self._create(state, provider))
        if recreating is not None:
            return self._answer(await self._recreate(state, recreating, provider))
        if old.external:
            return self._answer(await self._adopt(state, old, provider))
        return self._answer(await self._change(state, old, goal, provider, imported=imported is old))

    def _ignoring(self, urn: str, goal: Goal, old: ResourceState) -> Properties:
        inputs = goal.inputs
        for pattern in goal.ignore_changes:
            try:
                inputs = paths.ignore_changes([pattern], old.inputs, inputs)
            except ValueError as error:
                self.executor.emit(Diagnostic(Severity.WARNING, f"ignore_changes ignores nothing: {error}", urn))
        return inputs

    async def _change(
        self, state: ResourceState, old: ResourceState, goal: Goal, provider: Provider | None, *, imported: bool
    ) -> ResourceState:
        decision = await self._decision(state, old, goal, provider)
        await self._settled(old)
        if id(old) in self.taken_along and decision.op is not Op.REPLACE:
            return await self._make_taken(state, old, goal, provider)
        if decision.op is Op.SAME and imported:
            return old
        if decision.op is Op.SAME:
            if not same_state(*self._comparable(old, state)):
                self.state_only_changes = True
            return await self.executor.same(self._step(decision, state, old))
        if decision.op is Op.UPDATE:
            before, _ = self._comparable(old, state)  # what is sealed is not shown as changed
            return await self.executor.update(self._step(decision, state, before), provider)
        return await self._replace(decision, state, old, goal, provider)

    def _comparable(self, old: ResourceState, new: ResourceState) -> tuple[ResourceState, ResourceState]:
        """Both without what of ``old`` is sealed, where anything is."""
        return comparable(old, new) if self.base.sealed else (old, new)

    async def _decision(
        self, state: ResourceState, old: ResourceState, goal: Goal, provider: Provider | None
    ) -> Decision:
        if self.base.sealed:
            sealed, old, state = state, *comparable(old, state)
            if provider is not None and urns.is_provider_type(state.type) and old.inputs == state.inputs:
                await self.executor.call(provider, self.registry.configure, state.urn, old.id, sealed.inputs)
                return Decision(Op.SAME, Reason.UNCHANGED)
        forced = forced_replacement(old, state, self.replaced, asked=self.targets.renew(state.urn))
        if forced is None and await self._provider_replaced(old, state):
            forced = Decision(Op.REPLACE, Reason.PROVIDER_REPLACED, replace_keys=("provider",))
        if forced is not None:
            return replace(forced, delete_before_replace=bool(goal.delete_before_replace))
        if provider is None:
            return decide(old, goal, component_diff(old, state))
        with self.executor.diagnosed(state.urn):
            diff = await self.executor.call(
                provider, provider.diff, state.urn, state.type, old.id, handed(provider, old.inputs),
                handed(provider, old.outputs), handed(provider, state.inputs),
            )  # fmt: skip
        try:
            return decide(old, goal, diff)
        except ValueError as error:
            raise self._refused(state.urn, f"replace_on_changes: {error}") from error

    async def _provider_replaced(self, old: ResourceState, new: ResourceState) -> bool:
        """Whether the resource moved to a provider that cannot manage what the other one made."""
        if old.provider == new.provider or not old.provider:
            return False
        old_urn, new_urn = split_reference(old.provider)[0], split_reference(new.provider)[0]
        if self.prior.claimed(old_urn) == new_urn:
            return False
        before, after = self.olds.get(old_urn), self.news.get(new_urn)
        if before is None or after is None:
            return False
        before, after = self._comparable(before, after)
        resources = self._managing_providers(after.type)
        diff = await self.executor.call(
            resources, resources.compare, after.type, before.inputs, after.inputs, urn=new_urn
        )
        return bool(diff.replaces) or any(kind.replaces for kind in diff.detailed.values())

    async def complete(self, urn: str, outputs: Properties) -> None:
        """Take a component's outputs, or the stack's; then the hooks run that follow what was done to it."""
        self.register_outputs(urn, outputs)
        state = self.news.get(urn)
        if state is not None and state.resource_hooks:
            await self.executor.completed(state)
            self._doubt(urn)

    def _doubt(self, urn: str) -> None:
        """Skip what depends on ``urn``, which is there, where a hook that followed has failed."""
        if urn in self.executor.doubtful:
            self.unavailable.add(urn)

    def register_outputs(self, urn: str, outputs: Properties) -> None:
        """Take a component's outputs, or the stack's."""
        state = self.news.get(urn)
        if state is None:
            if urn in self.seen:
                return  # it failed, was skipped or is not among the targets
            raise RegistrationRefused(f"outputs for {urn}, which is not registered")
        old = self.olds.get(urn)
        if urn == self.root:
            self.stack_outputs = outputs
            if self.unavailable:  # what could not be computed this time keeps its last value
                outputs = {key: value for key, value in outputs.items() if value is not UNKNOWN}
        elif old is not None and not self._has_same_outputs(old, outputs):
            self.state_only_changes = True
        new = replace(state, outputs=outputs)
        self.news[urn] = new
        self.executor.record.amend(state, new)
        self.executor.emit(OutputsRegistered(Step(Op.SAME, urn, new.type, Reason.UNCHANGED, old, new)))

    def _has_same_outputs(self, old: ResourceState, outputs: Properties) -> bool:
        return equal(*comparable_outputs(old.outputs, outputs)) if self.base.sealed else equal(old.outputs, outputs)

    def keep_outputs(self) -> None:
        """Something failed: what the stack does not output this time keeps its last value."""
        state, old = self.news.get(self.root), self.olds.get(self.root)
        if state is None or old is None or self.stack_outputs is None:
            return
        new = replace(state, outputs={**old.outputs, **state.outputs})
        if new.outputs != state.outputs:
            self.news[self.root] = new
            self.executor.record.amend(state, new)
