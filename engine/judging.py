"""Having what is registered judged by the policy packs, where a run has any.

What they are told, and when, is what Pulumi's engine tells them: a resource's inputs once its provider has checked them
and before anything is done; the outputs of all resources once everything has succeeded.
"""

from __future__ import annotations

from dataclasses import replace

from engine import urn as urns
from engine.analyzer.findings import AnalyzedProvider, AnalyzedResource
from engine.events import Diagnostic, Severity
from engine.execute import StepError
from engine.goals import Goal
from engine.lookups import Lookups
from engine.provider_registry import split_reference
from engine.state.model import ResourceState
from engine.values import Properties


class Judging(Lookups):
    """A run whose resources are judged before they are made."""

    async def _judged(self, state: ResourceState, goal: Goal) -> ResourceState:
        """``state`` as the packs want it. Raises StepError where an apply may not make it.

        A preview goes on whatever they say: it is there to find everything. Nor does it wait for what they say.
        """
        if self.judgement is None:
            return state
        self._delete_first[state.urn] = goal.delete_before_replace
        state = await self._remediated(state)
        told = self._told(state, state.inputs)
        if self.preview:
            self.judgement.judge_later(told)
        elif not await self.judgement.judge(told):
            self.executor.refusals += 1
            message = "refused by policy: nothing was done to it"
            self.executor.emit(Diagnostic(Severity.ERROR, message, state.urn))
            raise StepError(message)
        return state

    async def _remediated(self, state: ResourceState) -> ResourceState:
        """``state`` with the inputs that the packs have made of its own."""
        if self.judgement is None:
            return state
        inputs = await self.judgement.remediated(self._told(state, state.inputs))
        self.learn_secret(inputs)
        return replace(state, inputs=inputs)

    async def judge_stack(self) -> bool:
        """Have the whole stack judged; whether it may stay as it is."""
        if self.judgement is None:
            return True
        told = [self._told(state, state.outputs) for state in self.news.values()]
        return await self.judgement.judge_stack(told, self.root)

    def _told(self, state: ResourceState, properties: Properties) -> AnalyzedResource:
        timeouts = state.custom_timeouts
        return AnalyzedResource(
            urn=state.urn,
            type=state.type,
            name=urns.name_of(state.urn),
            properties=properties,
            provider=self._told_provider(state),
            parent=state.parent,
            dependencies=state.dependencies,
            property_dependencies=state.property_dependencies,
            protect=state.protect,
            ignore_changes=state.ignore_changes,
            delete_before_replace=self._delete_first.get(state.urn),
            additional_secret_outputs=state.additional_secret_outputs,
            aliases=state.aliases,
            timeouts={"create": timeouts.create, "update": timeouts.update, "delete": timeouts.delete},
        )

    def _told_provider(self, state: ResourceState) -> AnalyzedProvider | None:
        if not state.provider:
            return None
        if state.provider not in self._told_providers:
            urn = split_reference(state.provider)[0]
            provider = self.news.get(urn) or self.olds.get(urn)
            if provider is None:
                return None
            self._told_providers[state.provider] = AnalyzedProvider(urn, provider.type, provider.inputs)
        return self._told_providers[state.provider]
