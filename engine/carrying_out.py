"""Carrying out what was decided: creating, replacing, deleting, and keeping what is not meant."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from abc import abstractmethod
from collections.abc import AsyncGenerator, Iterator
from dataclasses import replace

from engine.decide import Decision
from engine.events import Diagnostic, Severity
from engine.execute import StepError
from engine.goals import Goal
from engine.graph import named_dependencies
from engine.marks import handed, received_inputs
from engine.plan import DISCARDS, Op, Reason, Step
from engine.provider_choice import ProviderChoice
from engine.providers.base import Checked, Provider
from engine.replacement import dependents_to_replace
from engine.run_state import Registered
from engine.state.model import ResourceState
from engine.values import Properties


class CarryingOut(ProviderChoice):
    """A run that changes resources, in the order that their dependents allow."""

    @abstractmethod
    async def _remediated(self, state: ResourceState) -> ResourceState:
        """``state`` with inputs as the policy packs want them."""

    async def _checked(
        self, state: ResourceState, provider: Provider, old: ResourceState | None, inputs: Properties
    ) -> Properties:
        """The inputs as the provider wants them stored. Raises StepError when it refuses them, saying why."""
        seed = self.seeds.setdefault(state.urn, secrets.token_hex(8))
        with self.executor.diagnosed(state.urn):
            checked: Checked = await self.executor.call(
                provider, provider.check, state.urn, state.type,
                None if old is None else handed(provider, old.inputs), handed(provider, inputs), seed=seed,
            )  # fmt: skip
        for failure in checked.failures:
            place = f"{failure.property}: " if failure.property else ""
            self.executor.emit(Diagnostic(Severity.ERROR, f"{place}{failure.reason}", state.urn))
        if checked.failures:
            self.executor.failures += 1
            raise StepError(f"{state.urn} is not valid")
        return received_inputs(provider, checked.inputs, replace(state, inputs=inputs))

    async def _create(self, state: ResourceState, provider: Provider | None) -> ResourceState:
        return await self.executor.create(self._step(Decision(Op.CREATE, Reason.NEW), state, None), provider)

    async def _adopt(self, state: ResourceState, old: ResourceState, provider: Provider | None) -> ResourceState:
        """Create what was only read so far; what was read is forgotten at the end of the run, as it isn't ours."""
        decision = Decision(Op.REPLACE, Reason.ADOPTED)
        return await self._create_beside(old, self._step(decision, state, old, Op.CREATE_REPLACEMENT), provider)

    async def _create_beside(self, old: ResourceState, step: Step, provider: Provider | None) -> ResourceState:
        try:
            return self._outlive(step, await self.executor.create(step, provider, amended=condemning(old)))
        except StepError as failure:
            if failure.exists:
                self.outlived.add(id(old))
            raise

    def _outlive(self, step: Step, created: ResourceState) -> ResourceState:
        """``step`` has led to ``created``: what stood in its place goes at the end of the run."""
        assert step.old is not None, "a replacement has an old state"
        self.outlived.add(id(step.old))
        self.executor.instant(replace(step, op=Op.REPLACE, new=created))
        return created

    async def _recreate(self, state: ResourceState, old: ResourceState, provider: Provider | None) -> ResourceState:
        decision = Decision(Op.REPLACE, Reason.REPLACED_DEPENDENCY)
        self.replaced.add(state.urn)
        self.going.discard(id(old))
        self.executor.instant(self._step(decision, state, old))
        forced = replace(decision, replace_keys=self.forcing_keys.get(state.urn, ()))  # known when it was deleted
        return await self.executor.create(self._step(forced, state, old, Op.CREATE_REPLACEMENT), provider, old)

    async def _make_taken(
        self, state: ResourceState, old: ResourceState, goal: Goal, provider: Provider | None
    ) -> ResourceState:
        """Make what another's deletion took along: its provider was asked for a change of what is gone."""
        state = await self._anew(state, goal, provider)
        return await self._make_again(Decision(Op.REPLACE, Reason.DELETED_WITH), state, old, provider)

    async def _anew(self, state: ResourceState, goal: Goal, provider: Provider | None) -> ResourceState:
        """``state`` as one that is replaced: its provider is asked anew, with what the program said."""
        self.replaced.add(state.urn)
        if provider is None:
            return state
        state = replace(state, inputs=await self._checked(state, provider, None, goal.inputs))
        return await self._remediated(state)

    async def _make_again(
        self, decision: Decision, state: ResourceState, old: ResourceState, provider: Provider | None
    ) -> ResourceState:
        """The second half of a replacement whose first half, the deletion, has been done."""
        self.executor.instant(self._step(decision, state, old))
        return await self.executor.create(self._step(decision, state, old, Op.CREATE_REPLACEMENT), provider, old)

    async def _replace(
        self, decision: Decision, state: ResourceState, old: ResourceState, goal: Goal, provider: Provider | None
    ) -> ResourceState:
        self._refuse_replacing(decision, old, goal)
        state = await self._anew(state, goal, provider)
        if decision.delete_before_replace:
            await self._delete_dependents(old)
        if not old.pending_replacement:
            if not decision.delete_before_replace:
                create = self._step(decision, state, old, Op.CREATE_REPLACEMENT)
                return await self._create_beside(old, create, provider)
            await self.delete(old, Op.DELETE_REPLACED, decision.reason, recreate=True)
        return await self._make_again(decision, state, old, provider)

    def _refuse_replacing(self, decision: Decision, old: ResourceState, goal: Goal) -> None:
        """Say what forbids a replacement. A preview goes on all the same, so that it shows what would come of it."""
        if old.protect and goal.protect:
            forced = f"{decision.reason}: {', '.join(decision.replace_keys)}"
            message = (
                f"cannot be replaced ({forced}), because it is protected; "
                "remove protect from it in the program and run `up` first"
            )
            if not self.preview:
                self._refuse(old, message)
            self.executor.objections += 1
            self.executor.emit(Diagnostic(Severity.ERROR, message, self.declared_as(old.urn) or old.urn))
        if goal.import_id:
            message = "cannot be replaced while the program still says import_; remove import_ from it"
            if not self.preview:
                self._refuse(old, message)
            self.executor.emit(Diagnostic(Severity.WARNING, message, self.declared_as(old.urn) or old.urn))

    def _refuse(self, old: ResourceState, message: str) -> None:
        self.executor.failures += 1
        self.executor.emit(Diagnostic(Severity.ERROR, message, self.declared_as(old.urn) or old.urn))
        raise StepError(message)

    async def _delete_dependents(self, root: ResourceState) -> None:
        """Delete what would be replaced along with ``root`` and so must go before it, the last dependent first."""
        found = await dependents_to_replace(root, self.base.resources, self.seen, self.provider_for, self.executor.call)
        dependents = [each for each in reversed(found) if not self._stays(each.state, root)]
        for dependent, _ in dependents:
            if dependent.protect and not dependent.delete:
                message = f"cannot be replaced: {dependent.urn} would go along and is protected; unprotect that first"
                self._refuse(root, message)
            if self.targets.spare(dependent.urn):
                message = f"cannot be replaced: {dependent.urn} would go along and is excluded; exclude both or neither"
                self._refuse(root, message)
        if not root.pending_replacement:
            self.going.add(id(root))
        self.going.update(id(dependent) for dependent, _ in dependents)
        for dependent, keys in dependents:
            if id(dependent) in self.condemned_early:
                await self._settled(dependent)
            elif not self._stays(dependent, root):  # asked again, since others were deleted meanwhile
                self.forcing_keys[dependent.urn] = keys
                if dependent.pending_replacement:  # gone already, in a run that was interrupted
                    self.condemned_early.add(id(dependent))
                    self.deleted_early[dependent.urn] = dependent
                else:
                    await self._delete_early(dependent)

    def _stays(self, dependent: ResourceState, root: ResourceState) -> bool:
        """Whether the program has come to ``dependent`` in the meantime: then it needs ``root`` no more."""
        if self.declares(dependent.urn):
            return True
        constraint = self.executor.constraint
        gone = dependent.pending_replacement  # then no plan says that it goes along: there is nothing to be done
        return bool(constraint and not gone and constraint.leaves(dependent.urn, root.urn, replaced=dependent.delete))

    async def _delete_early(self, dependent: ResourceState) -> None:
        gone = self.going_early[id(dependent)] = asyncio.get_running_loop().create_future()
        waits = not dependent.delete  # else it has its replacement already
        try:
            op = Op.DELETE_REPLACED if waits else Op.DELETE
            await self.delete(dependent, op, Reason.REPLACED_DEPENDENCY, recreate=waits)
            if waits:
                self.deleted_early[dependent.urn] = dependent
        except StepError:
            self.stuck.add(id(dependent))
            raise
        finally:
            self.going_early.pop(id(dependent), None)
            gone.set_result(None)

    async def _settled(self, old: ResourceState) -> None:
        """Wait until ``old`` is deleted, if it is just being deleted to make way for another.

        Raises StepError where it could not be: how far that went may not be known, so nothing else is done to it.
        """
        if id(old) in self.going_early:
            await self.going_early[id(old)]
        if id(old) in self.stuck:
            raise StepError(f"{old.urn} could not be deleted")

    async def _gone_early(self, old: ResourceState | None) -> bool:
        """Whether ``old`` was deleted to make way for another's replacement. What takes its place asks this, once.

        Raises StepError where it was to be deleted and could not be.
        """
        if old is None:
            return False
        await self._settled(old)
        gone = self.deleted_early.get(old.urn) is old
        if gone:
            del self.deleted_early[old.urn]
        return gone

    async def delete(self, old: ResourceState, op: Op, reason: Reason, *, recreate: bool = False) -> None:
        """Delete one resource, or only forget it where its options or its nature say so."""
        self.condemned_early.add(id(old))
        self.going.add(id(old))
        op = DISCARDS.get(op, op) if old.external else op
        step = Step(op, old.urn, old.type, reason, old, None, retained=self._retained(old))
        provider = None
        if old.custom and not step.retained:
            with self.executor.diagnosed(old.urn):
                provider = self.provider_for(old)
        async with self._taking_along(old) if recreate else contextlib.nullcontext():
            await self.executor.delete(step, provider, recreate=recreate)

    @contextlib.asynccontextmanager
    async def _taking_along(self, root: ResourceState) -> AsyncGenerator[None]:
        """``root`` is deleted ahead of a replacement, with what is bound to it; what comes to that waits for the end.

        Then the state says that it is gone: what this run does not make again, the next one does.
        """
        bound = self._bound_to(root)
        settled = asyncio.get_running_loop().create_future()
        self.going_early.update((id(each), settled) for each in bound)
        try:
            yield
        finally:
            for each in bound:
                self.going_early.pop(id(each), None)
            settled.set_result(None)
        for each in self._bound_to(root):
            self.taken_along.add(id(each))
            if not self._is_under_way(each):
                self.executor.record.amend(each, replace(each, pending_replacement=True))

    def _bound_to(self, root: ResourceState) -> list[ResourceState]:
        """What is deleted with ``root``, and with that in turn, but for what this run has changed, or may have."""
        if root.external or root.retain_on_delete:
            return []
        going, found = {id(root)}, list[ResourceState]()
        for each in self.base.resources:
            if self._fates.get(id(each)) not in going:
                continue
            if each.delete or each.pending_replacement or id(each) in self.condemned_early:
                going.add(id(each))
            elif self.declared_as(each.urn) not in self.news and id(each) not in self.executor.touched:
                if each.custom:
                    found.append(each)
                if not self._is_under_way(each):
                    going.add(id(each))
        return found

    def _is_under_way(self, old: ResourceState) -> bool:
        """Whether the program has come to ``old``, and what becomes of it is not known yet."""
        urn = self.declared_as(old.urn)
        return urn is not None and urn not in self.news and urn not in self.unavailable

    def _retained(self, old: ResourceState) -> bool:
        return old.external or old.retain_on_delete or self._fates.get(id(old)) in self.going

    def _untargeted(self, state: ResourceState, old: ResourceState | None) -> Registered:
        """A resource that is not among the targets: as it was, or not there yet."""
        if old is None:
            self.not_created.add(state.urn)
            self.executor.instant(Step(Op.SAME, state.urn, state.type, Reason.NOT_TARGETED, None, state))
            return Registered(state.urn, unknown=True)
        self._keep(old)
        self.news[state.urn] = old
        return Registered(state.urn, old.id, old.outputs if state.custom else {})

    def _keep(self, old: ResourceState) -> None:
        """Keep a state as it is, behind all that it needs, of which the program may not say anything any more."""
        if id(old) in self.kept:
            return
        self.kept.add(id(old))
        for needed in self._needed(old):
            self._keep(needed)
        self.executor.instant(Step(Op.SAME, old.urn, old.type, Reason.NOT_TARGETED, old, old))
        self.executor.record.put(old, old)

    def _needed(self, old: ResourceState) -> Iterator[ResourceState]:
        """What ``old`` needs and this run has not registered; its provider also where another has taken its place."""
        provider = self._old_providers.get(old.provider)
        for state in (provider, *(self.olds.get(urn) for urn in named_dependencies(old))):
            if state is None or self.prior.claimed(state.urn) is not None:
                continue
            registered = self.news.get(state.urn)
            if registered is None or (state is provider and registered.id != state.id):
                yield state


def condemning(old: ResourceState | None) -> tuple[tuple[ResourceState, ResourceState], ...]:
    """What becomes of a state whose resource is to be deleted at the end of the run."""
    return () if old is None else ((old, replace(old, delete=True)),)
