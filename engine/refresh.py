"""Comparing the state with what exists: each resource is read, and the state follows it if the user agrees."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

from engine import urn as urns
from engine.decide import annotate_secrets
from engine.differ import property_changes
from engine.events import Cancelled, Consumer, RunEnded, RunStarted
from engine.execute import Executor, RunCancelled, StepError
from engine.paths import join
from engine.plan import Op, Plan, Reason, Step
from engine.provider_registry import ProviderRegistry, by_reference
from engine.providers.base import ProviderError
from engine.record import NoRecord
from engine.redaction import Redactor
from engine.run import Options, Outcome, Result
from engine.state.model import ResourceState, Snapshot
from engine.state.recorder import Recorder
from engine.values import reveal


class Refresh:
    """One refresh over ``base``: ``look`` reads everything, ``record`` writes down what was found."""

    def __init__(self, base: Snapshot, registry: ProviderRegistry, emit: Consumer, options: Options) -> None:
        self._base = base
        self._registry = registry
        self._options = options
        self._providers = by_reference(base.resources)
        redactor = Redactor([[state.inputs, state.outputs] for state in base.resources])
        self._emit = redactor.wrap(emit)
        self._executor = Executor(NoRecord(), self._emit, preview=True, parallel=options.parallel)

    def cancel(self) -> None:
        """Read nothing more."""
        if not self._executor.cancelled:
            self._executor.cancelled = True
            self._emit(Cancelled())

    async def look(self) -> Outcome:
        """Read every resource that is among the targets; nothing changes, neither what exists nor the state."""
        started = time.monotonic()
        self._emit(RunStarted({}, preview=True))
        try:
            meant = [old for old in self._base.resources if self._is_read(old)]
            await asyncio.gather(*(self._one(old) for old in meant))
        finally:
            self._executor.close()
        result, word = Result.SUCCEEDED, "succeeded"
        if self._executor.failures:
            result, word = Result.RESOURCE_FAILED, "failed"
        if self._executor.cancelled:
            result, word = Result.CANCELLED, "cancelled"
        elapsed, counts = time.monotonic() - started, dict(self._executor.counts)
        self._emit(RunEnded(True, elapsed, counts, word))
        return Outcome(result, Plan(tuple(self._executor.steps)), elapsed, counts)

    def record(self, recorder: Recorder) -> None:
        """Take what ``look`` found over into the state."""
        for step in self._executor.steps:
            assert step.old is not None, "what is refreshed has a state"
            if step.op is Op.DELETE:
                recorder.drop(step.old, refresh=True)
            elif step.new is not None and step.op is Op.UPDATE:
                recorder.amend(step.old, step.new)

    def _is_read(self, old: ResourceState) -> bool:
        # What the engine itself provides (a reference to another stack) is read anew whenever the program runs.
        ours = urns.is_provider_type(old.type) or urns.package_of(old.type) == "pulumi"
        managed = old.custom and not ours and not old.pending_replacement
        return managed and self._options.targets.include(old.urn)

    async def _one(self, old: ResourceState) -> None:
        try:
            async with self._executor.slots:
                if self._executor.cancelled:
                    return
                step = await self._compared(old)
                self._executor.instant(step)
        except (StepError, RunCancelled):
            return

    async def _compared(self, old: ResourceState) -> Step:
        with self._executor.diagnosed(old.urn):
            provider = self._registry.get(old.provider, self._providers)
            try:
                found = await self._executor.work(
                    provider.read, old.urn, old.type, old.id, reveal(old.inputs), reveal(old.outputs)
                )
            except ProviderError:
                raise
            except Exception as error:  # it broke over one resource; the others are read all the same
                raise ProviderError(f"the provider broke: {type(error).__name__}: {error}") from error
        if found is None:
            return Step(Op.DELETE, old.urn, old.type, Reason.GONE, old)
        inputs, outputs = annotate_secrets(found.inputs, old), annotate_secrets(found.outputs, old)
        new = replace(old, id=found.id, inputs=inputs, outputs=outputs)
        changed = property_changes(old.inputs, inputs) or property_changes(old.outputs, outputs)
        if not changed:
            return Step(Op.SAME, old.urn, old.type, Reason.UNCHANGED, old, new)
        detailed = {join(change.path): change.kind for change in changed}
        return Step(Op.UPDATE, old.urn, old.type, Reason.DRIFTED, old, new, detailed)
